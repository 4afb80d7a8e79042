#!/bin/sh
# The page of documentation, bindings/c/README.md, says the truth: its programs and pieces of programs, compiled from what
# was installed, print what their comments say they print.
#
#   tests/with_endpoint.sh bindings/c/tests/page.sh PREFIX SCRATCH_DIR
set -eu

root=$(cd "$(dirname "$0")/../../.." && pwd)
prefix=$(cd "$1" && pwd) scratch=$2
page=$root/bindings/c/README.md
rm -rf "$scratch"
mkdir -p "$scratch"
cd "$scratch"
export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 NOMYO_BASE_URL="$NOMYO_TEST_BASE_URL" SSL_CERT_FILE="$NOMYO_TEST_CA_FILE"
passed=0 failed=0

check() { # WHAT COMMAND...
    what=$1
    shift
    if "$@" >log 2>&1; then
        passed=$((passed + 1))
        echo "ok: $what"
    else
        failed=$((failed + 1))
        echo "not ok: $what"
        cat log
    fi
}
prints_what_it_says() { # PROGRAM SOURCE
    sed -n 's|.*/[/*] prints \(.*\)$|\1|p' "$2" | sed 's| \*/$||' >wanted
    test -s wanted && "$1" >said && diff -b wanted said
}
prints_nothing() { "$1" >said && ! grep . said; }

# A block that is a program, or what CMake reads, becomes a file; every other one a scope in the program of its language.
awk -v page="$page" '
    /^```(cpp|c|cmake|sh)$/ { language = substr($0, 4); text = ""; first = NR + 1; next }
    /^```$/ && language == "cmake" { printf "%s", text >"CMakeLists.txt" }
    /^```$/ && language == "sh" { printf "%s", text >"commands" }
    /^```$/ && language ~ /^c/ && text ~ /int main\(/ { printf "%s", text >("hello." language); language = "" }
    /^```$/ && (language == "c" || language == "cpp") {
        printf "{\n#line %d \"%s\"\n%s}\n", first, page, text >("pieces." language ".inc")
    }
    /^```$/ { language = ""; next }
    language { text = text $0 "\n" }' "$page"
cat >pieces.cpp <<'END'
#ifndef _REENTRANT
#error "the page compiles its threads without -pthread"
#endif
#include <nomyo.hpp>
#include <future>
#include <iostream>
#include <vector>
#include <sys/wait.h>
#include <unistd.h>
using namespace std::chrono_literals;
static std::string said(const std::string &text) {
    return R"({"model": "m", "messages": [{"role": "user", "content": ")" + text + "\"}]}";
}
int main() try {
    nomyo::Config config;
    config.load_env();
    const nomyo::Client client(config);
    const std::string json = said("Hello");
#include "pieces.cpp.inc"
} catch (const std::exception &e) {
    std::cerr << e.what() << '\n';
    return 1;
}
END
cat >pieces.c <<'END'
#include <nomyo.h>
#include <stdio.h>
#include <string.h>
int main(void) {
    const char *json = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}";
    nomyo_config *config = nomyo_config_new();
    nomyo_client *client = NULL;
    if (nomyo_config_load_env(config, NULL) != NOMYO_OK || nomyo_client_new(config, &client, NULL) != NOMYO_OK) return 1;
#include "pieces.c.inc"
    nomyo_client_free(client);
    nomyo_config_free(config);
    return 0;
}
END

# The page's own lines are what is run, on what is in `prefix`: for its programs and, with warnings, for its pieces.
variables=$(sed -n '/^export /p' commands)
eval "$variables"
check "the page says where pkg-config looks" test "${PKG_CONFIG_PATH:-}" -ef "$prefix/lib/pkgconfig"
check "the page says where the loader looks" test "${LD_LIBRARY_PATH:-}" -ef "$prefix/lib"
sed -n '/^\(cc\|c++\) /p' commands >compile
check "the page says how to compile" test "$(wc -l <compile)" -eq 3
sed 's/hello/pieces/g; s/$/ -Wall -Wextra -Werror/' compile >compile-pieces
while read -r command; do check "$command" eval "$command"; done <<END
$(cat compile compile-pieces)
END
check "hello.cpp" prints_what_it_says ./hello-cpp hello.cpp
check "hello.c" prints_what_it_says ./hello-c hello.c
sed 's/\\"messages\\"/\\"tools\\":[{\\"type\\":\\"function\\",\\"function\\":{\\"name\\":\\"f\\"}}],&/' hello.c >calls.c
sed -n 's/hello/calls/g; /-o calls-c$/p' compile >compile-calls
check "hello.c, asked for a call, compiles" eval "$(cat compile-calls)"
check "hello.c ends well when the model calls a function" prints_nothing ./calls-c
check "hello.c, static" env -u LD_LIBRARY_PATH ./hello-static
# Since glibc 2.34 a program without it works, too: only the page's text shows it.
check "CMake links what threads need" grep -q '^target_link_libraries(hello .*Threads::Threads' CMakeLists.txt
check "CMake configures" cmake -S . -B cmake -DCMAKE_PREFIX_PATH="$prefix"
check "CMake builds" cmake --build cmake
check "what CMake built" prints_what_it_says cmake/hello hello.cpp
check "the pieces in C++" prints_what_it_says ./pieces-cpp pieces.cpp.inc
check "the pieces in C" prints_what_it_says ./pieces-c pieces.c.inc
cd "$root"
rm -rf "$scratch"
echo "page: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
