#!/bin/sh
# Runs a fully static Go program in roots that hold the program and little else.
#
#   tests/faults/namespace.sh tests/with_endpoint.sh ... tests/go_static.sh OUT-DIR
#
# The program is the first one of the Go page, built with the flags that the page names. Each root is a tmpfs in a mount
# namespace of this script's own, so that nothing stays. If the system allows no such namespace, the roots are skipped.
set -eu
out=$1 here=$PWD page=$PWD/bindings/go/README.md
flags='-linkmode=external -extldflags=-static'
export GOPROXY=off GOWORK=off GOFLAGS=-buildvcs=false PATH="$PATH:/usr/sbin:/sbin"

if [ -z "${NOMYO_TEST_STATIC_BUILT:-}" ]; then
    rm -rf "$out"
    mkdir -p "$out/app"
    grep -qF -- "$flags" "$page" || { echo "failed: the page does not name the flags $flags" && exit 1; }
    awk '/^```go$/ { n++ } /^```$/ { n += n == 1 } n == 1 && !/^```/' "$page" >"$out/app/main.go"
    cd "$out/app"
    go mod init example.com/app 2>"$out/log"
    go mod edit -replace github.com/nomyo-ai/libnomyo/bindings/go="$here/bindings/go"
    { go get github.com/nomyo-ai/libnomyo/bindings/go && go build -ldflags="$flags" -o "$out/program" .; } 2>>"$out/log" ||
        { cat "$out/log" && echo "failed: the static program does not build" && exit 1; }
    cd "$here"
    export NOMYO_TEST_STATIC_BUILT=yes
    for how in "--mount" "--mount --map-root-user"; do
        # shellcheck disable=SC2086 # flags are words
        if unshare $how sh -c 'mount -t tmpfs none "$1"' sh "$out/app" 2>/dev/null; then
            exec unshare $how "$0" "$out"
        fi
    done
    echo "skipped: static programs in roots of their own: this system allows no mount namespace here"
    echo "0 passed, 0 failed"
    exit 0
fi

log=$out/log
. tests/check.sh

root() { # NAME FILE...: an empty root with the program and these files
    root=$out/root-$1
    shift
    mkdir "$root"
    mount -t tmpfs none "$root"
    cp "$out/program" "$root/program"
    for file; do
        mkdir -p "$root/$(dirname "$file")"
        case $file in
        ca.pem) cp "$NOMYO_TEST_CA_FILE" "$root/ca.pem" ;;
        etc/hosts) echo "127.0.0.1 localhost" >"$root/etc/hosts" ;;
        etc/resolv.conf) echo "nameserver 127.0.0.1" >"$root/etc/resolv.conf" ;;
        esac
    done
}

chat() { # URL: what the program says in the root
    echo "Hello from an empty root" | env -i NOMYO_BASE_URL="$1" NOMYO_API_KEY="$NOMYO_TEST_API_KEY" SSL_CERT_FILE=/ca.pem \
        "$(command -v chroot)" "$root" /program >"$out/said" 2>&1 && ended=0 || ended=$?
    cat "$out/said"
}
answers() { chat "$1" && [ "$ended" -eq 0 ] && grep -q '^Hello from an empty root' "$out/said"; }
refuses() { # URL SENTENCE
    chat "$1" && [ "$ended" -eq 1 ] && grep -q "$2" "$out/said" && [ "$(wc -l <"$out/said")" -eq 1 ]
}

is_static() { readelf -d -l "$1" >"$out/said" && cat "$out/said" && ! grep -q 'NEEDED\|INTERP' "$out/said"; }

mkfifo "$out/ends"
by_address=$NOMYO_TEST_BASE_URL
by_name=https://localhost:${by_address##*:}
check "the program needs no other file to start" is_static "$out/program"
root complete ca.pem etc/hosts
check "with a CA file, etc/hosts it chats by name" answers "$by_name"
root nameless ca.pem
check "without anything else it chats by address" answers "$by_address"
if [ "${NOMYO_TEST_NAMESPACE:-}" = yes ]; then
    check "without etc/hosts and etc/resolv.conf it says that names cannot be resolved" refuses "$by_name" 'a name could not be resolved'
    python3 -c 'import sys; sys.path.insert(0, "tests/faults"); from peers import NameServer; NameServer(); print("up", flush=True); sys.stdin.read()' \
        <"$out/ends" >"$out/names" &
    exec 3>"$out/ends" # the name server ends with this script
    while ! grep -qs up "$out/names"; do kill -0 $! || exit 1; sleep 0.1; done
    root resolving ca.pem etc/resolv.conf
    check "with etc/resolv.conf alone it asks the name server" answers "$by_name"
else
    echo "skipped: names without etc/hosts: ${NOMYO_TEST_NAMESPACE:-run this under tests/faults/namespace.sh}"
fi
root distrustful
check "without the CA file it says that no certificate is there" refuses "$by_address" 'the trust store holds no certificate'

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
