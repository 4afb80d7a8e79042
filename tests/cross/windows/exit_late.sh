#!/bin/sh
# Runs tests/c/exit.c's way `late` under Wine, beside an endpoint: calls while the process exits. Its exit code is 7.
#
#   tests/cross/windows/exit_late.sh PROGRAM
set -u

passed=0 failed=0
for microseconds in 0 1000 2000 3000 4000; do
    wine "$1" late $microseconds
    code=$?
    if [ $code -eq 7 ]; then passed=$((passed + 1)); else failed=$((failed + 1)) && echo "late after $microseconds: $code" >&2; fi
done
echo "exit late: $passed passed, $failed failed"
[ $failed -eq 0 ]
