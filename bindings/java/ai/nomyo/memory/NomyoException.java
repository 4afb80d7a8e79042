package ai.nomyo.memory;

/** A call of the native library failed. The message is the library's own sentence. */
public final class NomyoException extends RuntimeException {
    /** NOMYO_ERR_ARGUMENT: the memory cannot be what the call needs, for instance because it was not locked. */
    public static final int ARGUMENT = 1;
    /** NOMYO_ERR_SECURITY: the system refused a lock. RLIMIT_MEMLOCK is the usual reason. */
    public static final int SECURITY = 60;
    /** NOMYO_ERR_MEMORY: the process has no more memory, or no more mappings. */
    public static final int MEMORY = 80;
    /** NOMYO_ERR_INTERNAL: a bug in the library. Handle a number that you do not know in the same way. */
    public static final int INTERNAL = 99;

    private static final long serialVersionUID = 1L;

    private final int status;

    NomyoException(int status, String message) {
        super(message);
        this.status = status;
    }

    /** The NOMYO_ERR_ number that the call returned. */
    public int status() {
        return status;
    }
}
