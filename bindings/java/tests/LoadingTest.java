import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The library comes from the property, the variable or the loader's path, in this order; everything else is a clear error. */
final class LoadingTest {
    private static final String LIBRARY = System.getenv("NOMYO_LIBRARY");

    static void thePropertyNamesTheLibrary() throws Exception {
        works(new Child().option("-Dnomyo.library=" + LIBRARY));
    }

    static void thePropertyComesBeforeTheVariable() throws Exception {
        works(new Child().option("-Dnomyo.library=" + LIBRARY).variable("NOMYO_LIBRARY", "/nowhere.so"));
        says("cannot be loaded from /nowhere.so",
                new Child().option("-Dnomyo.library=/nowhere.so").variable("NOMYO_LIBRARY", LIBRARY));
    }

    static void theVariableNamesTheLibrary() throws Exception {
        works(new Child().variable("NOMYO_LIBRARY", LIBRARY));
    }

    static void theLoaderFindsTheLibraryByItsName() throws Exception {
        works(new Child().variable("LD_LIBRARY_PATH", Path.of(LIBRARY).getParent().toString()));
    }

    static void aMissingLibraryIsAnErrorThatSaysWhatToDo() throws Exception {
        says("the library cannot be loaded from libnomyo.so.0. Install libnomyo.so.0, or give its path in the property "
                + "nomyo.library or the variable NOMYO_LIBRARY", new Child().option("-Dnomyo.library="));
    }

    static void theLibraryPathOfJavaIsNotSearched() throws Exception {
        says("cannot be loaded from libnomyo.so.0", new Child().option("-Djava.library.path=" + Path.of(LIBRARY).getParent()));
    }

    static void anotherLibraryIsRefused() throws Exception {
        says("libc.so.6 has no nomyo_abi_version, so it is not libnomyo.so.0", new Child().option("-Dnomyo.library=libc.so.6"));
    }

    static void anotherAbiIsRefused() throws Exception {
        says("has ABI 7, and ai.nomyo.memory needs 0", new Child().option("-Dnomyo.library=" + libraryWithAbi(7)));
    }

    static void anOlderLibraryOfTheSameAbiIsRefused() throws Exception {
        says("has no nomyo_lock, so it is not libnomyo.so.0 or is an older version",
                new Child().option("-Dnomyo.library=" + libraryWithAbi(0)));
    }

    static void aLaterCallTriesAgain() throws Exception {
        works(new Child().option("-Dnomyo.library=/nowhere.so").option("-Dtest.second=" + LIBRARY));
    }

    private static void works(Child child) throws Exception {
        Expect.equal(new Child.Result(0, "locked and wiped\n"), child.run(LoadingChild.class));
    }

    private static void says(String words, Child child) throws Exception {
        Child.Result result = child.run(LoadingChild.class);
        Expect.equal(1, result.status());
        Expect.contains(words, result.output());
    }

    /** A library that has nothing but a version of the ABI. */
    private static Path libraryWithAbi(int abi) throws IOException, InterruptedException {
        Path library = Path.of(System.getProperty("java.class.path")).resolve("abi-" + abi + ".so");
        Path source = library.resolveSibling("abi.c");
        Files.writeString(source, "unsigned nomyo_abi_version(void) { return " + abi + "; }\n");
        Process compiler = new ProcessBuilder(List.of("cc", "-shared", "-fPIC", source.toString(), "-o", library.toString()))
                .redirectErrorStream(true).start();
        String said = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        Expect.equal(0, compiler.waitFor());
        Expect.equal("", said);
        return library;
    }
}
