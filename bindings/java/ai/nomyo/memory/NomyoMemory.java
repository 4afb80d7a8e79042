package ai.nomyo.memory;

import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * Keeps native memory out of swap, and wipes it.
 *
 * <p>Every method may be called by any thread that may access the memory: the owner for {@code Arena.ofConfined()}, all
 * threads for other arenas. Memory is never a Java array. The garbage collector moves arrays, so that a lock would protect a page
 * that the array has left, and a wipe would miss the copies.
 *
 * <p>Every method throws {@link IllegalArgumentException} for an array, for 0 bytes, and where memory is to be wiped that is
 * read-only; {@link IllegalStateException} for memory whose arena is closed; {@link WrongThreadException} for memory of another
 * thread; {@link UnsatisfiedLinkError} if the native library cannot be loaded.
 */
public final class NomyoMemory {
    private NomyoMemory() {}

    /**
     * Loads the native library. Every other method does this by itself: call it at the start of a program to learn early that
     * the library is missing.
     *
     * @throws UnsatisfiedLinkError the library cannot be loaded, or it is another version. The message says what to do
     */
    public static void load() {
        NativeLibrary.get();
    }

    /**
     * Locks the pages that {@code memory} touches. Locks are counted per page: a page is unlocked with its last unlock().
     *
     * <p>Blocks while the system reads the pages in. Call {@link #unlock} before the arena of {@code memory} is closed:
     * otherwise the pages can stay locked, and count against RLIMIT_MEMLOCK.
     *
     * @throws NomyoException {@link NomyoException#SECURITY} the system refused, and nothing more is locked than before
     */
    public static void lock(MemorySegment memory) {
        NativeLibrary.get().lock(usable(memory));
    }

    /**
     * Undoes one {@link #lock} of the same range.
     *
     * @throws NomyoException {@link NomyoException#ARGUMENT} a page of the range is not locked by lock()
     */
    public static void unlock(MemorySegment memory) {
        NativeLibrary.get().unlock(usable(memory));
    }

    /** Overwrites {@code memory} with zeros, in a way that no compiler leaves out. Blocks on nothing. */
    public static void wipe(MemorySegment memory) {
        if (usable(memory).isReadOnly()) {
            throw new IllegalArgumentException("the memory is read-only and cannot be wiped; pass the segment that it is a view of");
        }
        NativeLibrary.get().wipe(memory);
    }

    private static MemorySegment usable(MemorySegment memory) {
        Objects.requireNonNull(memory, "memory is null; pass a MemorySegment of an Arena or of a Secret");
        if (!memory.isNative()) {
            throw new IllegalArgumentException("the memory is a Java array, which the garbage collector moves; allocate it with"
                    + " Arena.allocate() or Secret.allocate()");
        }
        if (memory.byteSize() == 0) {
            throw new IllegalArgumentException("the memory has 0 bytes, so there is nothing to protect; a pointer from native code"
                    + " needs MemorySegment.reinterpret() with its size first");
        }
        if (!memory.scope().isAlive()) {
            throw new IllegalStateException("the arena of the memory is closed; unlock and wipe before you close it");
        }
        return memory;
    }
}
