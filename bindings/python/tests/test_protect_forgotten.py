"""What protect_sdk() does with buffers and keys that the program forgets, or resizes, without unlocking them."""

import gc
import random
import threading
from typing import Any

import nomyo
import pytest
from nomyo import SecureBuffer
from nomyo.SecureCompletionClient import SecureCompletionClient
from nomyo.SecureMemory import SecureMemory
from protected_sdk import THEIRS, methods, neighbours, nothing_stays, protected, run  # noqa: F401
from sdk_memory import address, is_locked, locked_bytes, unlock_leftovers

from nomyo_native import _locks, protect_sdk
from nomyo_native._memory import memory_info, wipe


def test_a_locked_buffer_that_is_forgotten_is_wiped_and_unlocked(protected, monkeypatch):
    wiped: list[bytes] = []
    monkeypatch.setattr(_locks, "wipe", lambda data: (wiped.append(bytes(data)), wipe(data), wiped.append(bytes(data))))
    before = locked_bytes()
    buffer = SecureMemory().create_secure_buffer(b"secret" * 100_000)
    assert buffer.lock() and locked_bytes() > before
    del buffer
    assert locked_bytes() == before
    assert wiped == [b"secret" * 100_000, bytes(600_000)]


def test_its_bytes_stay_locked_while_somebody_has_them(protected):
    before = locked_bytes()
    buffer = SecureMemory().create_secure_buffer(b"secret" * 100)
    assert buffer.lock()
    data = buffer.data
    del buffer
    assert data == b"secret" * 100 and is_locked(address(data))
    del data
    nomyo.get_memory_protection_info()
    assert locked_bytes() == before


def test_what_lock_memory_locked_and_the_program_forgot_is_unlocked(protected):
    """As the SDK forgets each private key (PROTOCOL.md, 7, Y4). Other memory comes to lie there, and must be locked itself."""
    for size in (6, 4_000_000):
        before = locked_bytes()
        data = bytearray(size)
        assert SecureMemory().lock_memory(data) and locked_bytes() > before
        del data
        for buffer in [SecureMemory().create_secure_buffer(bytes(size)) for _ in range(4)]:
            assert buffer.lock() and is_locked(buffer.address)
            buffer.unlock()
        del buffer
        assert locked_bytes() == before


def test_the_sdk_s_key_leaves_no_lock_behind_an_undo():
    before = locked_bytes()
    client = SecureCompletionClient("https://localhost")
    client.key_size = 2048
    with protect_sdk():
        client.generate_keys()
        assert locked_bytes() > before
    assert locked_bytes() == before


def test_a_hundred_buffers_that_threads_drop_leave_no_lock(protected):
    before = locked_bytes()
    dice = random.Random(1)
    room = [SecureMemory().create_secure_buffer(bytes(dice.choice((8, 8, 3000, 70_000)))) for _ in range(100)]
    assert all(buffer.lock() for buffer in room) and locked_bytes() > before
    dice.shuffle(room)

    def drop() -> None:
        while room:
            try:
                buffer = room.pop()
            except IndexError:
                return
            assert is_locked(buffer.address)
            if buffer.size == 8:
                buffer.unlock()

    threads = [threading.Thread(target=drop) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert locked_bytes() == before


def test_a_buffer_that_a_finalizer_uses_after_its_own_end_is_empty(protected):
    seen: list[Any] = []

    class Owner:
        def __init__(self, buffer: SecureBuffer) -> None:
            self.me, self.buffer = self, buffer

        def __del__(self) -> None:
            buffer = self.buffer
            seen.append((bytes(buffer.data), buffer.address, buffer.size, buffer.zero(), buffer.unlock()))

    before = locked_bytes()
    buffer = SecureMemory().create_secure_buffer(b"secret" * 20_000)
    assert buffer.lock()
    owner = Owner(buffer)
    del buffer, owner
    gc.collect()
    assert seen == [(b"", 0, 0, None, True)]
    assert locked_bytes() == before


def test_a_lock_that_the_sdk_left_ends_with_the_next_unlock_on_its_page():
    """A leftover lock can make a test end with fewer locked bytes than it began with. Hence unlock_leftovers()."""
    first, second = neighbours()
    assert first.lock()
    del first
    assert is_locked(second.address) and locked_bytes() == 4096
    with protect_sdk():
        assert second.lock() and second.unlock()
        assert not is_locked(second.address) and locked_bytes() == 0


def test_leftovers_are_unlocked_and_the_library_s_memory_is_not():
    library = memory_info().locked
    for size in (6, 4_000, 100_000):
        SecureMemory().lock_memory(bytearray(size))
    assert locked_bytes() > 0 and library > 0
    unlock_leftovers()
    assert (locked_bytes(), memory_info().locked) == (0, library)


class Silent(SecureBuffer):
    def __del__(self) -> None:
        """It does not call what it overrides."""


def test_a_buffer_with_a_finalizer_of_its_own_leaves_no_lock_that_others_take_for_theirs():
    size, before = 40_000_000, locked_bytes()
    with protect_sdk():
        for _ in range(3):
            buffer = Silent(bytes(size), SecureMemory())
            assert buffer.lock() and is_locked(buffer.address + size // 2)
            del buffer
            nomyo.get_memory_protection_info()
            assert locked_bytes() == before
        buffer = Silent(bytes(size), SecureMemory())
        assert buffer.lock()
        del buffer
    assert (methods(), locked_bytes()) == (THEIRS, before)


def test_a_forked_child_wipes_and_unlocks_what_it_forgets():
    printed = run(
        """
        from nomyo_native._memory import memory_info, wipe
        from nomyo_native import _locks
        protect_sdk()
        wiped = []
        _locks.wipe = lambda data: wiped.append(bytes(data[:6])) or wipe(data)
        handler, kept = SecureMemory(), bytearray(b"secret" * 1000)
        forgotten, buffer = bytearray(b"passed" * 200_000), handler.create_secure_buffer(b"buffer" * 200_000)
        assert handler.lock_memory(kept) and handler.lock_memory(forgotten) and buffer.lock()
        del forgotten  # and nothing notices it yet
        child = os.fork()
        if child:
            assert os.waitpid(child, 0)[1] == 0
        del buffer
        assert b"buffer" in wiped
        handler.get_protection_info()
        print(sorted(wiped), locked_bytes() <= 3 * 4096, is_locked(address(kept)), flush=True)
        del kept
        handler.get_protection_info()
        print(sorted(wiped), locked_bytes(), flush=True)
        """
    )
    assert printed.splitlines() == ["[b'buffer', b'passed'] True True", "[b'buffer', b'passed', b'secret'] 0"] * 2


def test_a_finalizer_may_use_the_sdk_while_something_is_wiped(protected, monkeypatch):
    """The collector runs it at any point."""
    before, handler = locked_bytes(), SecureMemory()

    def finalizer(data: bytearray) -> None:
        monkeypatch.setattr(_locks, "wipe", wipe)
        assert handler.lock_memory(bytearray(b"another"))
        with handler.create_secure_buffer(b"buffer") as buffer:
            assert is_locked(buffer.address)
        wipe(data)

    keys = [bytearray(b"secret" * 1000) for _ in range(6)]
    assert all([handler.lock_memory(key) for key in keys])
    monkeypatch.setattr(_locks, "wipe", finalizer)
    del keys[:]
    assert handler.lock_memory(keep := bytearray(b"keep"))
    assert is_locked(address(keep))
    assert handler.unlock_memory(keep)
    assert locked_bytes() == before


@pytest.mark.parametrize("point", ["_locked", "wipe"])
def test_a_finalizer_may_wait_for_a_thread_that_uses_the_sdk(protected, monkeypatch, point):
    ended: list[bool] = []
    theirs = getattr(_locks, point)

    def use() -> None:
        with nomyo.secure_bytearray(b"secret") as buffer:
            assert is_locked(buffer.address)
        nomyo.get_memory_protection_info()
        forgotten = SecureMemory().create_secure_buffer(b"forgotten")
        forgotten.lock()

    def finalizer(where: Any) -> Any:
        monkeypatch.setattr(_locks, point, theirs)
        thread = threading.Thread(target=use, daemon=True)
        thread.start()
        thread.join(20)
        ended.append(not thread.is_alive())
        return theirs(where)

    monkeypatch.setattr(_locks, point, finalizer)
    buffer = SecureMemory().create_secure_buffer(b"secret")
    assert buffer.lock()
    del buffer
    assert ended == [True]


def test_a_bytearray_that_is_resized_stays_locked_where_it_is_then(protected, monkeypatch):
    wiped: list[bytes] = []
    before, handler = locked_bytes(), SecureMemory()
    data = bytearray(b"secret" * 1000)
    for change in (data.pop, lambda: data.extend(bytes(500_000)), lambda: data.__delitem__(slice(0, 300_000))):
        assert handler.lock_memory(data)
        change()
        nomyo.get_memory_protection_info()
        assert is_locked(address(data)) and is_locked(address(data) + len(data) - 1)
        assert locked_bytes() - before < len(data) + 8192
    monkeypatch.setattr(_locks, "wipe", lambda data: (wiped.append(bytes(data)), wipe(data)))
    content = bytes(data)
    del data, change
    nomyo.get_memory_protection_info()
    assert wiped == [content] and locked_bytes() == before
