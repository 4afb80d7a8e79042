"""If the system has no more threads, calls run on the caller's thread and keep their deadlines and cancels."""

import os

import pytest
from test_processes import run

LIMIT = """
import _thread, resource

def threads_left(count):
    # The kernel counts all tasks of a user. It does not limit root.
    tasks = len(os.listdir("/proc/self/task"))
    if os.geteuid() == 0:
        user = 100_000 + os.getpid()
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    limit = tasks + count if count else 0
    resource.setrlimit(resource.RLIMIT_NPROC, (limit, limit))

def refused(call, error):
    try:
        call()
    except error:
        return error.__name__

client = nomyo.Client(URL, ca_file=CA, max_retries=0)
"""


def limited(body: str, ca_file: str) -> list[str]:
    return run(LIMIT.rstrip() + body, ca_file).splitlines()


def counts() -> list[int]:
    """The numbers of threads left. A limit of one or two more works only for a user without other processes."""
    return [0, 1, 2] if os.geteuid() == 0 else [0]


@pytest.fixture(params=counts(), ids=lambda count: f"{count} threads left")
def left(request) -> int:
    return request.param


def test_the_limit_of_these_tests_refuses_a_thread(ca_file):
    body = """
threads_left(0)
print(refused(lambda: _thread.start_new_thread(print, ()), RuntimeError))
"""
    assert limited(body, ca_file) == ["RuntimeError"]


def test_a_call_is_answered(ca_file, left):
    body = f"""
threads_left({left})
for _ in range(3):
    print(client.create(request()).content())
print(asyncio.run(client.acreate(request())).content())
"""
    assert limited(body, ca_file) == ["Hello"] * 4


def test_a_call_keeps_its_deadline(ca_file, left):
    body = f"""
threads_left({left})
for _ in range(2):
    print(refused(lambda: client.create(SLOW, timeout=0.3), nomyo.APITimeoutError))
print(refused(lambda: asyncio.run(client.acreate(SLOW, timeout=0.3)), nomyo.APITimeoutError))
"""
    assert limited(body, ca_file) == ["APITimeoutError"] * 3


def test_a_call_does_not_wait_for_threads_that_are_busy(ca_file, left):
    body = f"""
client.warm_up()
threads_left({left})

async def many():
    alone = len(os.listdir("/proc/self/task"))
    busy = []
    for n in range({left}):
        busy.append(asyncio.create_task(client.acreate(SLOW, timeout=50)))
        await asyncio.sleep(0.2)
        while len(os.listdir("/proc/self/task")) > alone + n + 1:  # the thread that started this one is still there
            await asyncio.sleep(0.01)
    for task in [asyncio.create_task(client.acreate(SLOW, timeout=0.5)) for n in range(4 - {left})]:
        try:
            await task
        except nomyo.APITimeoutError:
            print("APITimeoutError")
    for task in busy:
        print("under way" if not task.done() else task)
        task.cancel()

asyncio.run(many())
"""
    assert limited(body, ca_file) == ["APITimeoutError"] * (4 - left) + ["under way"] * left


def test_a_call_on_the_caller_s_thread_ends_when_it_is_cancelled(ca_file):
    body = """
cancel = nomyo.Cancel()
threading.Timer(0.5, cancel.trigger).start()
threads_left(0)
print(refused(lambda: client.create(SLOW, cancel=cancel), nomyo.CancelledError))
"""
    assert limited(body, ca_file) == ["CancelledError"]
