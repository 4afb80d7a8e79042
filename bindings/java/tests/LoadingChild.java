import ai.nomyo.memory.NomyoMemory;
import ai.nomyo.memory.Secret;

/** A process that finds the library, or prints why it does not. */
final class LoadingChild {
    public static void main(String[] arguments) {
        String second = System.getProperty("test.second");
        try {
            try {
                NomyoMemory.load();
            } catch (UnsatisfiedLinkError e) {
                if (second == null) {
                    throw e;
                }
                System.setProperty("nomyo.library", second);
            }
            try (Secret secret = Secret.allocate(32)) {
                NomyoMemory.lock(secret.memory());
                NomyoMemory.wipe(secret.memory());
                NomyoMemory.unlock(secret.memory());
            }
            System.out.println("locked and wiped");
        } catch (UnsatisfiedLinkError e) {
            System.out.println(e.getMessage());
            System.exit(1);
        }
    }
}
