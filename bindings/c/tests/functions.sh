#!/bin/sh
# nomyo.hpp uses every function of nomyo.h, except for the functions that are listed here with their reasons.
#
#   bindings/c/tests/functions.sh [HEADER]       HEADER stands for include/nomyo.h
set -eu

root=$(cd "$(dirname "$0")/../../.." && pwd)
header=${1:-$root/include/nomyo.h}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# C++ programs call these directly: they map a number to a static text, return a number, or write a text, for which C++ has
# libraries.
sort >"$work/unused" <<'LIST'
nomyo_abi_version
nomyo_attestation_check_name
nomyo_attestation_level_meaning
nomyo_attestation_level_name
nomyo_json_string
nomyo_status_name
LIST

grep -oE '^(NOMYO_MUST_USE )?[a-z].*\bnomyo_[a-z0-9_]+\(' "$header" | sed 's/.*\b\(nomyo_[a-z0-9_]*\)($/\1/' | sort -u >"$work/functions"
[ "$(wc -l <"$work/functions")" -gt 40 ] || { echo "functions: $header declares only $(wc -l <"$work/functions") functions" >&2; exit 1; }
# Comments do not count.
sed -e '/^ *\/\*.*\*\/$/d' -e '/^ *\/\*/,/\*\//d' -e 's|//.*||' "$root"/bindings/c/*.hpp | grep -oE '\bnomyo_[a-z0-9_]+\b' | sort -u >"$work/used"

passed=0 failed=0
for function in $(cat "$work/functions"); do
    used=no listed=no
    if grep -qx "$function" "$work/used"; then used=yes; fi
    if grep -qx "$function" "$work/unused"; then listed=yes; fi
    case $used$listed in
    yesno | noyes) passed=$((passed + 1)) ;;
    yesyes) failed=$((failed + 1)) && echo "failed: $function is used: remove it from the list" ;;
    *) failed=$((failed + 1)) && echo "failed: nomyo.hpp does not use $function" ;;
    esac
done
for function in $(comm -23 "$work/unused" "$work/functions"); do
    failed=$((failed + 1)) && echo "failed: $function is listed and does not exist"
done
echo "functions: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
