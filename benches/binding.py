"""Measures what the Python binding adds to a small request: its ways to ask, beside the C calls that they make, through ctypes alone.

    binding.py N

All ways ask in turns, so that other work on the machine disturbs each way alike. Prints one JSON line: for each way the median
CPU time of one request in microseconds, of all threads, over N requests. `ctypes_thread` is `ctypes` on a worker thread.
NOMYO_TEST_BASE_URL and NOMYO_TEST_CA_FILE name the endpoint, NOMYO_LIBRARY the library. SSL_CERT_FILE is for the drop-in class.
"""

import asyncio
import ctypes
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bindings" / "python"))

from nomyo_native import AsyncClient, Client, SecureChatCompletion
from nomyo_native._library import Error, Response, lib

REQUEST: dict[str, Any] = {
    "model": "Qwen/Qwen3-0.6B",
    "messages": [{"role": "user", "content": "What is the capital of France?"}],
    "temperature": 0.7,
}
BYTES = json.dumps(REQUEST, separators=(",", ":")).encode()


def bare(client: object) -> str:
    answer, error, length = ctypes.POINTER(Response)(), ctypes.POINTER(Error)(), ctypes.c_size_t()
    if lib.nomyo_create(client, BYTES, len(BYTES), None, ctypes.byref(answer), ctypes.byref(error)):
        sys.exit(f"binding: {lib.nomyo_error_message(error).decode()}")
    content = lib.nomyo_response_content(answer, 0, ctypes.byref(length))
    text = ctypes.string_at(content, length.value).decode()
    lib.nomyo_response_free(answer)
    return text


def asked(client: Client) -> str | None:
    with client.create(**REQUEST) as answer:
        return answer.content()


async def asked_async(client: AsyncClient) -> str | None:
    with await client.create(**REQUEST) as answer:
        return answer.content()


async def asked_drop_in(client: SecureChatCompletion) -> str:
    answer = await client.create(**REQUEST)
    return str(answer["choices"][0]["message"]["content"])


def timed(ask: Callable[[], object]) -> int:
    begun = time.process_time_ns()
    ask()
    return time.process_time_ns() - begun


async def timed_async(ask: Callable[[], Awaitable[object]]) -> int:
    begun = time.process_time_ns()
    await ask()
    return time.process_time_ns() - begun


def main(count: int) -> None:
    url, ca_file = os.environ["NOMYO_TEST_BASE_URL"], os.environ["NOMYO_TEST_CA_FILE"]
    loop = asyncio.new_event_loop()
    with Client(url, ca_file=ca_file) as client, client._handle as pointer, ThreadPoolExecutor(1) as worker:
        async_client = AsyncClient(url, ca_file=ca_file)
        drop_in = SecureChatCompletion(base_url=url)

        def on_loop(ask: Callable[[], Awaitable[object]]) -> int:
            return loop.run_until_complete(timed_async(ask))

        ways: dict[str, Callable[[], int]] = {
            "ctypes": lambda: timed(lambda: bare(pointer)),
            "ctypes_thread": lambda: worker.submit(timed, lambda: bare(pointer)).result(),
            "thread": lambda: worker.submit(timed, lambda: asked(client)).result(),
            "main": lambda: timed(lambda: asked(client)),
            "asyncio": lambda: on_loop(lambda: asked_async(async_client)),
            "drop_in": lambda: on_loop(lambda: asked_drop_in(drop_in)),
        }
        for ask in ways.values():
            ask()  # Makes the pair and the connection.
        used: dict[str, list[int]] = {name: [] for name in ways}
        order = list(ways)
        for _ in range(count):
            for name in order:
                used[name].append(ways[name]())
            order = order[1:] + order[:1]
        loop.run_until_complete(async_client.close())
    print(json.dumps({name: round(median(each) / 1000, 1) for name, each in used.items()}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
