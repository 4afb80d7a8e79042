"""The library's cancel of one call. It is kept for a later call, unless it was triggered."""

import os
from typing import Any

from ._errors import OutOfMemoryError, call
from ._library import lib

_KEPT = 64
_kept: list["Ending"] = []


class Ending:
    """A nomyo_cancel, and a nomyo_call_options that have it and nothing else. Most calls need no more options."""

    __slots__ = ("cancel", "options")

    def __init__(self) -> None:
        self.cancel: Any = None
        self.options: Any = None
        self.cancel = lib.nomyo_cancel_new()
        self.options = new_options(self.cancel)

    def __del__(self) -> None:
        lib.nomyo_call_options_free(self.options)
        lib.nomyo_cancel_free(self.cancel)


def new_options(cancel: Any) -> Any:
    """A nomyo_call_options that have `cancel`. The caller frees them."""
    options = lib.nomyo_call_options_new()
    if not cancel or not options:
        lib.nomyo_call_options_free(options)
        raise OutOfMemoryError("no memory for call options")
    call(lib.nomyo_call_options_set_cancel, options, cancel)
    return options


def taken() -> Ending:
    """An Ending that no other call has, and that is not triggered."""
    try:
        return _kept.pop()
    except IndexError:
        return Ending()


def keep(ending: Ending) -> None:
    """Keeps `ending` for a later call. No other call may have it, and nobody may trigger it from now on."""
    if len(_kept) < _KEPT:
        _kept.append(ending)


if hasattr(os, "register_at_fork"):  # the child's calls get cancels of their own
    os.register_at_fork(after_in_child=_kept.clear)
