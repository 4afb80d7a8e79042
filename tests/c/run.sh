#!/bin/sh
# Runs the test programs in OUT, all of them even when one fails; beside an endpoint of their own if there is none yet. Prints
# how long each took.
#
#   OUT=DIR [WRAP=valgrind...] run.sh PROGRAM...
set -eu

if [ -z "${NOMYO_TEST_BASE_URL:-}" ]; then
    cd "$(dirname "$0")/../.."
    exec tests/with_endpoint.sh --api-key "$NOMYO_TEST_API_KEY" -- "$PWD/tests/c/run.sh" "$@"
fi

failed=
for program; do
    argument= pairs=${NOMYO_TEST_PAIRS:-}
    case $program in
        threads) argument=${THREAD_REQUESTS:-2} ;;
        soak) argument=${SOAK_REQUESTS:-400} ;;
        signal_forks) argument=${SIGNAL_FORKS:-3000} ;;
        # These interrupt or measure the generation of a pair.
        interrupts | deadlines | cancel | keys_in_memory | small_stack) pairs= ;;
    esac
    begun=$(date +%s)
    # shellcheck disable=SC2086 # WRAP is words, and the argument none or one
    NOMYO_TEST_PAIRS=$pairs ${WRAP:-} "$OUT/$program" $argument || failed="$failed $program($?)"
    echo "[$program: $(($(date +%s) - begun)) s]"
done
[ -z "$failed" ] || { echo "failed:$failed" >&2; exit 1; }
