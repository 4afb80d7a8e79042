#!/bin/bash
# `make demo` prints its reply in every environment that a user may have:  tests/commands.sh [PART...]
#
#   proxies   proxy variables that lead nowhere
#   nomyo     NOMYO_ variables that lead nowhere; the user's key directory stays as it is
#   target    CARGO_TARGET_DIR and CARGO_BUILD_TARGET
#   network   no network
#   needs     missing tools are named at once, before anything is built
#   spaces    a checkout whose path has spaces, and a target directory in cargo's configuration
#   user      an ordinary user
#   fresh     a fresh clone, with flags of the user's for the compiler
#
# Without a PART all run except `fresh`, which builds everything. The first five use this checkout and what is built in it. The
# others use a copy in a temporary directory.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
work=$(mktemp -d)
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
log=$work/log
. tests/check.sh
nobody=65534 copy="$work/a b/libnomyo"
export MAKEFLAGS='' MAKELEVEL=''

skip() { echo "skipped: $*"; }
replies() { # COMMAND...: runs the command, which must print the reply
    "$@" >"$work/reply" 2>&1 || { cat "$work/reply"; return 1; }
    cat "$work/reply"
    grep -q '^reply: *Hello from C$' "$work/reply"
}
demo() { replies env "$@" make demo; }
fails() { ! "$@"; }
chat() { # ENVIRONMENT...: the demo's program without the Makefile, so that it meets the variables
    # shellcheck disable=SC2016 # the inner shell expands
    NOMYO_TEST_ENDPOINT=target/debug/endpoint tests/with_endpoint.sh sh -c \
        'echo "Hello from C" | env "$@" target/chat --url "$NOMYO_TEST_BASE_URL" --ca "$NOMYO_TEST_CA_FILE" --tier high' sh "$@"
}

dead=http://127.0.0.1:1
proxies=(HTTP_PROXY="$dead" HTTPS_PROXY="$dead" ALL_PROXY="$dead" http_proxy="$dead" https_proxy="$dead" all_proxy="$dead")
part_proxies() {
    check "the proxies lead nowhere" fails chat "${proxies[@]}"
    check "proxy variables" demo "${proxies[@]}" NO_PROXY=example.org no_proxy=example.org
    check "proxy variables without NO_PROXY" demo -u NO_PROXY -u no_proxy "${proxies[@]}"
    see() { # the variables of a command that downloads, for which the compiler stands
        demo "${proxies[@]}" PATH="$work/notes:$PATH" && [ "$(grep -ciE '^https?_proxy=http://127.0.0.1:1$' "$work/seen")" -eq 4 ]
    }
    noting_compiler
    check "downloads still use the proxy" see
}

# A compiler that writes down its environment. It is not named by CC, with which cargo would build the C code of crates again.
noting_compiler() {
    mkdir -p "$work/notes"
    printf '#!/bin/sh\nenv >"%s"\nexec "%s" "$@"\n' "$work/seen" "$(command -v cc)" >"$work/notes/cc"
    chmod +x "$work/notes/cc"
}

part_nomyo() {
    mkdir -p "$work/home/keys"
    echo "the user's own" >"$work/home/keys/private_key.pem"
    nomyo=(NOMYO_BASE_URL="$dead" NOMYO_API_KEY=$'two\nlines' NOMYO_KEY_DIR="$work/home/keys" NOMYO_KEY_PASSWORD=wrong
        NOMYO_KEY_GROUP_READ=perhaps NOMYO_SERVER_KEY_PIN="$(printf '%064d' 0)" NOMYO_TLS_PIN=none NOMYO_LIBRARY=/nowhere
        NOMYO_BUILD_PROFILE=none NOMYO_WRITE_HEADER=1 NOMYO_TEST_ENDPOINT=/bin/false NOMYO_TEST_STATE=/dev/null/state
        NOMYO_TEST_BASE_URL="$dead" NOMYO_TEST_CA_FILE=/nowhere NOMYO_ANYTHING=1)
    check "the pin is refused without the Makefile" fails chat NOMYO_SERVER_KEY_PIN="$(printf '%064d' 0)"
    noting_compiler
    check "NOMYO_ variables" demo "${nomyo[@]}" PATH="$work/notes:$PATH"
    check "no NOMYO_ variable reaches a recipe" fails grep '^NOMYO_' "$work/seen"
    check "a key directory that is missing is not created" demo NOMYO_KEY_DIR="$work/home/none"
    check "it is still missing" test ! -e "$work/home/none"
    check "the user's key directory is as it was" test "$(ls -A "$work/home/keys")$(cat "$work/home/keys/private_key.pem")" = \
        "private_key.pemthe user's own"
    check "the header is as it was" git diff --quiet -- include
}

part_target() {
    for name in CARGO_TARGET_DIR CARGO_BUILD_TARGET_DIR; do
        check "$name, absolute" demo "$name=$work/elsewhere"
        check "$name, relative" demo "$name=elsewhere"
    done
    check "there is one target directory" test ! -e "$work/elsewhere" -a ! -e elsewhere
    host=$(rustc -vV | sed -n 's/^host: //p')
    check "CARGO_BUILD_TARGET" demo CARGO_BUILD_TARGET="$host"
}

part_network() {
    # shellcheck disable=SC2016 # the inner shell expands
    alone='ip link set lo up && exec "$@"'
    for how in "--net" "--net --map-root-user"; do
        # shellcheck disable=SC2086 # flags are words
        if unshare $how sh -c "$alone" sh true 2>/dev/null; then
            check "no network" replies unshare $how sh -c "$alone" sh make demo
            return
        fi
    done
    skip "no network: this system allows no network namespace"
}

# Everything in PATH except some tools. The commands run as an ordinary user, so that nothing is installed.
part_needs() {
    mkdir "$work/bin"
    for directory in /usr/local/bin /usr/bin /bin /usr/local/sbin /usr/sbin /sbin; do
        ln -s "$directory"/* "$work/bin/" 2>/dev/null || true
    done
    stub() { # COMMAND: answers with this version
        rm -f "$work/bin/$1"
        printf '#!/bin/sh\necho "%s"\n' "$2" >"$work/bin/$1"
        chmod +x "$work/bin/$1"
    }
    rm -f "$work"/bin/{cc,strace,valgrind,swtpm,sudo}
    rm -f "$work/bin/cargo"
    stub rustc 'rustc 1.63.0'
    stub go 'go version go1.19.8 linux/amd64'
    stub node v20.0.0
    named() { # GOAL TEXT...
        goal=$1
        shift
        fails as_nobody env PATH="$work/bin" make TARGET="$work/built" "$goal" >"$work/said" 2>&1 || { cat "$work/said"; return 1; }
        cat "$work/said"
        for text; do grep -q -- "$text" "$work/said" || { echo "not named: $text"; return 1; }; done
        [ ! -e "$work/built" ] && ! grep -q '^cargo build' "$work/said"
    }
    mkdir "$work/source" # since another user may be unable to enter this checkout
    git ls-files -z | xargs -0 cp --parents -t "$work/source"
    cd "$work/source"
    check "make demo names what it needs" named demo 'apt-get install build-essential' 'rustc 1.89 or newer from https://rustup.rs.*1.63' \
        'cargo from https://rustup.rs'
    check "make test names all that it needs" named test 'build-essential' ' valgrind' ' strace' ' swtpm' 'rustc 1.89' 'go 1.22.*1.19'
    cd "$root"
}

as_nobody() {
    if [ "$(id -u)" -eq 0 ]; then setpriv --reuid=$nobody --regid=$nobody --clear-groups "$@"; else "$@"; fi
}

copied() { # a copy of the checkout, with what is built of other people's crates
    [ ! -e "$copy" ] || return 0
    mkdir -p "$copy/target/debug" "$work/.cargo"
    git ls-files -z | xargs -0 cp --parents -t "$copy"
    cp -a target/debug/{deps,build,.fingerprint} "$copy/target/debug/"
    printf '[build]\ntarget-dir = "elsewhere"\n' >"$work/.cargo/config.toml"
}

part_spaces() {
    copied
    check "a path with spaces, and a target directory in cargo's configuration" demo -C "$copy"
    check "the only target directory is the checkout's" test -e "$copy/target/debug/libnomyo.so" -a ! -e "$work/elsewhere"
}

# Root's toolchain and crates stay at their paths, since cargo would build crates of another path again. In a mount namespace of
# this part, root's home directory is readable and holds these two alone.
part_user() {
    if [ "$(id -u)" -ne 0 ]; then
        skip "an ordinary user: this one is ordinary, and the other parts show it"
        return
    fi
    copied
    chown -R $nobody:$nobody "$work/a b"
    mkdir "$work/cargo" "$work/rustup" "$work/user"
    chown $nobody "$work/user"
    # shellcheck disable=SC2016 # the inner shell expands
    check "an ordinary user" replies unshare --mount bash -ec '
        export CARGO_HOME=${CARGO_HOME:-$HOME/.cargo} RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
        mount --bind -o ro "$CARGO_HOME" "$1/cargo"
        mount --bind -o ro "$RUSTUP_HOME" "$1/rustup"
        mount -t tmpfs -o mode=755 none "$HOME"
        mkdir -p "$CARGO_HOME" "$RUSTUP_HOME"
        mount --move "$1/cargo" "$CARGO_HOME"
        mount --move "$1/rustup" "$RUSTUP_HOME"
        export HOME=$1/user PATH=$CARGO_HOME/bin:/usr/local/bin:/usr/bin:/bin
        cd "$2"
        exec setpriv --reuid=65534 --regid=65534 --clear-groups make demo' bash "$work" "$copy"
    check "the build belongs to the user" test "$(stat -c %u "$copy/target/debug/endpoint")" = $nobody
}

part_fresh() {
    git clone --quiet "$root" "$work/fresh"
    begun=$SECONDS
    check "a fresh clone, with CARGO_ENCODED_RUSTFLAGS" demo -C "$work/fresh" \
        CARGO_ENCODED_RUSTFLAGS=$'--cfg\037nomyo_of_the_user\037-Aunexpected_cfgs'
    echo "a fresh clone: $((SECONDS - begun)) s, and the processor $(times | tail -n 1)"
}

[ $# -gt 0 ] || set -- proxies nomyo target network needs spaces user
for part; do "part_$part"; done
echo "commands: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
