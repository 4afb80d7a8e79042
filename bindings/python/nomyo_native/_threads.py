"""Threads for calls that block, so that whoever waits for them stays interruptible: by signals, or on an event loop."""

from __future__ import annotations  # evaluated, those of an inner function cost as much as the rest of a call

import _thread
import atexit
import os
import threading
import time
from _queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from . import _green, _relay
from ._workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    _T = TypeVar("_T")

_NOTICE_SECONDS = 0.05
_AT_EXIT_SECONDS = 10.0
_LOOK_SECONDS = 0.005


class NoThread(Exception):
    """The system has no thread for the work, so the caller must do it."""


_workers = Workers()
# The calls under way, and what makes each of them end.
_under_way: dict[object, Callable[[], None] | None] = {}


def _forget() -> None:
    _under_way.clear()
    _relay.drop_relays()
    _workers.__init__()  # type: ignore[misc]


if hasattr(os, "register_at_fork"):  # the threads do not come along
    os.register_at_fork(after_in_child=_forget)


@atexit.register
def _end() -> None:
    """Ends all calls before the interpreter does: it kills threads that come back to it later, and a thread that writes a
    log line is in the midst of the library then, which takes the process along. What cannot be ended has a moment."""
    calls, until = list(_under_way.items()), time.monotonic() + _AT_EXIT_SECONDS
    for _, abandon in calls:
        if abandon:
            abandon()
    never: SimpleQueue[None] = SimpleQueue()
    for call, _ in calls:
        while call in _under_way and time.monotonic() < until:
            try:
                never.get(timeout=_LOOK_SECONDS)  # time.sleep() would let greenlets run
            except Empty:
                pass


class Work:
    """Work that another thread does, and its outcome."""

    __slots__ = ("_work", "_told", "_result", "_error", "ended")

    def __init__(self, work: Callable[[], Any], told: Callable[[], None]) -> None:
        """`told` is called when the work has ended, on the thread that does it."""
        self._work: Callable[[], Any] | None = work
        self._told = told
        self._result: Any = None
        self._error: BaseException | None = None
        self.ended = False

    def run(self) -> None:
        try:
            assert self._work is not None
            self._result = self._work()
        except BaseException as e:
            self._error = e
        told = self._end()
        del self  # an exception's traceback keeps this frame
        told()

    def refuse(self) -> None:
        self._error = NoThread()
        self._end()()

    def _end(self) -> Callable[[], None]:
        self._work = None
        self.ended = True
        _under_way.pop(self, None)
        return self._told

    def result(self) -> Any:
        """Returns or raises as the work did. Works once only. Raises NoThread if the system had no thread."""
        error, self._error = self._error, None
        if error is None:
            return self._result
        try:
            raise error
        finally:
            del error  # its traceback has this frame


def start(work: Callable[[], Any], told: Callable[[], None], abandon: Callable[[], None] | None = None) -> Work:
    """Runs `work` on another thread, which calls `told` at the end. `abandon` ends `work` early."""
    job = Work(work, told)
    _under_way[job] = abandon
    try:
        _workers.submit(job)
    except BaseException:
        _under_way.pop(job, None)
        raise
    return job


def on_this_thread(work: Callable[[], _T], abandon: Callable[[], None] | None = None) -> _T:
    """Runs `work` on this thread."""
    key = object()
    _under_way[key] = abandon
    try:
        return work()
    finally:
        _under_way.pop(key, None)


def interruptible(work: Callable[[], _T], abandon: Callable[[], None] | None = None) -> _T:
    """Runs `work` and waits. On the main thread, where signal handlers run, one that raises ends the waiting at once:
    `abandon` is called, and `work` goes on until it notices. If the system has no thread, signal handlers run when `work`
    has ended. A greenlet waits while others run; if it is killed, that ends the waiting as well."""
    if _green.patched():
        return _of_greenlet(work, abandon)
    if threading.get_ident() != threading.main_thread().ident:
        return on_this_thread(work, abandon)
    job = None
    try:
        ended = _thread.allocate_lock()
        ended.acquire()
        job = start(work, ended.release, abandon)
        # If another thread of the process took the signal, the handler waits for this thread to come back from its wait.
        while not ended.acquire(True, _NOTICE_SECONDS):
            pass
        result: _T = job.result()
        return result
    except NoThread:
        pass
    except BaseException:
        if abandon and not (job and job.ended):
            abandon()
        raise
    finally:
        del job
    return on_this_thread(work, abandon)


class _Relayed:
    """Work that a greenlet waits for."""

    def __init__(self, work: Callable[[], Any], relay: _relay.Relay) -> None:
        self._work, self._relay = work, relay

    def run(self) -> None:
        try:
            self._relay.run(self._work)
        finally:
            _under_way.pop(self, None)
            del self  # an exception's traceback keeps this frame

    def refuse(self) -> None:
        self._relay.end(None, NoThread())
        _under_way.pop(self, None)


def _of_greenlet(work: Callable[[], _T], abandon: Callable[[], None] | None) -> _T:
    here = _thread.get_native_id() in _workers.threads
    readable = None if here else _green.waiter()
    if readable is None:
        return on_this_thread(work, abandon)
    relay = _relay.Relay()
    job = _Relayed(work, relay)
    _under_way[job] = abandon
    try:
        _workers.submit(job)
        result: _T = relay.wait(readable)
        return result
    except NoThread:
        pass
    except BaseException:
        if abandon:
            abandon()
        raise
    finally:
        del job
    return on_this_thread(work, abandon)
