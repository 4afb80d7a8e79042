#!/bin/sh
# Installs each artefact in a root of its own, as its users do, and sends a chat:
#
#   tests/faults/namespace.sh tests/with_endpoint.sh --api-key dist-key -- packages/tests/install.sh SUITE
#
# Each script of packages/tests/users is a user. Its second line names the root: target/dist-roots/SUITE-LANGUAGE, or SUITE, the base alone. Its
# third line is the last line that its program must print. A fourth line may say which C library its commands are for. A user whose language is
# too old there says "not run: REASON". The user has a copy-on-write view of that root, so that nothing stays. dist/ is /packages there.
# The only network is the loopback, where the endpoint and a registry of npm's packages are.
set -eu
suite=$1 here=$PWD starts=chroot clib=gnu
case $suite in
musl) triple=x86_64-unknown-linux-musl clib=musl ;;
*-arm64) triple=aarch64-unknown-linux-gnu starts="$here/tests/cross/starts_arm64.sh --chroot" ;;
*) triple=x86_64-unknown-linux-gnu ;;
esac
. packages/version.sh
case $NOMYO_TEST_NAMESPACE in
yes) ;;
*)
    echo "skipped: packages in roots of their own: $NOMYO_TEST_NAMESPACE"
    echo "0 passed, 0 failed"
    exit 0
    ;;
esac
roots=$here/target/dist-roots
log=$roots/install.log
. tests/check.sh
. packages/tests/page.sh

python3 packages/tests/registry.py dist/npm "$roots/registry" &
registry=$!
trap 'kill $registry; umount -R "$roots/mount" 2>/dev/null; umount "$roots/upper" 2>/dev/null; true' EXIT
while [ ! -s "$roots/registry" ]; do sleep 0.1; done

fresh() { # ROOT
    mkdir -p "$roots/mount" "$roots/upper"
    mount -t tmpfs none "$roots/upper"
    mkdir "$roots/upper/files" "$roots/upper/work"
    mount -t overlay none -o "lowerdir=$roots/$1,upperdir=$roots/upper/files,workdir=$roots/upper/work" "$roots/mount"
    mkdir -p "$roots/mount/home/user" "$roots/mount/packages"
    mount --bind "$here/dist" "$roots/mount/packages"
    mount -t proc none "$roots/mount/proc"
    cp "$NOMYO_TEST_CA_FILE" "$roots/mount/home/user/ca.pem"
    program bindings/c/README.md c >"$roots/mount/home/user/hello.c"
    program bindings/go/README.md go >"$roots/mount/home/user/main.go"
    # The program of c-deb, for a machine without a compiler.
    [ ! -f "$roots/hello" ] || cp "$roots/hello" "$roots/mount/home/user"
    case $1 in *-go)
        mkdir -p "$roots/mount/usr/local/go"
        mount --bind -o ro "$(go env GOROOT)" "$roots/mount/usr/local/go"
        ;;
    esac
}

gone() {
    [ ! -f "$roots/mount/home/user/hello" ] || cp "$roots/mount/home/user/hello" "$roots/hello"
    umount -R "$roots/mount"
    umount "$roots/upper"
}

as_user() { # SCRIPT: in the root, with nothing of this environment
    env -i PATH="$PATH" $starts "$roots/mount" /usr/bin/env -i \
        PATH=/usr/local/go/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME=/home/user LANG=C.UTF-8 \
        NOMYO_BASE_URL="$NOMYO_TEST_BASE_URL" NOMYO_API_KEY=dist-key SSL_CERT_FILE=/home/user/ca.pem \
        VERSION="$version" ABI="$abi" TRIPLE="$triple" npm_config_registry="$(cat "$roots/registry")" \
        sh -eu -c "cd /home/user; $(cat "$1")" >"$roots/said" 2>&1 || return 1
    [ "$(tail -n 1 "$roots/said")" = "$(sed -n '3s/^# Answer: //p' "$1")" ]
}

for user in packages/tests/users/*.sh; do
    name=$(basename -s .sh "$user") root=$suite$(sed -n '2s/^# Root: SUITE//p' "$user")
    wanted=$(sed -n '4s/^# C library: //p' "$user")
    [ -z "$wanted" ] || [ "$wanted" = "$clib" ] || continue
    if [ ! -f "$roots/$root/ready" ]; then
        echo "$name on $suite: not run: there is no root $root"
        continue
    fi
    fresh "$root"
    begun=$(date +%s%N)
    status=0
    as_user "$user" >"$log" 2>&1 || status=1
    took=$((($(date +%s%N) - begun) / 1000000))
    if grep -q '^not run: ' "$roots/said"; then
        echo "$name on $suite: $(grep '^not run: ' "$roots/said")"
    else
        check "$name on $suite, $took ms from nothing to the answer" sh -c 'cat "$1"; exit "$2"' sh "$roots/said" $status
    fi
    gone
done
rm -f "$roots/hello"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
