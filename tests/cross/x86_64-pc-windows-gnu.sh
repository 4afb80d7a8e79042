#!/bin/bash
# Builds everything for Windows on x86-64 with MinGW, and runs under Wine all that can be run.
#
#   tests/cross/x86_64-pc-windows-gnu.sh
#
# CROSS_PROVIDERS chooses crypto providers: "aws-lc rustcrypto" are both, and the default. CROSS_BUILD_DIR is cargo's target directory.
# NOMYO_TEST_ENDPOINT names the endpoint's program, which runs natively. cells.sh says what else the environment may choose.
set -euo pipefail
cd "$(dirname "$0")/../.."

triple=x86_64-pc-windows-gnu
. tests/cross/cells.sh
providers=${CROSS_PROVIDERS:-aws-lc rustcrypto}
export CARGO_TARGET_DIR=${CROSS_BUILD_DIR:-$PWD/target/cross/build}
export NOMYO_TEST_ENDPOINT=${NOMYO_TEST_ENDPOINT:-$PWD/target/debug/endpoint}
export NOMYO_TEST_STATE=$PWD/target/endpoint-state NOMYO_TEST_PAIRS=$PWD/tests/fixtures/pairs
export NOMYO_TEST_API_KEY=test-key-Zq81vX

. tests/cross/windows/wine.sh
rustup target list --installed | grep -qx "$triple" || rustup target add "$triple"

build() { # PROFILE-DIRECTORY CARGO-ARGUMENT...
    local directory=$1
    shift
    AWS_LC_SYS_PREBUILT_NASM=1 cargo build --quiet -p nomyo --lib --target "$triple" "$@" &&
        mkdir -p "$directory" &&
        cp "$CARGO_TARGET_DIR/$triple/debug/"{nomyo.dll,libnomyo.dll.a,libnomyo.a} "$directory"
}
has() { case " $providers " in *" $1 "*) ;; *) return 1 ;; esac }
if has rustcrypto; then
    cell "builds pure" build "$out/rustcrypto" --no-default-features --features capi,rustcrypto,attestation
else
    not_run "builds pure" "CROSS_PROVIDERS is $providers"
fi
if has aws-lc; then
    cell builds build "$out/aws-lc"
else
    not_run builds "CROSS_PROVIDERS is $providers"
fi

cc=(x86_64-w64-mingw32-gcc -O1 -g -Wall -Wextra -Wpedantic -Werror -D_GNU_SOURCE -D__USE_MINGW_ANSI_STDIO=1)
test_cc=("${cc[@]}" -std=c11 -Itests/cross/windows/posix -iquote tests/c -iquote tests/cross/windows -include tests/cross/windows/posix.h
    -Itests/c/frozen -Iinclude "-DNOMYO_FIXTURES=\"$PWD/tests/fixtures/protocol\"")
wine_is_ready >"$out/wine.log" 2>&1
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
#   advice fork fork_load fork_view signal_forks        fork
#   sigpipe interrupts process                          signals
#   defaults environment no_memory                      they replace functions of the C library, or set limits, which Windows has not
#   keys_in_memory locks map_count memory_policy secrets   fork, /proc, mprotect, limits. memory.c is for Windows
#   small_stack                                         a thread on memory of the caller
#   host_allocator                                      ELF symbols
#   cancel                                              counts handles, and GetProcessHandleCount of Wine 8 answers 0
#   exit                                                only `late`: a thread that Wine ends may hold a lock of Wine's own, and then
#                                                       Wine waits forever in NtTerminateProcess
contract=(library arguments request_json sealed attestation chat refusals threads with_options sent deadlines errors_logged log_frees
    frozen_consumer soak)
contract_tests() { # LIBRARY-DIRECTORY
    local programs=$1/c program failed=0
    with_libraries "$programs" "$1" || return 1
    for program in "${contract[@]}" exit; do
        compile "$1" "$programs" "tests/c/$program.c" || failed=1
    done
    OUT=$programs WRAP=wine tests/c/run.sh "${contract[@]}" || failed=1
    tests/with_endpoint.sh --api-key "$NOMYO_TEST_API_KEY" -- tests/cross/windows/exit_late.sh "$programs/exit" || failed=1
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
# Interpreters and cJSON come from registries, each in a version that is named there. They are checked by their SHA-256.
downloads=$PWD/target/cross/windows-downloads
. tests/cross/windows/downloads.sh
run_scenarios() { # COMMAND...: the scenario table in one language
    tests/with_endpoint.sh --api-key scenario-key -- env NOMYO_TEST_API_KEY=scenario-key "$@"
}
scenarios_in_c() { # LIBRARY-DIRECTORY
    with_libraries "$1/scenarios" "$1" &&
        "${test_cc[@]}" -DCJSON_HIDE_SYMBOLS -I"$downloads/cjson/include" -o "$1/scenarios/scenarios.exe" tests/c/scenarios.c \
            "$downloads/cjson/cJSON.o" "$1/libnomyo.dll.a" -lws2_32 -ladvapi32 -lpthread &&
        run_scenarios wine "$1/scenarios/scenarios.exe" tests/scenarios/*.json
}
contract_and_scenarios() { # LIBRARY-DIRECTORY
    local failed=0
    contract_tests "$1" || failed=1
    if get_cjson; then scenarios_in_c "$1" || failed=1; else echo "not run: the scenario table in C: no source of cJSON"; fi
    return $failed
}
cell "C contract" each contract_and_scenarios

chat() { # LIBRARY-DIRECTORY
    with_libraries "$1/chat" "$1" &&
        "${cc[@]}" -Iinclude -o "$1/chat/chat.exe" examples/c/chat.c "$1/libnomyo.dll.a" &&
        echo "Hello from Windows" | tests/with_endpoint.sh --api-key "$NOMYO_TEST_API_KEY" -- sh -c \
            'NOMYO_API_KEY=$NOMYO_TEST_API_KEY wine "$1" --url "$NOMYO_TEST_BASE_URL" --ca "$NOMYO_TEST_CA_FILE"' sh "$1/chat/chat.exe" |
        tee /dev/stderr | grep "Hello from Windows" >/dev/null
}
cell chat each chat

program_of_windows() { # PROGRAM LIBRARY-DIRECTORY
    with_libraries "$2/windows" "$2" && compile "$2" "$2/windows" "tests/cross/windows/$1.c" &&
        tests/with_endpoint.sh --api-key "$NOMYO_TEST_API_KEY" -- wine "$2/windows/$1"
}
key_directory() { # LIBRARY-DIRECTORY
    program_of_windows key_directory "$1"
}
cell "key directory" each key_directory
memory_scan() { # LIBRARY-DIRECTORY
    local key=nomyo-memory-test-Qk2v8sXf
    with_libraries "$1/scan" "$1" && cp "$1/libnomyo.dll.a" "$1/scan" && NOMYO_TEST_PAIRS='' tests/with_endpoint.sh \
        --api-key $key --reveal-keys -- python3 tests/memory/windows.py --api-key $key --library-dir "$1/scan"
}
memory_programs() { # LIBRARY-DIRECTORY
    program_of_windows memory "$1" && memory_scan "$1"
}
cell "memory report" each memory_programs

# Python's output goes to a pipe, and Node's to a file: under Wine neither writes to the other.
python_program() { # LIBRARY-DIRECTORY FILE
    with_libraries "$1/python" "$1" && run_scenarios env PYTHONPATH="$PWD/bindings/python" PYTHONDONTWRITEBYTECODE=1 \
        NOMYO_LIBRARY="$1/python/nomyo.dll" wine "$downloads/python/python.exe" "$2" </dev/null 2>&1 | cat
}
python_programs() { # LIBRARY-DIRECTORY
    python_program "$1" bindings/python/tests/scenarios.py && python_program "$1" tests/cross/windows/ctrl_c.py
}
if get_python >"$out/get-python.log" 2>&1; then
    cell Python each python_programs
else
    not_run Python "Python for Windows could not be downloaded (mvn)"
fi

go_chat() { # with the library of the first provider
    local library=$out/${providers%% *}
    mkdir -p "$library/go" && cp "$out/bcryptprimitives.dll" "$library/go" && cp include/nomyo.h bindings/go/ &&
        cp "$library/libnomyo.a" bindings/go/lib/windows_amd64/ &&
        GOOS=windows GOARCH=amd64 CGO_ENABLED=1 CC=x86_64-w64-mingw32-gcc go -C examples/go/chat build -o "$library/go/chat.exe" . &&
        echo "Hello from Go" | tests/with_endpoint.sh --api-key "$NOMYO_TEST_API_KEY" -- sh -c \
            'NOMYO_API_KEY=$NOMYO_TEST_API_KEY wine "$1" -url "$NOMYO_TEST_BASE_URL" -ca "$NOMYO_TEST_CA_FILE"' sh "$library/go/chat.exe" |
        tee /dev/stderr | grep "Hello from Go" >/dev/null
}
if command -v go >/dev/null; then cell Go go_chat; else not_run Go "there is no Go"; fi

# napi-build wants an import library of Node on MinGW. An empty one serves, because the functions are looked up at run time.
node_addon() {
    local package=$out/node/bindings/node
    rm -rf "$out/node" && mkdir -p "$package/prebuilds/win32-x64" && ln -s "$PWD/tests" "$out/node/tests" &&
        printf 'LIBRARY node.exe\nEXPORTS\n' >"$out/node/node.def" &&
        x86_64-w64-mingw32-dlltool -d "$out/node/node.def" -l "$out/node/libnode.dll" &&
        LIBNODE_PATH=$out/node AWS_LC_SYS_PREBUILT_NASM=1 cargo build --quiet -p nomyo-node --target "$triple" &&
        tar -C bindings/node --exclude=./prebuilds --exclude=node_modules -cf - . | tar -C "$package" -xf - &&
        cp "$CARGO_TARGET_DIR/$triple/debug/nomyo_node.dll" "$package/prebuilds/win32-x64/nomyo-native.napi.node" &&
        cp "$out/bcryptprimitives.dll" "$package/prebuilds/win32-x64"
}
# Node asks for a newer Windows than Wine says it is.
node_scenarios() {
    node_addon && run_scenarios env NODE_SKIP_PLATFORM_CHECK=1 wine "$downloads/node/package/bin/node.exe" \
        --require ./tests/cross/windows/fetch.js "$out/node/bindings/node/tests/scenarios.js" </dev/null
}
if ! has aws-lc; then
    not_run Node "the addon has AWS-LC, and CROSS_PROVIDERS is $providers"
elif get_node >"$out/get-node.log" 2>&1; then
    cell Node node_scenarios
else
    not_run Node "Node for Windows could not be downloaded (npm)"
fi
