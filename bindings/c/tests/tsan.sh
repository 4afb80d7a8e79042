#!/bin/sh
# ThreadSanitizer reports nothing about threads.cpp with tsan.supp, and still reports a race of the program itself. Without the
# file it reports races in the library, which are false: so the file is needed.
#
#   tests/with_endpoint.sh bindings/c/tests/tsan.sh PROGRAM      threads.cpp, compiled with -fsanitize=thread
set -eu

program=$1
supp=$(cd "$(dirname "$0")/.." && pwd)/tsan.supp
said=$(mktemp)
trap 'rm -f "$said"' EXIT
passed=0 failed=0

reports() { # OPTIONS ARGUMENT...: runs the program and prints the number of its reports
    options=$1
    shift
    # Without setarch the runtime cannot place its memory on some kernels.
    TSAN_OPTIONS="$options" setarch -R "$program" "$@" >"$said" 2>&1 || true
    grep -q '^threads: [0-9]* passed, 0 failed' "$said" || { echo "the program failed"; cat "$said"; } >&2
    grep -c 'WARNING: ThreadSanitizer' "$said" || true
}
check() { # WHAT COUNT OPERATOR NUMBER
    if [ "$2" "$3" "$4" ] && grep -q '^threads: [0-9]* passed, 0 failed' "$said"; then
        passed=$((passed + 1))
        echo "ok: $1: $2"
    else
        failed=$((failed + 1))
        echo "not ok: $1: $2"
        head -n 60 "$said"
    fi
}
check "reports with tsan.supp" "$(reports "suppressions='$supp'")" -eq 0
check "reports about a race of the program" "$(reports "suppressions='$supp'" race)" -eq 1
grep -q 'threads.cpp.*operator' "$said" || { failed=$((failed + 1)); echo "not ok: the report is about another race"; }
check "reports without tsan.supp" "$(reports "")" -gt 0
echo "tsan: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
