"""The platform tag of a wheel comes from the library in it, and from nothing of the machine that packs it."""

import struct
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from wheel_platform import platform_tag

X86_64, AARCH64, MIPS = 62, 183, 8


def elf(machine: int, needed: list[str], versions: tuple[str, ...] = ()) -> bytes:
    """A shared library with a dynamic section, and strings, and nothing else."""
    strings, entries = b"\0", b""
    for name in needed:
        entries += struct.pack("<qQ", 1, len(strings))
        strings += name.encode() + b"\0"
    strings += b"".join(version.encode() + b"\0" for version in versions)
    base, header, each = 0x1000, 64, 56
    dynamic = header + 2 * each
    table = dynamic + len(entries) + 32
    entries += struct.pack("<qQqQ", 5, base + table, 0, 0)
    size = table + len(strings)
    load = struct.pack("<IIQQQQQQ", 1, 4, 0, base, base, size, size, 4096)
    section = struct.pack("<IIQQQQQQ", 2, 4, dynamic, base + dynamic, base + dynamic, len(entries), len(entries), 8)
    start = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    start += struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, header, 0, 0, 64, each, 2, 0, 0, 0)
    return start + load + section + entries + strings


def mach_o(processor: int, *commands: tuple[int, tuple[int, ...]]) -> bytes:
    """The beginning of a library for macOS."""
    bodies = [struct.pack(f"<{len(words) + 2}I", kind, 4 * len(words) + 8, *words) for kind, words in commands]
    return struct.pack("<8I", 0xFEEDFACF, processor, 0, 6, len(bodies), sum(map(len, bodies)), 0, 0) + b"".join(bodies)


def dll(machine: int) -> bytes:
    """The beginning of a library for Windows."""
    return b"MZ".ljust(0x3C, b"\0") + struct.pack("<I4sH", 0x40, b"PE\0\0", machine)


@pytest.mark.parametrize(("machine", "expected"), [(0x8664, "win_amd64"), (0xAA64, "win_arm64")])
def test_processor_of_a_dll_is_the_library_s(machine, expected):
    assert platform_tag(dll(machine)) == expected


ARM64, INTEL, POWERPC = 0x0100000C, 0x01000007, 0x01000012
VERSION_MIN, BUILD_VERSION, UUID = 0x24, 0x32, 0x1B


@pytest.mark.parametrize(
    ("library", "expected"),
    [
        (mach_o(ARM64, (UUID, (1, 2, 3, 4)), (BUILD_VERSION, (1, 11 << 16, 0, 0))), "macosx_11_0_arm64"),
        (mach_o(ARM64, (BUILD_VERSION, (1, 12 << 16 | 3 << 8, 0, 0))), "macosx_13_0_arm64"),
        (mach_o(INTEL, (VERSION_MIN, (10 << 16 | 12 << 8, 0))), "macosx_10_12_x86_64"),
    ],
)
def test_processor_and_oldest_macos_are_the_library_s(library, expected):
    assert platform_tag(library) == expected


@pytest.mark.parametrize(
    ("machine", "needed", "versions", "expected"),
    [
        (X86_64, ["libgcc_s.so.1", "libc.so.6"], ("GLIBC_2.2.5", "GLIBC_2.34", "GCC_3.0"), "manylinux_2_34_x86_64"),
        (X86_64, ["libc.so.6"], ("GLIBC_2.2.5", "GLIBC_2.9", "GLIBC_2.17"), "manylinux_2_17_x86_64"),
        (X86_64, ["libc.so.6"], (), "manylinux_2_5_x86_64"),
        (AARCH64, ["libc.so.6", "ld-linux-aarch64.so.1"], ("GLIBC_2.17",), "manylinux_2_17_aarch64"),
        (X86_64, ["libc.so"], (), "musllinux_1_2_x86_64"),
        (AARCH64, ["libgcc_s.so.1", "libc.musl-aarch64.so.1"], ("GCC_3.0",), "musllinux_1_2_aarch64"),
    ],
)
def test_machine_and_c_library_are_the_library_s(machine, needed, versions, expected):
    assert platform_tag(elf(machine, needed, versions)) == expected


@pytest.mark.parametrize(
    ("library", "why"),
    [
        (dll(0x14C), "machine without a platform tag"),
        (elf(MIPS, ["libc.so.6"]), "without a platform tag"),
        (elf(X86_64, []), "neither glibc nor musl"),
        (elf(X86_64, ["libsystem.so"]), "neither glibc nor musl"),
        (mach_o(POWERPC, (VERSION_MIN, (10 << 16, 0))), "without a platform tag"),
        (mach_o(ARM64, (UUID, (1, 2, 3, 4))), "does not say which macOS it needs"),
        (b"MZ" + bytes(100), "machine without a platform tag"),
        (b"MZ", "ends within the headers"),
        (b"\0" * 100, "not a 64-bit little-endian ELF file"),
        (b"", "not a 64-bit little-endian ELF file"),
        (b"\x7fELF\x01\x01" + bytes(100), "not a 64-bit little-endian ELF file"),
    ],
)
def test_a_library_without_a_tag_is_refused(library, why):
    with pytest.raises(ValueError, match=why):
        platform_tag(library)
