package ai.nomyo.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Memory for one secret: between guard pages, excluded from core dumps, zeros in a forked child, wiped by {@link #close}.
 *
 * <p>The memory is locked if the system allows it. To require the lock, call {@link NomyoMemory#lock} with {@link #memory()}:
 * it throws if the system refuses.
 *
 * <p>Any number of threads may use a secret at once. A secret that is never closed keeps its memory until the process ends.
 */
public final class Secret implements AutoCloseable {
    private final Arena arena;
    private final MemorySegment memory;

    private Secret(Arena arena, MemorySegment memory) {
        this.arena = arena;
        this.memory = memory;
    }

    /**
     * Allocates {@code byteSize} zero bytes. Blocks on nothing. Each secret takes at least four pages.
     *
     * @throws IllegalArgumentException {@code byteSize} is not at least 1
     * @throws NomyoException {@link NomyoException#MEMORY} there is no memory for the secret
     * @throws NomyoException {@link NomyoException#SECURITY} a client in this process requires locks, and the system refused
     * @throws UnsatisfiedLinkError the native library cannot be loaded
     */
    @SuppressWarnings("restricted") // reinterpret(): the size is the size that was allocated.
    public static Secret allocate(long byteSize) {
        if (byteSize < 1) {
            throw new IllegalArgumentException("a secret has at least 1 byte, and " + byteSize + " were asked for");
        }
        NativeLibrary library = NativeLibrary.get();
        Arena arena = Arena.ofShared();
        MemorySegment address = library.secretAlloc(byteSize);
        return new Secret(arena, address.reinterpret(byteSize, arena, library::secretFree));
    }

    /**
     * The secret's memory. Every copy in a Java array or a String is a copy that nobody wipes.
     *
     * @throws IllegalStateException the secret is closed
     */
    public MemorySegment memory() {
        if (!memory.scope().isAlive()) {
            throw new IllegalStateException("the secret is closed, and its memory is wiped");
        }
        return memory;
    }

    /**
     * Wipes and frees the memory. Every segment and buffer over it throws IllegalStateException from then on. A second call
     * does nothing.
     *
     * @throws IllegalStateException another thread's native call or file operation uses the memory now. The secret is neither
     *     wiped nor closed: call close() again when the other call has ended
     */
    @Override
    public synchronized void close() {
        if (!arena.scope().isAlive()) {
            return;
        }
        try {
            arena.close();
        } catch (IllegalStateException e) {
            throw new IllegalStateException("the secret is in use by another call and was not wiped; close it when the call has ended", e);
        }
    }
}
