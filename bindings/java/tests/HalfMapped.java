import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Two pages, of which the second is not mapped: the system locks the first and refuses the second. */
final class HalfMapped {
    private static final int READ_AND_WRITE = 1 | 2;
    private static final int PRIVATE_ANONYMOUS = 0x02 | 0x20;

    static MemorySegment map() throws Throwable {
        MethodHandle mmap = function("mmap", ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
        MethodHandle munmap = function("munmap", JAVA_INT, ADDRESS, JAVA_LONG);
        MemorySegment pages = (MemorySegment) mmap.invokeExact(
                MemorySegment.NULL, 2 * Pages.SIZE, READ_AND_WRITE, PRIVATE_ANONYMOUS, -1, 0L);
        Expect.equal(0, (int) munmap.invokeExact(MemorySegment.ofAddress(pages.address() + Pages.SIZE), Pages.SIZE));
        return pages.reinterpret(2 * Pages.SIZE);
    }

    private static MethodHandle function(String symbol, MemoryLayout result, MemoryLayout... parameters) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(linker.defaultLookup().find(symbol).orElseThrow(), FunctionDescriptor.of(result, parameters));
    }
}
