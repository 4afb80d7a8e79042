"""Everything async runs off the event loop, and ends when its task is cancelled."""

import asyncio
import gc
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import nomyo_native as nomyo

USER = [{"role": "user", "content": "Hello"}]
SLOW = {"delay_before_headers_ms": 60_000}


@pytest.fixture(scope="module")
def sdk(base_url, ca_file):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", ca_file)
        sdk = nomyo.SecureChatCompletion(base_url, api_key="test")
        asyncio.run(sdk.create("echo", USER))
        yield sdk


def loop_child(ca_file: str, first: str) -> dict[str, float]:
    run = subprocess.run(
        [sys.executable, Path(__file__).with_name("loop_child.py"), first],
        env={**os.environ, "SSL_CERT_FILE": ca_file, "PYTHONPATH": str(Path(nomyo.__file__).parents[1])},
        capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def report(what: str, seen: dict[str, float]) -> str:
    whose = "ahead of all other processes" if seen["realtime"] else "in competition with all other processes"
    return (
        f"\nasyncio, {what}, {whose}: longest block of the loop {seen['longest'] * 1000:.1f} ms (target 20), "
        f"its thread's CPU time {seen['cpu'] * 1000:.0f} ms of {seen['took']:.2f} s"
    )


@pytest.mark.parametrize("threads", ["new", "idle"])
def test_two_hundred_calls_at_once_leave_the_loop_alone(ca_file, capsys, threads):
    seen = loop_child(ca_file, threads)
    with capsys.disabled():
        print(report(f"200 creates at once, {threads} threads", seen))
    assert seen["cpu"] < 4, "a call takes the loop tens of milliseconds, as encryption and TLS would"
    assert seen["longest"] < 1 or not seen["realtime"]


def test_making_keys_leaves_the_loop_alone(ca_file, capsys):
    seen = loop_child(ca_file, "keys")
    with capsys.disabled():
        print(report("the first call, with its key generation", seen))
    assert seen["beats"] > 20


def test_a_cancelled_task_ends_its_call_at_once(client, sdk, chat):
    async def cancelled(call) -> float:
        task = asyncio.create_task(call)
        await asyncio.sleep(0.3)
        begun = time.perf_counter()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.perf_counter() - begun

    for call in (client.acreate(chat(test=SLOW)), sdk.create("echo", USER, nomyo_test=SLOW)):
        assert asyncio.run(cancelled(call)) < 5
    until = time.monotonic() + 20  # not only the task: the thread is free again, long before the server's answer
    while time.monotonic() < until and busy():
        time.sleep(0.05)
    assert not busy()


def busy() -> int:
    """How many of the binding's threads are in a call."""
    from nomyo_native import _threads

    threads = [thread for thread in threading.enumerate() if thread.name == "nomyo"]
    return len(threads) - len(_threads._workers.idle)


def test_a_timeout_of_asyncio_is_kept(client, chat):
    async def hurried():
        await asyncio.wait_for(client.acreate(chat(test=SLOW)), 0.3)

    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(hurried())


def test_a_cancel_ends_async_calls_too(client, chat):
    async def ended():
        cancel = nomyo.Cancel()
        task = asyncio.create_task(client.acreate(chat(test=SLOW), cancel=cancel))
        await asyncio.sleep(0.2)
        cancel.trigger()
        await task

    with pytest.raises(nomyo.CancelledError):
        asyncio.run(ended())


def test_a_cancelled_task_leaves_other_calls_with_its_cancel_alone(client, chat):
    async def two() -> str | None:
        shared = nomyo.Cancel()
        kept = asyncio.create_task(client.acreate(chat(test={"delay_before_headers_ms": 1000}), cancel=shared))
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.acreate(chat(test=SLOW), cancel=shared), 0.3)
        with await kept as answer:
            return answer.content()

    assert asyncio.run(two()) == "Hello"


def test_one_cancel_ends_all_calls_that_have_it(client, chat):
    async def several() -> list[BaseException]:
        shared = nomyo.Cancel()
        calls = [client.acreate(chat(test=SLOW), cancel=shared), client.acreate(chat(test=SLOW), cancel=shared)]
        ended = asyncio.gather(*calls, return_exceptions=True)
        await asyncio.sleep(0.3)
        shared.trigger()
        return [*await ended, *await asyncio.gather(client.awarm_up(cancel=shared), return_exceptions=True)]

    assert [type(error) for error in asyncio.run(several())] == [nomyo.CancelledError] * 3


def test_what_cannot_be_sent_is_said_on_the_loop(client, chat):
    async def wrong():
        with pytest.raises(TypeError):
            await client.acreate(chat(), model="m")
        with pytest.raises(nomyo.ArgumentError):
            await client.acreate({"stream": True, **chat()})
        with pytest.raises(nomyo.RateLimitError):
            await client.acreate(chat(test={"status": 429}))

    asyncio.run(wrong())


def test_an_async_answer_is_a_response(client, chat):
    async def ask() -> str | None:
        with await client.acreate(chat("async")) as answer:
            return answer.content()

    assert asyncio.run(ask()) == "async"


def test_a_loop_that_is_gone_does_not_miss_its_answer(client, chat):
    loop = asyncio.new_event_loop()
    task = loop.create_task(client.acreate(chat(test={"delay_before_headers_ms": 300})))
    loop.run_until_complete(asyncio.sleep(0.1))
    loop.close()  # the task is pending, and its answer comes to nobody
    time.sleep(0.5)
    task._log_destroy_pending = False
    del task
    gc.collect()
    assert not busy()


def test_threads_that_are_not_needed_end(monkeypatch, client, chat):
    from nomyo_native import _threads, _workers

    monkeypatch.setattr(_workers, "IDLE_SECONDS", 0.05)
    monkeypatch.setattr(_threads, "_workers", workers := _workers.Workers())
    others = {thread for thread in threading.enumerate()}

    async def several():
        await asyncio.gather(*(client.acreate(chat(test={"delay_before_headers_ms": 100})) for _ in range(8)))

    asyncio.run(several())
    until = time.monotonic() + 20
    while set(threading.enumerate()) - others and time.monotonic() < until:
        time.sleep(0.05)
    assert not set(threading.enumerate()) - others
    assert (workers.idle, workers._turn) == ([], [True])
    asyncio.run(several())
