"""Everything async runs off the event loop, and ends when its task is cancelled."""

import asyncio
import gc
import threading
import time

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


class Pulse:
    """How much longer than a millisecond the loop takes to come back, and how long the system gave it no CPU then."""

    def __init__(self) -> None:
        self.blocks: list[tuple[float, float]] = []
        self._schedule = open(f"/proc/self/task/{threading.get_native_id()}/schedstat")  # noqa: SIM115
        self._task = asyncio.create_task(self._beat())
        self._cpu = time.thread_time()

    async def _beat(self) -> None:
        while True:
            begun, without_cpu = time.perf_counter(), self._without_cpu()
            await asyncio.sleep(0.001)
            self.blocks.append((time.perf_counter() - begun - 0.001, self._without_cpu() - without_cpu))

    def _without_cpu(self) -> float:
        self._schedule.seek(0)
        return int(self._schedule.read().split()[1]) / 1e9

    def end(self) -> tuple[float, str]:
        """The CPU time that the loop's thread took, and a report."""
        self._task.cancel()
        self._schedule.close()
        longest = max(block for block, _ in self.blocks) * 1000
        own = max(block - without_cpu for block, without_cpu in self.blocks) * 1000
        cpu = time.thread_time() - self._cpu
        return cpu, f"longest block {longest:.1f} ms, {own:.1f} without waits for a CPU (target 20); CPU {cpu * 1000:.0f} ms"


def test_two_hundred_calls_at_once_leave_the_loop_alone(sdk, capsys):
    async def many() -> tuple[list[str], float, str]:
        asyncio.get_running_loop().set_debug(False)
        pulse = Pulse()
        calls = [sdk.create("echo", [{"role": "user", "content": f"message {n}"}]) for n in range(200)]
        answers = await asyncio.gather(*calls)
        return [answer["choices"][0]["message"]["content"] for answer in answers], *pulse.end()

    for time_round in ("new threads", "idle threads"):
        said, cpu, report = asyncio.run(many())
        assert said == [f"message {n}" for n in range(200)]
        with capsys.disabled():
            print(f"\nasyncio: 200 creates at once, {time_round}: {report}")
        assert cpu < 4, "a call takes the loop milliseconds, as only encryption or TLS would"


def test_making_keys_does_not_block_the_loop(base_url, ca_file, monkeypatch, capsys):
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)

    async def first_call() -> tuple[int, str]:
        asyncio.get_running_loop().set_debug(False)
        pulse = Pulse()
        await nomyo.SecureChatCompletion(base_url).create("echo", USER)
        return len(pulse.blocks), pulse.end()[1]

    beats, report = asyncio.run(first_call())
    with capsys.disabled():
        print(f"\nasyncio: the first call, with its key generation: {report}")
    assert beats > 20


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
    return len(threads) - _threads._workers._idle


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
    from nomyo_native import _threads

    monkeypatch.setattr(_threads, "_IDLE_SECONDS", 0.05)
    monkeypatch.setattr(_threads, "_workers", workers := _threads._Workers())
    others = {thread for thread in threading.enumerate()}

    async def several():
        await asyncio.gather(*(client.acreate(chat(test={"delay_before_headers_ms": 100})) for _ in range(8)))

    asyncio.run(several())
    until = time.monotonic() + 20
    while set(threading.enumerate()) - others and time.monotonic() < until:
        time.sleep(0.05)
    assert not set(threading.enumerate()) - others
    assert (workers._idle, workers._wanted) == (0, 0)
    asyncio.run(several())
