"""The platform tag of a wheel, read from the library in it. The machine that builds the wheel has no say in it.

PEP 600 defines manylinux, PEP 656 musllinux.
"""

import re
import struct

_MACHINES = {3: "i686", 40: "armv7l", 62: "x86_64", 183: "aarch64", 243: "riscv64"}  # e_machine of elf(5)
_NEEDED, _STRING_TABLE, _DYNAMIC, _LOAD = 1, 5, 2, 1
# Rust's targets for musl are built for 1.2, and musl has no versions of symbols to read.
_MUSL = "1_2"


def platform_tag(library: bytes) -> str:
    """The oldest platform that a shared library for Linux runs on.

    Raises ValueError if it is for another system, for an unknown machine, or needs no C library.
    """
    if library[:4] != b"\x7fELF" or library[4:6] != b"\x02\x01":
        raise ValueError("the library is not a 64-bit little-endian ELF file")
    (machine,) = struct.unpack_from("<H", library, 18)
    if machine not in _MACHINES:
        raise ValueError(f"the library is for a machine without a platform tag (e_machine {machine})")
    needed = _needed(library)
    if any(re.fullmatch(r"libc\.so|libc\.musl-\w+\.so\.1", name) for name in needed):
        return f"musllinux_{_MUSL}_{_MACHINES[machine]}"
    if "libc.so.6" not in needed:
        raise ValueError(f"the library needs neither glibc nor musl, but {needed}")
    wanted = [int(minor) for minor in re.findall(rb"\0GLIBC_2\.(\d+)(?=\0|\.\d)", library)]
    # Every Linux that has a manylinux tag has glibc 2.5; older versions are not told apart.
    return f"manylinux_2_{max([5, *wanted])}_{_MACHINES[machine]}"


def _needed(library: bytes) -> list[str]:
    """The shared libraries that the dynamic section names."""
    offset, size, count = *struct.unpack_from("<Q", library, 32), *struct.unpack_from("<HH", library, 54)
    segments = [struct.unpack_from("<IIQQQQ", library, offset + size * index) for index in range(count)]
    entries: list[tuple[int, int]] = []
    for kind, _, start, _, _, length in segments:
        if kind == _DYNAMIC:
            entries = list(struct.iter_unpack("<qQ", library[start : start + length - length % 16]))
    strings = next((value for tag, value in entries if tag == _STRING_TABLE), None)
    for kind, _, start, address, _, length in segments:
        if kind == _LOAD and strings is not None and address <= strings < address + length:
            table = start + strings - address
            names = [table + value for tag, value in entries if tag == _NEEDED]
            return [library[name : library.index(b"\0", name)].decode() for name in names]
    return []
