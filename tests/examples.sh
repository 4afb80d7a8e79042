#!/bin/sh
# Builds and runs every example as a user would, through a local endpoint. Runs the program and the commands of README.md, and
# the command of tests/endpoint/README.md, too.
#
#   tests/examples.sh LIBRARY-DIR OUT-DIR PYTHON
set -eu
lib=$1 out=$2 python=$3
mkdir -p "$out"

if [ -z "${NOMYO_TEST_BASE_URL:-}" ]; then
    export NOMYO_TEST_ENDPOINT="$lib/endpoint" NOMYO_TEST_STATE="${lib%/*}/endpoint-state"
    exec tests/with_endpoint.sh --api-key example-key --tpm swtpm -- "$0" "$@"
fi

passed=0 failed=0
prints() { # NAME EXPECTED INPUT COMMAND...: the command, given the input, must print what is expected
    name=$1 expected=$2 input=$3
    shift 3
    if printf '%s' "$input" | "$@" >"$out/$name.txt" 2>&1 && grep -q -F -- "$expected" "$out/$name.txt"; then
        passed=$((passed + 1))
        echo "ok: $name"
    else
        failed=$((failed + 1))
        echo "not ok: $name"
        cat "$out/$name.txt"
    fi
}
says() { # NAME PROMPT COMMAND...: the command, given a prompt, must print the echo of it
    name=$1 prompt=$2
    shift 2
    prints "$name" "$prompt" "$prompt" "$@"
}

faults() { # JSON: what the endpoint does wrong from now on (tests/endpoint/README.md)
    "$python" -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], sys.argv[2].encode())' \
        "$NOMYO_TEST_PLAIN_BASE_URL/control/faults" "$1"
}

# $flags and the README's compile line are words, but the path of the checkout may have a space.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$NOMYO_TEST_CA_FILE" "$work/ca.pem"

compile() { # COMPILER FLAGS...
    compiler=$1
    shift
    "$compiler" -Wall -Wextra -Wpedantic -Werror -Iinclude "$@" "-L$lib" "-Wl,-rpath,$lib" -lnomyo
}
sed -n '/^```c$/,/^```$/p' README.md | sed '/^```/d' >"$out/readme.c"
compile cc -std=c11 "$out/readme.c" -o "$out/readme"
for example in examples/c/*.c; do
    compile cc -std=c11 "$example" -o "$out/$(basename "$example" .c)-c" -lcjson -lssl -lcrypto -lpthread
done
for example in examples/cpp/*.cpp; do
    compile c++ -std=c++17 -Ibindings/c "$example" -o "$out/$(basename "$example" .cpp)-cpp" -lssl -lcrypto -lpthread
done
mkdir -p "$out/go"
go -C examples/go build -o "$out/go/" ./...
# Where npm install puts the package.
rm -rf "$out/node"
mkdir -p "$out/node/node_modules"
cp examples/node/*.mjs "$out/node/"
ln -s "$PWD/bindings/node" "$out/node/node_modules/nomyo-native"

export NOMYO_API_KEY=example-key
flags="--url $NOMYO_TEST_BASE_URL --ca $work/ca.pem"
# The README's program has no flags: it trusts what the platform trusts.
says readme Hello env NOMYO_BASE_URL="$NOMYO_TEST_BASE_URL" SSL_CERT_FILE="$NOMYO_TEST_CA_FILE" "$out/readme"
# The README's own compile line, in a directory that looks like a checkout after a release build.
page=$out/page
rm -rf "$page"
mkdir -p "$page/target"
ln -s "$PWD/include" "$page/include"
ln -s "$(realpath "$lib")" "$page/target/release"
cp "$out/readme.c" "$page/hello.c"
line=$(sed -n '/^cc .* hello\.c /p' README.md)
says readme-compile-line Hello env NOMYO_BASE_URL="$NOMYO_TEST_BASE_URL" SSL_CERT_FILE="$NOMYO_TEST_CA_FILE" \
    sh -c "cd '$page' && $line && ./hello"
prints readme-demo 'Hello from C' '' sh -c "$(sed -n 's/^\(make demo\) .*/\1/p' README.md)"
# The endpoint's own line, with a state directory that is there and on a free port, until it has said everything.
line=$(sed -n 's/^    \(cargo run -p endpoint .*\) --port 8443 \(--state-dir .*\)/\1 --port 0 \2/p' tests/endpoint/README.md)
ln -s "$(realpath "${NOMYO_TEST_STATE:-target/endpoint-state}")" "$page/.nomyo-endpoint"
says endpoint-page 'https://127.0.0.1:' env CARGO_HOME="${CARGO_HOME:-$HOME/.cargo}" RUSTUP_HOME="${RUSTUP_HOME:-$HOME/.rustup}" \
    HOME="$page" SAID="$out/endpoint-said" sh -c "timeout 600 $line >\"\$SAID\" 2>&1 &
    until grep -q ^fingerprint \"\$SAID\" || ! kill -0 \$!; do sleep 0.1; done; cat \"\$SAID\"; kill \$!"
# shellcheck disable=SC2086 # words
{
    says chat-c 'Grüße "aus" C\' "$out/chat-c" $flags --tier high
    # The endpoint attests with a software TPM, and the program says what that proves.
    prints attestation 'CONSISTENT: The quote is well-formed, fresh and self-consistent. It does not prove that a TPM exists' Hello "$out/chat-c" $flags
    says chat-cpp 'Grüße "aus" C++\' "$out/chat-cpp" $flags
    says chat-go 'Grüße "aus" Go\' "$out/go/chat" $flags
    says tools-c 'a document in C' "$out/tools-c" $flags
    says tools-cpp 'a document in C++' "$out/tools-cpp" $flags
    says tools-go 'a document in Go' "$out/go/tools" $flags
    says pin-cpp "$NOMYO_TEST_KEY_FINGERPRINT" "$out/pin-cpp" $flags
    says pin-cpp-chat 'Hello, pinned C++' "$out/pin-cpp" $flags --pin "$NOMYO_TEST_KEY_FINGERPRINT"
    says pin-cpp-other 'the request was not sent' sh -c "! '$out/pin-cpp' $flags --pin $(printf '%064d' 0)"
    says pin-go "$NOMYO_TEST_KEY_FINGERPRINT" "$out/go/pin" $flags
    says pin-go-chat 'Hello, pinned Go' "$out/go/pin" $flags -pin "$NOMYO_TEST_KEY_FINGERPRINT"
    says pin-go-tls 'Hello, TLS-pinned Go' "$out/go/pin" $flags \
        -tls-pin "$("$out/go/pin" $flags | sed -n 's/^-tls-pin \([^ ]*\) for the root .*/\1/p')"
    says pin-go-tls-other 'not the server that we know' sh -c "! '$out/go/pin' $flags -tls-pin $(printf '%064d' 0)"
    # The endpoint's register 7 was extended once, with this.
    secure_boot=$({ head -c 32 /dev/zero; printf 'secure boot policy' | openssl dgst -sha256 -binary; } | openssl dgst -sha256 -r)
    for program in attestation-c attestation-cpp; do
        prints "$program" 'CONSISTENT: ' Hello "$out/$program" $flags
        prints "$program-pcr" 'BASELINE: ' Hello "$out/$program" $flags --pcr "7=$(printf '%064d' 0),7=${secure_boot%% *}"
        prints "$program-other-pcr" 'the answer is withheld' Hello sh -c "! '$out/$program' $flags --pcr 7=$(printf '%064d' 0)"
    done
    says attestation-go 'CONSISTENT: ' tests/with_endpoint.sh --tpm swtpm --api-key example-key -- sh -c \
        "echo hello | '$out/go/attestation' -url \"\$NOMYO_TEST_BASE_URL\" -ca \"\$NOMYO_TEST_CA_FILE\""
    says attestation-go-pcr 'the answer is withheld' sh -c \
        "'$out/go/attestation' $flags -pcr 7=$(printf '%064d' 0) || true"
    # What cannot be read whole is not sent, nor is a part of it: a directory, or more than is taken. (pin reads with --pin.)
    for program in chat-c tools-c parallel-c chat-cpp tools-cpp pin-cpp attestation-cpp parallel-cpp; do
        prints "$program-unread" 'cannot be read' '' sh -c "! '$out/$program' $flags --pin $(printf '%064d' 0) </"
    done
    head -c 65536 /dev/zero | tr '\0' x >"$out/long"
    prints chat-c-long 'the prompt is too long' '' sh -c "! '$out/chat-c' $flags <'$out/long'"
    prints tools-c-long 'less than 65536 bytes' '' sh -c "! '$out/tools-c' $flags <'$out/long'"
    prints parallel-c-zero 'not text' '' sh -c "! printf 'one\n\0two\n' | '$out/parallel-c' $flags"
    seq -f 'line %g' 40 >"$out/lines"
    for program in parallel-c parallel-cpp; do
        says "$program" 'the same 40 lines' sh -c \
            "'$out/$program' $flags <'$out/lines' | diff '$out/lines' - && echo the same 40 lines"
        prints "$program-refused" 'API key' '' sh -c "! NOMYO_API_KEY=wrong '$out/$program' $flags <'$out/lines'"
    done
    # HTTP of their own in an event loop: all prompts are under way at once, and the loop's timer ticks meanwhile.
    for program in epoll-c asio-cpp; do
        prints "$program" 'the same 40 lines' '' sh -c "'$out/$program' $flags --pin $NOMYO_TEST_KEY_FINGERPRINT \
            <'$out/lines' 2>'$out/loop' | diff '$out/lines' - && grep -E '^40 chats at once, [1-9][0-9]* ticks' '$out/loop' && echo the same 40 lines"
        faults '{"key_fetch": {"chunked": true}}'
        says "$program-chunked" "Hello, chunks, $program" "$out/$program" $flags
        faults '{"key_fetch": {"status": 503}}'
        prints "$program-unavailable" 'the server did not answer with HTTP 200' Hello sh -c "! '$out/$program' $flags"
        faults '{}'
        prints "$program-refused" 'HTTP 401: check the API key' '' sh -c "! NOMYO_API_KEY=wrong '$out/$program' $flags <'$out/lines'"
        prints "$program-other-pin" 'not the pinned one' Hello sh -c "! '$out/$program' $flags --pin $(printf '%064d' 0)"
        prints "$program-other-ca" 'certificate' Hello sh -c "! '$out/$program' --url '$NOMYO_TEST_BASE_URL'"
        prints "$program-other-name" 'certificate' Hello sh -c \
            "! '$out/$program' $flags --url 'https://0x7f000001:${NOMYO_TEST_BASE_URL##*:}'"
        prints "$program-unread" 'cannot be read' '' sh -c "! '$out/$program' $flags </"
    done
    says parallel-go 'the same 40 lines' sh -c \
        "'$out/go/parallel' $flags <'$out/lines' | diff '$out/lines' - && echo the same 40 lines"
    says chat-node 'Grüße "aus" Node\' node "$out/node/chat.mjs" $flags
    says tools-node 'a document in Node' node "$out/node/tools.mjs" $flags
    says pin-node "$NOMYO_TEST_KEY_FINGERPRINT" node "$out/node/pin.mjs" $flags
    says pin-node-chat 'Hello, pinned Node' node "$out/node/pin.mjs" $flags --pin "$NOMYO_TEST_KEY_FINGERPRINT"
    prints attestation-node 'consistent: ' Hello node "$out/node/attestation.mjs" $flags
    says attestation-node-pcr 'the answer is withheld' sh -c \
        "node '$out/node/attestation.mjs' $flags --pcr sha256:7=$(printf '%064d' 0) || true"
    says parallel-node 'the same 40 lines' sh -c \
        "node '$out/node/parallel.mjs' $flags <'$out/lines' | diff '$out/lines' - && echo the same 40 lines"
    says chat-python 'Grüße "aus" Python\' env NOMYO_LIBRARY="$lib/libnomyo.so" PYTHONPATH=bindings/python "$python" examples/python/chat.py $flags
}
says protect-sdk 'What is the capital of France?' env NOMYO_LIBRARY="$lib/libnomyo.so" PYTHONPATH=bindings/python \
    SSL_CERT_FILE="$NOMYO_TEST_CA_FILE" "$python" examples/python/protect_sdk.py "$NOMYO_TEST_BASE_URL"

# The client's pair: generated, shown, used, and converted from the form of the JavaScript SDK. Then the server's pin.
fixtures=tests/fixtures/protocol/keys
rm -rf "$out/pair" "$out/converted" "$out/unwritten" "$out/js.pem"
install -m 600 "$fixtures/client_private_js_password.pem" "$out/js.pem"
prints keys-generate 'BEGIN PUBLIC KEY' 'a new password' "$out/keys-c" generate "$out/pair"
prints keys-show "$(sed -n 2p "$out/pair/public_key.pem")" 'a new password' "$out/keys-c" show "$out/pair/private_key.pem"
prints keys-convert "$(sed -n 2p "$fixtures/client_public.pem")" 'correct horse battery staple
another password' "$out/keys-c" convert "$out/js.pem" "$out/converted"
# The end of the input is not an empty line, and a password is not cut: nothing is written.
prints keys-convert-ended 'is missing' 'correct horse battery staple
' sh -c "! '$out/keys-c' convert '$out/js.pem' '$out/unwritten' && test ! -e '$out/unwritten'"
prints keys-convert-long 'is too long' "correct horse battery staple
$(printf '%01024d' 0)" sh -c "! '$out/keys-c' convert '$out/js.pem' '$out/unwritten' && test ! -e '$out/unwritten'"
# shellcheck disable=SC2086 # words
{
    says keys-used 'Hello with keys' env NOMYO_KEY_DIR="$out/converted" NOMYO_KEY_PASSWORD='another password' "$out/chat-c" $flags
    prints keys-pin "$NOMYO_TEST_KEY_FINGERPRINT" '' "$out/keys-c" pin $flags
    pin=$("$out/keys-c" pin $flags 2>/dev/null)
    says keys-pinned 'Hello with a pin' env NOMYO_SERVER_KEY_PIN="$pin" "$out/chat-c" $flags
}
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
