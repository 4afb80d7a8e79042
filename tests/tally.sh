#!/bin/sh
# Adds up what the test runners counted:  tests/tally.sh LOG...
#
# Reads cargo's, pytest's, go's, node's and the C programs' own closing lines. Fails when a log holds none of them, so that a
# suite that ran nothing cannot pass unnoticed. Says how long each log was written, if the file system knows when it was created.
# Repeats at the end what the logs say of failures, since the logs are long.
set -eu

total_passed=0
total_failed=0
for log; do
    counts=$(sed -E 's/\x1b\[[0-9;]*m//g' "$log" | awk '
        /^test result: / { passed += $4; failed += $6; seen = 1 }
        /^([a-z_-]+: )?[0-9]+ passed, [0-9]+ failed/ {
            sub(/^[a-z_-]+: /, "")
            passed += $1
            failed += $3
            seen = 1
        }
        /(passed|failed|errors?)[, ].*in [0-9.]+s/ {
            for (i = 1; i < NF; i++) {
                if ($(i + 1) ~ /^passed/) passed += $i
                if ($(i + 1) ~ /^(failed|errors?)/) failed += $i
            }
            seen = 1
        }
        /^(#|ℹ) (pass|fail|cancelled) [0-9]+$/ {
            if ($2 == "pass") passed += $3
            else failed += $3
            seen = 1
        }
        /^ *--- PASS/ { passed++; seen = 1 }
        /^ *--- FAIL/ { failed++; seen = 1 }
        END { if (seen) print passed + 0, failed + 0 }')
    [ -n "$counts" ] || { echo "failed: $log counts no test" >&2; counts="0 1"; }
    passed=${counts% *}
    failed=${counts#* }
    begun=$(stat -c %W "$log") ended=$(stat -c %Y "$log")
    [ "$begun" -gt 0 ] && took=" $((ended - begun)) s" || took=
    printf '%-12s %4d passed, %d failed%s\n' "$(basename "$log" .log)" "$passed" "$failed" "$took"
    total_passed=$((total_passed + passed))
    total_failed=$((total_failed + failed))
done
grep -E -h '^failed: |: failed: |^FAILED|--- FAIL|^✖ |^not ok|^SUMMARY: |panicked at' "$@" | cut -c 1-300 | sort -u | head -n 60 >&2 || true
echo "$total_passed passed, $total_failed failed"
[ "$total_failed" -eq 0 ] && [ "$total_passed" -gt 0 ]
