#!/bin/sh
# x86-64 with an old glibc: RHEL 8, Debian 10 and 11, Ubuntu 20.04. Everything runs natively, on this machine's newer glibc.
#
# The archive that cargo builds is linked again, by zig, which has the symbols of each version of glibc. A linker of this system
# would take the newest symbols that it finds.
set -eu

triple=x86_64-unknown-linux-gnu
. tests/cross/cells.sh
. tests/cross/programs.sh

compiler=cc
oldest=${CROSS_GLIBC:-2.28}
zig=$PWD/target/cross/zig

linked_again() { # PROVIDER RAW-ARCHIVE
    rm -rf "${out:?}/$1"
    mkdir -p "$out/$1"
    cp "$2" "$out/$1/libnomyo.a"
    bindings/c/install/one_object.sh "$2" "$out/$1/object.a"
    {
        echo '{ global:'
        nm --defined-only --extern-only --format=posix "$out/$1/object.a" | awk 'NF > 2 { print $1 ";" }'
        echo 'local: *; };'
    } >"$out/$1/exports"
    "$zig/bin/python" -m ziglang cc -target "x86_64-linux-gnu.$oldest" -shared -o "$out/$1/libnomyo.so" \
        -Wl,--whole-archive "$out/$1/object.a" -Wl,--no-whole-archive \
        -Wl,-soname,libnomyo.so.0,-z,nodelete,-z,relro,-z,now,--version-script="$out/$1/exports" -lunwind -lm -lpthread -ldl
    ln -s libnomyo.so "$out/$1/libnomyo.so.0"
    needs_no_newer_glibc "$out/$1/libnomyo.so"
}

needs_no_newer_glibc() { # FILE
    readelf -VW "$1" | grep -o 'GLIBC_[0-9][0-9.]*' | sort -Vu >"$out/versions"
    cat "$out/versions"
    [ -s "$out/versions" ] && [ "$(printf 'GLIBC_%s\n' "$oldest" | sort -V - "$out/versions" | tail -n 1)" = "GLIBC_$oldest" ]
}

builds_for_old_glibc() {
    [ -x "$zig/ready" ] || { python3 -m venv --clear "$zig" && "$zig/bin/pip" install -q -r tests/cross/requirements.txt && install -m 755 /dev/null "$zig/ready"; }
    [ "$1" = aws-lc ] && raw=target/debug || raw=target/rustcrypto/debug
    make "$([ "$1" = aws-lc ] && echo library || echo $raw/libnomyo.so)"
    linked_again "$1" "$raw/libnomyo.a"
}

contract() {
    for provider in $providers; do
        make -C tests/c CC=cc LIB_DIR="../../target/cross/$triple/$provider" check-symbols
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
    grep -qx "manylinux_2_$(sed -n '$s/GLIBC_2\.//p' "$out/versions" | cut -d. -f1)_x86_64" "$out/tag"
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
