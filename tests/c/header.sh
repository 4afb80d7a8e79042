#!/bin/sh
# The header: compiles alone and included twice, in every language that may include it; declares only names of ours;
# documents each of them.
#
#   header.sh include/nomyo.h
set -eu

header=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

pass() { passed=$((passed + 1)); }
fail() { failed=$((failed + 1)); echo "$header: failed: $*" >&2; }

# check WHAT COMMAND...
check() {
    what=$1
    shift
    if "$@" > "$work/said" 2>&1; then pass; else fail "$what"; head -n 3 "$work/said" >&2; fi
}

printf '#include "%s"\n' "$header" > "$work/once.c"
printf '#include "%s"\n#include "%s"\nint main(void) { return nomyo_abi_version() == NOMYO_ABI_VERSION ? NOMYO_OK : 1; }\n' \
    "$header" "$header" > "$work/twice.c"
# Names that a program may well have, before and after.
printf 'enum { Argument, Server, Key, Memory, Status };\n#include "%s"\n' "$header" > "$work/beside.c"
strict="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -fsyntax-only"
for pair in gcc:c99 gcc:c11 gcc:c23 clang:c99 clang:c11 clang:c23 g++:c++17 g++:c++20 clang++:c++17 clang++:c++20; do
    compiler=${pair%:*}
    standard=${pair#*:}
    command -v "$compiler" > /dev/null || continue
    # An old compiler calls C23 c2x.
    echo | "$compiler" -x c "-std=$standard" -fsyntax-only - 2> /dev/null || [ "$standard" != c23 ] || standard=c2x
    case $standard in c++*) language=c++ ;; *) language=c ;; esac
    for source in once twice beside; do
        # shellcheck disable=SC2086 # words
        check "$compiler -std=$standard, $source" "$compiler" -x $language "-std=$standard" $strict "$work/$source.c"
    done
done

# Compilers warn if a result that must be looked at is not: a client without its pin would work.
printf '#include "%s"\nvoid pinned(nomyo_config *config) { nomyo_config_add_server_key_pin(config, "00", NULL); }\n' "$header" > "$work/ignores.c"
for compiler in gcc clang g++ clang++; do
    command -v "$compiler" > /dev/null || continue
    case $compiler in *++) language=c++ ;; *) language=c ;; esac
    check "$compiler: a program that ignores no result is compiled" "$compiler" -x $language -Werror -c -o /dev/null "$work/once.c"
    if "$compiler" -x $language -Werror -c -o /dev/null "$work/ignores.c" > "$work/said" 2>&1; then fail "$compiler: an ignored failure of a pin"; fi
    if grep -q 'unused-result' "$work/said"; then pass; else fail "$compiler: it warns of the ignored result"; fi
done

# A line that begins a declaration must follow the end of a comment that begins with two stars.
awk '
    /^ *\/\*\*/ { doc = 1 }
    /\*\/ *$/ { documented = doc; doc = 0; next }
    doc || /^ *$/ || /^NOMYO_MUST_USE$/ { next }
    { sub(/^NOMYO_MUST_USE /, "") }
    /^}/ { inside = 0 }
    /^(#define NOMYO_[A-GI-Z]|typedef|enum|struct|[a-z].*\()/ && !/^extern "C"/ ||
        inside && /^ +[A-Za-z].*[;,]$/ { if (!documented) print FNR ": " $0 }
    /^(typedef )?(struct|enum).*\{$/ { inside = 1 }
    { documented = 0 }
' "$header" > "$work/bare"
if [ -s "$work/bare" ]; then fail "without a doc comment:"; cat "$work/bare" >&2; else pass; fi

# The comment of a function says which threads may call it and what it blocks on, or names the function that it is like.
awk '
    /^ *\/\*\*/ { text = "" }
    { line = $0; sub(/^ +\* ?/, " ", line); text = text line }
    /^(NOMYO_MUST_USE )?[a-z].*nomyo_[a-z0-9_]+\(/ && !/^typedef/ {
        if (text !~ /[Tt]hread.*[Bb]lock|([Aa]s|as for) nomyo_[a-z_]+\(\)/) print FNR ": " $0
    }
' "$header" > "$work/silent"
if [ -s "$work/silent" ]; then fail "without a word on threads and blocking:"; cat "$work/silent" >&2; else pass; fi

# Macros and identifiers at the top level begin with nomyo or NOMYO.
sed -n -e 's/^#define \([^N][A-Za-z_]*\).*/#define \1/p' -e 's/^enum \([A-Za-z_]*\).*/enum \1/p' -e 's/^    \([A-Z][A-Za-z]*\) = .*/\1/p' \
    -e 's/^typedef .* \([A-Za-z_0-9]*\);$/\1/p' "$header" | grep -v '^nomyo_' > "$work/foreign" || true
if [ -s "$work/foreign" ]; then fail "names that are not ours to take:"; cat "$work/foreign" >&2; else pass; fi

echo "header: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
