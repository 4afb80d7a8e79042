"""Threads for calls that block, so that whoever waits for them stays interruptible: by signals, or on an event loop."""

from __future__ import annotations  # evaluated, those of an inner function cost as much as the rest of a call

import _thread
import atexit
import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, TypeVar

_T = TypeVar("_T")
_IDLE_SECONDS = 10.0
_AT_EXIT_SECONDS = 10.0


class _Workers:
    """As many threads as there are calls under way, each kept a while for the next one: a new thread costs a call 0.4 ms.

    They are daemons: a process that ends does not wait for them to be idle.
    """

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.RLock()  # a signal handler may make calls, too
        self._idle, self._wanted = 0, 0

    def submit(self, job: Callable[[], None]) -> None:
        """Never waits for a thread to start, since it may be called on an event loop: the threads start each other."""
        self._jobs.put(job)
        with self._lock:
            if self._idle:
                self._idle -= 1
                return
            self._wanted += 1
            if self._wanted > 1:
                return
        try:
            _thread.start_new_thread(self._start, ())  # which does not wait, as Thread.start() does
        except RuntimeError:  # the system has no more; the next call tries again
            self._wanted = 0
            raise

    def _start(self) -> None:
        try:
            threading.Thread(target=self._work, name="nomyo", daemon=True).start()
        except RuntimeError:  # the threads that there are do the work
            self._wanted = 0

    def _work(self) -> None:
        with self._lock:
            self._wanted -= 1
            more = self._wanted > 0
        if more:
            self._start()
        while True:
            try:
                job = self._jobs.get(timeout=_IDLE_SECONDS)
            except queue.Empty:
                with self._lock:
                    if self._idle:
                        self._idle -= 1
                        return
                continue  # a job is on its way
            job()
            del job
            with self._lock:
                self._idle += 1


_workers = _Workers()
# The calls under way, and what makes each of them end.
_under_way: dict[Future[Any], Callable[[], None] | None] = {}


def _forget() -> None:
    _under_way.clear()
    _workers.__init__()  # type: ignore[misc]


if hasattr(os, "register_at_fork"):  # the threads do not come along
    os.register_at_fork(after_in_child=_forget)


@atexit.register
def _end() -> None:
    """Ends all calls before the interpreter does: it kills threads that come back to it later, and a thread that writes a
    log line is in the midst of the library then, which takes the process along. What cannot be ended has a moment."""
    for abandon in list(_under_way.values()):
        if abandon:
            abandon()
    wait(list(_under_way), _AT_EXIT_SECONDS)


def _begin(future: Future[Any], abandon: Callable[[], None] | None) -> None:
    _under_way[future] = abandon
    future.add_done_callback(lambda ended: _under_way.pop(ended, None))


def start(work: Callable[[], _T], abandon: Callable[[], None] | None = None) -> Future[_T]:
    """Runs `work` on another thread. `abandon` makes it end early."""
    future: Future[_T] = Future()
    _begin(future, abandon)

    def job(work: Callable[[], _T] = work, future: Future[_T] = future) -> None:
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(work())
            except BaseException as e:
                future.set_exception(e)
        del work, future  # an exception's traceback keeps this frame

    try:
        _workers.submit(job)
    except BaseException:
        future.cancel()
        raise
    return future


def interruptible(work: Callable[[], _T], abandon: Callable[[], None] | None = None) -> _T:
    """Runs `work` and waits. On the main thread, where signal handlers run, one that raises ends the waiting at once:
    `abandon` is called, and `work` goes on until it notices."""
    if threading.get_ident() != threading.main_thread().ident:
        ended: Future[None] = Future()
        _begin(ended, abandon)
        try:
            return work()
        finally:
            ended.set_result(None)
    future = start(work, abandon)
    try:
        return future.result()
    except BaseException:
        if abandon and not future.done():
            abandon()
        raise
    finally:
        del future
