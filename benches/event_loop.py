"""For how long calls that begin in one turn of asyncio's event loop keep it from other work.

    event_loop.py CALLS

Prints one JSON line: in microseconds, the longest time by which a timer of 1 ms was late while CALLS calls began in one turn,
and until all of them had ended. The time for which the loop's thread waited for a processor is not counted. `idle_us` is the same without a call. `begin_us` is the CPU time of the turn in which the
calls begin. NOMYO_TEST_BASE_URL and NOMYO_TEST_CA_FILE name the endpoint, NOMYO_LIBRARY the library.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bindings" / "python"))

from nomyo_native import AsyncClient

REQUEST: dict[str, Any] = {"model": "echo", "messages": [{"role": "user", "content": "What is the capital of France?"}]}
TICK_S = 0.001
SCHEDULED = Path(f"/proc/self/task/{os.getpid()}/schedstat")


def waited_s() -> float:
    """For how long the main thread has waited for a processor."""
    return int(SCHEDULED.read_text().split()[1]) / 1e9


class Lateness:
    """A timer that is set again each time, and remembers by how much it was late at most."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop, self.longest_s = loop, 0.0
        self._set()

    def _set(self) -> None:
        self.waited = waited_s()
        self.due = self.loop.time() + TICK_S
        self.timer = self.loop.call_at(self.due, self._ring)

    def _late_s(self) -> float:
        return max(self.longest_s, self.loop.time() - self.due - (waited_s() - self.waited))

    def _ring(self) -> None:
        self.longest_s = self._late_s()
        self._set()

    def end_us(self) -> float:
        self.timer.cancel()
        return round(self._late_s() * 1e6, 1)


async def ask(client: AsyncClient) -> None:
    with await client.create(**REQUEST) as answer:
        answer.content()


async def main(count: int) -> None:
    loop = asyncio.get_running_loop()
    async with AsyncClient(os.environ["NOMYO_TEST_BASE_URL"], ca_file=os.environ["NOMYO_TEST_CA_FILE"]) as client:
        await ask(client)
        lateness = Lateness(loop)
        await asyncio.sleep(1)
        idle = lateness.end_us()
        lateness = Lateness(loop)
        await asyncio.sleep(0.05)
        cpu: list[int] = []
        tasks = [loop.create_task(ask(client)) for _ in range(count)]  # They run in the next turn, in this order.
        cpu.append(time.thread_time_ns())
        loop.call_soon(lambda: cpu.append(time.thread_time_ns()))  # This runs behind them.
        await asyncio.gather(*tasks)
        print(json.dumps({"idle_us": idle, "block_us": lateness.end_us(), "begin_us": round((cpu[1] - cpu[0]) / 1000, 1)}))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
