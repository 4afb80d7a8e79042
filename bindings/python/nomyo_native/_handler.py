"""What the methods of the official SDK's SecureMemory and SecureBuffer do while they are protected.

Its secrets are bytearrays (json.loads() takes nothing else that can be wiped), whose memory is Python's and cannot lie in
the vault. They are locked where they are.
"""

import ctypes
from collections.abc import Callable
from functools import wraps
from typing import Any

from ._library import lib
from ._locks import Locks, Range
from ._memory import wipe


def methods(sdk: Any, locks: Locks, wanted: Callable[[], bool]) -> dict[tuple[type, str], Any]:
    """What takes the place of each method, and of the two attributes in which a handler says what it could do."""
    memory, buffer, level = sdk.SecureMemory, sdk.SecureBuffer, sdk.MemoryProtectionLevel
    their_init, their_lock, their_lock_memory_at = buffer.__init__, buffer.lock, memory._lock_memory_at
    their_lock_memory, their_zero_memory = memory.lock_memory, memory.zero_memory

    def locked(handler: Any, where: Range, data: bytearray | None = None) -> bool:
        granted = locks.lock(handler, where, data)
        if wanted():
            return granted
        locks.unlock(where)  # it was undone after this was called
        return bool(their_lock_memory_at(handler, *where))

    @wraps(their_lock_memory_at)
    def _lock_memory_at(self: Any, addr: int, size: int) -> bool:
        return bool(self.enabled) and locked(self, (addr, size))

    @wraps(memory._unlock_memory_at)
    def _unlock_memory_at(self: Any, addr: int, size: int) -> bool:
        if self.enabled:
            locks.unlock((addr, size))
        return bool(self.enabled)

    @wraps(memory._zero_memory_at)
    def _zero_memory_at(self: Any, addr: int, size: int) -> None:
        if self.enabled:
            lib.nomyo_wipe(addr, size)

    @wraps(their_lock_memory)
    def lock_memory(self: Any, data: Any) -> bool:
        if not isinstance(data, bytearray):
            return bool(their_lock_memory(self, data))
        return bool(self.enabled and data) and locked(self, _range(data), data)

    @wraps(memory.unlock_memory)
    def unlock_memory(self: Any, data: Any) -> bool:
        able = isinstance(data, bytearray) and bool(self.enabled and data)
        return able and bool(self._unlock_memory_at(*_range(data)))

    @wraps(their_zero_memory)
    def zero_memory(self: Any, data: Any) -> None:
        if not isinstance(data, bytearray):
            their_zero_memory(self, data)
        elif self.enabled:
            wipe(data)

    @wraps(their_init)
    def __init__(self: Any, data: Any, secure_memory: Any) -> None:
        if not isinstance(data, bytearray):
            their_init(self, data, secure_memory)
            return
        with memoryview(data) as view:  # which theirs copies, and does not zero byte by byte
            their_init(self, view, secure_memory)
        wipe(data)

    @wraps(their_lock)
    def lock(self: Any) -> bool:
        granted = their_lock(self)
        locks.keep((self._address, self._size), self._data)
        return bool(granted)

    @wraps(buffer.zero)
    def zero(self: Any) -> None:
        self._secure_memory._zero_memory_at(self._address, self._size)
        lib.nomyo_wipe(self._address, self._size)  # also for a handler that is disabled

    def __del__(self: Any) -> None:
        mine = vars(self)
        where = mine.get("_address", 0), mine.get("_size", 0)
        if where in locks:
            # A finalizer of the program's may still use it: what is left is a buffer of nothing.
            mine.update(_data=bytearray(), _ctypes_buffer=None, _address=0, _size=0, _locked=False)
            locks.check(where)

    def has_mlock(self: Any) -> bool:
        return bool(self.enabled and vars(self).get("has_mlock") and locks.granted(self)[0])

    def protection_level(self: Any) -> Any:
        said = vars(self).get("protection_level", level.NONE)
        if said is not level.FULL or not self.enabled:
            return said if self.enabled else level.NONE
        return said if locks.granted(self)[1] else level.ZEROING_ONLY

    # In this order, since threads may call them meanwhile: what is locked by these must find these when it is unlocked.
    replaced = (_unlock_memory_at, _lock_memory_at, _zero_memory_at, unlock_memory, lock_memory, zero_memory)
    reported = (has_mlock, protection_level)
    return {
        **{(buffer, method.__name__): method for method in (__init__, lock, zero, __del__)},
        **{(memory, method.__name__): method for method in replaced},
        **{(memory, told.__name__): _told(told) for told in reported},
    }


def _told(truth: Callable[[Any], Any]) -> property:
    """An attribute that tells the truth. What is written to it waits in the instance until it is an attribute again."""
    name = truth.__name__
    return property(truth, lambda self, value: vars(self).__setitem__(name, value))


def _range(data: bytearray) -> Range:
    return ctypes.addressof(ctypes.c_char.from_buffer(data)), len(data)
