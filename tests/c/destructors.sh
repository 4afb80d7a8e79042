#!/bin/sh
# No code of the library runs when a process exits. A linked library must have one destructor, which is the C runtime's own,
# and an archive must have none. zig's C runtime has none: RUNTIME_DESTRUCTORS=0.
#
#   [RUNTIME_DESTRUCTORS=0] destructors.sh FILE...
set -eu

passed=0
failed=0
for file; do
    sections=$(readelf -SW "$file" 2>/dev/null | grep -cE ' \.(fini_array|dtors)' || true)
    case $file in
        *.a) found=$sections wanted=0 ;;
        *)
            bytes=$(readelf -dW "$file" | sed -n 's/.*(FINI_ARRAYSZ) *\([0-9]*\) .*/\1/p')
            word=$(readelf -hW "$file" | sed -n 's/.*Class: *ELF\([0-9]*\)/\1/p')
            found=$((${bytes:-0} * 8 / word)) wanted=${RUNTIME_DESTRUCTORS:-1}
            ;;
    esac
    if [ "$found" -eq "$wanted" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$file: failed: $found destructors, not $wanted; was it built where .cargo/config.toml is?" >&2
    fi
done
echo "destructors: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
