#!/bin/sh
# 64-bit ARM with musl 1.2, under qemu-user.
#
# qemu-user 7.2 answers 0 to every madvise() and does nothing. An execve() of a program for ARM fails where the kernel has no
# binfmt_misc entry for it.
set -eu

triple=aarch64-unknown-linux-musl
. tests/cross/cells.sh
. tests/cross/programs.sh

if ! DEBIAN_ALONE=yes packages/toolchains/debian.sh arm64 target/musl-arm64 musl musl-dev; then
    for column in builds "builds pure" "C contract" chat "key directory" "memory report" Python Go Node; do
        not_run "$column" "Debian's musl for arm64 could not be had"
    done
    exit 0
fi
. tests/cross/musl.sh
tests/require.sh qemu-aarch64-static=qemu-user-static
runner="qemu-aarch64-static -L $musl"

# Programs that take minutes in the emulator are left to the other targets: x86-64 runs them with musl, arm64 with glibc.
slow="it takes minutes in the emulator, and runs with musl on x86-64 and with glibc on arm64"
unemulated="
    exit: it starts itself, and this kernel starts no program for ARM
    host_allocator: it expects the level full, which the emulator does not reach
    fork_view: the emulator answers 0 to every madvise() and does nothing, and the test checks what it does
"
for program in sigpipe interrupts secrets memory_policy soak deadlines keys_in_memory fork_load signal_forks no_memory advice; do
    unemulated="$unemulated
    $program: $slow"
done

builds_for_arm() { # PROVIDER
    builds_for_musl "$1"
    segments_allow_large_pages "$out/$1/libnomyo.so"
}

cell builds eval 'builds_for_arm aws-lc; refuses_glibc'
cell "builds pure" builds_for_arm rustcrypto
cell "C contract" contract
cell chat chats
cell "key directory" key_directory_of_this_system "$musl/lib/ld-musl-aarch64.so.1"
cell "memory report" memory_report partial
not_run Python "needs a Python that is linked with musl, and none was found"
not_run Go "make cross tests the package with musl on x86-64, and with glibc on arm64"
not_run Node "make cross tests the package with musl on x86-64, and with glibc on arm64"
