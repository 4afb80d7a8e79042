import java.util.Objects;

/** Assertions that do not depend on -ea. */
final class Expect {
    interface Action {
        void run() throws Exception;
    }

    static void equal(Object wanted, Object got) {
        if (!Objects.equals(wanted, got)) {
            throw new AssertionError("wanted " + wanted + ", got " + got);
        }
    }

    static void contains(String part, String text) {
        if (!text.contains(part)) {
            throw new AssertionError("wanted '" + part + "' in: " + text);
        }
    }

    /** The exception that the action throws, which is exactly of the type and has the words in its message. */
    static <T extends Throwable> T thrown(Class<T> type, String words, Action action) {
        Throwable got = null;
        try {
            action.run();
        } catch (Throwable t) {
            got = t;
        }
        if (got == null || got.getClass() != type) {
            throw new AssertionError("wanted " + type.getName() + ", got " + got, got);
        }
        contains(words, String.valueOf(got.getMessage()));
        return type.cast(got);
    }
}
