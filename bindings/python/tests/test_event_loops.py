"""trio and anyio: the coroutines wait as they do under asyncio. Without an event loop one error says so."""

import gc

import anyio
import pytest
import trio

import nomyo_native as nomyo
from nomyo_native import _threads

SLOW = {"delay_before_headers_ms": 60_000}
BACKENDS = ["asyncio", "trio"]


@pytest.fixture(params=BACKENDS)
def run(request):
    return lambda function: anyio.run(function, backend=request.param)


async def ended() -> bool:
    for _ in range(2000):
        if not _threads._under_way:
            return True
        await anyio.sleep(0.01)
    return False


def test_the_clients_answer_under_either_loop(run, base_url, ca_file, chat, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)

    async def main():
        async with nomyo.AsyncClient(base_url, ca_file=ca_file) as client:
            await client.warm_up()
            assert (await client.server_key()).pem.startswith("-----BEGIN")
            with await client.create(chat("one")) as answer:
                assert answer.content() == "one"
        answer = await nomyo.SecureChatCompletion(base_url).create("echo", [{"role": "user", "content": "two"}])
        return answer["choices"][0]["message"]["content"]

    assert run(main) == "two"


def test_fifty_calls_wait_at_once(run, client, chat):
    """More than the 40 threads of anyio's and trio's to_thread."""
    most = 0

    async def main():
        async def ask():
            with await client.acreate(chat(test={"delay_before_headers_ms": 2000})) as answer:
                assert answer.content() == "Hello"

        async def watch(scope):
            nonlocal most
            while True:
                most = max(most, len(_threads._workers.threads) - len(_threads._workers.idle))
                await anyio.sleep(0.01)

        async with anyio.create_task_group() as outer:
            outer.start_soon(watch, outer)
            async with anyio.create_task_group() as calls:
                for _ in range(50):
                    calls.start_soon(ask)
            outer.cancel_scope.cancel()

    run(main)
    assert most == 50


def test_a_cancelled_scope_ends_the_call(run, client, chat):
    async def main():
        with anyio.move_on_after(0.3) as scope:
            await client.acreate(chat(test=SLOW))
        return scope.cancelled_caught, await ended()

    assert run(main) == (True, True)


def test_errors_timeouts_and_cancels_arrive(run, client, chat):
    async def main():
        with pytest.raises(nomyo.RateLimitError):
            await client.acreate(chat(test={"status": 429}))
        with pytest.raises(nomyo.APITimeoutError):
            await client.acreate(chat(test=SLOW), timeout=0.3)
        cancel = nomyo.Cancel()
        async with anyio.create_task_group() as tasks:

            async def ask():
                with pytest.raises(nomyo.CancelledError):
                    await client.acreate(chat(test=SLOW), cancel=cancel)

            tasks.start_soon(ask)
            await anyio.sleep(0.3)
            cancel.trigger()
        return await ended()

    assert run(main)


def test_trio_without_sniffio_is_found(client, chat, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "sniffio", None)

    async def main():
        with await client.acreate(chat()) as answer:
            return answer.content()

    assert trio.run(main) == "Hello"


def test_trio_as_a_guest_of_asyncio_is_found(client, chat):
    import asyncio

    async def main():
        with await client.acreate(chat()) as answer:
            return answer.content()

    async def host():
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        outcome = []

        def end(result):
            outcome.append(result)
            done.set()

        trio.lowlevel.start_guest_run(main, run_sync_soon_threadsafe=loop.call_soon_threadsafe, done_callback=end)
        with await client.acreate(chat("host")) as answer:
            assert answer.content() == "host"
        await done.wait()
        return outcome[0].unwrap()

    assert asyncio.run(host()) == "Hello"


def test_without_an_event_loop_one_error_says_what_is_needed(client, chat):
    before = len(_threads._under_way)
    for coroutine in (client.acreate(chat()), client.awarm_up(), client.aserver_key()):
        with pytest.raises(nomyo.ArgumentError, match="asyncio.run.*trio.run.*nothing was sent"):
            coroutine.send(None)
    assert len(_threads._under_way) == before
    gc.collect()
