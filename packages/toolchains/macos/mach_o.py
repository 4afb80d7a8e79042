"""Reads what a program for macOS asks of its loader, and what it offers.

    mach_o.py exports FILE        the symbols that others can bind to, one a line
    mach_o.py describe FILE       processor, oldest system, own name and needed libraries

The format is in Apple's <mach-o/loader.h> and <mach-o/nlist.h>. Only 64-bit files for one processor are read.
"""

import struct
import sys
from collections.abc import Iterator
from pathlib import Path

_MAGIC = 0xFEEDFACF
_PROCESSORS = {0x0100000C: "arm64", 0x01000007: "x86_64"}
_SYMTAB, _LOAD_DYLIB, _ID_DYLIB, _REEXPORT_DYLIB, _VERSION_MIN, _BUILD_VERSION = 0x2, 0xC, 0xD, 0x8000001F, 0x24, 0x32
_STAB, _PRIVATE, _TYPE, _EXTERNAL, _UNDEFINED = 0xE0, 0x10, 0x0E, 0x01, 0x00


def commands(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The load commands of a file: their kinds, and their bytes.

    >>> list(commands(b"\\x7fELF"))
    Traceback (most recent call last):
    SystemExit: mach_o: this is no 64-bit Mach-O file for one processor
    """
    if len(data) < 32 or struct.unpack_from("<I", data)[0] != _MAGIC:
        raise SystemExit("mach_o: this is no 64-bit Mach-O file for one processor")
    at = 32
    for _ in range(struct.unpack_from("<I", data, 16)[0]):
        kind, size = struct.unpack_from("<II", data, at)
        yield kind, data[at : at + size]
        at += size


def exports(data: bytes) -> list[str]:
    """The defined symbols that are neither local nor private, without the underscore that each name in C begins with."""
    found = []
    for kind, command in commands(data):
        if kind == _SYMTAB:
            symbols, count, strings, _ = struct.unpack_from("<IIII", command, 8)
            for index in range(count):
                name, flags = struct.unpack_from("<IB", data, symbols + 16 * index)
                is_local = flags & (_STAB | _PRIVATE) or not flags & _EXTERNAL or flags & _TYPE == _UNDEFINED
                if not is_local:
                    found.append(_text(data, strings + name).removeprefix("_"))
    return sorted(found)


def describe(data: bytes) -> list[str]:
    """The facts about a file, one a line."""
    lines = [f"processor {_PROCESSORS.get(struct.unpack_from('<I', data, 4)[0], 'unknown')}"]
    for kind, command in commands(data):
        if kind in (_LOAD_DYLIB, _REEXPORT_DYLIB):
            lines.append(f"needs {_text(command, struct.unpack_from('<I', command, 8)[0])}")
        elif kind == _ID_DYLIB:
            lines.append(f"name {_text(command, struct.unpack_from('<I', command, 8)[0])}")
        elif kind in (_VERSION_MIN, _BUILD_VERSION):
            version = struct.unpack_from("<I", command, 12 if kind == _BUILD_VERSION else 8)[0]
            lines.append(f"system macOS {version >> 16}.{version >> 8 & 255}")
    return sorted(lines)


def _text(data: bytes, at: int) -> str:
    return data[at : data.index(b"\0", at)].decode()


def main() -> None:
    if len(sys.argv) != 3 or sys.argv[1] not in ("exports", "describe"):
        raise SystemExit(__doc__)
    read = exports if sys.argv[1] == "exports" else describe
    print("\n".join(read(Path(sys.argv[2]).read_bytes())))


if __name__ == "__main__":
    main()
