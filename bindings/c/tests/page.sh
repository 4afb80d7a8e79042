#!/bin/sh
# The pages README.md, PINS.md and KEYS.md of bindings/c are true: their commands install, and their programs and pieces of
# programs, compiled from what they installed, print what their comments promise.
#
#   tests/with_endpoint.sh bindings/c/tests/page.sh PREFIX SCRATCH_DIR
#
# PREFIX has an installed library. `cargo build` gives that one instead of building another.
set -eu

root=$(cd "$(dirname "$0")/../../.." && pwd)
prefix=$(cd "$1" && pwd) scratch=$2
page=$root/bindings/c/README.md
rm -rf "$scratch"
mkdir -p "$scratch"
scratch=$(cd "$scratch" && pwd)
cd "$scratch"
export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 NOMYO_BASE_URL="$NOMYO_TEST_BASE_URL" SSL_CERT_FILE="$NOMYO_TEST_CA_FILE"
. "$root/tests/check.sh"
prints_what_it_says() { # PROGRAM SOURCE
    sed -n 's|.*/[/*] prints \(.*\)$|\1|p' "$2" | sed 's| \*/$||' >wanted
    test -s wanted && "$1" >said && diff -b wanted said
}
prints_nothing() { "$1" >said && ! grep . said; }

# Blocks of shell commands are appended to one file. A program, and the file for CMake, become files. Every other block
# becomes a scope in the program of its language.
awk '
    /^```(cpp|c|cmake|sh)$/ { language = substr($0, 4); text = ""; first = FNR + 1; next }
    /^```$/ && language == "cmake" { printf "%s", text >"CMakeLists.txt" }
    /^```$/ && language == "sh" { printf "%s", text >"commands" }
    /^```$/ && language == "sh" && text ~ /sudo / { printf "%s", text >"install-for-all" }
    /^```$/ && language == "sh" && text ~ /make install / { printf "%s", text >"install" }
    /^```$/ && language == "cpp" && text ~ /-fno-exceptions/ { printf "%s", text >"quiet.cpp"; language = "" }
    /^```$/ && language ~ /^c/ && text ~ /int main\(/ { printf "%s", text >("hello." language); language = "" }
    /^```$/ && (language == "c" || language == "cpp") {
        printf "{\n#line %d \"%s\"\n%s}\n", first, FILENAME, text >("pieces." language ".inc")
    }
    /^```$/ { language = ""; next }
    language { text = text $0 "\n" }' "$page" "$root/bindings/c/PINS.md" "$root/bindings/c/KEYS.md"
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

# The page's own lines install, with a home directory of their own. They find a cargo that gives what was built before, and a
# sudo that becomes nobody else.
mkdir -p home stubs target/release
cp "$prefix/lib/libnomyo.so" "$prefix/lib/libnomyo.a" target/release/
cat >stubs/cargo <<'END'
#!/bin/sh
[ "$*" = "build --release --lib" ] || { echo "cargo $* builds something else" >&2; exit 1; }
END
cat >stubs/sudo <<'END'
#!/bin/sh
exec "$@"
END
chmod +x stubs/*
installs() { # in the checkout, where `make` is given another directory of builds
    (cd "$root" && export RUSTUP_HOME="${RUSTUP_HOME:-$HOME/.rustup}" && HOME=$scratch/home PATH=$scratch/stubs:$PATH MAKEFLAGS="TARGET=$scratch/target" && export HOME PATH MAKEFLAGS &&
        . "$scratch/install" && printf 'export PKG_CONFIG_PATH="%s" LD_LIBRARY_PATH="%s"\n' "$PKG_CONFIG_PATH" "$LD_LIBRARY_PATH") \
        >"$scratch/variables"
}
check "the page installs with a prefix" installs
tail -n 1 variables >set-variables
. ./set-variables
check "the page says where pkg-config looks" test "${PKG_CONFIG_PATH:-}" -ef home/nomyo/lib/pkgconfig
check "the page says where the loader looks" test "${LD_LIBRARY_PATH:-}" -ef home/nomyo/lib
same_files() { diff -r "$prefix/include" home/nomyo/include && diff -rq "$prefix/lib" home/nomyo/lib; }
check "it installs the same files" eval 'same_files | grep -v nomyo.pc | { ! grep .; }'
# The other way changes /usr/local and /etc, in a mount namespace of its own.
cat >for-all <<END
set -e
mkdir system
mount -t tmpfs tmpfs system
mkdir system/changed system/work system/checkout
mount -t overlay overlay -o lowerdir=/etc,upperdir=$scratch/system/changed,workdir=$scratch/system/work /etc
mount -t tmpfs tmpfs /usr/local
cp -r "$root/bindings" "$root/include" "$root/Cargo.toml" system/checkout/
ln -s "$scratch/target" system/checkout/target
cd system/checkout
PATH=$scratch/stubs:\$PATH
unset LD_LIBRARY_PATH
. "$scratch/install-for-all"
ldconfig -p | grep '/usr/local/lib/libnomyo.so.0'
cc "$scratch/hello.c" -I/usr/local/include -L/usr/local/lib -lnomyo -o hello
./hello | grep -x 'Hello from C'
END
if unshare -rm sh -c 'mkdir t && mount -t tmpfs tmpfs t && mkdir t/u t/w && mount -t overlay overlay -o lowerdir=/etc,upperdir=t/u,workdir=t/w /etc' 2>log; then
    check "the page installs for all" unshare -rm sh for-all
else
    echo "skipped: the page installs for all: no mount namespace: $(cat log)"
fi
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
sed -n 's/hello/quiet/g; s/^c++ /&-fno-exceptions -Wall -Wextra -Werror /p' compile >compile-quiet
check "quiet.cpp compiles without exceptions" eval "$(cat compile-quiet)"
check "quiet.cpp" prints_what_it_says ./quiet-cpp quiet.cpp
check "hello.c, static" env -u LD_LIBRARY_PATH ./hello-static
# Since glibc 2.34 a program without it works, too. So the text of the page is tested.
check "CMake links what threads need" grep -q '^target_link_libraries(hello .*Threads::Threads' CMakeLists.txt
check "CMake configures" cmake -S . -B cmake -DCMAKE_PREFIX_PATH="$scratch/home/nomyo"
check "CMake builds" cmake --build cmake
check "what CMake built" prints_what_it_says cmake/hello hello.cpp
check "the pieces in C++" prints_what_it_says ./pieces-cpp pieces.cpp.inc
check "the pieces in C" prints_what_it_says ./pieces-c pieces.c.inc
cd "$root"
rm -rf "$scratch"
echo "page: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
