import ai.nomyo.memory.NomyoException;
import ai.nomyo.memory.NomyoMemory;
import ai.nomyo.memory.Secret;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A process that may lock nothing. Prints the status and the reason of each refusal. */
final class LimitChild {
    public static void main(String[] arguments) {
        try (Arena arena = Arena.ofConfined(); Secret secret = Secret.allocate(32)) {
            report("lock", arena.allocate(64));
            report("secret", secret.memory());
        }
    }

    private static void report(String what, MemorySegment memory) {
        try {
            NomyoMemory.lock(memory);
            System.out.println("locked " + what);
        } catch (NomyoException e) {
            System.out.println(e.status() + " " + what + ": " + e.getMessage());
        }
    }
}
