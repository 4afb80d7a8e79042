"""Another process's memory: what is mapped, what is in it, and where secrets are found.

Nothing here knows the library. A snapshot is taken first and searched later, since some secrets (the AES keys, the RSA
primes) are only known later.
"""

import re
import struct
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

PAGE = 4096
# A secret is looked for by pieces of this many bytes, so that the remains of a copy are found as well.
PIECE = 16
# A piece is first looked for by its first word; no secret is shorter.
_WORD = 8
_ZEROS = bytes(PAGE)
_TRIES = 20
_PT_LOAD = 1
_HEAD = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)")
_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@dataclass
class Mapping:
    """A line of /proc/PID/smaps and the figures below it."""

    start: int
    end: int
    perms: str
    path: str
    figures: dict[str, int] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()

    @property
    def size(self) -> int:
        return self.end - self.start

    @property
    def undumpable(self) -> bool:
        return "dd" in self.flags

    @property
    def locked(self) -> bool:
        """Locked by flag and by figure. The kernel counts Locked as it counts Pss: shared pages in part."""
        return "lo" in self.flags and self.figures["Locked"] == self.figures["Pss"] and self.figures["Swap"] == 0

    @property
    def can_differ_from_its_file(self) -> bool:
        touched = self.figures.get("Rss", 0) + self.figures.get("Swap", 0) > 0
        own = self.figures.get("Anonymous", 0) + self.figures.get("Swap", 0) > 0
        # Shared and unnamed mappings count no anonymous pages.
        return touched and (own or not self.path.startswith("/") or "s" in self.perms)

    def __str__(self) -> str:
        return f"{self.start:x}-{self.end:x} {self.perms} {self.path or 'anonymous'} [{' '.join(sorted(self.flags))}]"


def mappings(pid: int) -> list[Mapping]:
    """All of a process's mappings but the kernel's own pages."""
    found: list[Mapping] = []
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if head := _HEAD.fullmatch(line):
            start, end, perms, path = head.groups()
            found.append(Mapping(int(start, 16), int(end, 16), perms, path))
        elif line.startswith("VmFlags:"):
            found[-1].flags = frozenset(line.split()[1:])
        elif line.endswith(" kB"):
            name, figure, _ = line.split()
            found[-1].figures[name.rstrip(":")] = int(figure) * 1024
    return [m for m in found if m.path not in ("[vvar]", "[vvar_vclock]", "[vdso]", "[vsyscall]")]


def locked_bytes(pid: int) -> int:
    """VmLck of /proc/PID/status, in bytes."""
    match = re.search(r"^VmLck:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert match, "the kernel tells no VmLck"
    return int(match[1]) * 1024


@dataclass
class Run:
    """Pages in a row that are not zero."""

    mapping: Mapping
    start: int
    data: bytes


class Snapshot:
    """A process's memory at one moment: all of it, or the mappings that contain an address of `only`."""

    def __init__(self, pid: int, only: Iterable[int] = ()) -> None:
        chosen = list(only)
        # A thread that ends between the list of mappings and their reading takes its stack with it: musl unmaps the stack, glibc
        # keeps it for the next thread. Such a snapshot is taken again.
        for _ in range(_TRIES):
            self._take(pid, chosen)
            if self.unreadable == 0:
                break

    def _take(self, pid: int, chosen: list[int]) -> None:
        self.mappings = [m for m in mappings(pid) if not chosen or any(m.start <= at < m.end for at in chosen)]
        self.runs: list[Run] = []
        self.unreadable = 0
        self.locked_bytes = locked_bytes(pid)
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            for mapping in self.mappings:
                if mapping.can_differ_from_its_file:
                    self._read(memory, mapping)

    def _read(self, memory, mapping: Mapping) -> None:
        pages: list[bytes] = []
        begin = at = mapping.start
        while at < mapping.end:
            try:
                memory.seek(at)
                chunk = memory.read(min(1 << 20, mapping.end - at))
            except OSError:
                chunk = b""
            if not chunk:
                self.unreadable += 1
                chunk = bytes(PAGE)
            for offset in range(0, len(chunk), PAGE):
                page = chunk[offset : offset + PAGE]
                if page == _ZEROS[: len(page)]:
                    self._end(mapping, begin, pages)
                    pages, begin = [], at + offset + len(page)
                else:
                    pages.append(page)
            at += len(chunk)
        self._end(mapping, begin, pages)

    def _end(self, mapping: Mapping, begin: int, pages: list[bytes]) -> None:
        if pages:
            self.runs.append(Run(mapping, begin, b"".join(pages)))

    def uuids(self) -> set[bytes]:
        return {found for run in self.runs for found in _UUID.findall(run.data)}


@dataclass
class Secret:
    """Byte strings that are the same secret: a number in both byte orders, a text."""

    group: str
    name: str
    values: list[bytes]
    # The distance of the pieces. With 1, every run of PIECE bytes is found, wherever in the secret it begins.
    step: int = PIECE

    def pieces(self) -> Iterator[tuple[int, bytes]]:
        """Where in a value a piece is, and the piece."""
        for value in self.values:
            last = max(len(value) - PIECE, 0)
            for offset in dict.fromkeys([*range(0, last + 1, self.step), last]):
                yield offset, value[offset : offset + PIECE]


@dataclass
class Hit:
    """A copy, or what is left of one: the secret's bytes that are there, by their offsets."""

    secret: Secret
    address: int
    mapping: Mapping
    pieces: list[int]

    @property
    def protected(self) -> bool:
        return self.mapping.locked and self.mapping.undumpable

    def __str__(self) -> str:
        parts = ", ".join(str(offset) for offset in sorted(self.pieces))
        return f"{self.secret.name} at {self.address:x} (pieces of {PIECE} bytes from {parts}) in {self.mapping}"


def occurrences(data: bytes, piece: bytes) -> Iterator[int]:
    at = data.find(piece)
    while at >= 0:
        yield at
        at = data.find(piece, at + 1)


def words(data: bytes, wanted: set[int]) -> set[int]:
    """Those of the wanted words that are in the data, at whatever address."""
    found: set[int] = set()
    for begin in range(_WORD):
        end = begin + (len(data) - begin) // _WORD * _WORD
        found |= wanted.intersection(memoryview(data)[begin:end].cast("Q"))
    return found


class Pieces:
    """The pieces of secrets, indexed by their first words, so that one pass looks for all of them."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        self._by_word: dict[int, list[tuple[Secret, int, bytes]]] = {}
        for secret in secrets:
            for offset, piece in secret.pieces():
                self._by_word.setdefault(int.from_bytes(piece[:_WORD], sys.byteorder), []).append((secret, offset, piece))
        self._words = set(self._by_word)

    def maybe_in(self, data: bytes) -> Iterator[tuple[Secret, int, bytes]]:
        """The pieces whose first words are in the data."""
        return (each for word in words(data, self._words) for each in self._by_word[word])


def find(snapshot: Snapshot, secrets: Iterable[Secret] | Pieces, owned: Iterable[tuple[int, int]] = ()) -> list[Hit]:
    """Every copy of the secrets, but for those in `owned`: pairs of address and length. The pieces of one copy count
    once."""
    pieces = secrets if isinstance(secrets, Pieces) else Pieces(secrets)
    hits: dict[tuple[str, int], Hit] = {}
    ranges = list(owned)
    for run in snapshot.runs:
        for secret, offset, piece in pieces.maybe_in(run.data):
            for at in occurrences(run.data, piece):
                address = run.start + at
                if not any(a <= address and address + len(piece) <= a + n for a, n in ranges):
                    begin = address - offset
                    hits.setdefault((secret.name, begin), Hit(secret, begin, run.mapping, [])).pieces.append(offset)
    return sorted(hits.values(), key=lambda hit: hit.address)


def find_in_file(path: Path, secrets: Iterable[Secret]) -> list[str]:
    """Every copy in a core file, and where: at an address, in the registers, elsewhere in the file."""
    data = path.read_bytes()
    at, size, count = struct.unpack_from("<32x Q 14x HH", data)
    headers = [struct.unpack_from("<IIQQQQ", data, at + i * size) for i in range(count)]

    def place(offset: int) -> str:
        for kind, _, begin, address, _, length in headers:
            if begin <= offset < begin + length:
                return f"at {address + offset - begin:x}" if kind == _PT_LOAD else "in the registers"
        return f"at offset {offset:x} of the file"

    hits = {
        (found - offset, secret.name): (found, offset)
        for secret in secrets
        for offset, piece in secret.pieces()
        for found in occurrences(data, piece)
    }
    return [f"{name} {place(at)} (bytes from {offset})" for (_, name), (at, offset) in sorted(hits.items())]
