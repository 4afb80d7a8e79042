"""The module nomyo.SecureMemory of the official SDK, for programs that import from it."""

import ctypes
import sys
from enum import Enum
from typing import Any

from ._locks import Locks, Range
from ._log import LOGGER
from ._memory import SecureBuffer, disable_secure_memory, enable_secure_memory, get_memory_protection_info
from ._memory import protection_info, secure_bytearray, secure_bytes, wipe

# fmt: off
__all__ = [
    "MemoryProtectionLevel", "SecureBuffer", "SecureMemory", "disable_secure_memory", "enable_secure_memory",
    "get_memory_protection_info", "secure_bytearray", "secure_bytes",
]
# fmt: on
_locks = Locks(lambda: None)


class MemoryProtectionLevel(Enum):
    """The values of `protection_level` in get_memory_protection_info()."""

    NONE = "none"
    ZEROING_ONLY = "zeroing_only"
    FULL = "full"


class SecureMemory:
    """Locks and wipes bytearrays of the program's. The library's own secrets do not need it.

    Locks are counted per page. A locked bytearray that the program drops is wiped and unlocked at the next use of this
    class. `enabled` may be set at any time.
    """

    def __init__(self, enable: bool = True) -> None:
        self.enabled = enable
        self.platform = sys.platform

    @property
    def has_mlock(self) -> bool:
        """Whether the system grants locks."""
        return bool(self.get_protection_info()["has_memory_locking"])

    @property
    def has_secure_zero(self) -> bool:
        return bool(self.enabled)

    @property
    def protection_level(self) -> MemoryProtectionLevel:
        return MemoryProtectionLevel(self.get_protection_info()["protection_level"])

    def create_secure_buffer(self, data: bytes | bytearray) -> SecureBuffer:
        """A SecureBuffer of `data`, which is locked by its own lock()."""
        return SecureBuffer(data, self)

    def lock_memory(self, data: bytearray) -> bool:
        """Keeps the pages of a bytearray out of swap. False if the system refuses, and for anything else than bytes to lock."""
        if not isinstance(data, bytearray):
            LOGGER.warning("lock_memory() locks a bytearray, and not an object of type %s", type(data).__name__)
            return False
        return bool(self.enabled and data) and _locks.lock(self, _range(data), data)

    def unlock_memory(self, data: bytearray) -> bool:
        """Undoes lock_memory(), however often that was called. A page with another locked buffer stays locked."""
        if not isinstance(data, bytearray) or not self.enabled or not data:
            return False
        _locks.unlock(_range(data))
        return True

    def zero_memory(self, data: bytearray) -> None:
        """Overwrites a bytearray with zeros, unless this is disabled."""
        if not self.enabled or not data:
            return
        if not isinstance(data, bytearray):
            LOGGER.warning("zero_memory() wipes a bytearray, and cannot wipe an object of type %s", type(data).__name__)
            return
        wipe(data)

    def get_protection_info(self) -> dict[str, Any]:
        """As get_memory_protection_info()."""
        return protection_info(bool(self.enabled))


def _range(data: bytearray) -> Range:
    return ctypes.addressof(ctypes.c_char.from_buffer(data)), len(data)
