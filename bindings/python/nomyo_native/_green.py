"""Processes whose threads are greenlets, because gevent or eventlet has replaced Python's: real threads and locks in them.

A greenlet that waits for a lock or a call of the library would stop all greenlets of its thread. So the call runs on a real
thread, and the greenlet waits for a descriptor, as for any socket. A lock that real threads share must be real, too.
"""

from __future__ import annotations

import _thread
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any


class RealRLock:
    """Holds threading.RLock() as the system has it. eventlet replaces the locks that it finds, and does not look in here.

    `with lock.real:` is as fast as a lock can be, and no signal handler runs between the lock and the body.
    """

    __slots__ = ("real",)

    def __init__(self) -> None:
        self.real = _thread.RLock()


def _patched_by() -> str | None:
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None and monkey.is_module_patched("threading"):
        return "gevent"
    patcher = sys.modules.get("eventlet.patcher")
    if patcher is not None and patcher.is_monkey_patched("thread"):
        return "eventlet"
    return None


def patched() -> bool:
    """Whether the threads of this process are greenlets."""
    return _patched_by() is not None


def start_real_thread(function: Callable[[], Any]) -> None:
    """Starts a thread without waiting until it runs. RuntimeError: the system has none."""
    start: Any = _thread.start_new_thread
    by = _patched_by()
    if by == "gevent":
        start = sys.modules["gevent.monkey"].get_original("_thread", "start_new_thread")
    elif by == "eventlet":
        start = sys.modules["eventlet.patcher"].original("_thread").start_new_thread
    start(function, ())


def waiter() -> Callable[[int], None] | None:
    """A function that waits until a descriptor can be read, while other greenlets run. None in the hub, which cannot wait."""
    current = import_module("greenlet").getcurrent()
    if _patched_by() == "gevent":
        wait: Callable[[int], None] = import_module("gevent.socket").wait_read
        return None if import_module("gevent").get_hub() is current else wait
    hubs = import_module("eventlet.hubs")
    if hubs.get_hub().greenlet is current:
        return None
    return lambda descriptor: hubs.trampoline(descriptor, read=True)
