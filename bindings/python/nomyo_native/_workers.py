"""The threads that make the calls. Each is kept a while for the next call, because starting a thread takes longer than waking one."""

from __future__ import annotations

import _thread
import threading
from _queue import Empty, SimpleQueue  # queue.SimpleQueue is for greenlets alone in a process that is monkey patched
from collections import deque
from typing import TYPE_CHECKING

from . import _green

if TYPE_CHECKING:
    from typing import Protocol

    class Job(Protocol):
        def run(self) -> None:
            """Does the work, on a thread of the pool. Raises nothing."""

        def refuse(self) -> None:
            """Says that there is no thread. Called on any thread."""


IDLE_SECONDS = 10.0


class Workers:
    """As many threads as there are calls under way, and those that wait for another call.

    They are daemons: a process that ends does not wait for them to be idle.

    Threads wake one after the other: each one that has taken its job wakes the next. If 200 threads woke at once, the thread
    that submits jobs would wait for the GIL behind all of them.

    A job is refused if its thread cannot be started, because the busy threads may be busy for longer than its deadline.
    """

    def __init__(self) -> None:
        self._jobs: deque[Job] = deque()
        # Has one element, which is taken out while a thread is about to take a job and will wake the next. A lock in its place
        # would make an event loop wait for a thread that has the lock and waits for the GIL.
        self._turn = [True]
        self.idle: list[SimpleQueue[None]] = []  # the last one has waited for the shortest time, so its memory is in the cache
        self.threads: set[int] = set()

    def submit(self, job: Job) -> None:
        """Never waits for a thread to start, because the caller may be an event loop."""
        try:
            self._jobs.append(job)
            if self._take_turn():
                self._wake()
        except BaseException:  # a signal handler raised, and jobs of other threads may count on the thread to be woken
            self._wake()
            raise

    def _take_turn(self) -> bool:
        try:
            return self._turn.pop()
        except IndexError:
            return False

    def _end_turn(self) -> bool:
        """False if there is another job, whose submitter found the turn taken. The turn then goes on."""
        if not self._turn:
            self._turn.append(True)
        return not (self._jobs and self._take_turn())

    def _wake(self) -> None:
        if self._wake_idle():
            return
        try:
            _green.start_real_thread(self._begin)  # which does not wait, as Thread.start() does
        except RuntimeError:
            self._refuse()

    def _wake_idle(self) -> bool:
        try:
            self.idle.pop().put(None)
        except IndexError:
            return False
        return True

    def _begin(self) -> None:
        if not self._start():
            self._work()  # on this thread, which may be the last that the system had

    def _start(self) -> bool:
        try:
            if _green.patched():
                _green.start_real_thread(self._work)
            else:
                threading.Thread(target=self._work, name="nomyo", daemon=True).start()
        except RuntimeError:
            return False
        return True

    def _refuse(self) -> None:
        """Refuses the jobs that no thread has taken, and ends the turn."""
        while True:
            while (job := self._next()) is not None:
                job.refuse()
            if self._end_turn():
                return

    def _next(self) -> Job | None:
        try:
            return self._jobs.popleft()
        except IndexError:
            return None

    def _work(self) -> None:
        thread = _thread.get_native_id()
        self.threads.add(thread)
        try:
            self._serve()
        finally:
            self.threads.discard(thread)

    def _serve(self) -> None:
        box: SimpleQueue[None] = SimpleQueue()
        while True:
            job = self._taken()
            if job is not None:
                job.run()
            del job
            self.idle.append(box)
            try:
                box.get(timeout=IDLE_SECONDS)
            except Empty:
                try:
                    self.idle.remove(box)
                    return
                except ValueError:
                    pass  # another thread has taken the box for a job

    def _taken(self) -> Job | None:
        """The first job, if there is one. Wakes the next thread if there are more jobs."""
        job = self._next()
        if (self._jobs or not self._end_turn()) and not self._wake_idle() and not self._start():
            self._refuse()
        return job
