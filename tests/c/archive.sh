#!/bin/sh
# The static archive is one object, and shares nothing with a second Rust static library of the same program.
#
#   archive.sh RAW_ARCHIVE OUT_DIR      RAW_ARCHIVE is the libnomyo.a that cargo built
#
# Every program is linked with both orders of the archives. The raw archive is tried as well and must fail. Otherwise the
# programs would prove nothing.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
raw=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
rm -rf "$2"
mkdir -p "$2"
cd "$2"
passed=0 failed=0

ok() { passed=$((passed + 1)); echo "ok: $*"; }
not_ok() { failed=$((failed + 1)); echo "not ok: $*"; cat log; }
check() { # NAME COMMAND...
    name=$1
    shift
    if "$@" >log 2>&1; then ok "$name"; else not_ok "$name"; fi
}
refuses() { # NAME TEXT COMMAND...: fails, and says TEXT
    name=$1 text=$2
    shift 2
    if ! "$@" >log 2>&1 && grep -q "$text" log; then ok "$name"; else not_ok "$name"; fi
}

one_object=$root/bindings/c/install/one_object.sh
check "the archive is made" "$one_object" "$raw" libnomyo.a
again() { "$one_object" libnomyo.a again.a && cmp libnomyo.a again.a; }
check "made from itself, it stays as it is" again
check "it has one member" test "$(ar t libnomyo.a)" = nomyo.o
nm --defined-only --extern-only --format=posix libnomyo.a | awk 'NF > 2 { print $1 }' | sort >globals
check "its global symbols are nomyo_*" sh -c '! grep -v "^nomyo_" globals && grep -qx nomyo_create globals'
refuses "a file that is missing is named" "there is no nowhere.a" "$one_object" nowhere.a none.a
echo text >text.a
refuses "a file that is no archive is named" "could not link text.a" "$one_object" text.a none.a
refuses "a linker that cannot do it is named" "no-such-ld is missing" env LD=no-such-ld "$one_object" "$raw" none.a
refuses "an unwinder that is missing is named" "there is no nowhere.a, which UNWINDER names" env UNWINDER=nowhere.a "$one_object" "$raw" none.a
check "nothing is written then" test ! -e none.a

check "the other library is built" rustc --edition 2024 -O --crate-type staticlib "$here/archive/other.rs" -o libother.a

# LLD names the directory of an ld.lld. The default is the ld.lld of the Rust toolchain.
lld=${LLD:-$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin/gcc-ld}
builds() { # PROGRAM SOURCE ARCHIVE ORDER FLAGS...
    program=$1 source=$2 archive=$3 order=$4
    shift 4
    rm -f "$program"
    case $order in
    first) set -- "$@" "$source" "$archive" libother.a ;;
    second) set -- "$@" "$source" libother.a "$archive" ;;
    esac
    ${CC:-cc} -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -O1 -I"$here" -I"$root/include" \
        -DNOMYO_FIXTURES="\"$root/tests/fixtures/protocol\"" "$@" -o "$program" -lm -ldl -lpthread
}
works() { builds "$@" && "./$1"; }

tried() { # NAME FLAGS...
    of=$1
    shift
    for order in first second; do
        check "$of, libnomyo.a $order" works beside "$here/archive/beside.c" libnomyo.a $order "$@"
    done
}
linkers=0
for linker in bfd gold lld; do
    case $linker in
    lld) set -- -fuse-ld=lld -B"$lld" ;;
    *) set -- -fuse-ld=$linker ;;
    esac
    if ! ${CC:-cc} "$@" -Wl,--version >/dev/null 2>&1; then
        echo "skipped: there is no $linker"
        continue
    fi
    linkers=$((linkers + 1))
    tried "$linker" "$@"
    tried "$linker, --gc-sections" "$@" -Wl,--gc-sections
    # GCC's LTO is a plug-in, which lld does not have. gold cannot link static PIEs, and with LTO it ends with an internal error
    # (set_xindex) on an object of more than 65 279 sections, which a debug build is.
    [ $linker != bfd ] || tried "$linker, LTO" "$@" -flto
    [ $linker = gold ] || tried "$linker, static PIE" "$@" -static-pie
done
check "two linkers were tried" test $linkers -ge 2

check "hooks of the host, the archive" works host_allocator "$here/host_allocator.c" libnomyo.a first
outside() { builds host_allocator "$here/host_allocator.c" "$raw" first && ./host_allocator outside; }
check "hooks of the host, the raw archive: the library says so and refuses" outside

# The package as `make go-lib` leaves it.
go_package() { # ARCHIVE
    rm -rf module
    mkdir -p module/program
    cp -r "$root/bindings/go" module/nomyo
    find module/nomyo -name '*_test.go' -delete
    cp "$root/include/nomyo.h" module/nomyo
    cp "$1" "module/nomyo/lib/$(go env GOOS)_$(go env GOARCH)/libnomyo.a"
    cp "$here/archive/main.go" libother.a module/program
    printf '%s\n' 'module example.com/program' 'go 1.22' 'require github.com/nomyo-ai/libnomyo/bindings/go v0.0.0' \
        'replace github.com/nomyo-ai/libnomyo/bindings/go => ../nomyo' >module/program/go.mod
}
go_works() { # ARCHIVE [LDFLAGS]
    go_package "$1" && (cd module/program && GOFLAGS=-buildvcs=false GOPROXY=off GOWORK=off CGO_LDFLAGS=${2:-} \
        go build -o ../go-program . && ../go-program)
}
check "Go" go_works libnomyo.a
check "Go, libother.a first" go_works libnomyo.a "'$PWD/libother.a'"

fails() { ! "$@"; }
for order in first second; do
    check "the raw archive fails, $order" fails works beside "$here/archive/beside.c" "$raw" $order
done
check "the raw archive fails with Go" fails go_works "$raw"

rm -rf module
echo "archive: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
