package ai.nomyo.memory;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/**
 * The C library: found, loaded once per process, and the functions of nomyo.h that this package calls.
 *
 * <p>Memory is passed as a MemorySegment, never as a number. The JVM then refuses memory that is closed or belongs to another
 * thread, and keeps it alive until the call returns.
 */
@SuppressWarnings("restricted") // The reason that programs run with --enable-native-access.
final class NativeLibrary {
    private static final int ABI_VERSION = 0;
    private static final String SONAME = "libnomyo.so." + ABI_VERSION;

    private static volatile NativeLibrary loaded;

    private final String name;
    private final SymbolLookup symbols;
    private final MethodHandle lock;
    private final MethodHandle unlock;
    private final MethodHandle wipe;
    private final MethodHandle secretAlloc;
    private final MethodHandle secretFree;
    private final MethodHandle errorStatus;
    private final MethodHandle errorMessage;
    private final MethodHandle errorFree;

    private NativeLibrary(String name) {
        if (JAVA_LONG.byteSize() != ADDRESS.byteSize()) {
            throw new UnsatisfiedLinkError("ai.nomyo.memory needs a 64-bit JVM");
        }
        this.name = name;
        symbols = open(name);
        requireAbi();
        lock = function("nomyo_lock", JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS);
        unlock = function("nomyo_unlock", JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS);
        wipe = function("nomyo_wipe", null, ADDRESS, JAVA_LONG);
        secretAlloc = function("nomyo_secret_alloc", ADDRESS, JAVA_LONG, ADDRESS);
        secretFree = function("nomyo_secret_free", null, ADDRESS);
        errorStatus = function("nomyo_error_status", JAVA_INT, ADDRESS);
        errorMessage = function("nomyo_error_message", ADDRESS, ADDRESS);
        errorFree = function("nomyo_error_free", null, ADDRESS);
    }

    /**
     * Returns the library, and loads it at the first call. A failure is not remembered: the next call tries again.
     *
     * @throws UnsatisfiedLinkError the library cannot be loaded, or it is another version
     */
    static NativeLibrary get() {
        NativeLibrary library = loaded;
        if (library == null) {
            synchronized (NativeLibrary.class) {
                library = loaded;
                if (library == null) {
                    library = new NativeLibrary(configuredName());
                    loaded = library;
                }
            }
        }
        return library;
    }

    void lock(MemorySegment memory) {
        change(lock, memory);
    }

    void unlock(MemorySegment memory) {
        change(unlock, memory);
    }

    void wipe(MemorySegment memory) {
        try {
            wipe.invokeExact(memory, memory.byteSize());
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Returns an address without a size: the caller gives it the size and the arena. */
    MemorySegment secretAlloc(long byteSize) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment error = arena.allocate(ADDRESS);
            MemorySegment secret = (MemorySegment) secretAlloc.invokeExact(byteSize, error);
            if (secret.equals(MemorySegment.NULL)) {
                throw failure(NomyoException.INTERNAL, error.get(ADDRESS, 0));
            }
            return secret;
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    void secretFree(MemorySegment secret) {
        try {
            secretFree.invokeExact(secret);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    private void change(MethodHandle function, MemorySegment memory) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment error = arena.allocate(ADDRESS);
            int status = (int) function.invokeExact(memory, memory.byteSize(), error);
            if (status != 0) {
                throw failure(status, error.get(ADDRESS, 0));
            }
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** The exception of a nomyo_error, which is freed. A NULL error leaves only the number. */
    private NomyoException failure(int status, MemorySegment error) throws Throwable {
        if (error.equals(MemorySegment.NULL)) {
            return new NomyoException(status, "the native call failed with status " + status + " and gave no reason");
        }
        try {
            MemorySegment message = (MemorySegment) errorMessage.invokeExact(error);
            return new NomyoException(
                    (int) errorStatus.invokeExact(error), message.reinterpret(Long.MAX_VALUE).getString(0));
        } finally {
            errorFree.invokeExact(error);
        }
    }

    private static RuntimeException unexpected(Throwable t) {
        if (t instanceof Error error) {
            throw error;
        }
        if (t instanceof RuntimeException exception) {
            return exception;
        }
        return new IllegalStateException("a native call threw a checked exception", t); // No C function does.
    }

    private static String configuredName() {
        String property = System.getProperty("nomyo.library");
        if (property != null && !property.isEmpty()) {
            return property;
        }
        String variable = System.getenv("NOMYO_LIBRARY");
        return variable != null && !variable.isEmpty() ? variable : SONAME;
    }

    /** The library stays loaded until the process ends, as the library itself requires. */
    private static SymbolLookup open(String name) {
        try {
            return SymbolLookup.libraryLookup(name, Arena.global());
        } catch (IllegalArgumentException e) {
            throw linkError("the library cannot be loaded from " + name + ". Install " + SONAME
                    + ", or give its path in the property nomyo.library or the variable NOMYO_LIBRARY", e);
        }
    }

    private void requireAbi() {
        int abi;
        try {
            abi = (int) function("nomyo_abi_version", JAVA_INT).invokeExact();
        } catch (Throwable t) {
            throw unexpected(t);
        }
        if (abi != ABI_VERSION) {
            throw new UnsatisfiedLinkError(name + " has ABI " + abi + ", and ai.nomyo.memory needs " + ABI_VERSION);
        }
    }

    private MethodHandle function(String symbol, MemoryLayout result, MemoryLayout... parameters) {
        MemorySegment address = symbols.find(symbol).orElseThrow(
                () -> linkError(name + " has no " + symbol + ", so it is not " + SONAME + " or is an older version", null));
        return Linker.nativeLinker().downcallHandle(address,
                result == null ? FunctionDescriptor.ofVoid(parameters) : FunctionDescriptor.of(result, parameters));
    }

    private static UnsatisfiedLinkError linkError(String message, Throwable cause) {
        UnsatisfiedLinkError error = new UnsatisfiedLinkError(message);
        error.initCause(cause);
        return error;
    }
}
