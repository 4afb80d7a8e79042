#!/bin/sh
# Runs a command beside a local endpoint of its own, and stops the endpoint when the command ends.
#
#   tests/with_endpoint.sh [--api-key K ...endpoint flags... --] COMMAND [ARGUMENT...]
#
# The command finds NOMYO_TEST_BASE_URL, NOMYO_TEST_PLAIN_BASE_URL (http), NOMYO_TEST_CA_FILE and
# NOMYO_TEST_KEY_FINGERPRINT in its environment, and NOMYO_TEST_GROUP_KEYS: a key directory whose private file belongs to root
# and is readable by its group. For an ordinary user, who cannot have such a file, it is readable by its owner alone.
# NOMYO_TEST_ENDPOINT names the endpoint's binary.
#
# The command runs without the user's proxy variables. The endpoint is on this machine, and no proxy reaches it. A command that
# downloads something would miss the proxy: `make` downloads before it runs this script.
set -eu
unset http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY

absolute() { case $1 in /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac; }
endpoint=$(absolute "${NOMYO_TEST_ENDPOINT:-target/debug/endpoint}")
state=$(absolute "${NOMYO_TEST_STATE:-target/endpoint-state}")
flags=
for argument; do
    if [ "$argument" = -- ]; then
        while [ "$1" != -- ]; do flags="$flags $1"; shift; done
        shift
        break
    fi
done

work=$(mktemp -d)
ready=$work/ready.json
# shellcheck disable=SC2086 # flags are words
"$endpoint" --port 0 --http --control --state-dir "$state" --ready-file "$ready" $flags &
pid=$!
trap 'kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; rm -rf "$work"' EXIT INT TERM

tries=0
while [ ! -s "$ready" ]; do
    kill -0 "$pid" 2>/dev/null || { echo "with_endpoint: the endpoint did not start" >&2; exit 1; }
    tries=$((tries + 1))
    [ "$tries" -lt 1200 ] || { echo "with_endpoint: the endpoint was not ready within 120 s" >&2; exit 1; }
    sleep 0.1
done

member() { sed -n "s/.*\"$1\" *: *\"\([^\"]*\)\".*/\1/p" "$ready" | head -n 1; }
NOMYO_TEST_BASE_URL=$(member base_url)
NOMYO_TEST_PLAIN_BASE_URL=$(member plain_base_url)
NOMYO_TEST_CA_FILE=$(member ca_file)
NOMYO_TEST_KEY_FINGERPRINT=$(member key_fingerprint)
NOMYO_TEST_GROUP_KEYS=$work/group_keys
fixtures=$(dirname "$0")/fixtures/protocol/keys
mkdir -m 0700 "$NOMYO_TEST_GROUP_KEYS"
for half in private public; do
    cp "$fixtures/client_$half.pem" "$NOMYO_TEST_GROUP_KEYS/${half}_key.pem"
done
mode=0440
[ "$(id -u)" -eq 0 ] || mode=0400
chmod "$mode" "$NOMYO_TEST_GROUP_KEYS/private_key.pem"
export NOMYO_TEST_BASE_URL NOMYO_TEST_PLAIN_BASE_URL NOMYO_TEST_CA_FILE NOMYO_TEST_KEY_FINGERPRINT NOMYO_TEST_GROUP_KEYS
"$@"
