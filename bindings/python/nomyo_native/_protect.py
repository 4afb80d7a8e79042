"""The official SDK's memory protection made real, without a change to its code.

Methods of its two classes are replaced, not its objects: that reaches handlers and buffers that were made before, names
that `from` has copied elsewhere, and the handlers that its disable_ and enable_secure_memory() make.
"""

import gc
import importlib
import os
import threading
from typing import Any

from ._handler import methods
from ._locks import Locks

_KNOWN = "0.2.9"
_ABSENT = object()
_EXPECTED = {
    "SecureMemory": "_lock_memory_at _unlock_memory_at _zero_memory_at lock_memory unlock_memory zero_memory",
    "SecureBuffer": "__init__ zero lock unlock",
    "MemoryProtectionLevel": "FULL ZEROING_ONLY NONE",
}


class Protection:
    """The protection that protect_sdk() gave. It lasts until undo(), or the end of a `with`; forgetting this ends nothing.

    Another `with` of it begins it anew.
    """

    def __init__(self, replacement: "_Replacement") -> None:
        self._replacement = replacement
        self.__enter__()

    def undo(self) -> None:
        """Puts back what was there, once nobody else's protect_sdk() is in force. Undoing twice does nothing.

        What is locked by then stays so until it is released, as it would have been: with the last of it, the last of the
        replaced methods goes. Any thread.
        """
        self._replacement.end(self)

    def __enter__(self) -> "Protection":
        self._replacement.begin(self)
        return self

    def __exit__(self, *_: object) -> None:
        self.undo()


class _Replacement:
    """The methods of one SDK, and who wants them replaced."""

    def __init__(self, sdk: Any) -> None:
        self._guard = threading.RLock()  # of what follows
        self._locks = Locks(self._restore)
        self._buffer = sdk.SecureBuffer
        self._wanted: set[Protection] = set()
        self._methods = methods(sdk, self._locks, lambda: bool(self._wanted))
        self._theirs: dict[tuple[type, str], object] = {}
        if hasattr(os, "register_at_fork"):
            before, after = self._guard.acquire, self._guard.release
            os.register_at_fork(before=before, after_in_parent=after, after_in_child=after)

    def begin(self, protection: Protection) -> None:
        with self._guard:
            begun = bool(self._wanted)
            self._wanted.add(protection)
            if begun:
                return
            for (kind, name), method in self._methods.items():
                self._theirs.setdefault((kind, name), vars(kind).get(name, _ABSENT))
                setattr(kind, name, method)
            # What the SDK has locked itself is counted from now on, or the end of a neighbour's lock would end its own.
            for thing in gc.get_objects():
                if issubclass(type(thing), self._buffer) and vars(thing).get("_locked"):
                    self._locks.lock(thing._secure_memory, (thing._address, thing._size), thing._data)

    def end(self, protection: Protection) -> None:
        with self._guard:
            self._wanted.discard(protection)
        self._locks.settle()
        self._restore()

    def _restore(self) -> None:
        if self._wanted:  # which needs no waiting
            return
        with self._guard:
            if self._wanted:
                return
            for (kind, name), theirs in list(self._theirs.items()):
                if self._locks and name in ("_unlock_memory_at", "__del__"):
                    continue
                del self._theirs[kind, name]
                if theirs is _ABSENT:
                    delattr(kind, name)
                else:
                    setattr(kind, name, theirs)


_replacements: dict[tuple[type, type], _Replacement] = {}


def protect_sdk() -> Protection:
    """Gives the official SDK (nomyo 0.2.9) page locks that are real and counted, and a true report of them.

    From now on buffers on one page stay locked until each is unlocked or forgotten, get_memory_protection_info() says what
    the system answered, and wiping takes one step for all bytes. Everything else is as it was. Again and again does no harm.

    Buffers that were locked before gc.freeze() was called, and that before this, are not counted.

    Any thread, also while the SDK is in use; imports `nomyo`, and blocks on nothing else. Raises ImportError when that is
    not installed, or is not what this knows; nothing is changed then.
    """
    sdk = _sdk()
    classes = sdk.SecureMemory, sdk.SecureBuffer  # which the module has others of when it is reloaded
    replacement = _replacements.get(classes) or _replacements.setdefault(classes, _Replacement(sdk))
    return Protection(replacement)


def _sdk() -> Any:
    try:
        version = getattr(importlib.import_module("nomyo"), "__version__", "one without a version")
        if version == _KNOWN:
            sdk = importlib.import_module("nomyo.SecureMemory")
    except ImportError as e:
        raise ImportError(
            f"protect_sdk() protects the official SDK, which cannot be imported ({e}): pip install nomyo=={_KNOWN}"
        ) from e
    if version != _KNOWN:
        raise ImportError(
            f"protect_sdk() knows nomyo {_KNOWN} and not {version}, which stays as it is: pip install nomyo=={_KNOWN}, or use "
            "nomyo_native.SecureChatCompletion in its place"
        )
    for kind, names in _EXPECTED.items():
        for name in names.split():
            if not hasattr(getattr(sdk, kind, None), name):
                raise ImportError(
                    f"this nomyo {_KNOWN} has no {kind}.{name}, and stays as it is: something has changed it; "
                    f"pip install --force-reinstall nomyo=={_KNOWN}"
                )
    return sdk
