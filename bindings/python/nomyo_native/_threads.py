"""Threads for calls that block, so that whoever waits for them stays interruptible: by signals, or on an event loop."""

from __future__ import annotations  # evaluated, those of an inner function cost as much as the rest of a call

import _thread
import os
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

_T = TypeVar("_T")
_IDLE_SECONDS = 10.0
# A call costs some 5 ms of CPU. To begin many faster than the cores can serve them would speed up none of them, and take
# the CPU from the event loop that waits for them.
_PACE = 0.005 / (os.cpu_count() or 1)


class _Workers:
    """As many threads as there are calls under way, each kept a while for the next one: a new thread costs a call 0.4 ms.

    They are daemons: a process that ends does not wait for a call that nobody waits for.
    """

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._idle, self._wanted, self._next = 0, 0, 0.0

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
        threading.Thread(target=self._work, name="nomyo", daemon=True).start()

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
            with self._lock:
                wait = self._next - time.monotonic()
                self._next += _PACE - min(wait, 0.0)
            if wait > 0:
                time.sleep(wait)
            job()
            del job
            with self._lock:
                self._idle += 1


_workers = _Workers()
if hasattr(os, "register_at_fork"):  # the threads do not come along
    os.register_at_fork(after_in_child=_workers.__init__)  # type: ignore[misc]


def start(work: Callable[[], _T]) -> Future[_T]:
    """Runs `work` on another thread."""
    future: Future[_T] = Future()

    def job(work: Callable[[], _T] = work, future: Future[_T] = future) -> None:
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(work())
            except BaseException as e:
                future.set_exception(e)
        del work, future  # an exception's traceback keeps this frame

    _workers.submit(job)
    return future


def interruptible(work: Callable[[], _T], abandon: Callable[[], None] | None = None) -> _T:
    """Runs `work` and waits. On the main thread, where signal handlers run, one that raises ends the waiting at once:
    `abandon` is called, and `work` goes on until it notices."""
    if threading.get_ident() != threading.main_thread().ident:
        return work()
    future = start(work)
    try:
        return future.result()
    except BaseException:
        if abandon and not future.done():
            abandon()
        raise
    finally:
        del future
