#!/bin/sh
# x86-64 with an old glibc: RHEL 8, Debian 10 and 11, Ubuntu 20.04. Everything runs natively, on this machine's newer glibc.
#
# bindings/c/install/old_glibc.sh links the archive that cargo builds again.
set -eu

triple=x86_64-unknown-linux-gnu
. tests/cross/cells.sh
. tests/cross/programs.sh

compiler=cc
oldest=${CROSS_GLIBC:-2.28}

builds_for_old_glibc() { # PROVIDER
    [ "$1" = aws-lc ] && raw=target/debug || raw=target/rustcrypto/debug
    make "$([ "$1" = aws-lc ] && echo library || echo $raw/libnomyo.so)"
    for_old_glibc "$1" "$raw/libnomyo.a"
}

contract() {
    for provider in $providers; do
        RUNTIME_DESTRUCTORS=0 make -C tests/c CC=cc LIB_DIR="../../target/cross/$triple/$provider" check-symbols
        c_programs "$provider" shared
    done
}

python_suite() {
    [ -x target/venv/bin/python ] || make target/venv/ready
    NOMYO_TEST_API_KEY=scenario-key NOMYO_LIBRARY="$out/aws-lc/libnomyo.so" PYTHONPATH="$PWD/bindings/python" \
        tests/with_endpoint.sh --api-key scenario-key -- target/venv/bin/python bindings/python/tests/scenarios.py tests/scenarios/*.json
    cd bindings/python
    "$OLDPWD/target/venv/bin/python" -c 'import sys, wheel_platform as w; print(w.platform_tag(open(sys.argv[1], "rb").read()))' "$out/aws-lc/libnomyo.so" |
        tee "$out/tag"
    grep -qx "manylinux_$(echo "$oldest" | tr . _)_x86_64" "$out/tag"
}

cell builds builds_for_old_glibc aws-lc
cell "builds pure" builds_for_old_glibc rustcrypto
cell "C contract" contract
cell chat chats
cell "key directory" key_directory
cell "memory report" memory_report full
cell Python python_suite
not_run Go "its program takes the linker's glibc; make test-go runs it with this machine's"
not_run Node "the addon is linked by cargo, and takes this machine's glibc; make test-node runs it with that one"
