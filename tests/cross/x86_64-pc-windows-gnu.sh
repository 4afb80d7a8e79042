#!/bin/bash
# Builds everything for Windows on x86-64 with MinGW, and runs under Wine all that can be run.
#
#   tests/cross/x86_64-pc-windows-gnu.sh
#
# CROSS_PROVIDERS chooses crypto providers: "lib pure" are both, and the default. CROSS_BUILD_DIR is cargo's target directory.
# CROSS_RESULTS names the file that receives one line for each cell of the table: target, column, result, between tabs. Logs are in
# target/cross/x86_64-pc-windows-gnu. NOMYO_TEST_ENDPOINT names the endpoint's program, which runs natively.
set -euo pipefail
cd "$(dirname "$0")/../.."

target=x86_64-pc-windows-gnu
out=$PWD/target/cross/$target
results=${CROSS_RESULTS:-$out/results}
providers=${CROSS_PROVIDERS:-lib pure}
export CARGO_TARGET_DIR=${CROSS_BUILD_DIR:-$PWD/target/cross/build}
export WINEPREFIX=$PWD/target/cross/wine WINEDEBUG=-all
export NOMYO_TEST_ENDPOINT=${NOMYO_TEST_ENDPOINT:-$PWD/target/debug/endpoint}
export NOMYO_TEST_STATE=$PWD/target/endpoint-state NOMYO_TEST_PAIRS=$PWD/tests/fixtures/pairs
export NOMYO_TEST_API_KEY=test-key-Zq81vX
unset DISPLAY WAYLAND_DISPLAY
mkdir -p "$out"

tests/require.sh x86_64-w64-mingw32-gcc=gcc-mingw-w64-x86-64 x86_64-w64-mingw32-dlltool=binutils-mingw-w64-x86-64 wine=wine \
    /usr/lib/wine/wine64=wine64 cargo=
rustup target list --installed | grep -qx "$target" || rustup target add "$target"

cell() { printf '%s\t%s\t%s\n' "$target" "$1" "$2" >>"$results"; printf '%-16s %s\n' "$1" "$2"; }
# Runs a step with its own log; the cell COLUMN says whether it succeeded.
step() { # COLUMN LOG COMMAND...
    local column=$1 log=$out/$2.log
    shift 2
    if "$@" >"$log" 2>&1; then cell "$column" passed; else cell "$column" failed; tail -n 20 "$log"; fi
}

build() { # PROFILE-DIRECTORY CARGO-ARGUMENT...
    local directory=$1
    shift
    AWS_LC_SYS_PREBUILT_NASM=1 cargo build --quiet -p nomyo --lib --target "$target" "$@" &&
        mkdir -p "$directory" &&
        cp "$CARGO_TARGET_DIR/$target/debug/"{nomyo.dll,libnomyo.dll.a,libnomyo.a} "$directory"
}
has() { case " $providers " in *" $1 "*) ;; *) return 1 ;; esac }
if has pure; then
    step "builds pure" build-pure build "$out/pure" --no-default-features --features capi,rustcrypto,attestation
else
    cell "builds pure" "not run: CROSS_PROVIDERS is $providers"
fi
if has lib; then
    step builds build build "$out/lib"
else
    cell builds "not run: CROSS_PROVIDERS is $providers"
fi

cc=(x86_64-w64-mingw32-gcc -O1 -g -Wall -Wextra -Wpedantic -Werror -D_GNU_SOURCE -D__USE_MINGW_ANSI_STDIO=1)
test_cc=("${cc[@]}" -std=c11 -Itests/cross/windows/posix -iquote tests/c -iquote tests/cross/windows -include tests/cross/windows/posix.h
    -Itests/c/frozen -Iinclude "-DNOMYO_FIXTURES=\"$PWD/tests/fixtures/protocol\"")
wine_is_ready() {
    "${cc[@]}" -shared -o "$out/bcryptprimitives.dll" tests/cross/windows/bcryptprimitives.c -ladvapi32 && wineboot --init
}
wine_is_ready >"$out/wine.log" 2>&1
trap 'wineserver --kill 2>/dev/null || true' EXIT
# Puts the library and the stand-in beside the programs in a directory, where Windows looks first.
with_libraries() { # DIRECTORY LIBRARY-DIRECTORY
    mkdir -p "$1" && cp "$2/nomyo.dll" "$out/bcryptprimitives.dll" /usr/x86_64-w64-mingw32/lib/libwinpthread-1.dll "$1"
}
# The program has no ".exe" behind its name, as tests/c/run.sh expects.
compile() { # LIBRARY-DIRECTORY PROGRAM-DIRECTORY SOURCE
    local program
    program=$2/$(basename "$3" .c)
    "${test_cc[@]}" -o "$program.exe" "$3" "$1/libnomyo.dll.a" -lws2_32 -ladvapi32 -lpthread && mv "$program.exe" "$program"
}

# The programs of tests/c that are not for Windows:
#   advice fork fork_load fork_view signal_forks exit   fork
#   sigpipe interrupts process                          signals
#   defaults environment                                system calls and dlopen of Linux
#   keys_in_memory locks map_count memory_policy no_memory secrets soak   figures of /proc, mprotect, setrlimit; memory.c is theirs
#   small_stack                                         a thread on memory of the caller
#   host_allocator                                      ELF symbols
#   scenarios                                           cJSON, which Debian has not for MinGW
#   cancel                                              counts open files
contract=(library arguments request_json sealed attestation chat refusals threads with_options sent deadlines errors_logged log_frees
    frozen_consumer)
contract_tests() { # LIBRARY-DIRECTORY
    local programs=$1/c program failed=0
    with_libraries "$programs" "$1" || return 1
    for program in "${contract[@]}"; do
        compile "$1" "$programs" "tests/c/$program.c" || failed=1
    done
    # Wine's server creates the files, without the rights that Windows takes from a private temporary directory.
    wineserver --kill 2>/dev/null || true
    (umask 077 && OUT=$programs WRAP=wine tests/c/run.sh "${contract[@]}") || failed=1
    wineserver --kill 2>/dev/null || true
    return $failed
}
each() { # FUNCTION ARGUMENT...: with each crypto provider
    local provider failed=0
    for provider in $providers; do
        echo "--- $provider"
        "$@" "$out/$provider" || failed=1
    done
    return $failed
}
step "C contract" contract each contract_tests

chat() { # LIBRARY-DIRECTORY
    with_libraries "$1/chat" "$1" &&
        "${cc[@]}" -Iinclude -o "$1/chat/chat.exe" examples/c/chat.c "$1/libnomyo.dll.a" &&
        echo "Hello from Windows" | tests/with_endpoint.sh --api-key "$NOMYO_TEST_API_KEY" -- sh -c \
            'NOMYO_API_KEY=$NOMYO_TEST_API_KEY wine "$1" --url "$NOMYO_TEST_BASE_URL" --ca "$NOMYO_TEST_CA_FILE"' sh "$1/chat/chat.exe" |
        tee /dev/stderr | grep -q "Hello from Windows"
}
step chat chat each chat

program_of_windows() { # PROGRAM LIBRARY-DIRECTORY
    with_libraries "$2/windows" "$2" && compile "$2" "$2/windows" "tests/cross/windows/$1.c" &&
        tests/with_endpoint.sh --api-key "$NOMYO_TEST_API_KEY" -- wine "$2/windows/$1"
}
key_directory() { # LIBRARY-DIRECTORY
    program_of_windows key_directory "$1"
}
step "key directory" key_directory each key_directory
memory_programs() { # LIBRARY-DIRECTORY
    program_of_windows memory "$1" && program_of_windows memory_scan "$1"
}
step "memory report" memory each memory_programs

cell Python "not run: no registry has Python for Windows without an installer"

go_chat() { # with the library of the first provider
    local library=$out/${providers%% *}
    mkdir -p "$library/go" && cp "$out/bcryptprimitives.dll" "$library/go" && cp include/nomyo.h bindings/go/ &&
        cp "$library/libnomyo.a" bindings/go/lib/windows_amd64/ &&
        GOOS=windows GOARCH=amd64 CGO_ENABLED=1 CC=x86_64-w64-mingw32-gcc go -C examples/go/chat build -o "$library/go/chat.exe" . &&
        echo "Hello from Go" | tests/with_endpoint.sh --api-key "$NOMYO_TEST_API_KEY" -- sh -c \
            'NOMYO_API_KEY=$NOMYO_TEST_API_KEY wine "$1" -url "$NOMYO_TEST_BASE_URL" -ca "$NOMYO_TEST_CA_FILE"' sh "$library/go/chat.exe" |
        tee /dev/stderr | grep -q "Hello from Go"
}
if command -v go >/dev/null; then step Go go go_chat; else cell Go "not run: there is no Go"; fi
cell Node "not run: napi-build links libnode.dll on MinGW, which no package has"
