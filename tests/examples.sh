#!/bin/sh
# Builds and runs every example as a user would, through a local endpoint, and the program in the README too.
#
#   tests/examples.sh LIBRARY-DIR OUT-DIR PYTHON
set -eu
lib=$1 out=$2 python=$3
mkdir -p "$out"

if [ -z "${NOMYO_TEST_BASE_URL:-}" ]; then
    export NOMYO_TEST_ENDPOINT="$lib/endpoint" NOMYO_TEST_STATE="${lib%/*}/endpoint-state"
    exec tests/with_endpoint.sh --api-key example-key -- "$0" "$@"
fi

passed=0 failed=0
says() { # NAME EXPECTED COMMAND...: the command, given a prompt, must print the echo of it
    name=$1 expected=$2
    shift 2
    if printf '%s' "$expected" | "$@" >"$out/$name.txt" 2>&1 && grep -q -F -- "$expected" "$out/$name.txt"; then
        passed=$((passed + 1))
        echo "ok: $name"
    else
        failed=$((failed + 1))
        echo "not ok: $name"
        cat "$out/$name.txt"
    fi
}

link="-Wall -Wextra -Wpedantic -Werror -Iinclude -L$lib -Wl,-rpath,$lib"
sed -n '/^```c$/,/^```$/p' README.md | sed '/^```/d' >"$out/readme.c"
# shellcheck disable=SC2086 # words
{
    cc -std=c11 $link "$out/readme.c" -o "$out/readme" -lnomyo
    cc -std=c11 $link examples/c/chat.c -o "$out/chat-c" -lnomyo
    c++ -std=c++17 $link -Ibindings/c examples/cpp/chat.cpp -o "$out/chat-cpp" -lnomyo
}
CGO_LDFLAGS="-L$lib -Wl,-rpath,$lib" go -C examples/go build -o "$out/chat-go" ./chat

export NOMYO_API_KEY=example-key
flags="--url $NOMYO_TEST_BASE_URL --ca $NOMYO_TEST_CA_FILE"
# The README's program has no flags: it trusts what the platform trusts.
says readme Hello env NOMYO_BASE_URL="$NOMYO_TEST_BASE_URL" SSL_CERT_FILE="$NOMYO_TEST_CA_FILE" "$out/readme"
# shellcheck disable=SC2086 # words
{
    says chat-c 'Grüße "aus" C\' "$out/chat-c" $flags --tier high
    says chat-cpp 'Grüße "aus" C++\' "$out/chat-cpp" $flags
    says chat-go 'Grüße "aus" Go\' "$out/chat-go" $flags
    says chat-python 'Grüße "aus" Python\' env NOMYO_LIBRARY="$lib/libnomyo.so" PYTHONPATH=bindings/python "$python" examples/python/chat.py $flags
}
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
