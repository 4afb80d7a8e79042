"""The platform tag of a wheel, read from the library in it. The machine that builds the wheel has no say in it.

PEP 600 defines manylinux, PEP 656 musllinux. The tags of macOS are those of pip: from macOS 11 on without a second number.
"""

import re
import struct

_MACHINES = {3: "i686", 40: "armv7l", 62: "x86_64", 183: "aarch64", 243: "riscv64"}  # e_machine of elf(5)
_NEEDED, _STRING_TABLE, _DYNAMIC, _LOAD = 1, 5, 2, 1
# <mach-o/loader.h> of macOS: the magic number of a 64-bit file, its processors, and the commands that name the oldest system.
_MACH_O, _PROCESSORS = b"\xcf\xfa\xed\xfe", {0x0100000C: "arm64", 0x01000007: "x86_64"}
_VERSION_MIN, _BUILD_VERSION = 0x24, 0x32
_DLL_MACHINES = {0x8664: "amd64", 0xAA64: "arm64"}  # IMAGE_FILE_HEADER.Machine of the PE format
# Rust's targets for musl are built for 1.2, and musl has no versions of symbols to read.
_MUSL = "1_2"


def platform_tag(library: bytes) -> str:
    """The oldest platform that a shared library for Linux, macOS or Windows runs on.

    Raises ValueError if it is for another system, for an unknown machine, or needs no C library.
    """
    if library[:4] == _MACH_O:
        return _macos_tag(library)
    if library[:2] == b"MZ":
        return _windows_tag(library)
    if library[:4] != b"\x7fELF" or library[4:6] != b"\x02\x01":
        raise ValueError("the library is not a 64-bit little-endian ELF file, no DLL, and no Mach-O file for one processor")
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


def _windows_tag(library: bytes) -> str:
    try:
        (header,) = struct.unpack_from("<I", library, 0x3C)  # e_lfanew of the PE format
        signature, machine = struct.unpack_from("<4sH", library, header)
    except struct.error:
        raise ValueError("the library ends within the headers of a DLL") from None
    if signature != b"PE\0\0" or machine not in _DLL_MACHINES:
        raise ValueError(f"the library is for a machine without a platform tag (Machine {machine:#x})")
    return f"win_{_DLL_MACHINES[machine]}"


def _macos_tag(library: bytes) -> str:
    processor, count = struct.unpack_from("<I", library, 4)[0], struct.unpack_from("<I", library, 16)[0]
    if processor not in _PROCESSORS:
        raise ValueError(f"the library is for a machine without a platform tag (cputype {processor})")
    at = 32
    for _ in range(count):
        kind, size = struct.unpack_from("<II", library, at)
        if kind in (_VERSION_MIN, _BUILD_VERSION):
            version = struct.unpack_from("<I", library, at + (12 if kind == _BUILD_VERSION else 8))[0]
            major, minor = version >> 16, version >> 8 & 255
            # pip knows no macosx_11_1: a library that needs macOS 11.1 is offered to macOS 12.
            if major > 10:
                major, minor = major + (minor > 0), 0
            return f"macosx_{major}_{minor}_{_PROCESSORS[processor]}"
        at += size
    raise ValueError("the library does not say which macOS it needs")


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
