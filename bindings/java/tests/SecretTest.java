import ai.nomyo.memory.NomyoException;
import ai.nomyo.memory.NomyoMemory;
import ai.nomyo.memory.Secret;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A secret is protected while it is open, and gone when it is closed. */
final class SecretTest {
    private static final byte PATTERN = 0x5a;

    static void aClosedSecretCannotBeRead() throws IOException {
        Secret secret = Secret.allocate(64);
        MemorySegment memory = secret.memory();
        ByteBuffer buffer = memory.asByteBuffer();
        MemorySegment slice = memory.asSlice(8);
        memory.fill(PATTERN);
        Expect.equal(64L, patternsAt(memory.address(), 64));
        long address = memory.address();
        secret.close();
        Expect.thrown(IllegalStateException.class, "the secret is closed, and its memory is wiped", secret::memory);
        Expect.thrown(IllegalStateException.class, "closed", () -> memory.get(ValueLayout.JAVA_BYTE, 0));
        Expect.thrown(IllegalStateException.class, "closed", () -> slice.get(ValueLayout.JAVA_BYTE, 0));
        Expect.thrown(IllegalStateException.class, "closed", () -> buffer.get(0));
        Expect.thrown(IllegalStateException.class, "the arena of the memory is closed", () -> NomyoMemory.wipe(memory));
        Expect.equal(0L, patternsAt(address, 64));
    }

    static void aSecretIsLockedAndInNoCoreDumpAndZerosInAChild() {
        try (Secret secret = Secret.allocate(100)) {
            Pages.Mapping mapping = Pages.mappingOf(secret.memory().address());
            for (String flag : new String[] {"lo", "dd", "wf"}) { // VM_LOCKED, VM_DONTDUMP, VM_WIPEONFORK
                Expect.equal(true, mapping.flags().contains(flag));
            }
        }
    }

    static void aSecretLiesBetweenGuardPages() {
        try (Secret secret = Secret.allocate(100)) {
            Pages.Mapping mapping = Pages.mappingOf(secret.memory().address());
            Expect.equal("---p", Pages.mappingOf(mapping.from() - 1).permissions());
            Expect.equal("---p", Pages.mappingOf(mapping.to()).permissions());
            Expect.thrown(IndexOutOfBoundsException.class, "", () -> secret.memory().get(ValueLayout.JAVA_BYTE, 100));
        }
    }

    static void aSecretIsZerosAtFirstAndEveryThreadMayUseIt() throws Exception {
        try (Secret secret = Secret.allocate(32); ExecutorService other = Executors.newSingleThreadExecutor()) {
            Expect.equal(32L, secret.memory().byteSize());
            Expect.equal(-1L, secret.memory().mismatch(MemorySegment.ofArray(new byte[32])));
            other.submit(() -> secret.memory().fill(PATTERN)).get();
            Expect.equal(PATTERN, secret.memory().get(ValueLayout.JAVA_BYTE, 31));
            other.submit(secret::close).get();
            Expect.thrown(IllegalStateException.class, "the secret is closed", secret::memory);
        }
    }

    static void closingGivesTheMemoryBackAndClosingTwiceDoesNothingMore() {
        Secret first = Secret.allocate(100);
        first.close();
        long before = LibraryMemory.mapped();
        for (int i = 0; i < 1_000; i++) {
            Secret secret = Secret.allocate(100);
            secret.close();
            secret.close();
        }
        first.close();
        Expect.equal(before, LibraryMemory.mapped());
    }

    /** A native call that has the memory calls back, and the callback closes the secret. */
    static void aSecretInUseByANativeCallIsNotClosed() throws Throwable {
        Linker linker = Linker.nativeLinker();
        MethodHandle qsort = linker.downcallHandle(linker.defaultLookup().find("qsort").orElseThrow(), FunctionDescriptor.ofVoid(
                ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS));
        Secret secret = Secret.allocate(2);
        try (Arena arena = Arena.ofConfined()) {
            secret.memory().fill(PATTERN);
            MethodHandle closes = MethodHandles.lookup().findStatic(SecretTest.class, "refusesToClose",
                    MethodType.methodType(int.class, Secret.class, MemorySegment.class, MemorySegment.class)).bindTo(secret);
            MemorySegment callback = linker.upcallStub(closes, FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS), arena);
            refusal = null;
            qsort.invokeExact(secret.memory(), 2L, 1L, callback);
            Expect.contains("in use by another call and was not wiped", String.valueOf(refusal));
            Expect.equal(PATTERN, secret.memory().get(ValueLayout.JAVA_BYTE, 0));
            secret.close();
            Expect.thrown(IllegalStateException.class, "the secret is closed", secret::memory);
        }
    }

    static void aSizeThatNoSecretHasIsRefused() {
        for (long size : new long[] {0, -1, Long.MIN_VALUE}) {
            Expect.thrown(IllegalArgumentException.class, "at least 1 byte, and " + size, () -> allocated(size));
        }
        NomyoException e = Expect.thrown(NomyoException.class, "memory", () -> allocated(1L << 60));
        Expect.equal(NomyoException.MEMORY, e.status());
    }

    private static String refusal;

    static int refusesToClose(Secret secret, MemorySegment left, MemorySegment right) {
        try {
            secret.close();
        } catch (IllegalStateException e) { // An exception that leaves the callback would end the process.
            refusal = e.getMessage();
        }
        return 0;
    }

    private static void allocated(long size) {
        try (Secret secret = Secret.allocate(size)) {
            throw new AssertionError(secret.memory().byteSize() + " bytes were allocated");
        }
    }

    /** How many of the bytes at an address have the pattern, as the kernel sees them. Memory that is not mapped has none. */
    private static long patternsAt(long address, int length) throws IOException {
        byte[] bytes = new byte[length];
        try (RandomAccessFile memory = new RandomAccessFile("/proc/self/mem", "r")) {
            memory.seek(address);
            memory.readFully(bytes);
        } catch (IOException e) {
            Expect.contains("Input/output error", e.getMessage());
            return 0;
        }
        long count = 0;
        for (byte b : bytes) {
            count += b == PATTERN ? 1 : 0;
        }
        Arrays.fill(bytes, (byte) 0);
        return count;
    }
}
