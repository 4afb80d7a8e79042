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
export PKG_CONFIG_PATH="$prefix/lib/pkgconfig" PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 LD_LIBRARY_PATH="$prefix/lib"
export NOMYO_BASE_URL="$NOMYO_TEST_BASE_URL" SSL_CERT_FILE="$NOMYO_TEST_CA_FILE"
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

sed -n '/^\(cc\|c++\) /p' commands >compile
check "the page says how to compile" test "$(wc -l <compile)" -eq 3
while read -r command; do check "$command" eval "$command"; done <compile
check "hello.cpp" prints_what_it_says ./hello-cpp hello.cpp
check "hello.c" prints_what_it_says ./hello-c hello.c
check "hello.c, static" env -u LD_LIBRARY_PATH ./hello-static
check "CMake configures" cmake -S . -B cmake -DCMAKE_PREFIX_PATH="$prefix"
check "CMake builds" cmake --build cmake
check "what CMake built" prints_what_it_says cmake/hello hello.cpp
flags="-Wall -Wextra -Werror $(pkg-config --cflags --libs nomyo) -pthread"
# shellcheck disable=SC2086 # words
{
    check "the pieces in C++ compile" c++ -std=c++17 pieces.cpp $flags -o pieces-cpp
    check "the pieces in C compile" cc -std=c11 pieces.c $flags -o pieces-c
}
check "the pieces in C++" prints_what_it_says ./pieces-cpp pieces.cpp.inc
check "the pieces in C" prints_what_it_says ./pieces-c pieces.c.inc
cd "$root"
rm -rf "$scratch"
echo "page: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
