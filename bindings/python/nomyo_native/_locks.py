"""Locks on memory of Python's that others own, and may forget without a word."""

import ctypes
import mmap
import os
import sys
import threading
from collections.abc import Callable
from typing import Any, TypeAlias
from weakref import WeakSet

from ._errors import NomyoError, call
from ._library import lib
from ._memory import wipe

Range: TypeAlias = tuple[int, int]
"""An address, and how many bytes from there."""


class Locks:
    """The ranges that are locked for somebody. A range is locked once, however often that is asked; pages are counted.

    Any thread; the lock is never waited for by a buffer that is forgotten in the midst of this.
    """

    def __init__(self, ended: Callable[[], None]) -> None:
        """`ended` is called when the last range is unlocked."""
        self.guard = threading.RLock()
        self._ended = ended
        self._held: dict[Range, object] = {}  # and who asked
        self._loose: dict[Range, bytearray] = {}  # those of them that nobody is around to speak for
        self._refused: WeakSet[Any] = WeakSet()
        self._forked = False
        if hasattr(os, "register_at_fork"):
            before, after = self.guard.acquire, self.guard.release
            os.register_at_fork(before=before, after_in_parent=after, after_in_child=self._after_fork)

    def __bool__(self) -> bool:
        return bool(self._held)

    def lock(self, asker: object, where: Range, loose: bytearray | None = None) -> bool:
        """False when the system refuses. `loose` has no owner to unlock it; it is kept while anybody else has it."""
        with self.guard:
            self.settle()
            if not where[1]:
                return _probe()
            if where not in self._held:
                if not _locked(where):
                    self._refused.add(asker)
                    return False
                self._held[where] = asker
            if loose is not None:
                self._loose[where] = loose
            return True

    def unlock(self, where: Range) -> None:
        """What is not held was locked by other means, or not at all: counting it for a moment spares its neighbours."""
        with self.guard:
            self.settle()
            if where in self._held:
                self._release(where)
            elif _locked(where):
                call(lib.nomyo_unlock, *where)

    def forget(self, where: Range, owner: dict[str, Any], name: str) -> None:
        """The owner goes. Its bytearray is wiped and unlocked, now or when nobody else has it any more."""
        with self.guard:
            self.settle()
            if where in self._held:
                self._loose[where] = owner.pop(name)
                self._drop(where)

    def granted(self, asker: object) -> tuple[bool, bool]:
        """Whether the system locks memory; and whether it never refused what was asked."""
        with self.guard:
            self.settle()
            locking = bool(self._held) or _probe()
            return locking, locking and asker not in self._refused

    def settle(self) -> None:
        """Locks anew in a forked child, which inherits no lock; and drops what nobody else has."""
        if self._forked:
            self._forked, held = False, dict(self._held)
            self._held.clear()
            for where, asker in held.items():
                self.lock(asker, where)
        for where in list(self._loose):
            self._drop(where)

    def _drop(self, where: Range) -> None:
        if where not in self._held:
            del self._loose[where]
        elif where != (_address(self._loose[where]), len(self._loose[where])):  # it was resized, and moved away
            self._release(where)
        elif sys.getrefcount(self._loose[where]) == 2:  # in the dictionary, and as the argument
            wipe(self._loose[where])
            self._release(where)

    def _release(self, where: Range) -> None:
        del self._held[where]
        self._loose.pop(where, None)
        call(lib.nomyo_unlock, *where)
        if not self._held:
            self._ended()

    def _after_fork(self) -> None:
        self._forked = True
        self.guard.release()


def _locked(where: Range) -> bool:
    try:
        call(lib.nomyo_lock, *where)
    except NomyoError:
        return False
    return True


def _address(data: bytearray) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(data)) if data else 0


def _probe() -> bool:
    """Whether the system locks a page, asked of one that nobody else has."""
    with mmap.mmap(-1, mmap.PAGESIZE) as page:
        where = ctypes.addressof(ctypes.c_char.from_buffer(page)), 1
        if _locked(where):
            call(lib.nomyo_unlock, *where)
            return True
    return False
