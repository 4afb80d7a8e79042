"""The official SDK's secure-memory API as a table of cases, and what the kernel says meanwhile. For the test_protect_
files and the programs that they start."""

import ctypes
import gc
import logging
import re
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nomyo
from nomyo import SecureBuffer
from nomyo.SecureMemory import SecureMemory

from nomyo_native._memory import memory_info

Case = Callable[[], Any]
CASES: dict[str, Case] = {}


def locked_bytes() -> int:
    """Of the process, without what the library has locked of its own, and without what earlier tests left to collect."""
    gc.collect()
    while True:
        library: int = memory_info().locked
        locked = int(Path("/proc/self/status").read_text().split("VmLck:")[1].split()[0]) * 1024
        if memory_info().locked == library:  # no thread of an earlier test has ended meanwhile
            return locked - library


def mappings() -> Iterator[tuple[int, int, list[str]]]:
    """The start and the end of each mapping of this process, and its VmFlags (proc(5))."""
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if bounds := re.match(r"([0-9a-f]+)-([0-9a-f]+) ", line):
            start, end = int(bounds[1], 16), int(bounds[2], 16)
        elif line.startswith("VmFlags:"):
            yield start, end, line.split()[1:]


def is_locked(address: int) -> bool:
    """Whether the kernel keeps this page out of swap."""
    for start, end, flags in mappings():
        if start <= address < end:
            return "lo" in flags
    raise AssertionError("nothing is mapped there")


def unlock_leftovers() -> None:
    """Unlocks all memory but the library's, which is kept out of core dumps.

    The SDK without protection frees memory that it has locked. The kernel has one lock per page and does not record the
    owner. A leftover lock ends with the next unlock on its page, or when the allocator returns the page. A test that counts
    locked bytes must begin without leftover locks. Otherwise the test ends with fewer locked bytes than it began with.
    """
    libc = ctypes.CDLL(None)
    for start, end, flags in list(mappings()):
        if "lo" in flags and "dd" not in flags:
            assert libc.munlock(ctypes.c_void_p(start), ctypes.c_size_t(end - start)) == 0


def address(data: bytearray) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(data))


def limited_to(memlock: int) -> None:
    """Gives up every capability, and with it the right to lock more than that."""
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (memlock, memlock))
    header, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert ctypes.CDLL(None).capset(header, none) == 0


def outcome(name: str) -> Any:
    """What a case returns or raises, and what it warns of."""
    said: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    log, collector = logging.getLogger("nomyo.SecureMemory"), Collector(logging.WARNING)
    log.addHandler(collector)
    try:
        return CASES[name](), said
    except Exception as e:
        return type(e), str(e), said
    finally:
        log.removeHandler(collector)
        nomyo.enable_secure_memory()


def leaves(value: Any, at: tuple[Any, ...] = ()) -> dict[tuple[Any, ...], Any]:
    """The parts of an outcome, each under its path."""
    if not isinstance(value, (dict, list, tuple)):
        return {at: value}
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    return {path: leaf for key, part in parts for path, leaf in leaves(part, (*at, key)).items()}


def differences(theirs: Any, protected: Any) -> dict[Any, tuple[Any, Any]]:
    """What two outcomes differ in, under the last name on its path."""
    a, b = leaves(theirs), leaves(protected)
    return {path[-1]: (a.get(path), b.get(path)) for path in a | b if path not in a or path not in b or a[path] != b[path]}


def attempt(work: Case) -> Any:
    try:
        return work()
    except Exception as e:
        return type(e), str(e)


def case(name: str) -> Callable[[Case], Case]:
    def add(work: Case) -> Case:
        CASES[name] = work
        return work

    return add


SOURCES = {"nothing": b"", "little": b"secret", "pages": b"\x01" * 20_000}
HANDLERS = {"enabled": lambda: SecureMemory(), "disabled": lambda: SecureMemory(enable=False)}


def life(make: Callable[[Any], Any], source: Any) -> list[Any]:
    """All that a buffer does, step by step."""
    buffer = make(source)
    seen = [
        type(buffer).__name__, type(buffer.data), bytes(buffer), len(buffer), buffer.size, bytes(source),
        buffer.unlock(), buffer.lock(), buffer.lock(), attempt(lambda: buffer.data.append(1)), buffer.unlock(),
        buffer.unlock(), type(buffer.address), attempt(lambda: setattr(buffer, "size", 1))[0],
    ]  # fmt: skip
    with buffer as entered:
        seen += [entered is buffer, bytes(buffer), buffer.lock()]
    seen += [bytes(buffer), buffer.zero(), buffer.unlock(), bytes(buffer)]
    buffer.data[:1] = buffer.data[:1]
    return seen


for kind, handler in HANDLERS.items():
    for size, data in SOURCES.items():
        for form in (bytes, bytearray):
            CASES[f"{kind}: a buffer of {size} in {form.__name__}"] = lambda h=handler, d=data, f=form: life(
                lambda source: SecureBuffer(source, h()), f(d)
            )
            CASES[f"{kind}: create_secure_buffer() of {size} in {form.__name__}"] = lambda h=handler, d=data, f=form: life(
                h().create_secure_buffer, f(d)
            )
    for name, odd in {
        "text": "text", "a number": 5, "None": None, "a list": [1, 2, 3], "a view": memoryview(b"view"),
        "a list of too much": [256],
    }.items():  # fmt: skip
        CASES[f"{kind}: a buffer of {name}"] = lambda h=handler, o=odd: bytes(SecureBuffer(o, h()))
        for method in ("lock_memory", "unlock_memory", "zero_memory"):
            CASES[f"{kind}: {method}() of {name}"] = lambda h=handler, o=odd, m=method: getattr(h(), m)(o)

    @case(f"{kind}: a handler's methods")
    def _(h: Any = handler) -> Any:
        mine, data, other = h(), bytearray(b"secret" * 1000), bytearray(b"other")
        seen = [mine.lock_memory(data), mine.lock_memory(data), mine.unlock_memory(other), mine.unlock_memory(data)]
        seen += [mine.unlock_memory(data), mine.lock_memory(bytearray()), mine.unlock_memory(bytearray())]
        seen += [mine.lock_memory(b"bytes"), mine.unlock_memory(b"bytes"), mine.zero_memory(b"bytes"), bytes(data)]
        return [*seen, mine.zero_memory(data), bytes(data), mine.zero_memory(bytearray()), mine.get_protection_info()]

    @case(f"{kind}: a handler's attributes")
    def _(h: Any = handler) -> Any:
        mine = h()
        names = "enabled", "platform", "has_mlock", "has_secure_zero", "protection_level"
        told = {f"attribute {name}": getattr(mine, name) for name in names}
        mine.has_mlock = False
        return told, mine.has_mlock, mine.get_protection_info()

    @case(f"{kind}: memory that was locked is resized")
    def _(h: Any = handler) -> Any:
        mine, data = h(), bytearray(b"secret")
        mine.lock_memory(data)
        data += bytes(100_000)
        seen = [bytes(data), mine.unlock_memory(data)]
        mine.lock_memory(data)
        data.clear()
        return [*seen, mine.unlock_memory(data), bytes(data)]


@case("a handler that is switched off by hand")
def _() -> Any:
    handler, data = SecureMemory(), bytearray(b"secret")
    handler.enabled = False
    did = handler.lock_memory(data), handler.zero_memory(data), bytes(data), SecureBuffer(data, handler).lock()
    return did, handler.get_protection_info()


@case("a buffer without a handler")
def _() -> Any:
    buffer = SecureBuffer(bytearray(b"secret"), None)  # type: ignore[arg-type]
    return bytes(buffer), [attempt(work) for work in (buffer.lock, buffer.zero, buffer.unlock)]


@case("the bytearray of a buffer that is forgotten")
def _() -> Any:
    return bytes(SecureMemory().create_secure_buffer(b"secret").data)


@case("the bytearray of a locked buffer that is forgotten")
def _() -> Any:
    buffer = SecureMemory().create_secure_buffer(b"secret")
    buffer.lock()
    data = buffer.data
    del buffer
    return bytes(data), SecureMemory().unlock_memory(data)


for name, lock in {"locked": True, "not locked": False}.items():

    @case(f"secure_bytearray(), {name}")
    def _(lock: bool = lock) -> Any:
        source = bytearray(b"secret")
        with nomyo.secure_bytearray(source, lock=lock) as buffer:
            seen = [bytes(source), bytes(buffer), buffer.lock(), type(buffer)]
        return [*seen, bytes(buffer), buffer.unlock()]

    @case(f"secure_bytes(), {name}")
    def _(lock: bool = lock) -> Any:
        with nomyo.secure_bytes(b"secret", lock) as buffer:
            seen = [bytes(buffer), buffer.lock()]
        return [*seen, bytes(buffer)]


@case("secure_bytearray() and an exception")
def _() -> Any:
    kept = []
    try:
        with nomyo.secure_bytearray(b"secret") as buffer:
            kept.append(buffer)
            raise KeyError("the program's own")
    except KeyError as e:
        return str(e), bytes(kept[0])


@case("disabled and enabled again")
def _() -> Any:
    seen = [nomyo.get_memory_protection_info()]
    before = nomyo.SecureMemory._get_secure_memory()
    for change in (nomyo.disable_secure_memory, nomyo.disable_secure_memory, nomyo.enable_secure_memory):
        with nomyo.secure_bytearray(b"across") as buffer:
            seen += [change(), nomyo.get_memory_protection_info(), bytes(buffer), buffer.lock()]
        with nomyo.secure_bytearray(b"secret") as other:
            seen += [bytes(other), other.lock()]
        seen += [bytes(buffer), bytes(other), buffer.unlock(), other.unlock()]
    return seen, before is nomyo.SecureMemory._get_secure_memory()
