import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Reads the pages of this process from /proc/self/smaps and /proc/self/status. */
final class Pages {
    static final long SIZE = LibraryMemory.pageSize();

    /** One mapping: from its first address to the one behind it, its permissions and its VmFlags. */
    record Mapping(long from, long to, String permissions, Set<String> flags) {}

    static List<Mapping> mappings() {
        List<Mapping> all = new ArrayList<>();
        String[] header = null;
        for (String line : lines("/proc/self/smaps")) {
            String[] words = line.split("\\s+");
            if (words[0].matches("[0-9a-f]+-[0-9a-f]+")) {
                header = words;
            } else if (words[0].equals("VmFlags:") && header != null) {
                String[] range = header[0].split("-");
                all.add(new Mapping(Long.parseUnsignedLong(range[0], 16), Long.parseUnsignedLong(range[1], 16), header[1],
                        Set.of(words)));
            }
        }
        return all;
    }

    static Mapping mappingOf(long address) {
        return mappings().stream().filter(m -> m.from <= address && address < m.to).findFirst().orElse(null);
    }

    /** How many of the pages that the memory touches are in mappings with the flag `lo`: VM_LOCKED. */
    static long locked(MemorySegment memory) {
        long first = memory.address() / SIZE * SIZE;
        long end = memory.address() + memory.byteSize();
        List<Mapping> mappings = mappings();
        long count = 0;
        for (long page = first; page < end; page += SIZE) {
            long address = page;
            if (mappings.stream().anyMatch(m -> m.from <= address && address < m.to && m.flags.contains("lo"))) {
                count++;
            }
        }
        return count;
    }

    /** VmLck of /proc/self/status: the bytes of all locked mappings. */
    static long lockedOfProcess() {
        return lines("/proc/self/status").stream().filter(line -> line.startsWith("VmLck:"))
                .mapToLong(line -> 1024 * Long.parseLong(line.split("\\s+")[1])).sum();
    }

    private static List<String> lines(String file) {
        try {
            return Files.readAllLines(Path.of(file));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
