#!/bin/sh
# Makes sure that tools are there:  tests/require.sh TOOL=DEBIAN-PACKAGE...
#
# Installs what is missing when it may (root or passwordless sudo, on Debian); otherwise says what to install.
set -eu

missing=
for pair; do
    command -v "${pair%%=*}" >/dev/null 2>&1 || missing="$missing ${pair#*=}"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then as=; elif sudo -n true 2>/dev/null; then as=sudo; else as=no; fi
if [ "$as" != no ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing:$missing"
    # shellcheck disable=SC2086 # words
    { $as apt-get update -qq && DEBIAN_FRONTEND=noninteractive $as apt-get install -y -qq --no-install-recommends $missing; } >/dev/null ||
        { echo "could not install:$missing" >&2; exit 1; }
else
    echo "please install:$missing   (Debian: apt-get install$missing)" >&2
    exit 1
fi
