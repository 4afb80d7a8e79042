# Sourced by the scripts of the targets for macOS, which differ in `triple` alone. README.md here says what a Mac is needed for.
. packages/toolchains/macos/sdk.sh
. tests/cross/cells.sh
. tests/cross/programs.sh

cargo_build="cargo build --target $triple"

# The library as the loader and a program see it.
is_as_described() { # FILE
    python3 -m doctest packages/toolchains/macos/mach_o.py
    python3 packages/toolchains/macos/mach_o.py describe "$1" >"$out/description"
    cat "$out/description"
    grep -qx "processor $processor" "$out/description"
    grep -qx "system macOS $oldest" "$out/description"
    grep -qx "name @rpath/libnomyo.$(sed -n 's/^#define NOMYO_ABI_VERSION //p' include/nomyo.h).dylib" "$out/description"
    if grep '^needs ' "$out/description" | grep -vE '/(libSystem\.B|libiconv\.2)\.dylib$|/(Security|CoreFoundation)\.framework/'; then return 1; fi
    python3 packages/toolchains/macos/mach_o.py exports "$1" >"$out/exported"
    cc -E -P include/nomyo.h | tr -d '\n' | tr ';{}' '\n\n\n' | grep -v '^ *typedef' | grep -oE '\bnomyo_[a-z0-9_]+ *\(' | tr -d ' (' |
        sort >"$out/declared"
    [ "$(wc -l <"$out/declared")" -gt 40 ]
    LC_ALL=C diff "$out/declared" "$out/exported"
}

# The wheel's tag is the library's.
tag_is_right() { # FILE
    (cd bindings/python && python3 -c 'import sys, wheel_platform as w; print(w.platform_tag(open(sys.argv[1], "rb").read()))' "$1") >"$out/tag"
    cat "$out/tag"
    grep -qx "macosx_$(echo "$oldest" | tr . _)_$processor" "$out/tag"
}

builds_for_macos() { # PROVIDER
    export CARGO_INCREMENTAL=0
    # shellcheck disable=SC2046,SC2086 # words
    $cargo_build -p nomyo --lib --target-dir "$build_dir" $(features_of "$1")
    rm -rf "${out:?}/$1"
    mkdir -p "$out/$1"
    cp "$build_dir/$triple/debug/libnomyo.dylib" "$build_dir/$triple/debug/libnomyo.a" "$out/$1"
    is_as_described "$out/$1/libnomyo.dylib"
    tag_is_right "$out/$1/libnomyo.dylib"
}

why_not() { # SOURCE: the reason why a program cannot be compiled for macOS, or nothing
    if grep -qE '"(proc|blocking)\.h"' "$1"; then
        echo "it reads /proc"
    elif grep -q 'cjson/cJSON\.h' "$1"; then
        echo "it needs cJSON, which is not here for macOS"
    else
        case $(basename "$1") in
        defaults.c) echo "it replaces system calls of Linux" ;;
        fork_load.c | signal_forks.c | threads.c) echo "macOS has no pipe2(), timer_create() or pthread_barrier_t" ;;
        esac
    fi
}

# The programs of tests/c and the examples are compiled and linked. They do not run.
programs_link() { # PROVIDER
    failed='' count=0
    for source in tests/c/*.c examples/c/*.c; do
        program=$(basename "$(dirname "$source")")-$(basename "$source" .c)
        reason=$(why_not "$source")
        if [ -n "$reason" ]; then
            leaves_out "$source" "$reason"
        elif "$compiler" -std=c11 -Wall -Wextra -Wpedantic -Werror -D_DARWIN_C_SOURCE -Iinclude -Itests/c/frozen \
            "-DNOMYO_FIXTURES=\"$PWD/tests/fixtures/protocol\"" "$source" -o "$out/$1/$program" "$out/$1/libnomyo.dylib"; then
            python3 packages/toolchains/macos/mach_o.py describe "$out/$1/$program" >"$out/description"
            grep -qx "needs @rpath/libnomyo.0.dylib" "$out/description"
            count=$((count + 1))
        else
            failed="$failed $source"
        fi
    done
    echo "$count programs link"
    [ -z "$failed" ] || { echo "failed:$failed"; return 1; }
    [ "$count" -gt 12 ]
}

cell builds builds_for_macos aws-lc
cell "builds pure" eval 'builds_for_macos rustcrypto; programs_link rustcrypto'
for column in "C contract" chat "key directory" "memory report" Python Go Node; do
    not_run "$column" "macOS cannot run here"
done
