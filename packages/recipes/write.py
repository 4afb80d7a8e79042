"""Writes the recipes for Conan and vcpkg into dist/recipes, with the sums of the archives in dist:  write.py VERSION TRIPLE..."""

import hashlib
import json
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
DIST = HERE.parents[1] / "dist"
RELEASES = "https://github.com/nomyo-ai/libnomyo/releases/download"


def main(version: str, triples: list[str]) -> None:
    archives = {triple: DIST / f"libnomyo-{version}-{triple}.tar.gz" for triple in triples}
    conan, vcpkg = DIST / "recipes/conan", DIST / "recipes/vcpkg/nomyo"
    for directory in conan, vcpkg:
        directory.mkdir(parents=True, exist_ok=True)

    shutil.copyfile(HERE / "conanfile.py", conan / "conanfile.py")
    lines = ["sources:", f'  "{version}":']
    for triple, archive in archives.items():
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        lines += [f"    {triple}:", f"      url: {RELEASES}/v{version}/{archive.name}", f"      sha256: {digest}"]
    (conan / "conandata.yml").write_text("\n".join(lines) + "\n")

    shutil.copyfile(HERE / "portfile.cmake", vcpkg / "portfile.cmake")
    sums = [f"set(SHA512_OF_{triple} {hashlib.sha512(archive.read_bytes()).hexdigest()})" for triple, archive in archives.items()]
    (vcpkg / "sums.cmake").write_text("\n".join(sums) + "\n")
    manifest = {
        "name": "nomyo",
        "version": version,
        "description": "Client of NOMYO's end-to-end encrypted inference, with a C ABI",
        "homepage": "https://github.com/nomyo-ai/libnomyo",
        "license": "Apache-2.0",
        "supports": "(x64 | arm64) & (linux | osx) | x64 & mingw",
    }
    (vcpkg / "vcpkg.json").write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
