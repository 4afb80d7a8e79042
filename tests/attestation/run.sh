#!/bin/sh
# Runs a program beside two endpoints, each with a software TPM of its own; NOMYO_TEST_OTHER_BASE_URL is the second's.
#
#   tests/attestation/run.sh PROGRAM
set -eu

[ -n "${NOMYO_TEST_OTHER_BASE_URL:-}" ] && exec "$@"
if [ -n "${NOMYO_TEST_BASE_URL:-}" ]; then
    export NOMYO_TEST_OTHER_BASE_URL="$NOMYO_TEST_BASE_URL"
fi
exec tests/with_endpoint.sh --tpm swtpm -- "$0" "$@"
