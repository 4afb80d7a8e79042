#!/bin/sh
# The page of documentation, bindings/java/README.md, is true: its commands compile its program, which prints what its comments
# promise, and the bodies for the SDK lock.
#
#   bindings/java/tests/page.sh LIBRARY SCRATCH_DIR
#
# `java` and `javac` are those of PATH. LIBRARY stands for what the page installs.
set -eu

root=$(cd "$(dirname "$0")/../../.." && pwd)
library=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
page=$root/bindings/java/README.md
rm -rf "$2"
mkdir -p "$2/home/nomyo/lib" "$2/bindings"
scratch=$(cd "$2" && pwd)
cd "$scratch"
ln -s "$library" home/nomyo/lib/libnomyo.so.0
ln -s "$root/bindings/java" bindings/java
unset NOMYO_LIBRARY LD_LIBRARY_PATH CLASSPATH JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS
. "$root/tests/check.sh"

awk '
    /^```(java|sh|java patch)$/ { language = substr($0, 4); next }
    /^```$/ { language = ""; next }
    language == "java" { print >"Hello.java" }
    language == "java patch" { print >"bodies" }
    language == "sh" { print >"commands" }' "$page"

# The C page's test runs `make install`. This test has its result.
check "the page installs with a prefix" grep -qx 'make install PREFIX="$HOME/nomyo"' commands
sed '/^make install /d' commands >program
program() {
    (HOME=$scratch/home && export HOME && set -e && . ./program) >said 2>errors || { cat errors; return 1; }
    test ! -s errors || { cat errors; return 1; }
    sed -n 's|.*// prints \(.*\)$|\1|p' Hello.java >wanted
    test -s wanted && diff wanted said
}
check "the page's commands compile the program, and it prints what it says" program

{
    echo 'import ai.nomyo.memory.NomyoException; import ai.nomyo.memory.NomyoMemory; import java.lang.foreign.MemorySegment;'
    echo 'final class Bodies {'
    cat bodies
    cat <<'END'
    public static void main(String[] arguments) throws Throwable {
        if (arguments.length == 0) {
            System.out.println(initMemoryLocking());
            return;
        }
        try (java.lang.foreign.Arena arena = java.lang.foreign.Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(4096, 4096);
            System.out.println(initMemoryLocking() + " " + unlock(memory) + " " + lock(memory) + " " + Pages.locked(memory) + " "
                + unlock(memory) + " " + Pages.locked(memory) + " " + lock(HalfMapped.map()));
        }
    }
}
END
} >Bodies.java
check "the bodies for the SDK compile" javac --release 22 -Xlint:all -Werror -d bodies-classes \
    -sourcepath bindings/java -cp "$(dirname "$scratch")/classes" Bodies.java
run_bodies() { java --enable-native-access=ALL-UNNAMED -cp "bodies-classes:$(dirname "$scratch")/classes" Bodies "$@"; }
lock_and_say() { NOMYO_LIBRARY=$library run_bodies lock | grep -x 'true false true 1 true 0 false'; }
check "the bodies for the SDK lock and unlock, and say whether they did" lock_and_say
say_without_library() { run_bodies | grep -x false; }
check "initMemoryLocking is false without the library" say_without_library

rm -rf "$scratch"
echo "page-java: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
