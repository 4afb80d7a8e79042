"""Refuses artefacts with something inside that nobody may publish:  tripwire.py DIST PATH-OF-THIS-MACHINE...

Archives are opened, and archives within them. Looked for are the private keys of the tests, variables that only tests may set, the
endpoint's faults, and the paths of the machine that built. It fails, too, if DIST has no artefacts.
"""

import base64
import gzip
import io
import lzma
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Names of test facilities. Sources have them, programs must not.
FACILITY = b"NOMYO_TEST_", b"/control/faults"


def is_code(data: bytes) -> bool:
    """Whether this is a program, a library or a static archive: ELF, PE, Mach-O, ar."""
    return data.startswith((b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"!<arch>\n"))


def forbidden(paths: list[str]) -> dict[bytes, str]:
    """What must not occur, and its description."""
    found = {path.rstrip("/").encode() + b"/": "a path of the building machine" for path in paths if len(path) > 1}
    found |= dict.fromkeys(FACILITY, "a facility of the tests")
    for file in sorted((ROOT / "tests").rglob("*.pem")):
        lines = file.read_bytes().splitlines()
        if b"PRIVATE KEY" in lines[0]:
            body = b"".join(lines[1:-1])
            # The key as PEM, whose lines may be broken elsewhere, and as DER.
            found[lines[len(lines) // 2]] = f"the private key {file.relative_to(ROOT)}"
            der = base64.b64decode(body)
            found[der[len(der) // 2 : len(der) // 2 + 32]] = f"the private key {file.relative_to(ROOT)}"
    return found


def contents(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """The file itself, and everything packed in it."""
    yield name, data
    if data[:2] == b"\x1f\x8b":
        yield from contents(f"{name}!", gzip.decompress(data))
    elif data[:6] == b"\xfd7zXZ\0":
        yield from contents(f"{name}!", lzma.decompress(data))
    elif data[:4] == b"PK\3\4":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in archive.namelist():
                yield from contents(f"{name}!{entry}", archive.read(entry))
    elif data[:8] == b"!<arch>\n" and b"debian-binary" in data[:80]:
        for member in subprocess.run(["ar", "t", name], check=True, stdout=subprocess.PIPE, text=True).stdout.split():
            packed = subprocess.run(["ar", "p", name, member], check=True, stdout=subprocess.PIPE).stdout
            yield from contents(f"{name}!{member}", packed)
    elif data[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for entry in archive:
                if entry.isfile():
                    yield from contents(f"{name}!{entry.name}", archive.extractfile(entry).read())


def main(dist: str, *paths: str) -> None:
    wanted = forbidden(list(paths))
    pattern = re.compile(b"|".join(re.escape(text) for text in wanted))
    found, searched, artefacts = [], 0, 0
    for file in sorted(Path(dist).rglob("*")):
        if file.is_file():
            artefacts += 1
            for name, data in contents(str(file), file.read_bytes()):
                searched += 1
                found += [f"{name}: {wanted[text]}" for text in sorted(set(pattern.findall(data))) if text not in FACILITY or is_code(data)]
    print(f"tripwire: {artefacts} artefacts, {searched} files in them, {len(wanted)} strings looked for, {len(found)} found")
    print(*found, sep="\n")
    if found or artefacts == 0:
        raise SystemExit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
