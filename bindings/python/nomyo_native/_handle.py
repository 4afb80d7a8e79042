"""One owner for each C object."""

import os
from collections.abc import Callable
from typing import Any, TypeVar

from ._errors import ArgumentError, OutOfMemoryError
from ._green import RealRLock

_H = TypeVar("_H", bound="Handle")


class Handle:
    """Owns a pointer to a C object, and frees it once: when closed or forgotten, and no call uses it any more.

    `with handle as pointer:` is a use; any number of threads may use it at once, and close() at any time. A close()
    during a use is kept and carried out by the last use to end, so it never waits, not even in a signal handler.
    """

    # For counting only, never held during a call into the library. Reentrant for the sake of signal handlers.
    _lock = RealRLock()
    _pointer: Any = None  # so that close() works on what __init__ did not finish

    def __init__(self, pointer: Any, free: Callable[[Any], Any], what: str, keeps: Any = None) -> None:
        """`pointer` is owned from here on. It may be NULL and be set later, by the call that it is passed to.

        `keeps` is what the C object points to in Python, and lives as long.
        """
        self._free, self._what, self._keeps = free, what, keeps
        self._uses, self._closed = 0, False
        self._pointer = pointer

    @classmethod
    def made(cls: type[_H], pointer: Any, free: Callable[[Any], Any], what: str) -> _H:
        """Of what a _new function returned."""
        if not pointer:
            raise OutOfMemoryError(f"no memory for a {what}")
        return cls(pointer, free, what)

    def __enter__(self) -> Any:
        with self._lock.real:
            self._uses += 1
            pointer = self._pointer
        if self._closed:
            self.__exit__()
            raise ArgumentError(f"this {self._what} is closed")
        return pointer

    def __exit__(self, *_: object) -> None:
        with self._lock.real:
            self._uses -= 1
        if self._closed:
            self._free_if_due()

    @property
    def unshared(self) -> Any:
        """The pointer, for the code that has just built this handle. No other thread can close the handle yet, so no lock is taken."""
        return self._pointer

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Frees the object, now or at the end of the last use."""
        self._closed = True
        self._free_if_due()

    def _free_if_due(self) -> None:
        with self._lock.real:
            if not self._closed or self._uses:
                return
            pointer, self._pointer = self._pointer, None
        if pointer is not None:
            self._free(pointer)

    def __del__(self) -> None:
        if self._pointer is not None:
            self.close()


class Temporary(Handle):
    """Freed at the end of its use."""

    def __exit__(self, *_: object) -> None:
        self._closed = True
        super().__exit__()


if hasattr(os, "register_at_fork"):  # a child must not inherit the lock as some other thread held it
    os.register_at_fork(
        before=Handle._lock.real.acquire,
        after_in_parent=Handle._lock.real.release,
        after_in_child=Handle._lock.real.release,
    )
