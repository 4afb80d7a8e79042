"""The threads that make the calls: kept for later calls, woken one after the other, and never shared with a forked child."""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from nomyo_native import _threads, _workers


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[_workers.Workers]:
    """A pool of its own, whose threads end soon after the test."""
    monkeypatch.setattr(_workers, "IDLE_SECONDS", 2)
    yield _workers.Workers()


class Job:
    """Waits until it is released."""

    def __init__(self) -> None:
        self.begun, self.go, self.refused = threading.Event(), threading.Event(), False

    def run(self) -> None:
        self.begun.set()
        self.go.wait(60)

    def refuse(self) -> None:
        self.refused = True


def until(condition: Callable[[], object]) -> bool:
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def with_idle(workers: _workers.Workers, count: int) -> None:
    jobs = [Job() for _ in range(count)]
    for job in jobs:
        workers.submit(job)
    assert all(job.begun.wait(60) for job in jobs), "jobs wait for each other"
    for job in jobs:
        job.go.set()
    assert until(lambda: len(workers.idle) == count)


def test_calls_in_a_row_start_no_thread(client, chat, monkeypatch):
    monkeypatch.setattr(_threads, "_workers", workers := _workers.Workers())
    client.create(chat()).close()
    assert until(lambda: workers.idle)
    started = set(workers.threads)
    for _ in range(10):
        client.create(chat()).close()
        assert until(lambda: workers.idle)
        asyncio.run(client.acreate(chat())).close()
        assert until(lambda: workers.idle)
    assert workers.threads == started and len(started) == 1


def test_a_call_on_another_thread_than_the_main_thread_needs_no_worker(client, chat, monkeypatch):
    monkeypatch.setattr(_threads, "_workers", workers := _workers.Workers())
    thread = threading.Thread(target=lambda: client.create(chat()).close())
    thread.start()
    thread.join()
    assert not workers.threads


def test_threads_wake_one_after_the_other(workers):
    with_idle(workers, 8)
    jobs = [Job() for _ in range(8)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(60)  # no other thread runs until this one waits
    try:
        for job in jobs:
            workers.submit(job)
        woken = 8 - len(workers.idle)
    finally:
        sys.setswitchinterval(before)
    assert woken == 1
    assert all(job.begun.wait(60) for job in jobs), "the others are woken, too"
    for job in jobs:
        job.go.set()


def test_the_thread_that_waited_last_takes_the_next_job(workers):
    with_idle(workers, 3)
    last = workers.idle[-1]
    job = Job()
    workers.submit(job)
    assert job.begun.wait(60)
    assert len(workers.idle) == 2 and last not in workers.idle
    job.go.set()


def test_idle_threads_end(workers, monkeypatch):
    monkeypatch.setattr(_workers, "IDLE_SECONDS", 0.05)
    jobs = [Job() for _ in range(3)]
    for job in jobs:
        workers.submit(job)
        job.go.set()
    assert until(lambda: all(job.begun.is_set() for job in jobs))
    assert until(lambda: not workers.threads) and workers.idle == []


def test_a_signal_handler_that_raises_during_a_submission_strands_no_job(workers, monkeypatch):
    interrupts = [KeyboardInterrupt()]
    wake = workers._wake

    def interrupted() -> None:
        if interrupts:
            raise interrupts.pop()
        wake()

    monkeypatch.setattr(workers, "_wake", interrupted)
    first, second = Job(), Job()
    with pytest.raises(KeyboardInterrupt):
        workers.submit(first)
    workers.submit(second)
    for job in (first, second):
        assert job.begun.wait(60)
        job.go.set()


def test_a_forked_child_has_no_threads_and_no_cancels_of_its_parent(client, chat):
    from nomyo_native import _ending

    client.create(chat()).close()
    assert until(lambda: _threads._workers.idle) and _ending._kept
    child = os.fork()
    if child == 0:
        pool = _threads._workers
        os._exit(7 if (pool.idle, pool.threads, _ending._kept, _threads._under_way) == ([], set(), [], {}) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
