#!/bin/sh
# Runs a command in a mount namespace in which another loader of musl takes the place of this machine's:
#
#   other_musl.sh LIBC.SO COMMAND [ARGUMENT...]
#
# Fails without running the command if this system allows no mount namespace, or has no musl.
set -eu

enter='mount --bind "$1" "/lib/ld-musl-$(uname -m).so.1"; shift; exec "$@"'
for how in --mount "--mount --map-root-user"; do
    # shellcheck disable=SC2086 # flags are words
    if unshare $how sh -euc "$enter" sh "$1" true 2>/dev/null; then
        exec unshare $how sh -euc "$enter" sh "$@"
    fi
done
echo "other_musl: this system allows no mount namespace, or has no musl" >&2
exit 1
