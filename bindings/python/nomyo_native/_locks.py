"""Locks on memory of Python's that others own, and may forget without a word."""

import ctypes
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

_start = ctypes.pythonapi.PyByteArray_AsString  # unlike from_buffer(), leaves its owner free to resize it meanwhile
_start.argtypes, _start.restype = [ctypes.py_object], ctypes.c_void_p


class _Held:
    """Who asked for a lock, and the bytearray that is locked, which can so be wiped when nobody else has it any more."""

    def __init__(self, asker: object, data: bytearray | None) -> None:
        self.asker, self.data = asker, data


class Locks:
    """The ranges that are locked for somebody. A range is locked once, however often that is asked; pages are counted.

    Any thread, any finalizer: nothing here is waited for. The collector may run a program's finalizers at any point of
    this, which may wait for locks of the program's, whose holders may come here.
    """

    def __init__(self, ended: Callable[[], None]) -> None:
        """`ended` is called when the last range is unlocked."""
        self._ended = ended
        self._held: dict[Range, _Held] = {}  # changed by single steps of the interpreter's
        self._refused: WeakSet[Any] = WeakSet()
        self._settling = threading.Lock()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._lock_anew)

    def __bool__(self) -> bool:
        return bool(self._held)

    def __contains__(self, where: Range) -> bool:
        return where in self._held

    def lock(self, asker: object, where: Range, data: bytearray | None = None) -> bool:
        """False when the system refuses. `data`, if it is known, is what lies there."""
        self.settle()
        if not where[1]:
            return _probe()
        held = self._held.get(where)
        if held and (data is None or held.data is data):
            return True
        if held:  # for what lies there no more
            self._release(where)
        return self._lock(where, _Held(asker, data))

    def keep(self, where: Range, data: bytearray) -> None:
        """Says what lies where it is locked."""
        if held := self._held.get(where):
            held.data = data

    def unlock(self, where: Range) -> None:
        """What is not held was locked by other means, or not at all: counting it for a moment spares its neighbours."""
        self.settle()
        if not self._release(where) and _locked(where):
            call(lib.nomyo_unlock, *where)

    def granted(self, asker: object) -> tuple[bool, bool]:
        """Whether the system locks memory; and whether it never refused what was asked."""
        self.settle()
        locking = bool(self._held) or _probe()
        return locking, locking and asker not in self._refused

    def settle(self) -> None:
        """Wipes and unlocks what nobody else has. Left to who is doing it already, which may be this thread, below."""
        if (settling := self._settling).acquire(blocking=False):
            try:
                for where in list(self._held):
                    self.check(where)
            finally:
                settling.release()

    def check(self, where: Range) -> None:
        """Wipes and unlocks it if nobody else has it, and goes after it if it was resized."""
        held = self._held.get(where)
        if held is None or held.data is None:
            return
        if sys.getrefcount(held.data) == 2:  # in `held`, and as the argument
            if self._held.pop(where, None):
                wipe(held.data)
                self._unlock(where)
            return
        now = _start(held.data), len(held.data)
        if now != where:
            if now[1] and now not in self._held:
                self._lock(now, held)
            self._release(where)

    def _lock(self, where: Range, held: _Held) -> bool:
        if not _locked(where):
            self._refused.add(held.asker)
            return False
        if self._held.setdefault(where, held) is not held:  # another thread was faster
            call(lib.nomyo_unlock, *where)
        return True

    def _release(self, where: Range) -> bool:
        if self._held.pop(where, None) is None:
            return False
        self._unlock(where)
        return True

    def _unlock(self, where: Range) -> None:
        call(lib.nomyo_unlock, *where)
        if not self._held:
            self._ended()

    def _lock_anew(self) -> None:
        """In a forked child, which inherits no lock, and of its parent's threads only this one."""
        self._settling = threading.Lock()
        inherited, self._held = self._held, {}
        for where, held in inherited.items():
            self._lock(where, held)
        if inherited and not self._held:
            self._ended()


def _locked(where: Range) -> bool:
    try:
        call(lib.nomyo_lock, *where)
    except NomyoError:
        return False
    return True


def _probe() -> bool:
    """Whether the system locks a page, asked of one that nobody else has."""
    import mmap  # seldom needed

    with mmap.mmap(-1, mmap.PAGESIZE) as page:
        where = ctypes.addressof(ctypes.c_char.from_buffer(page)), 1
        if _locked(where):
            call(lib.nomyo_unlock, *where)
            return True
    return False
