#!/bin/sh
# The page EVENT_LOOPS.md is true: its commands build the examples from an installed library, its pieces print what their
# comments promise, and the library opens no connection for nomyo_seal() and nomyo_open().
#
#   tests/with_endpoint.sh --api-key K -- bindings/c/tests/loops_page.sh PREFIX SCRATCH_DIR K
#
# PREFIX has an installed library.
set -eu

root=$(cd "$(dirname "$0")/../../.." && pwd)
prefix=$(cd "$1" && pwd) scratch=$2
export NOMYO_API_KEY="$3" PKG_CONFIG_PATH="$prefix/lib/pkgconfig" LD_LIBRARY_PATH="$prefix/lib"
export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1
page=$root/bindings/c/EVENT_LOOPS.md
rm -rf "$scratch"
mkdir -p "$scratch"
scratch=$(cd "$scratch" && pwd)
cd "$scratch"
. "$root/tests/check.sh"

# Each block of C becomes a scope of one program. A block of shell commands is run.
awk -v page="$page" '
    /^```(c|sh)$/ { language = substr($0, 4); text = ""; first = NR + 1; next }
    /^```$/ && language == "sh" { printf "%s", text >"commands" }
    /^```$/ && language == "c" { printf "{\n#line %d \"%s\"\n%s}\n", first, page, text >"pieces.inc" }
    /^```$/ { language = ""; next }
    language { text = text $0 "\n" }' "$page"
cat >pieces.c <<'END'
#include "your_http.h"
int main(void) {
    nomyo_error *err = NULL;
    nomyo_client *client = NULL;
    if (nomyo_client_new(NULL, &client, NULL) != NOMYO_OK) return 1;
#include "pieces.inc"
    if (err) fprintf(stderr, "%s\n", nomyo_error_message(err));
    nomyo_error_free(err);
    nomyo_client_free(client);
    return err != NULL;
}
END
build() { # SOURCE OUT
    # shellcheck disable=SC2046 # words
    cc -std=c11 -Wall -Wextra -Werror -D_POSIX_C_SOURCE=200809L -I"$root/bindings/c/tests" "$1" \
        $(pkg-config --cflags --libs nomyo libcjson) -pthread -o "$2"
}
print_what_they_say() {
    sed -n 's|.*/\* prints \(.*\) \*/$|\1|p' pieces.inc >wanted
    test -s wanted && ./pieces >said && diff -b wanted said
}
# The pieces' own HTTP stack connects to the plain port alone. The library would connect to another.
connects_to_one_port() { # PROGRAM ARGUMENT...
    strace -f -qq -e trace=connect,sendto -o calls "$@" >said && grep -q 'connect(' calls &&
        ! grep 'connect(' calls | grep -v "htons(${NOMYO_TEST_PLAIN_BASE_URL##*:})"
}
builds_the_examples() { (cd "$root" && sed "s|-o |-o $scratch/|" "$scratch/commands" >"$scratch/build" && sh -e "$scratch/build"); }

check "the page's commands build the examples" builds_the_examples
for example in epoll asio; do
    says_what_was_asked() {
        echo "Hello, $example" | "./$example" --url "$NOMYO_TEST_BASE_URL" --ca "$NOMYO_TEST_CA_FILE" >said &&
            grep -x "Hello, $example" said
    }
    check "$example, as the page builds it" says_what_was_asked
done
check "the pieces compile" build pieces.c pieces
check "the pieces print what they say" print_what_they_say
check "the pieces use no connection of the library" connects_to_one_port ./pieces
check "the promises compile" build "$root/bindings/c/tests/loops_promises.c" promises
check "the promises hold" ./promises "$scratch"
cat log
cd "$root"
rm -rf "$scratch"
echo "loops_page: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
