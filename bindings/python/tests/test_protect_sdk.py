"""protect_sdk() makes the memory protection of the official SDK real, and nothing else of it different."""

import asyncio
import os
import pickle
import subprocess
import sys
import threading
from typing import Any

import nomyo
import pytest
from nomyo import SecureBuffer
from nomyo.SecureCompletionClient import SecureCompletionClient
from nomyo.SecureMemory import SecureMemory
from protected_sdk import PACKAGE, THEIRS, methods, neighbours, nothing_stays, protected, run  # noqa: F401
from sdk_memory import CASES, address, differences, is_locked, locked_bytes, outcome

from nomyo_native import protect_sdk

# What a protected SDK says otherwise, because it is true.
TRUER = {
    "a handler that is switched off by hand": {
        "protection_level": ("full", "none"),
        "has_memory_locking": (True, False),
        "supports_full_protection": (True, False),
    }
}


# --- as before


@pytest.fixture(scope="module")
def theirs() -> dict[str, Any]:
    """What the SDK does by itself, in a process of its own, since it leaves locks behind."""
    printed = run("import pickle; print(pickle.dumps({name: outcome(name) for name in CASES}).hex())")
    return pickle.loads(bytes.fromhex(printed))


@pytest.mark.parametrize("name", CASES)
def test_a_protected_sdk_does_what_it_did(theirs, protected, name):
    assert differences(theirs[name], outcome(name)) == TRUER.get(name, {})


def test_a_protected_sdk_without_the_right_to_lock_differs_in_what_it_reports():
    printed = run(
        """
        limited_to(0)
        theirs = {name: outcome(name) for name in CASES}
        with protect_sdk():
            for name in CASES:
                for what, values in differences(theirs[name], outcome(name)).items():
                    print(what, *values)
        """
    )
    assert sorted(set(printed.splitlines())) == [
        "attribute has_mlock True False",
        "attribute protection_level MemoryProtectionLevel.FULL MemoryProtectionLevel.ZEROING_ONLY",
        "has_memory_locking True False",
        "protection_level full none",  # the one that is switched off by hand
        "protection_level full zeroing_only",
        "supports_full_protection True False",
    ]


def test_a_protected_sdk_chats_with_its_secrets_locked(base_url, ca_file, monkeypatch, protected):
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    monkeypatch.setenv("NO_PROXY", "*")
    locked = []
    encrypt = SecureCompletionClient._do_encrypt

    async def watched(self: Any, payload: bytearray, key: bytearray) -> bytes:
        locked.extend((is_locked(address(payload)), is_locked(address(key))))
        return await encrypt(self, payload, key)

    monkeypatch.setattr(SecureCompletionClient, "_do_encrypt", watched)
    client = nomyo.SecureChatCompletion(base_url, api_key="test", max_retries=0)
    for text in ("Hello", "again"):
        answer = asyncio.run(client.create(model="echo", messages=[{"role": "user", "content": text}]))
        assert answer["choices"][0]["message"]["content"] == text
    assert locked == [True] * 4


# --- locks


def test_a_lock_is_the_kernel_s_until_it_is_undone(protected):
    before = locked_bytes()
    buffer = SecureMemory().create_secure_buffer(bytes(100_000))
    assert buffer.lock() and buffer.lock()
    assert locked_bytes() - before in (25 * 4096, 26 * 4096)
    assert is_locked(buffer.address) and is_locked(buffer.address + 99_999)
    assert buffer.unlock()
    assert locked_bytes() == before


def test_buffers_on_one_page_stay_locked_until_both_are_released(protected):
    pair = neighbours()
    for first, second in (pair, pair[::-1]):
        assert first.lock() and second.lock()
        first.unlock()
        assert is_locked(second.address)
        second.unlock()
        assert not is_locked(second.address)


def test_the_sdk_alone_unlocks_the_neighbour():
    """PROTOCOL.md (7, Y12), and that the test before this one can fail."""
    first, second = neighbours()
    assert first.lock() and second.lock()
    first.unlock()
    assert not is_locked(second.address)
    second.unlock()


def test_what_was_made_and_locked_before_is_protected():
    first, second = neighbours()
    data, handler = bytearray(b"secret" * 1000), SecureMemory()
    assert first.lock() and handler.lock_memory(data)
    with protect_sdk():
        assert second.lock()
        second.unlock()
        assert is_locked(first.address)
        second.lock()
        first.unlock()
        assert is_locked(second.address)
        second.unlock()
        assert not is_locked(second.address)
        assert handler.unlock_memory(data) and not is_locked(address(data))


def test_a_handler_from_enable_secure_memory_is_protected(protected):
    nomyo.disable_secure_memory()
    nomyo.enable_secure_memory()
    with nomyo.secure_bytearray(b"secret") as first, nomyo.secure_bytearray(b"another") as second:
        assert is_locked(first.address) and is_locked(second.address)
        first.unlock()
        assert is_locked(second.address) or first.address // 4096 != second.address // 4096


# --- wiping


class Counting(bytearray):
    writes = 0

    def __setitem__(self, *item: Any) -> None:
        self.writes += 1
        super().__setitem__(*item)


@pytest.mark.parametrize("enabled", [True, False])
def test_wiping_writes_no_byte_on_its_own(protected, enabled):
    """PROTOCOL.md (7, Y13)."""
    handler, source, data = SecureMemory(enabled), Counting(b"secret"), Counting(b"secret")
    buffer = SecureBuffer(source, handler)
    memory, buffer._data = buffer.data, Counting(b"secret")
    buffer.zero()
    handler.zero_memory(data)
    assert (source.writes, buffer.data.writes, data.writes) == (0, 0, 0)
    assert (source, memory) == (bytes(6), bytes(6))
    assert data == (bytes(6) if enabled else b"secret")


# --- the report


def test_a_refused_lock_is_reported_until_a_handler_begins_anew():
    printed = run(
        """
        limited_to(256 * 1024)  # the library has some of it
        with protect_sdk():
            def show():
                info = nomyo.get_memory_protection_info()
                assert info["supports_full_protection"] == (info["protection_level"] == "full")
                print(info["protection_level"], info["has_memory_locking"])
            show()
            with nomyo.secure_bytearray(b"little") as buffer:
                assert is_locked(buffer.address)
                show()
            with nomyo.secure_bytearray(bytes(1_000_000)) as buffer:
                assert not buffer.lock() and not is_locked(buffer.address)
                show()
            nomyo.enable_secure_memory()
            show()
            nomyo.disable_secure_memory()
            show()
        """
    )
    assert printed.splitlines() == ["full True", "full True", "zeroing_only True", "full True", "none False"]


def test_no_right_to_lock_is_reported_as_none():
    printed = run(
        """
        limited_to(0)
        print(nomyo.get_memory_protection_info()["protection_level"])
        with protect_sdk():
            print(nomyo.get_memory_protection_info()["protection_level"])
            with nomyo.secure_bytearray(b"") as nothing, nomyo.secure_bytearray(b"secret") as buffer:
                print(nothing.lock(), buffer.lock(), nomyo.get_memory_protection_info()["has_memory_locking"])
            print(bytes(buffer), locked_bytes())
        """
    )
    assert printed.splitlines() == ["full", "zeroing_only", "False False False", f"{bytes(6)} 0"]


# --- undoing


def test_the_last_undo_of_any_order_restores_the_sdk():
    first, second, third = protect_sdk(), protect_sdk(), protect_sdk()
    for ended in (second, first, second, first):
        ended.undo()
        assert methods() != THEIRS
    third.undo()
    assert methods() == THEIRS
    third.undo()
    with protect_sdk(), protect_sdk():
        assert methods() != THEIRS
    assert methods() == THEIRS


def test_a_protection_protects_in_each_with():
    protection = protect_sdk()
    for _ in range(3):
        with protection:
            assert methods() != THEIRS
            first, second = neighbours()
            with first, second:
                first.unlock()
                assert is_locked(second.address)
        assert methods() == THEIRS


def test_the_classes_of_a_reloaded_sdk_are_protected():
    printed = run(
        """
        import importlib
        first = vars(SecureBuffer)["zero"]
        old = protect_sdk()
        for _ in range(2):
            module = importlib.reload(sys.modules["nomyo.SecureMemory"])
            theirs = vars(module.SecureBuffer)["zero"]
            with protect_sdk():
                print(vars(module.SecureBuffer)["zero"] is theirs, vars(SecureBuffer)["zero"] is first)
            print(vars(module.SecureBuffer)["zero"] is theirs)
        old.undo()
        print(vars(SecureBuffer)["zero"] is first)
        """
    )
    assert printed.splitlines() == [*["False False", "True"] * 2, "True"]


def test_a_protection_lasts_though_nobody_keeps_it():
    printed = run(
        """
        before = vars(SecureBuffer)["zero"]
        protect_sdk()
        gc.collect()
        print(vars(SecureBuffer)["zero"] is before)
        exits_locked = SecureMemory().create_secure_buffer(b"secret")
        exits_locked.lock()
        """
    )
    assert printed == "False\n"


def test_what_was_locked_is_unlocked_after_undoing():
    before = locked_bytes()
    first, second = neighbours()
    with protect_sdk():
        data, forgotten = bytearray(10_000), SecureMemory().create_secure_buffer(bytes(10_000))
        assert first.lock() and second.lock() and SecureMemory().lock_memory(data) and forgotten.lock()
    assert vars(SecureBuffer)["zero"] is THEIRS[1]["zero"] and vars(SecureMemory)["lock_memory"] is THEIRS[0]["lock_memory"]
    del forgotten
    assert first.unlock() and is_locked(second.address)
    assert SecureMemory().unlock_memory(data) and not is_locked(address(data))
    assert second.unlock() and not is_locked(second.address)
    assert locked_bytes() == before
    assert methods() == THEIRS


def test_it_begins_again_while_locks_of_the_last_time_are_held():
    first, second = neighbours()
    with protect_sdk():
        assert first.lock()
    with protect_sdk():
        assert second.lock()
        first.unlock()
        assert is_locked(second.address)
    second.unlock()
    assert methods() == THEIRS


# --- other threads, other processes


def test_it_comes_and_goes_while_threads_use_the_sdk():
    before, failed, over = locked_bytes(), [], threading.Event()

    def use(number: int) -> None:
        try:
            while not over.is_set():
                secret = bytes([number]) * (number * 900)
                with nomyo.secure_bytearray(bytearray(secret)) as buffer:
                    assert buffer.data == secret
                assert buffer.data == bytes(len(secret))
        except BaseException as e:
            failed.append(e)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for _ in range(40):
        with protect_sdk():
            nomyo.get_memory_protection_info()
    over.set()
    for thread in threads:
        thread.join()
    assert not failed
    assert methods() == THEIRS
    # A lock by the SDK's method and its unlocking by ours are both whole: at worst the SDK's own harm was done before.
    assert locked_bytes() == before


def test_a_call_that_an_undo_overtakes_is_the_sdk_s():
    buffer = SecureMemory().create_secure_buffer(b"secret" * 1000)
    with protect_sdk():
        lock = SecureMemory()._lock_memory_at
    assert lock(buffer.address, buffer.size) and is_locked(buffer.address)
    assert methods() == THEIRS
    assert SecureMemory()._unlock_memory_at(buffer.address, buffer.size)
    with protect_sdk():
        assert buffer.lock() and is_locked(buffer.address), "nobody believes that it still is"
        buffer.unlock()


def test_a_forked_child_locks_anew_and_says_what_is_true():
    printed = run(
        """
        protect_sdk()
        buffer = SecureMemory().create_secure_buffer(b"secret" * 1000)
        assert buffer.lock()
        child = os.fork()
        if child:
            assert os.waitpid(child, 0)[1] == 0
        print("locked at first:", is_locked(buffer.address))
        print(nomyo.get_memory_protection_info()["protection_level"], is_locked(buffer.address), locked_bytes() > 0)
        print(buffer.unlock(), is_locked(buffer.address), locked_bytes())
        sys.stdout.flush()
        """
    )
    after = ["full True True", "True False 0"]
    assert printed.splitlines() == ["locked at first: True", *after] * 2


# --- refusing


def test_another_version_is_refused(monkeypatch):
    monkeypatch.setattr(nomyo, "__version__", "0.3.0")
    with pytest.raises(ImportError, match="knows nomyo 0.2.9 and not 0.3.0.*pip install nomyo==0.2.9"):
        protect_sdk()
    assert methods() == THEIRS


@pytest.mark.parametrize("name", ["SecureMemory._lock_memory_at", "SecureBuffer.unlock", "MemoryProtectionLevel.FULL"])
def test_a_module_without_a_name_is_refused(monkeypatch, name):
    kind, attribute = name.split(".")
    names = {n for n in dir(getattr(nomyo.SecureMemory, kind)) if n == "__init__" or not n.startswith("__")}
    monkeypatch.setattr(nomyo.SecureMemory, kind, type(kind, (), dict.fromkeys(names - {attribute})))
    with pytest.raises(ImportError, match=f"has no {name}.*--force-reinstall"):
        protect_sdk()
    assert methods() == THEIRS


def test_no_sdk_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "nomyo", None)
    with pytest.raises(ImportError, match="cannot be imported.*pip install nomyo==0.2.9"):
        protect_sdk()


def test_nothing_is_imported_before_it_is_asked_for():
    program = "import sys, nomyo_native; assert not {'nomyo', 'httpx'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": PACKAGE}, check=True)
