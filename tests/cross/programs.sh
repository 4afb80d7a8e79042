# Sourced by the scripts of the targets, after cells.sh: builds the library and runs C programs with it.
#
# `compiler` is the C compiler for the target, `cargo_build` the words that build for it, and `runner` the words that start a
# program of the target, or nothing. A provider's libraries lie in $out/PROVIDER. CROSS_PROVIDERS chooses crypto providers.
providers=${CROSS_PROVIDERS:-aws-lc rustcrypto}
build_dir=${CROSS_BUILD_DIR:-target/cross/build}
rustup target list --installed | grep -qx "$triple" || rustup target add "$triple"

features_of() { # PROVIDER
    case $1 in
    aws-lc) echo ;;
    rustcrypto) echo --no-default-features --features capi,rustcrypto,attestation ;;
    esac
}

# All targets and both providers share a directory, so that the programs that the build itself runs are compiled once.
build() { # PROVIDER
    export CARGO_INCREMENTAL=0
    # shellcheck disable=SC2046,SC2086 # words
    $cargo_build -p nomyo --lib --target-dir "$build_dir" $(features_of "$1")
    rm -rf "${out:?}/$1"
    mkdir -p "$out/$1"
    cp "$build_dir/$triple/debug/libnomyo.so" "$build_dir/$triple/debug/libnomyo.a" "$out/$1"
    ln -s libnomyo.so "$out/$1/libnomyo.so.0"
    machine_is_right "$out/$1/libnomyo.so"
}

# Links the library again for the glibc `oldest`.
for_old_glibc() { # PROVIDER RAW-ARCHIVE
    . packages/toolchains/zig.sh
    mkdir -p "$out/$1"
    [ "$2" -ef "$out/$1/libnomyo.a" ] || cp "$2" "$out/$1/libnomyo.a"
    GLIBC=$oldest bindings/c/install/old_glibc.sh "$2" "$out/$1/libnomyo.so"
    ln -sf libnomyo.so "$out/$1/libnomyo.so.0"
    machine_is_right "$out/$1/libnomyo.so"
}

machine_is_right() { # FILE
    readelf -h "$1" | sed -n 's/^ *Machine: *//p' | case ${triple%%-*} in
    x86_64) grep -q X86-64 ;;
    aarch64) grep -q AArch64 ;;
    esac
}

# Kernels for ARM have pages of up to 64 KiB: a segment must not begin within one.
segments_allow_large_pages() { # FILE
    readelf -lW "$1" | grep '^ *LOAD ' >"$out/segments"
    cat "$out/segments"
    [ -s "$out/segments" ] && ! grep -v ' 0x10000$' "$out/segments"
}

# The programs of tests/c, but for those of `unemulated`: lines NAME: REASON.
c_programs() { # PROVIDER LINK MAKE-WORD...
    provider=$1 link=$2
    shift 2
    all=$(make -s --no-print-directory -C tests/c --eval='names: ; @echo $(PROGRAMS)' names)
    chosen=
    for program in $all; do
        reason=$(printf '%s\n' "${unemulated:-}" | sed -n "s/^ *$program: //p")
        if [ -n "$reason" ]; then leaves_out "$program" "$reason"; else chosen="$chosen $program"; fi
    done
    make -C tests/c CC="$compiler" LIB_DIR="../../target/cross/$triple/$provider" OUT="../../target/cross/$triple/c-$provider-$link" \
        LINK="$link" PROGRAMS="$chosen" "$@" run WRAP="${runner:-}"
}

# The examples that chat and that read key files, compiled as a user's are.
example() { # NAME PROVIDER: compiles it to $out/NAME-PROVIDER
    $compiler -std=c11 -Wall -Wextra -Wpedantic -Werror -Iinclude "examples/c/$1.c" -o "$out/$1-$2" \
        -L"$out/$2" -lnomyo -Wl,-rpath,"$out/$2"
}

chats() {
    for provider in $providers; do
        example chat "$provider"
        said=$(echo "Hello from $triple" | tests/with_endpoint.sh sh -c "${runner:-} '$out/chat-$provider'"' \
            --url "$NOMYO_TEST_BASE_URL" --ca "$NOMYO_TEST_CA_FILE" --tier high')
        echo "$provider: $said"
        echo "$said" | grep -q "Hello from $triple"
    done
}

# A pair is generated in a directory and used again, and files that others made are read and refused as tests/keys says.
key_directory() {
    [ -x target/venv/bin/python ] || make target/venv/ready
    for provider in $providers; do
        CC="$compiler" NOMYO_LIBRARY="$out/$provider/libnomyo.so" NOMYO_OTHER_LIBRARY="$out/rustcrypto/libnomyo.so" \
            NOMYO_TEST_RUNNER="${runner:-}" target/venv/bin/python -m pytest -q -ra ${key_tests:-tests/keys/test_directory.py \
            tests/keys/test_forms.py tests/keys/test_unsafe_states.py}
    done
}

# As key_directory, under qemu without its option -L. The option replaces the root directory, too, where the library begins to follow links.
key_directory_of_this_system() { # LOADER
    printf '#!/bin/sh\nexec "%s" "$@" -Wl,--dynamic-linker=%s -Wl,--disable-new-dtags,-rpath,%s\n' "$compiler" "$1" "$(dirname "$1")" >"$out/own-cc"
    chmod +x "$out/own-cc"
    compiler=$out/own-cc runner=${runner%% *}
    key_directory
}

# What nomyo_memory_info_get() says, beside what is true.
memory_report() { # full | partial
    for provider in $providers; do
        $compiler -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Werror -Iinclude -Itests/c tests/cross/memory_report.c \
            -o "$out/memory_report-$provider" -L"$out/$provider" -lnomyo -Wl,-rpath,"$out/$provider"
        tests/with_endpoint.sh ${runner:-} "$out/memory_report-$provider" "$1"
    done
}

# tests/memory: a second process reads all memory of a client.
memory_scan() {
    key=nomyo-memory-test-Qk2v8sXf
    for provider in $providers; do
        CC="$compiler" NOMYO_TEST_PAIRS= tests/with_endpoint.sh --api-key $key --reveal-keys -- \
            python3 tests/memory/run.py --api-key $key --library-dir "$out/$provider"
    done
}
