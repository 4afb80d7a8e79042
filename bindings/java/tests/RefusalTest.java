import ai.nomyo.memory.NomyoException;
import ai.nomyo.memory.NomyoMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;

/** Input that cannot be protected is refused, with a sentence that says what to do. */
final class RefusalTest {
    private static final List<Consumer<MemorySegment>> ALL = List.of(NomyoMemory::lock, NomyoMemory::unlock, NomyoMemory::wipe);

    static void arraysAreRefused() {
        for (Consumer<MemorySegment> call : ALL) {
            for (MemorySegment array : List.of(MemorySegment.ofArray(new byte[8]), MemorySegment.ofArray(new long[8]),
                    MemorySegment.ofBuffer(ByteBuffer.allocate(8)))) {
                Expect.thrown(IllegalArgumentException.class, "is a Java array, which the garbage collector moves",
                        () -> call.accept(array));
            }
        }
    }

    static void nullIsRefused() {
        for (Consumer<MemorySegment> call : ALL) {
            Expect.thrown(NullPointerException.class, "memory is null; pass a MemorySegment", () -> call.accept(null));
        }
    }

    /** The pointers that native code returns have no size: locking one would lock nothing, and say that it did. */
    static void memoryOfNoSizeIsRefused() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pointer = MemorySegment.ofAddress(arena.allocate(8).address());
            for (Consumer<MemorySegment> call : ALL) {
                Expect.thrown(IllegalArgumentException.class, "needs MemorySegment.reinterpret() with its size",
                        () -> call.accept(pointer));
            }
        }
    }

    static void memoryOfAClosedArenaIsRefused() {
        MemorySegment memory;
        try (Arena arena = Arena.ofConfined()) {
            memory = arena.allocate(8);
        }
        for (Consumer<MemorySegment> call : ALL) {
            Expect.thrown(IllegalStateException.class, "the arena of the memory is closed", () -> call.accept(memory));
        }
    }

    static void memoryOfAnotherThreadIsRefused() throws Exception {
        try (Arena arena = Arena.ofConfined(); ExecutorService other = Executors.newSingleThreadExecutor()) {
            MemorySegment memory = arena.allocate(8);
            memory.fill((byte) 7);
            for (Consumer<MemorySegment> call : ALL) {
                other.submit(() -> Expect.thrown(WrongThreadException.class, "thread", () -> call.accept(memory))).get();
            }
            Expect.equal((byte) 7, memory.get(ValueLayout.JAVA_BYTE, 0));
            Expect.equal(0L, Pages.locked(memory));
        }
    }

    static void readOnlyMemoryIsLockedAndNotWiped() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(Pages.SIZE, Pages.SIZE);
            memory.fill((byte) 7);
            MemorySegment view = memory.asReadOnly();
            NomyoMemory.lock(view);
            Expect.equal(1L, Pages.locked(memory));
            NomyoMemory.unlock(view);
            Expect.thrown(IllegalArgumentException.class, "is read-only and cannot be wiped", () -> NomyoMemory.wipe(view));
            Expect.equal((byte) 7, memory.get(ValueLayout.JAVA_BYTE, 0));
        }
    }

    static void nullPointersOfNativeCodeAreRefusedByTheLibrary() {
        MemorySegment pointer = MemorySegment.NULL.reinterpret(8);
        for (Consumer<MemorySegment> call : ALL.subList(0, 2)) {
            NomyoException e = Expect.thrown(NomyoException.class, "p is NULL but its length is 8", () -> call.accept(pointer));
            Expect.equal(NomyoException.ARGUMENT, e.status());
        }
        NomyoMemory.wipe(pointer); // nomyo_wipe() does nothing for NULL.
    }
}
