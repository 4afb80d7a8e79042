#!/bin/sh
# Runs a command in network and mount namespaces of its own, with a loopback and with its own /etc/hosts and
# /etc/resolv.conf, whose only name server is 127.0.0.1:  tests/faults/namespace.sh COMMAND [ARGUMENT...]
#
# The command finds NOMYO_TEST_NAMESPACE=yes in its environment. Where namespaces are not allowed it runs without them,
# and the variable says why in a sentence instead. It runs without the user's proxy variables, because no proxy can be reached.
set -eu
unset http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY

enter='
    set -e
    ip link set lo up
    work=$(mktemp -d)
    mount -t tmpfs none "$work"
    cat /etc/hosts > "$work/hosts"
    echo "nameserver 127.0.0.1" > "$work/resolv.conf"
    mount --bind "$work/hosts" /etc/hosts
    mount --bind "$work/resolv.conf" /etc/resolv.conf
    umount --lazy "$work"
    rmdir "$work"
'
for how in "--net --mount" "--net --mount --map-root-user"; do
    # shellcheck disable=SC2086 # flags are words
    if unshare $how sh -c "$enter" 2>/dev/null; then
        export NOMYO_TEST_NAMESPACE=yes
        exec unshare $how sh -c "$enter"' exec "$@"' sh "$@"
    fi
done
export NOMYO_TEST_NAMESPACE="this system allows no network and mount namespaces here"
exec "$@"
