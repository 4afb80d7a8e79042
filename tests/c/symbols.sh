#!/bin/sh
# The shared library: exports the header's functions and nothing else, under the soname of its ABI, never unloaded.
#
#   symbols.sh libnomyo.so include/nomyo.h
set -eu

library=$1
header=${2:-$(dirname "$0")/../../include/nomyo.h}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

pass() { passed=$((passed + 1)); }
fail() { failed=$((failed + 1)); echo "$library: failed: $*" >&2; }

# Comments of the header mention functions, too; the preprocessor takes them out.
${CC:-cc} -E -P "$header" | tr -d '\n' | tr ';{}' '\n\n\n' | grep -v '^ *typedef' |
    grep -oE '\bnomyo_[a-z0-9_]+ *\(' | tr -d ' (' | sort > "$work/declared"
nm -D --defined-only --format=posix "$library" | awk '{ sub(/@.*/, "", $1); print $1 }' | sort > "$work/exported"

if [ "$(wc -l < "$work/declared")" -gt 40 ]; then pass; else fail "only $(wc -l < "$work/declared") functions declared"; fi
if [ -z "$(uniq -d "$work/declared")" ]; then pass; else fail "declared twice: $(uniq -d "$work/declared")"; fi
missing=$(comm -23 "$work/declared" "$work/exported")
if [ -z "$missing" ]; then pass; else fail "declared, not exported: $missing"; fi
extra=$(comm -13 "$work/declared" "$work/exported")
if [ -z "$extra" ]; then pass; else fail "exported, not declared: $(echo "$extra" | head -n 20)"; fi

abi=$(sed -n 's/^#define NOMYO_ABI_VERSION //p' "$header")
readelf -d "$library" > "$work/dynamic"
if grep -qF "Library soname: [libnomyo.so.$abi]" "$work/dynamic"; then pass; else fail "soname is not libnomyo.so.$abi"; fi
if grep -q 'FLAGS_1.*NODELETE' "$work/dynamic"; then pass; else fail "the flag NODELETE is missing"; fi
if grep -qE 'RPATH|RUNPATH|TEXTREL' "$work/dynamic"; then fail "RPATH, RUNPATH or TEXTREL is set"; else pass; fi
if readelf -lW "$library" | grep -qE 'GNU_STACK.* RWE'; then fail "the stack is executable"; else pass; fi
if readelf -lW "$library" | grep -q GNU_RELRO && grep -qE 'BIND_NOW|FLAGS_1.*NOW' "$work/dynamic"; then
    pass
else
    fail "relocations are not read-only from the start (RELRO, NOW)"
fi
if grep -E 'NEEDED' "$work/dynamic" | grep -vqE 'lib(c|m|dl|gcc_s|pthread|rt)\.so|ld-'; then
    fail "needs more than the C library: $(grep NEEDED "$work/dynamic")"
else
    pass
fi

if nm -D --undefined-only "$library" | grep -q ' OPENSSL_'; then fail "a host may define functions for AWS-LC"; else pass; fi

echo "symbols: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
