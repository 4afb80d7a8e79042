"""Builds nomyo_native: a wheel with the C library inside, and a source archive with the Rust sources (PEP 517).

The wheel is for every Python 3 and for one platform. cargo builds the library, in the checkout or in the `rust` directory
of the source archive: Rust 1.89 or newer and a C compiler must be there. Nothing else is needed, and nothing downloaded
but the crates of Cargo.lock. `--config-settings profile=dev` builds without optimisation. `--config-settings target=TRIPLE`
builds for another machine or C library, with the linker that cargo knows for it. `--config-settings built=DIRECTORY` builds nothing:
it takes the library, the licences of its dependencies and its bill of materials from there.
"""

import base64
import gzip
import hashlib
import io
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from wheel_platform import platform_tag

HERE = Path(__file__).parent
RUST = HERE / "rust" if (HERE / "rust").is_dir() else HERE.parents[1]
# The name that cargo gives to the library, and the name in the wheel.
LIBRARIES = {"libnomyo.so": "libnomyo.so.0", "nomyo.dll": "nomyo.dll", "libnomyo.dylib": "libnomyo.0.dylib"}
VERSION = re.search(r'"(.+)"', (HERE / "nomyo_native" / "_version.py").read_text())[1]
NAME = f"nomyo_native-{VERSION}"
METADATA = f"""Metadata-Version: 2.1
Name: nomyo-native
Version: {VERSION}
Summary: Native client for NOMYO's end-to-end-encrypted chat endpoint
License: Apache-2.0
Requires-Python: >=3.10
Classifier: Operating System :: POSIX :: Linux
Classifier: Operating System :: MacOS
Classifier: Operating System :: Microsoft :: Windows
Classifier: Programming Language :: Python :: 3 :: Only
Classifier: Typing :: Typed
Description-Content-Type: text/markdown

{(HERE / "README.md").read_text()}"""
# What the library is built from. cargo wants to see the workspace whole, with the endpoint, the addon and the benches.
SOURCES = [".cargo/config.toml", "Cargo.toml", "Cargo.lock", "build.rs", "cbindgen.toml", "LICENSE", "README.md"]
SOURCES += ["include/nomyo.h", "src", "benches"]
MEMBERS = ["tests/endpoint/Cargo.toml", "tests/endpoint/src"]
MEMBERS += ["bindings/node/Cargo.toml", "bindings/node/build.rs", "bindings/node/src"]
OWN = ["pyproject.toml", "build_backend.py", "wheel_platform.py", "README.md", "nomyo_native"]
SUFFIXES = {".py", ".typed", ".rs", ".toml", ".lock", ".md", ".h", ""}


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    settings = config_settings or {}
    if "built" in settings:
        directory = Path(settings["built"])
        library, name = _only_library(directory)
        documents = {"LICENCES-OF-DEPENDENCIES": "LICENCES", "sboms/nomyo.cdx.json": "SBOM"}
    else:
        library, name = _library(settings.get("profile", "release"), settings.get("target"))
        documents = {}
    tag = f"py3-none-{platform_tag(library)}"
    info = f"{NAME}.dist-info"
    files = [(f"nomyo_native/{path.name}", path.read_bytes()) for path in _files(HERE / "nomyo_native")]
    files += [
        (f"nomyo_native/{name}", library),
        (f"{info}/METADATA", METADATA.encode()),
        (f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: nomyo\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()),
        (f"{info}/LICENSE", (RUST / "LICENSE").read_bytes()),
    ]
    files += [(f"{info}/{path}", (directory / source).read_bytes()) for path, source in documents.items()]
    record = "".join(f"{path},sha256={_digest(data)},{len(data)}\n" for path, data in files)
    files.append((f"{info}/RECORD", f"{record}{info}/RECORD,,\n".encode()))
    wheel = f"{NAME}-{tag}.whl"
    with zipfile.ZipFile(Path(wheel_directory) / wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files:
            entry = zipfile.ZipInfo(path)  # of 1980: the same sources give the same wheel
            entry.external_attr = (0o755 if path == f"nomyo_native/{name}" else 0o644) << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED, 6)
    return wheel


def build_sdist(sdist_directory, config_settings=None):
    archive = f"{NAME}.tar.gz"
    with (
        gzip.GzipFile(Path(sdist_directory) / archive, "wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        _add(tar, "PKG-INFO", METADATA.encode())
        for root, names, prefix in ((HERE, OWN, ""), (RUST, SOURCES + MEMBERS, "rust/")):
            for name in names:
                for path in _files(root / name):
                    _add(tar, f"{prefix}{path.relative_to(root)}", path.read_bytes())
    return archive


def _files(path):
    """A file, or all sources below a directory; nothing that was built."""
    found = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [file for file in found if file.is_file() and file.suffix in SUFFIXES and "target" not in file.parts[-3:]]


def _add(tar, name, data):
    entry = tarfile.TarInfo(f"{NAME}/{name}")
    entry.size, entry.mode = len(data), 0o644
    tar.addfile(entry, io.BytesIO(data))


def _only_library(directory):
    """The shared library in a directory, and its name in the wheel."""
    found = [name for name in LIBRARIES if (directory / name).is_file()]
    if len(found) != 1:
        raise SystemExit(f"{directory} has {len(found)} of the files {', '.join(LIBRARIES)}, and not one")
    return (directory / found[0]).read_bytes(), LIBRARIES[found[0]]


def _library(profile, triple):
    """The library that cargo builds, and its name in the wheel."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", RUST / "target"))
    # In the dev profile with all of the workspace, as the tests build it: what is there is not built twice.
    command = ["cargo", "build", "--locked", "--workspace" if profile == "dev" else "--lib", "--profile", profile]
    # Without the option, cargo builds for the target of its own configuration, in a directory of that target.
    triple = triple or os.environ.get("CARGO_BUILD_TARGET")
    if triple:
        command[3:4] = ["--lib", "--target", triple]
    try:
        subprocess.run([*command, "--target-dir", target], cwd=RUST, check=True)
    except FileNotFoundError:
        raise SystemExit("nomyo_native needs Rust 1.89 or newer to be built: https://rustup.rs") from None
    directory = target / (triple or "") / ("debug" if profile == "dev" else profile)
    built = _name_by_cargo(triple or sys.platform)
    return (directory / built).read_bytes(), LIBRARIES[built]


def _name_by_cargo(system):
    """The library's file, by a target's triple or by sys.platform."""
    if "darwin" in system:
        return "libnomyo.dylib"
    return "nomyo.dll" if "windows" in system or system == "win32" else "libnomyo.so"


def _digest(data):
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
