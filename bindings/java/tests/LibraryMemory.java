import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** nomyo_memory_info_get(), which the package does not offer. */
final class LibraryMemory {
    private static final long SIZE = 2 * 4 + 5 * 8 + 2 * 4;
    private static final long PAGE_SIZE = 2 * 4; // Behind policy and level.
    private static final long MAPPED = 2 * 4 + 2 * 8; // Behind policy, level, page_size and limit.
    private static final MethodHandle GET = Linker.nativeLinker().downcallHandle(
            SymbolLookup.libraryLookup(System.getenv("NOMYO_LIBRARY"), Arena.global()).find("nomyo_memory_info_get").orElseThrow(),
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));

    /** Bytes mapped for the library's heap and its secrets. */
    static long mapped() {
        return get(MAPPED);
    }

    /** The system's page size in bytes. */
    static long pageSize() {
        return get(PAGE_SIZE);
    }

    private static long get(long member) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment info = arena.allocate(SIZE, 8);
            Expect.equal(0, (int) GET.invokeExact(info, SIZE));
            return info.get(ValueLayout.JAVA_LONG, member);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }
}
