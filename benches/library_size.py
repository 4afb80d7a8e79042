"""Shows the parts of libnomyo.so, by crate and by section.

    library_size.py LIBRARY

LIBRARY still has its symbols: the release library as cargo builds it. The sizes are those of the stripped file. A function of
the standard library that was compiled for a type of another crate counts for that crate.
"""

import re
import subprocess
import sys
from pathlib import Path

from report import table

STANDARD = {"core", "alloc", "std"}
# Labels of AWS-LC's assembly code have no common prefix. No other C code is in the library, but for a few symbols of the linker.
EXPORTED = "nomyo_"
SMALL = 20_000
LARGE = 50_000
SECTIONS = {
    ".rela.dyn": "addresses that the loader fills in",
    ".eh_frame": "tables for unwinding",
    ".eh_frame_hdr": "tables for unwinding",
    ".gcc_except_table": "tables for unwinding",
    ".data.rel.ro": "constants with addresses",
}


def output(*command: object) -> list[str]:
    return subprocess.run([str(word) for word in command], check=True, text=True, stdout=subprocess.PIPE).stdout.splitlines()


def crate(symbol: str) -> str:
    """The crate of a demangled symbol."""
    if "::" not in symbol:
        return "nomyo" if symbol.startswith(EXPORTED) else "aws-lc (C and assembly)"
    crates = re.findall(r"(?<![\w:])([a-z_]\w*)::", symbol)
    return next((name for name in crates if name not in STANDARD), "standard library")


def symbols(library: Path) -> dict[str, tuple[int, int]]:
    """Bytes of code and of constants, by crate."""
    sizes: dict[str, tuple[int, int]] = {}
    seen: set[str] = set()
    for line in output("nm", "--demangle", "--print-size", "--defined-only", library):
        words = line.split(maxsplit=3)
        if len(words) != 4 or words[2] in "bB" or words[0] in seen:
            continue  # Memory that is zero at first takes no room in the file. Some symbols have two names.
        seen.add(words[0])
        name, size = crate(words[3]), int(words[1], 16)
        code, constants = sizes.get(name, (0, 0))
        sizes[name] = (code + size, constants) if words[2] in "tTwW" else (code, constants + size)
    return sizes


def largest(library: Path) -> list[list[str]]:
    rows = [line.split(maxsplit=3) for line in output("nm", "--demangle", "--size-sort", "--reverse-sort", "--print-size", library)]
    return [[f"`{row[3]}`", kilobytes(int(row[1], 16))] for row in rows if row[2] not in "bB" and int(row[1], 16) >= LARGE]


def sections(library: Path) -> dict[str, int]:
    rows = (line.split() for line in output("size", "--format=sysv", library))
    return {row[0]: int(row[1]) for row in rows if len(row) == 3 and row[0].startswith(".")}


def kilobytes(size: int) -> str:
    return f"{size / 1000:.0f} kB" if size else "-"


def tables(library: Path) -> str:
    sizes, parts = symbols(library), sections(library)
    rows, other, number = [], [0, 0], 0
    for name, (code, constants) in sorted(sizes.items(), key=lambda item: -sum(item[1])):
        if code + constants >= SMALL:
            rows.append([name, kilobytes(code), kilobytes(constants), kilobytes(code + constants)])
        else:
            other, number = [other[0] + code, other[1] + constants], number + 1
    rows.append([f"{number} others below {kilobytes(SMALL)} each", *(kilobytes(size) for size in (*other, sum(other)))])
    by_crate = table(["crate", "code", "constants with a name", "both"], rows)

    unnamed = parts.get(".rodata", 0) + parts.get(".data.rel.ro", 0) - sum(constants for _, constants in sizes.values())
    by_section = [[name, SECTIONS.get(name, ""), kilobytes(size)]
                  for name, size in sorted(parts.items(), key=lambda item: -item[1])
                  if size >= SMALL and name not in (".bss", ".symtab", ".strtab")]
    symbols_table = table([f"symbols of at least {kilobytes(LARGE)}", "size"], largest(library))
    return f"{by_crate}\n\n{symbols_table}\n\n{table(['section', '', 'size'], by_section)}\n\nConstants without a name, such as texts: {kilobytes(max(unnamed, 0))}."


if __name__ == "__main__":
    print(tables(Path(sys.argv[1])))
