#!/bin/sh
# A linker for macOS that is spoken to as Apple's clang is: the lld of the Rust toolchain.
#
#   LLD=PROGRAM OLDEST=11.0 SDKROOT=DIRECTORY lld_cc.sh ARGUMENT...
set -eu

count=$#
while [ "$count" -gt 0 ]; do
    word=$1
    shift
    count=$((count - 1))
    case $word in
    -Wl,*)
        rest=${word#-Wl,}
        while [ -n "$rest" ]; do
            set -- "$@" "${rest%%,*}"
            case $rest in
            *,*) rest=${rest#*,} ;;
            *) rest= ;;
            esac
        done
        ;;
    -dynamiclib | -shared) set -- "$@" -dylib ;;
    --target=* | -mmacosx-version-min=* | -nodefaultlibs | -nostartfiles) ;;
    -isysroot)
        shift
        count=$((count - 1))
        ;;
    *) set -- "$@" "$word" ;;
    esac
done
exec "$LLD" -flavor darwin -platform_version macos "$OLDEST" "$OLDEST" -syslibroot "$SDKROOT" "$@" -lSystem
