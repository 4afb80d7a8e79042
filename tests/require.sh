#!/bin/sh
# Makes sure that everything in a list is there:  tests/require.sh NEED=DEBIAN-PACKAGE...
#
# A NEED has one of these forms:
#
#   cc                       a command
#   go@1.22                  a command of this version or a newer one
#   /usr/include/asio.hpp    a file
#   pc:tss2-esys             a library that pkg-config finds
#   py:ensurepip             a module of Python
#
# If something is missing, the script installs the packages (root or passwordless sudo, on Debian). Otherwise, or if that does
# not suffice, the script names everything that is missing, with the command that installs it. A NEED without a package, such
# as "rustc@1.89=", is installed by hand.
set -eu

version() { # COMMAND: its version's first two numbers, or nothing
    case $1 in
    go) go version 2>/dev/null ;;
    *) "$1" --version 2>/dev/null ;;
    esac | sed -n '1s/^[^0-9]*\([0-9][0-9]*\.[0-9][0-9]*\).*/\1/p'
}
is_there() { # NEED
    case $1 in
    /*) [ -e "$1" ] ;;
    pc:*) pkg-config --exists "${1#pc:}" 2>/dev/null ;;
    py:*) python3 -c "import ${1#py:}" 2>/dev/null ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}
by_hand() { # COMMAND VERSION PROBLEM
    case $1 in
    cargo | rustc) page=https://rustup.rs ;;
    go) page=https://go.dev/dl ;;
    node) page=https://nodejs.org ;;
    *) page="your distribution" ;;
    esac
    hints="$hints
please install $1${2:+ $2 or newer} from $page: $3"
}
look() { # NEED=PACKAGE...: sets packages and hints
    packages='' hints=''
    for pair; do
        need=${pair%%=*} package=${pair#*=} least=''
        case $need in
        *@*) least=${need#*@} need=${need%@*} ;;
        esac
        if ! is_there "$need"; then
            case " $packages " in
            *" $package "*) ;;
            *) packages="$packages $package" ;;
            esac
            [ -n "$package" ] || by_hand "$need" "$least" "there is none"
        elif [ -n "$least" ]; then
            has=$(version "$need" || true)
            [ -n "$has" ] && [ "$(printf '%s\n' "$least" "$has" | sort -V | head -n 1)" = "$least" ] ||
                by_hand "$need" "$least" "$(command -v "$need") is ${has:-broken}"
        fi
    done
    packages=${packages% }
}

look "$@"
[ -n "$packages$hints" ] || exit 0
if [ "$(id -u)" = 0 ]; then as=''; elif sudo -n true 2>/dev/null; then as=sudo; else as=no; fi
if [ -n "$packages" ] && [ "$as" != no ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing:$packages"
    # shellcheck disable=SC2086 # words
    { $as apt-get update -qq && DEBIAN_FRONTEND=noninteractive $as apt-get install -y -qq --no-install-recommends $packages; } >/dev/null ||
        echo "could not install:$packages" >&2
    look "$@"
fi
[ -z "$packages" ] || echo "please install:$packages   (Debian: apt-get install$packages)" >&2
[ -z "$hints" ] || echo "${hints#?}" >&2
[ -z "$packages$hints" ]
