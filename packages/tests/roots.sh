#!/bin/sh
# Makes the roots that `make test-dist` installs in:  packages/tests/roots.sh SUITE...
#
# target/dist-roots/SUITE is what debootstrap calls a minimal base. SUITE-c, SUITE-python, SUITE-node and SUITE-go add the packages that a user
# of that language has: a C compiler, Python with venv, Node with npm, a C compiler for cgo. Needs root, and a mirror of Debian: the
# variable DEBIAN_MIRROR names another one than the default.
set -eu
roots=target/dist-roots
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

packages_of() {
    case $1 in
    c) echo gcc libc6-dev pkgconf ;;
    python) echo python3 python3-venv ;;
    node) echo nodejs ;;
    go) echo gcc libc6-dev ;;
    esac
}

mkdir -p "$roots"
for suite; do
    root=$roots/$suite
    if [ ! -f "$root/ready" ]; then
        rm -rf "$root"
        debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$root.log" 2>&1 || { tail -n 5 "$root.log" >&2; exit 1; }
        touch "$root/ready"
    fi
    for language in c python node go; do
        with=$root-$language
        [ ! -f "$with/ready" ] || continue
        rm -rf "$with"
        cp -a "$root" "$with"
        rm "$with/ready"
        cp /etc/resolv.conf "$with/etc/resolv.conf"
        # shellcheck disable=SC2046 # packages are words
        chroot "$with" env DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $(packages_of "$language") \
            >"$with.log" 2>&1 || { tail -n 5 "$with.log" >&2; exit 1; }
        # Debian's npm has hundreds of packages: the one of this machine serves.
        if [ "$language" = node ]; then
            mkdir -p "$with/usr/local/lib/node_modules"
            cp -a "$(npm root -g)/npm" "$with/usr/local/lib/node_modules/npm"
            ln -s ../lib/node_modules/npm/bin/npm-cli.js "$with/usr/local/bin/npm"
        fi
        touch "$with/ready"
    done
done
