#!/bin/sh
# Runs a command where the kernel starts programs for 64-bit ARM, with qemu-user:
#
#   starts_arm64.sh ROOT COMMAND [ARGUMENT...]
#   starts_arm64.sh --chroot ROOT COMMAND [ARGUMENT...]
#
# ROOT holds the C library of the programs. With --chroot it holds everything, and the command runs within it. The command runs in a user namespace with a binfmt_misc of its own, which Linux 6.7 and
# newer have. The machine's own stays as it is. In a user namespace RLIMIT_MEMLOCK limits the locks of root too.
set -eu

# Within the namespace, in which this user is root.
if [ "${1:-}" = --register ]; then
    interpreter=$2
    shift 2
    mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
    # The first 20 bytes of an ELF program for aarch64, and the bits of them that count. F opens the interpreter now, P passes argv[0].
    magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
    mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
    printf ':nomyo-arm64:M::%s:%s:%s:FP' "$magic" "$mask" "$interpreter" >/proc/sys/fs/binfmt_misc/register
    rm -r "$(dirname "$interpreter")"
    exec "$@"
fi

enter=
[ "$1" != --chroot ] || { enter=chroot && shift; }
root=$(cd "$1" && pwd)
shift
work=$(mktemp -d)
if [ -n "$enter" ]; then
    set -- chroot "$root" "$@"
    cp "$(command -v qemu-aarch64-static)" "$work/interpreter"
else
    cc -O1 -DQEMU="\"$(command -v qemu-aarch64-static)\"" -DROOT="\"$root\"" -o "$work/interpreter" "$(dirname "$0")/qemu_interpreter.c"
fi

# Every user and group keeps its number. A process outside a namespace must say so, after the namespace is there.
keep_numbers() { # PROCESS OUTSIDE
    until [ "$(readlink "/proc/$1/ns/user")" != "$2" ]; do sleep 0.1; done
    echo 0 0 4294967295 >"/proc/$1/uid_map"
    echo 0 0 4294967295 >"/proc/$1/gid_map"
}

# Becomes the command in the namespace.
in_namespace() { # COMMAND...
    [ "$(id -u)" -eq 0 ] || exec unshare --map-root-user --mount "$@"
    keep_numbers $$ "$(readlink /proc/self/ns/user)" &
    exec unshare --user --mount sh -c 'until grep -q . /proc/self/uid_map && grep -q . /proc/self/gid_map; do sleep 0.1; done; exec "$@"' sh "$@"
}

in_namespace "$0" --register "$work/interpreter" "$@"
