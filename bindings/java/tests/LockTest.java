import ai.nomyo.memory.NomyoException;
import ai.nomyo.memory.NomyoMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Locks hold in the kernel's own account, and wiping wipes. */
final class LockTest {
    static void pagesAreLockedAfterLockAndNotAfterUnlock() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(16 * Pages.SIZE, Pages.SIZE);
            NomyoMemory.lock(memory); // Once before the count, so that the library has all the memory that it needs itself.
            NomyoMemory.unlock(memory);
            long before = Pages.lockedOfProcess();
            Expect.equal(0L, Pages.locked(memory));
            NomyoMemory.lock(memory);
            Expect.equal(16L, Pages.locked(memory));
            Expect.equal(before + 16 * Pages.SIZE, Pages.lockedOfProcess());
            NomyoMemory.unlock(memory);
            Expect.equal(0L, Pages.locked(memory));
            Expect.equal(before, Pages.lockedOfProcess());
        }
    }

    static void twoLocksNeedTwoUnlocks() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(Pages.SIZE, Pages.SIZE);
            NomyoMemory.lock(memory);
            NomyoMemory.lock(memory.asSlice(100, 1));
            NomyoMemory.unlock(memory);
            Expect.equal(1L, Pages.locked(memory));
            NomyoMemory.unlock(memory.asSlice(100, 1));
            Expect.equal(0L, Pages.locked(memory));
        }
    }

    static void everyPageThatTheMemoryTouchesIsLocked() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pages = arena.allocate(4 * Pages.SIZE, Pages.SIZE);
            MemorySegment two = pages.asSlice(2 * Pages.SIZE - 1, 2);
            NomyoMemory.lock(two);
            Expect.equal(2L, Pages.locked(pages));
            Expect.equal(2L, Pages.locked(two));
            NomyoMemory.unlock(two);
            Expect.equal(0L, Pages.locked(pages));
        }
    }

    static void directBuffersAreLockedToo() {
        ByteBuffer buffer = ByteBuffer.allocateDirect((int) (4 * Pages.SIZE));
        MemorySegment memory = MemorySegment.ofBuffer(buffer);
        NomyoMemory.lock(memory);
        Expect.equal(0L, memory.byteSize() - buffer.capacity());
        Expect.equal(true, Pages.locked(memory) >= 4);
        NomyoMemory.unlock(memory);
        Expect.equal(0L, Pages.locked(memory));
    }

    static void anyThreadLocksAndAnyOtherUnlocks() throws Exception {
        try (Arena arena = Arena.ofShared();
                ExecutorService platform = Executors.newFixedThreadPool(8);
                ExecutorService virtual = Executors.newVirtualThreadPerTaskExecutor()) {
            MemorySegment shared = arena.allocate(Pages.SIZE, Pages.SIZE);
            List<Future<?>> done = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                done.add((i % 2 == 0 ? platform : virtual).submit(() -> NomyoMemory.lock(shared)));
            }
            for (Future<?> one : done) {
                one.get();
            }
            done.clear();
            for (int i = 0; i < 199; i++) {
                done.add((i % 2 == 0 ? virtual : platform).submit(() -> NomyoMemory.unlock(shared)));
            }
            for (Future<?> one : done) {
                one.get();
            }
            Expect.equal(1L, Pages.locked(shared));
            NomyoMemory.unlock(shared);
            Expect.equal(0L, Pages.locked(shared));
        }
    }

    static void unlockOfMemoryThatIsNotLockedIsAnErrorWithStatusAndReason() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(Pages.SIZE, Pages.SIZE);
            NomyoException e = Expect.thrown(NomyoException.class,
                    "this memory was not locked with nomyo_lock; unlock what was locked, once", () -> NomyoMemory.unlock(memory));
            Expect.equal(NomyoException.ARGUMENT, e.status());
        }
    }

    static void aLockThatTheSystemRefusesIsAnErrorAndLocksNothing() throws Throwable {
        MemorySegment half = HalfMapped.map();
        NomyoException e = Expect.thrown(NomyoException.class, "the system refused to lock the memory", () -> NomyoMemory.lock(half));
        Expect.equal(NomyoException.SECURITY, e.status());
        Expect.equal(0L, Pages.locked(half));
        NomyoMemory.lock(half.asSlice(0, Pages.SIZE)); // So the first page could have been locked.
        Expect.equal(1L, Pages.locked(half));
        NomyoMemory.unlock(half.asSlice(0, Pages.SIZE));
    }

    static void aLimitOfZeroIsAnErrorThatNamesIt() throws Exception {
        Child.Result result = Child.withoutLocks().run(LimitChild.class);
        Expect.equal("60 lock\n60 secret\n", result.output().replaceAll(":.*", ""));
        for (String line : result.output().split("\n")) {
            Expect.contains("RLIMIT_MEMLOCK is 0 bytes", line);
        }
    }

    static void failuresLeaveNothingBehindInTheLibrary() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(Pages.SIZE, Pages.SIZE);
            fail(memory, 1_000);
            long before = LibraryMemory.mapped();
            fail(memory, 50_000);
            Expect.equal(before, LibraryMemory.mapped());
        }
    }

    static void wipeZeroesItsRangeAndNoNeighbour() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(300);
            memory.fill((byte) 7);
            NomyoMemory.wipe(memory.asSlice(100, 100));
            for (int i = 0; i < 300; i++) {
                Expect.equal((byte) (i >= 100 && i < 200 ? 0 : 7), memory.get(ValueLayout.JAVA_BYTE, i));
            }
        }
    }

    private static void fail(MemorySegment memory, int times) {
        for (int i = 0; i < times; i++) {
            try {
                NomyoMemory.unlock(memory);
                throw new AssertionError("an unlock without a lock succeeded");
            } catch (NomyoException e) {
                Expect.equal(NomyoException.ARGUMENT, e.status());
            }
        }
    }
}
