"""Prints each artefact's size, and of each target's library the oldest system that it names and the libraries that it needs:

table.py TRIPLE...
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def needs(library: Path) -> str:
    """The oldest system of a library, if it says so, and the libraries that it needs."""
    head = library.read_bytes()[:4]
    if head[:2] == b"MZ":
        return ", ".join(re.findall(r"DLL Name: (.*)", _printed("x86_64-w64-mingw32-objdump", "-p", library)))
    if head == b"\xcf\xfa\xed\xfe":
        text = _printed("python3", ROOT / "packages/toolchains/macos/mach_o.py", "describe", library)
        system = re.search(r"^system (.*)$", text, re.MULTILINE)[1]
        return ", ".join([system, *(Path(name).name for name in re.findall(r"^needs (.*)$", text, re.MULTILINE))])
    text = _printed("readelf", "-dVW", library)
    versions = [int(minor) for minor in re.findall(r"GLIBC_2\.(\d+)", text)]
    glibc = f"glibc 2.{max(versions)}, " if versions else ""
    return glibc + ", ".join(re.findall(r"\(NEEDED\).*\[(.*)\]", text))


def _printed(*command: str | Path) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def main(triples: list[str]) -> None:
    print(f"\n{'artefact':<64}{'MB':>8}")
    for file in sorted((ROOT / "dist").rglob("*")):
        if file.is_file() and not file.name.endswith((".cdx.json", ".info", ".mod", "list")) and "recipes" not in file.parts:
            print(f"{str(file.relative_to(ROOT / 'dist')):<64}{file.stat().st_size / 1e6:>8.2f}")
    print(f"\n{'library':<36}{'MB':>8}  needs")
    for triple in triples:
        for name in ("libnomyo.so", "nomyo.dll", "libnomyo.dylib", "nomyo.node"):
            library = ROOT / "target/dist" / triple / name
            if library.is_file():
                print(f"{triple + ' ' + name:<36}{library.stat().st_size / 1e6:>8.2f}  {needs(library)}")


if __name__ == "__main__":
    main(sys.argv[1:])
