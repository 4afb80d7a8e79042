import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** Runs every test: a static method without parameters and result, named after its promise. */
final class Run {
    private static final List<Class<?>> SUITES = List.of(LockTest.class, RefusalTest.class, SecretTest.class, LoadingTest.class);

    public static void main(String[] arguments) throws IllegalAccessException {
        int passed = 0;
        int failed = 0;
        for (Class<?> suite : SUITES) {
            Method[] tests = Arrays.stream(suite.getDeclaredMethods()).filter(Run::isTest)
                    .sorted(Comparator.comparing(Method::getName)).toArray(Method[]::new);
            for (Method test : tests) {
                String name = suite.getSimpleName() + "." + test.getName();
                try {
                    test.invoke(null);
                    passed++;
                    System.out.println("ok: " + name);
                } catch (InvocationTargetException e) {
                    failed++;
                    System.out.println("not ok: " + name);
                    e.getCause().printStackTrace(System.out);
                }
            }
        }
        System.out.println("java: " + passed + " passed, " + failed + " failed");
        System.exit(failed == 0 ? 0 : 1);
    }

    private static boolean isTest(Method method) {
        return Modifier.isStatic(method.getModifiers()) && !Modifier.isPrivate(method.getModifiers()) && !method.isSynthetic()
                && method.getParameterCount() == 0 && method.getReturnType() == void.class;
    }
}
