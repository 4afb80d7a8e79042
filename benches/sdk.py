"""Measures the same small request with the official Python SDK, warm and sequential.

    sdk.py N

Prints one JSON line: the wall and CPU (user and system) time of one request in microseconds over N of them, and the peak
resident size. NOMYO_TEST_BASE_URL names the endpoint, SSL_CERT_FILE its CA.
"""

import asyncio
import json
import os
import re
import resource
import sys
import time

from nomyo import SecureChatCompletion


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_kb() -> int:
    """Not ru_maxrss, which begins with the peak of the program that started this one."""
    with open("/proc/self/status") as status:
        return int(re.search(r"VmHWM:\s*(\d+)", status.read())[1])


async def measure(count: int) -> dict:
    client = SecureChatCompletion(base_url=os.environ["NOMYO_TEST_BASE_URL"], max_retries=0)

    async def request() -> None:
        answer = await client.create(
            model="Qwen/Qwen3-0.6B",
            messages=[{"role": "user", "content": "What is the capital of France?"}],
            temperature=0.7,
        )
        if not answer["choices"][0]["message"]["content"]:
            sys.exit("sdk: the answer has no content")

    await request()
    wall, cpu = time.monotonic(), cpu_seconds()
    for _ in range(count):
        await request()
    cpu, wall = cpu_seconds() - cpu, time.monotonic() - wall
    return {"wall_us": round(wall / count * 1e6), "cpu_us": round(cpu / count * 1e6), "peak_kb": peak_kb()}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(int(sys.argv[1])))))
