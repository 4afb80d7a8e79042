#!/bin/sh
# A C compiler for macOS: zig, which brings Apple's headers and the stubs of libSystem.
#
#   ZIG=PROGRAM ZIG_TARGET=aarch64-macos.11.0 zig_cc.sh ARGUMENT...
#
# Crates that compile C code speak to Apple's clang. Their words for the target, which zig does not know, are left out.
set -eu

count=$#
skips=0
while [ "$count" -gt 0 ]; do
    word=$1
    shift
    count=$((count - 1))
    if [ "$skips" -gt 0 ]; then
        skips=$((skips - 1))
        continue
    fi
    case $word in
    -arch | -isysroot) skips=1 ;;
    --target=* | -mmacosx-version-min=* | -mmacos-version-min=* | -gfull) ;;
    *) set -- "$@" "$word" ;;
    esac
done
# The stubs of the linker are no kit that clang knows.
unset SDKROOT
exec "$ZIG" cc -target "$ZIG_TARGET" "$@"
