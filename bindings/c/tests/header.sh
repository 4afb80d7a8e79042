#!/bin/sh
# The headers compile alone and without a warning: with g++ and clang++, in each standard, with and without exceptions. An object
# cannot be passed between files of the two kinds.
#
#   bindings/c/tests/header.sh SCRATCH_DIR
set -eu

root=$(cd "$(dirname "$0")/../../.." && pwd)
scratch=$1
rm -rf "$scratch"
mkdir -p "$scratch"
cd "$scratch"
. "$root/tests/check.sh"
warnings="-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast -Werror"
# These warn about C++17 itself, about padding, and about classes whose functions are all in a header. clang 16 and newer also
# warns about each pointer with an index.
everything="-Weverything -Werror -Wno-c++98-compat -Wno-c++98-compat-pedantic -Wno-padded -Wno-weak-vtables -Wno-unknown-warning-option
    -Wno-unsafe-buffer-usage"
# A link, since the path of the checkout may have a space, and these are words.
ln -s "$root" root
include="-Iroot/bindings/c -Iroot/include"

# The classes in use, so that the templates are compiled.
cat >uses.cpp <<'END_OF_FILE'
#include <nomyo.hpp>
#ifdef __cpp_exceptions
nomyo::Response uses(const nomyo::Config &config);
nomyo::Response uses(const nomyo::Config &config) {
    const nomyo::Client client(config);
    const nomyo::CallOptions options;
    const nomyo::Secret key = client.private_key_pem();
    client.load_keys("private", "public", key.view());
    return client.open(client.seal(client.server_key().pem, "{}", options), client.tls_chain());
}
#else
nomyo::Result<nomyo::Response> uses(const nomyo::Config &config);
nomyo::Result<nomyo::Response> uses(const nomyo::Config &config) {
    const nomyo::Client client = nomyo::Client::try_make(config).take();
    const nomyo::CallOptions options;
    if (const auto key = client.try_server_key(); key && client.try_load_keys("private"))
        return client.try_open(client.try_seal(key->pem, "{}", &options).take(), client.try_tls_chain().take());
    return client.try_create("{}");
}
#endif
END_OF_FILE
compiles() { # FLAGS...
    # shellcheck disable=SC2086 # words
    {
        check "g++ $*" g++ "$@" $warnings $include -fsyntax-only uses.cpp
        check "clang++ $*" clang++ "$@" $warnings $everything $include -fsyntax-only uses.cpp
    }
}
for standard in c++17 c++20 c++2b; do compiles -std=$standard; done
for standard in c++17 c++20; do compiles -std=$standard -fno-exceptions -fno-rtti; done

# A program may have functions of any name that take anything. The types of nomyo.h are global, so that the compiler considers
# them wherever the header calls a function without its namespace.
{
    for name in call view bytes count fault set known write; do
        printf 'template <class... A> void %s(const A &...) = delete;\n' $name
        printf 'template <class F, class... A> void %s(F *, A...) = delete;\n' $name
    done
    sed 's/^    client.load_keys/    nomyo::Config().load_env().header("a", "b").attestation(nomyo::AttestationPolicy().require(3));\n&/' uses.cpp
} >crowded.cpp
for flags in "" -fno-exceptions; do
    # shellcheck disable=SC2086 # words
    check "a program's own functions are not called $flags" g++ -std=c++17 $flags $include -fsyntax-only crowded.cpp
done
for header in "$root"/bindings/c/*.hpp; do
    printf '#include "%s"\n#include "%s"\nint main() { return 0; }\n' "$header" "$header" >alone.cpp
    # shellcheck disable=SC2086 # words
    check "$(basename "$header") alone, twice" g++ -std=c++17 $warnings $include -fsyntax-only alone.cpp
    check "$(basename "$header") has at most 500 lines" test "$(wc -l <"$header")" -le 500
done

# A function of one kind of file takes an object of the other kind.
cat >gives.cpp <<'END_OF_FILE'
#include <nomyo.hpp>
void takes(const nomyo::CallOptions &options);
int main() { takes(nomyo::CallOptions()); }
END_OF_FILE
cat >takes.cpp <<'END_OF_FILE'
#include <nomyo.hpp>
void takes(const nomyo::CallOptions &options);
void takes(const nomyo::CallOptions &) {}
END_OF_FILE
cat >c.c <<'END_OF_FILE'
void *nomyo_call_options_new(void);
void nomyo_call_options_free(void *options);
void *nomyo_call_options_new(void) { return 0; }
void nomyo_call_options_free(void *options) { (void)options; }
END_OF_FILE
links() { # FLAGS-OF-GIVES FLAGS-OF-TAKES
    # shellcheck disable=SC2086 # words
    g++ -std=c++17 $include $1 -c gives.cpp && g++ -std=c++17 $include $2 -c takes.cpp && cc -c c.c && g++ gives.o takes.o c.o -Wl,--unresolved-symbols=report-all -o linked
}
does_not_link() { ! links "$@" 2>said && grep -q 'undefined reference to .takes' said; }
check "objects are passed between files of one kind" links -fexceptions -fexceptions
check "objects cannot be passed between files with and without exceptions" does_not_link -fexceptions -fno-exceptions
cd "$root"
rm -rf "$scratch"
echo "header: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
