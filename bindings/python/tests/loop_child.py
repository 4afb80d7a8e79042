"""Measures how long an event loop is away while calls are made; test_async.py shows it.

    python loop_child.py new|idle|keys

The figures are the loop's own only when this process need not wait for a CPU. So it goes before all others, where it may.
"""

import asyncio
import json
import os
import sys
import time

from nomyo_native import SecureChatCompletion

CALLS = 200


class Pulse:
    """How much longer than a millisecond the loop takes to come back."""

    def __init__(self) -> None:
        self.blocks: list[float] = []
        self._task = asyncio.create_task(self._beat())
        self._begun, self._cpu = time.perf_counter(), time.thread_time()

    async def _beat(self) -> None:
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(0.001)
            self.blocks.append(time.perf_counter() - begun - 0.001)

    def end(self) -> dict[str, float]:
        self._task.cancel()
        took, cpu = time.perf_counter() - self._begun, time.thread_time() - self._cpu
        return {"longest": max(self.blocks), "beats": len(self.blocks), "took": took, "cpu": cpu}


async def ask(client: SecureChatCompletion, text: str) -> None:
    answer = await client.create("echo", [{"role": "user", "content": text}])
    assert answer["choices"][0]["message"]["content"] == text


async def many(client: SecureChatCompletion) -> dict[str, float]:
    pulse = Pulse()
    await asyncio.gather(*(ask(client, f"message {number}") for number in range(CALLS)))
    return pulse.end()


async def main(kind: str) -> dict[str, float]:
    client = SecureChatCompletion(os.environ["NOMYO_TEST_BASE_URL"], api_key="test")
    pulse = Pulse()
    await ask(client, "first")
    seen = pulse.end()
    if kind in ("new", "idle"):
        seen = await many(client)
    if kind == "idle":
        seen = await many(client)
    return seen


try:
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    realtime = True
except OSError:
    realtime = False
print(json.dumps({**asyncio.run(main(sys.argv[1])), "realtime": realtime}))
