"""The secure-memory names of the official SDK, over the library's page locks and wiping."""

import ctypes
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ._errors import NomyoError, call
from ._library import MemoryInfo, lib

_enabled = True
_process = object()  # a forked child has another, and inherits no lock


def _forked() -> None:
    global _process
    _process = object()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


class _Secret(bytearray):
    """The bytes of a SecureBuffer, which somebody may have when it is gone. They end locked, if they were, and wiped."""

    _lock: tuple[object, int, int] | None = None  # the process that it is of, and where

    @property
    def locked(self) -> bool:
        return self._lock is not None and self._lock[0] is _process

    def lock(self, address: int, size: int) -> None:
        call(lib.nomyo_lock, address, size)
        self._lock = _process, address, size

    def unlock(self) -> None:
        if self._lock and self.locked:
            call(lib.nomyo_unlock, *self._lock[1:])
        self._lock = None

    def __del__(self) -> None:
        wipe(self)
        self.unlock()


class SecureBuffer:
    """A copy of `data` in a bytearray that can be locked and is wiped: by zero(), at the end of a `with`, or when both
    the buffer and its `data` are forgotten. A bytearray that it is made from is wiped at once; bytes cannot be.

    The memory is Python's: kept out of swap while it is locked, but not out of core dumps and forked children. A forked
    child has no lock until it calls lock().
    """

    def __init__(self, data: bytes | bytearray, secure_memory: object = None) -> None:
        """`secure_memory` is a SecureMemory of nomyo_native.SecureMemory. Its buffers are not locked while it is disabled."""
        self._handler = secure_memory
        self._data = _Secret(data)
        self._memory = (ctypes.c_char * len(data)).from_buffer(self._data)  # as long as this lives, no resizing
        self._size = len(data)
        if isinstance(data, bytearray):
            wipe(data)

    @property
    def data(self) -> bytearray:
        """The bytes themselves, no copy. They may outlive the buffer; resized then, they leave a copy that is not wiped."""
        return self._data

    @property
    def address(self) -> int:
        return ctypes.addressof(self._memory)

    @property
    def size(self) -> int:
        return self._size

    def lock(self) -> bool:
        """Keeps the pages out of swap. False if the system refuses, or if locking is disabled."""
        if getattr(self._handler, "enabled", _enabled) and not self._data.locked:
            with suppress(NomyoError):
                self._data.lock(self.address, self._size)
        return self._data.locked

    def unlock(self) -> bool:
        """Undoes lock(). Locks nest: a page that holds another locked buffer stays locked."""
        self._data.unlock()
        return True

    def zero(self) -> None:
        """Overwrites the bytes with zeros."""
        lib.nomyo_wipe(self.address, self._size)

    def __enter__(self) -> "SecureBuffer":
        self.lock()
        return self

    def __exit__(self, exc_type: object, exc_val: object, exc_tb: object) -> None:
        self.zero()
        self.unlock()

    def __len__(self) -> int:
        return self._size

    def __bytes__(self) -> bytes:
        """A copy, which nobody can wipe."""
        return bytes(self._data)


@contextmanager
def secure_bytearray(data: bytes | bytearray, lock: bool = True) -> Iterator[SecureBuffer]:
    """A SecureBuffer of `data`, locked unless `lock` is False, and wiped at the end."""
    secure = SecureBuffer(data)
    try:
        if lock:
            secure.lock()
        yield secure
    finally:
        secure.zero()
        secure.unlock()


@contextmanager
def secure_bytes(data: bytes, lock: bool = True) -> Iterator[SecureBuffer]:
    """Deprecated: use secure_bytearray()."""
    warnings.warn("secure_bytes() is deprecated: use secure_bytearray()", DeprecationWarning, stacklevel=3)
    with secure_bytearray(data, lock) as secure:
        yield secure


def get_memory_protection_info() -> dict[str, Any]:
    """What protects secrets in this process, from what the system answered and not from what could be tried."""
    return protection_info(_enabled)


def protection_info(enabled: bool) -> dict[str, Any]:
    """The members of get_memory_protection_info()."""
    info = memory_info()
    return {
        "enabled": enabled,
        "platform": sys.platform,
        "protection_level": ("full" if info.level == 2 else "zeroing_only") if enabled else "none",
        "has_memory_locking": enabled and info.locked > 0,
        "has_secure_zeroing": enabled,
        "supports_full_protection": enabled and info.level == 2,
        "page_size": info.page_size,
    }


def disable_secure_memory() -> None:
    """SecureBuffers are no longer locked; they are still wiped, and the library's own memory stays as it is."""
    global _enabled
    _enabled = False


def enable_secure_memory() -> None:
    """Undoes disable_secure_memory()."""
    global _enabled
    _enabled = True


def memory_info() -> Any:
    """The library's report, nomyo_memory_info."""
    info = MemoryInfo()
    lib.nomyo_memory_info_get(ctypes.byref(info), ctypes.sizeof(info))
    return info


def wipe(data: bytearray) -> None:
    if data:
        lib.nomyo_wipe((ctypes.c_char * len(data)).from_buffer(data), len(data))
