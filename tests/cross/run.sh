#!/bin/sh
# Builds and runs each target, and prints the table:  tests/cross/run.sh [TRIPLE...]
#
# Each target has a script of its own. The endpoint always runs natively: NOMYO_TEST_ENDPOINT names it.
set -eu

python3 -m doctest tests/cross/table.py
CROSS_RESULTS=$PWD/target/cross/results
export CROSS_RESULTS
mkdir -p target/cross
: >"$CROSS_RESULTS"
[ $# -gt 0 ] || set -- $(basename -s .sh tests/cross/*-*-*.sh)
broken=
for triple; do
    "tests/cross/$triple.sh" || broken="$broken $triple"
done
ended=0
python3 tests/cross/table.py "$CROSS_RESULTS" || ended=1
[ -z "$broken" ] || echo "failed: these scripts ended early:$broken" >&2
[ -z "$broken" ] && [ "$ended" -eq 0 ]
