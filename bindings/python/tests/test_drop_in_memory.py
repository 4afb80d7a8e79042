"""SecureMemory is the official SDK's class of that name, with locks that are counted and reports that are true."""

import gc
import importlib
from pathlib import Path

import pytest

theirs, ours = (importlib.import_module(f"{package}.SecureMemory") for package in ("nomyo", "nomyo_native"))


@pytest.fixture(autouse=True)
def no_clients_of_other_tests():
    """A client that is collected during a test unlocks its memory then."""
    gc.collect()


def locked_bytes() -> int:
    return int(Path("/proc/self/status").read_text().split("VmLck:")[1].split()[0])


@pytest.mark.parametrize("module", [theirs, ours], ids=["theirs", "ours"])
@pytest.mark.parametrize("enable", [True, False])
def test_a_handler_answers_as_the_sdk_s(module, enable):
    handler, data = module.SecureMemory(enable), bytearray(b"secret")
    assert (handler.enabled, handler.platform, handler.has_mlock, handler.has_secure_zero) == (
        enable, "linux", enable, enable,
    )  # fmt: skip
    assert handler.protection_level.value == ("full" if enable else "none")
    assert handler.get_protection_info()["enabled"] is enable
    assert handler.lock_memory(data) is enable
    assert handler.unlock_memory(data) is enable
    handler.zero_memory(data)
    assert data == (bytes(6) if enable else b"secret")
    for odd in (b"bytes", bytearray()):
        assert handler.lock_memory(odd) is False and handler.unlock_memory(odd) is False
        handler.zero_memory(odd)
    with handler.create_secure_buffer(b"secret") as buffer:
        assert isinstance(buffer, module.SecureBuffer) and buffer.data == b"secret"
        assert buffer.lock() is enable
    assert buffer.data == bytes(6)


def test_a_handler_that_is_disabled_later_locks_no_more():
    handler = ours.SecureMemory()
    buffer = handler.create_secure_buffer(b"secret")
    handler.enabled = False
    assert buffer.lock() is False and handler.protection_level is ours.MemoryProtectionLevel.NONE
    handler.enabled = True
    assert buffer.lock() is True and buffer.unlock()


def test_a_bytearray_is_locked_until_it_is_unlocked_once():
    handler, data, before = ours.SecureMemory(), bytearray(100_000), locked_bytes()
    assert handler.lock_memory(data) and handler.lock_memory(data)
    assert locked_bytes() > before + 90
    assert handler.unlock_memory(data)
    assert locked_bytes() == before


def test_a_bytearray_that_is_dropped_is_unlocked_at_the_next_use():
    handler, data, before = ours.SecureMemory(), bytearray(100_000), locked_bytes()
    assert handler.lock_memory(data)
    del data
    assert handler.unlock_memory(bytearray(1))
    assert locked_bytes() == before


def test_unlocking_one_bytearray_leaves_its_neighbours_locked():
    handler, before = ours.SecureMemory(), locked_bytes()
    room = [bytearray(8) for _ in range(64)]
    assert all([handler.lock_memory(data) for data in room])
    held = locked_bytes()
    for data in room[1:]:
        handler.unlock_memory(data)
    assert before < locked_bytes() <= held
    handler.unlock_memory(room[0])
    assert locked_bytes() == before


def test_other_things_than_a_bytearray_are_warned_of_without_their_bytes(caplog):
    handler = ours.SecureMemory()
    assert handler.lock_memory(b"hush") is False
    handler.zero_memory(b"hush")
    assert len(caplog.records) == 2 and "hush" not in caplog.text
