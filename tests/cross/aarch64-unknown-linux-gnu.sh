#!/bin/sh
# 64-bit ARM with glibc, under qemu-user. What an emulator cannot do is named.
#
# qemu-user 7.2 answers 0 to every madvise() and does nothing. An execve() of a program for ARM fails where the kernel has no
# binfmt_misc entry for it. The Python and the Node for ARM are Debian's.
set -eu

triple=aarch64-unknown-linux-gnu
. tests/cross/cells.sh
. tests/cross/programs.sh

compiler=aarch64-linux-gnu-gcc
cargo_build="cargo build --target $triple"
runner="qemu-aarch64-static -L /usr/aarch64-linux-gnu"
debian=$PWD/target/cross/debian-arm64
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=$compiler
export LD=aarch64-linux-gnu-ld OBJCOPY=aarch64-linux-gnu-objcopy AR=aarch64-linux-gnu-ar

no_advice="the emulator answers 0 to every madvise() and does nothing, and the test checks what it does"
no_exec="it starts itself, and this kernel starts no program for ARM"
unemulated="
    exit: $no_exec
    fork_view: $no_advice
"

builds_for_arm() { # PROVIDER
    build "$1"
    segments_allow_large_pages "$out/$1/libnomyo.so"
}

# The suite with pages of 4 KiB, and what a client does all day with pages of 64 KiB.
contract() {
    for provider in $providers; do
        make -C tests/c CC=cc LIB_DIR="../../target/cross/$triple/$provider" check-symbols
        c_programs "$provider" shared
        make -C tests/c CC="$compiler" LIB_DIR="../../target/cross/$triple/$provider" OUT="../../target/cross/$triple/c-$provider-shared" \
            PROGRAMS="library arguments request_json sealed attestation chat refusals threads fork" WRAP="$runner -p 65536" run
    done
}

go_suite() {
    left_out='^TestAService$|^TestAProgramEndsWell|^TestExamples|^TestAtMost|^TestNewClientBesideSetenv$|^TestWith|^TestTheLibraryIsNot'
    leaves_out "the Go tests $left_out" "they start programs of their own"
    CC=$compiler GOARCH=arm64 tests/cross/go.sh "target/cross/$triple" linux_arm64 "$out/aws-lc/libnomyo.a" \
        -exec "$runner" -skip "$left_out"
}

# The scenarios, and the tests that need nothing but pytest and start no Python of their own.
python_suite() {
    python="qemu-aarch64-static -L $debian -E LD_LIBRARY_PATH=$debian/usr/lib/aarch64-linux-gnu $debian/usr/bin/python3.11"
    NOMYO_LIBRARY=$out/aws-lc/libnomyo.so
    PYTHONPATH=$PWD/bindings/python:$(target/venv/bin/python -c 'import site; print(site.getsitepackages()[0])')
    export NOMYO_LIBRARY PYTHONPATH PYTHONDONTWRITEBYTECODE=1
    $python -c 'import platform; assert platform.machine() == "aarch64"; print(platform.python_version())'
    NOMYO_TEST_API_KEY=scenario-key tests/with_endpoint.sh --api-key scenario-key -- \
        $python bindings/python/tests/scenarios.py tests/scenarios/*.json
    chosen=
    for file in bindings/python/tests/test_*.py; do
        reason=
        if grep -qE 'subprocess|multiprocessing|os\.fork|sys\.executable' "$file"; then reason="it starts a Python of its own"; fi
        if grep -qE '^(import|from) (trio|anyio|gevent|nomyo)\b' "$file"; then reason="it needs packages with code for this machine"; fi
        if [ -n "$reason" ]; then leaves_out "$(basename "$file")" "$reason"; else chosen="$chosen $file"; fi
    done
    tests/with_endpoint.sh $python -m pytest -q -ra -p no:cacheprovider $chosen
}

# The package in a copy that has the addon for ARM. `node --test` would start a Node for each file.
node_suite() {
    # shellcheck disable=SC2086 # words
    CARGO_INCREMENTAL=0 $cargo_build -p nomyo-node --target-dir "$build_dir"
    package=$out/node
    rm -rf "$package"
    mkdir -p "$package/bindings/node" "$package/tests"
    tar -C bindings/node --exclude=./prebuilds --exclude=node_modules -cf - . | tar -C "$package/bindings/node" -xf -
    ln -s "$PWD/tests/fixtures" "$PWD/tests/scenarios" "$package/tests"
    addon=$package/bindings/node/$(node -p "require('./bindings/node/prebuild.js').prebuild('$triple').addon")
    mkdir -p "$(dirname "$addon")"
    aarch64-linux-gnu-strip --strip-debug -o "$addon" "$build_dir/$triple/debug/libnomyo_node.so"
    node="qemu-aarch64-static -L $debian -E LD_LIBRARY_PATH=$debian/usr/lib/aarch64-linux-gnu $debian/usr/bin/node"
    NOMYO_TEST_API_KEY=scenario-key tests/with_endpoint.sh --api-key scenario-key -- \
        $node "$package/bindings/node/tests/scenarios.js"
    failed=
    cd "$package/bindings/node"
    for file in tests/*.test.js tests/memory/*.test.js; do
        if grep -qE 'spawn|execFile|fork\(|execPath' "$file"; then
            leaves_out "$file" "it starts programs of its own"
        elif grep -qE "esbuild|express|typescript" "$file"; then
            leaves_out "$file" "it needs packages of npm"
        else
            (cd "$OLDPWD" && tests/with_endpoint.sh $node "$package/bindings/node/$file") || failed="$failed $file"
        fi
    done
    [ -z "$failed" ] || { echo "failed:$failed"; return 1; }
}

for_debian() { # COLUMN COMMAND
    if tests/cross/debian.sh arm64 "$debian" python3 nodejs; then cell "$@"; else not_run "$1" "Debian's packages for arm64 could not be had"; fi
}

cell builds builds_for_arm aws-lc
cell "builds pure" builds_for_arm rustcrypto
cell "C contract" contract
cell chat chats
cell "key directory" key_directory
cell "memory report" memory_report partial
for_debian Python python_suite
cell Go go_suite
for_debian Node node_suite
