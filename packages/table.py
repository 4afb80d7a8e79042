"""Prints each artefact's size, and of each target's library the oldest glibc that it runs with and the libraries that it needs:

table.py TRIPLE...
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def needs(library: Path) -> str:
    """For ELF: the newest version of glibc that it names, and the libraries of its dynamic section."""
    read = ["readelf", "-dVW", library]
    text = subprocess.run(read, check=True, stdout=subprocess.PIPE, text=True).stdout
    versions = [int(minor) for minor in re.findall(r"GLIBC_2\.(\d+)", text)]
    glibc = f"glibc 2.{max(versions)}, " if versions else ""
    return glibc + ", ".join(re.findall(r"\(NEEDED\).*\[(.*)\]", text))


def main(triples: list[str]) -> None:
    print(f"\n{'artefact':<64}{'MB':>8}")
    for file in sorted((ROOT / "dist").rglob("*")):
        if file.is_file() and not file.name.endswith((".cdx.json", ".info", ".mod", "list")):
            print(f"{str(file.relative_to(ROOT / 'dist')):<64}{file.stat().st_size / 1e6:>8.2f}")
    print(f"\n{'library':<36}{'MB':>8}  needs")
    for triple in triples:
        for name in ("libnomyo.so", "nomyo.node"):
            library = ROOT / "target/dist" / triple / name
            if library.is_file() and library.read_bytes()[:4] == b"\x7fELF":
                print(f"{triple + ' ' + name:<36}{library.stat().st_size / 1e6:>8.2f}  {needs(library)}")


if __name__ == "__main__":
    main(sys.argv[1:])
