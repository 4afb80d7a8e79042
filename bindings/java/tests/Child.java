import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Another JVM with the same classes, which finds no native library unless the test says where it is. */
final class Child {
    record Result(int status, String output) {}

    private final List<String> before = new ArrayList<>();
    private final List<String> options = new ArrayList<>();
    private final Map<String, String> variables = new TreeMap<>();

    /** A child that may lock nothing, whoever runs the tests: root's right to lock is taken away, where there is one. */
    static Child withoutLocks() {
        Child child = new Child().variable("NOMYO_LIBRARY", System.getenv("NOMYO_LIBRARY"));
        if (System.getProperty("user.name").equals("root")) {
            child.before.addAll(List.of("setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock"));
        }
        child.before.addAll(List.of("prlimit", "--memlock=0:0"));
        return child;
    }

    Child option(String option) {
        options.add(option);
        return this;
    }

    Child variable(String name, String value) {
        variables.put(name, value);
        return this;
    }

    Result run(Class<?> main) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(before);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-Xcheck:jni", "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path")));
        command.addAll(options);
        command.add(main.getName());
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().keySet().removeAll(List.of("NOMYO_LIBRARY", "LD_LIBRARY_PATH", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"));
        builder.environment().putAll(variables);
        Process process = builder.start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Result(process.waitFor(), output);
    }
}
