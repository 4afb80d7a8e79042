#!/bin/sh
# 64-bit ARM with glibc, under qemu-user. What an emulator cannot do is named.
#
# qemu-user 7.2 answers 0 to every madvise() and does nothing. C programs run with its command. Interpreters and tests that start
# programs of their own need a kernel that starts programs for ARM (starts_arm64.sh). Python, Node and cJSON are Debian's for arm64.
set -eu

triple=aarch64-unknown-linux-gnu
. tests/cross/cells.sh
. tests/cross/programs.sh

compiler=aarch64-linux-gnu-gcc
cargo_build="cargo build --target $triple"
libraries=/usr/aarch64-linux-gnu
runner="qemu-aarch64-static -L $libraries"
debian=target/cross/debian-arm64
starts=tests/cross/starts_arm64.sh
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=$compiler
. packages/toolchains/arm64.sh
tests/require.sh qemu-aarch64-static=qemu-user-static unshare=util-linux

# signal_forks must end within 120 s.
export SIGNAL_FORKS=200

no_start="this kernel starts no program for ARM: it offers no binfmt_misc in a user namespace"
unemulated="
    exit: it starts itself, and runs below
    no_memory: the emulator does not pass RLIMIT_AS on to the kernel, so that the program takes the memory of the whole machine
    fork_load: a child waits for ever for a mutex of the emulator itself, which another thread held at the fork
    map_count: the emulator itself crashes when the process has no mapping left
    soak: calls by 64 threads do not end within their deadlines of 120 s
    deadlines: it did not end within 600 s on a busy machine
    host_allocator: it expects the level full, which the emulator does not reach
    memory_policy: it expects that advice is kept, and the emulator answers 0 to every madvise() and does nothing
"

builds_for_arm() { # PROVIDER
    build "$1"
    segments_allow_large_pages "$out/$1/libnomyo.so"
}

contract() {
    for provider in $providers; do
        make -C tests/c CC=cc LIB_DIR="../../target/cross/$triple/$provider" check-symbols
        c_programs "$provider" shared
        # With pages of 64 KiB. Such an emulator gives glibc's loader too few pages, so that these programs are static.
        (runner="$runner -p 65536" && c_programs "$provider" static CFLAGS=-static PROGRAMS="library arguments sealed chat fork")
    done
    if ! $starts $libraries true; then
        leaves_out exit "$no_start"
        return
    fi
    for provider in $providers; do
        $starts $libraries make -C tests/c CC="$compiler" LIB_DIR="../../target/cross/$triple/$provider" \
            OUT="../../target/cross/$triple/c-$provider-shared" PROGRAMS=exit run
    done
}

scenarios() { # PROGRAM...
    NOMYO_TEST_API_KEY=scenario-key tests/with_endpoint.sh --api-key scenario-key -- "$@" tests/scenarios/*.json
}

python_suite() {
    PYTHONPATH=$PWD/bindings/python
    export PYTHONPATH NOMYO_LIBRARY="$out/aws-lc/libnomyo.so" PYTHONDONTWRITEBYTECODE=1
    python=$PWD/$debian/usr/bin/python3.11 tests=bindings/python/tests
    $starts $debian "$python" -c 'import platform; assert platform.machine() == "aarch64"; print(platform.python_version())'
    scenarios $starts $debian "$python" $tests/scenarios.py
    [ -x target/venv/bin/python ] || make target/venv/ready
    # This Python looks there. Programs of the tests have a PYTHONPATH of their own.
    target/venv/bin/pip install -q --upgrade --target "$debian/usr/local/lib/python3.11/dist-packages" --python-version 3.11 --only-binary=:all: \
        --platform manylinux2014_aarch64 --platform manylinux_2_28_aarch64 -r bindings/python/requirements-test.txt
    leaves_out test_memory.py "the emulator keeps copies of what the program writes"
    leaves_out test_install.py "it builds wheels with this machine's cargo, and Debian's Python has no pip"
    leaves_out "test_protect_*.py" "they tell the library's memory by its exclusion from core dumps, which the emulator ignores"
    leaves_out test_service.py "uvicorn ends a worker that does not answer within 5 s, and an emulated one starts later"
    leaves_out test_generating.py "it interrupts the generation of a pair at moments in real time"
    leaves_out test_the_package_needs_less_than_eight_mebibytes "the emulator's memory is counted"
    leaves_out "test_a_handler_answers_as_the_sdk_s[True-ours], test_protect_sdk in test_examples.py" "they expect the level full, which the emulator does not reach"
    suite="$starts $debian $python -m pytest -q -ra -p no:cacheprovider"
    tests/with_endpoint.sh $suite --ignore-glob='*/test_protect_*' --ignore=$tests/test_memory.py --ignore=$tests/test_install.py \
        --ignore=$tests/test_generating.py --ignore=$tests/test_service.py --deselect "$tests/test_drop_in_memory.py::test_a_handler_answers_as_the_sdk_s[True-ours]" \
        --deselect $tests/test_examples.py::test_protect_sdk --deselect $tests/test_import.py::test_the_package_needs_less_than_eight_mebibytes $tests
}

go_suite() {
    leaves_out TestAService "it builds a program with -race, which does not run in an emulator"
    leaves_out "TestWithTheOtherCLibrary, TestTheLibraryIsNotBuilt" "they compare this machine's compilers with the target's"
    leaves_out TestClientTimeoutHoldsUnderALaterDeadline "an emulator does not decrypt a key within its 300 ms"
    leaves_out TestAProgramEndsWellWhileGoroutinesAreInCalls "its programs end before an emulator has started them"
    leaves_out TestExamplesTakeTheServerAndTheKeyFromTheEnvironment "its 20 programs generate pairs, 12 s of CPU time each"
    leaves_out TestMemoryReport "it expects that advice is kept; the cell \"memory report\" holds what is true here"
    CC=$compiler GOARCH=arm64 $starts $libraries tests/cross/go.sh "target/cross/$triple" linux_arm64 "$out/aws-lc/libnomyo.a" \
        '^TestAService$|^TestWithTheOtherCLibrary|^TestTheLibraryIsNotBuilt|^TestClientTimeoutHoldsUnderALater|^TestAProgramEndsWell|^TestExamples|^TestMemoryReport$'
}

# Skips one test of Node in the copy of the package.
skips() { # NAME REASON
    leaves_out "the Node test '$1'" "$2"
    file=$(grep -rlF --include='*.test.js' --exclude-dir=node_modules "test('$1'" "$package/bindings/node/tests")
    sed -i "s/^test('$1'/test.skip('$1'/" "$file"
    grep -qF "test.skip('$1'" "$file"
}

# The package in a copy that has the addon for ARM.
node_suite() {
    # shellcheck disable=SC2086 # words
    CARGO_INCREMENTAL=0 $cargo_build -p nomyo-node --target-dir "$build_dir"
    package=$out/node
    rm -rf "$package"
    mkdir -p "$package/bindings/node" "$package/tests"
    tar -C bindings/node --exclude=./prebuilds --exclude=node_modules -cf - . | tar -C "$package/bindings/node" -xf -
    ln -s "$PWD/tests/fixtures" "$PWD/tests/scenarios" "$package/tests"
    ln -s "$PWD/include" "$PWD/LICENSE" "$package"
    addon=$package/bindings/node/$(node -p "require('./bindings/node/prebuild.js').prebuild('$triple').addon")
    mkdir -p "$(dirname "$addon")"
    aarch64-linux-gnu-strip --strip-debug -o "$addon" "$build_dir/$triple/debug/libnomyo_node.so"
    npm ci --silent --no-audit --no-fund --cpu=arm64 --os=linux --libc=glibc --prefix "$package/bindings/node/tests"
    node=$PWD/$debian/usr/bin/node
    scenarios $starts $debian "$node" "$package/bindings/node/tests/scenarios.js"
    skips "200 calls at once end, each with its own answer, while the event loop goes on" "an emulator starts 200 threads before it starts a timer"
    lower="it expects that advice is kept or the level full, which the emulator does not reach"
    skips "the archive of this package, unpacked as the page says, takes the place of the link" "$lower"
    skips "where enough can be locked, it is" "$lower"
    skips "a secret is in locked memory, that no core dump and no forked child has" "$lower"
    leaves_out install.test.js "it builds the addon in a checkout, for this machine"
    leaves_out limits.test.js "it interrupts the generation of a pair at moments in real time"
    rm "$package/bindings/node/tests/install.test.js" "$package/bindings/node/tests/limits.test.js"
    tests/with_endpoint.sh $starts $debian "$node" --test "$package"/bindings/node/tests/*.test.js "$package"/bindings/node/tests/memory/*.test.js
}

for_debian() { # COLUMN COMMAND
    if ! chosen "$1"; then
        cell "$@"
    elif ! $starts $libraries true; then
        not_run "$1" "$no_start"
    elif ! packages/toolchains/debian.sh arm64 "$debian" python3 nodejs libcjson-dev; then
        not_run "$1" "Debian's packages for arm64 could not be had"
    else
        cell "$@"
    fi
}

cell builds builds_for_arm aws-lc
cell "builds pure" builds_for_arm rustcrypto
cell "C contract" contract
cell chat chats
cell "key directory" key_directory_of_this_system $libraries/lib/ld-linux-aarch64.so.1
cell "memory report" memory_report partial
for_debian Python python_suite
for_debian Go go_suite
for_debian Node node_suite
