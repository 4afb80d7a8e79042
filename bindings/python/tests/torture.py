"""Clients, answers, views and all the rest, dropped in every order, from every thread, with garbage collections between.

    PYTHONMALLOC=debug tests/with_endpoint.sh python -X dev bindings/python/tests/torture.py [OBJECTS]

Needs the network only for one package, which is opened again and again.
"""

import gc
import os
import queue
import random
import shutil
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import nomyo_native as nomyo
from nomyo_native._memory import memory_info

OBJECTS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
THREADS = 8
PLAIN = os.environ["NOMYO_TEST_PLAIN_BASE_URL"]
KEYS = Path(__file__).parents[3] / "tests" / "fixtures" / "protocol" / "keys"
REQUEST = {"model": "echo", "messages": [{"role": "user", "content": "Hello"}]}
OPTIONS: dict[str, Any] = {"allow_http": True, "environment": False}


class Work:
    """What all threads share: one sealed request and the package that answers it."""

    def __init__(self, keys: Path) -> None:
        with urllib.request.urlopen(f"{PLAIN}/pki/public_key") as answer:
            self.server_pem = answer.read()
        self.client = nomyo.Client(PLAIN, **OPTIONS)
        self.client.load_keys(keys)  # RSA-2048: an answer in 1 ms
        self.sealed = self.client.seal(self.server_pem, REQUEST)
        request = urllib.request.Request(f"{PLAIN}/v1/chat/secure_completion", self.sealed.body, self.sealed.headers)
        with urllib.request.urlopen(request) as answer:
            self.package = answer.read()

    def make(self, chance: random.Random) -> list[Any]:
        """Objects that hang together in one of the ways that there are."""
        kind = chance.randrange(10)
        if kind < 2:
            return [nomyo.Client(PLAIN, **OPTIONS)]
        if kind < 5:
            answer = self.client.open(self.sealed, self.package)
            view = answer.view("content")
            assert view is not None and bytes(view) == b"Hello"
            return [answer, view, view[1:], answer["choices"], answer.view()]
        if kind == 5:
            answer = self.client.open(self.sealed, self.package)
            cycle: dict[str, Any] = {"answer": answer, "view": answer.view("/usage")}
            cycle["self"] = cycle  # only a collection frees it
            return [cycle]
        if kind == 6:
            return [nomyo.Cancel(), nomyo.AttestationPolicy()]
        if kind == 7:
            buffer = nomyo.SecureBuffer(b"secret")
            buffer.lock()
            return [buffer, memoryview(buffer.data)]
        if kind == 8:
            return [self.client.seal(self.server_pem, REQUEST)]
        return [{"client": (client := nomyo.Client(PLAIN, **OPTIONS)), "sdk": nomyo.SecureChatCompletion(), "c": client}]


def torture(work: Work, seed: int, count: int, passing: "queue.SimpleQueue[Any]") -> None:
    """Drops `count` objects: its own and those that other threads pass on, closed or not, in any order."""
    chance = random.Random(seed)
    held: list[Any] = []
    dropped = 0
    while dropped < count:
        held += work.make(chance)
        chance.shuffle(held)
        while len(held) > 12:
            thing = held.pop()
            dropped += 1
            fate = chance.randrange(4)
            if fate == 0 and hasattr(thing, "close"):
                thing.close()
            elif fate == 1:
                passing.put(thing)
                dropped -= 1
                try:
                    held.append(passing.get_nowait())
                except queue.Empty:
                    pass
            elif fate == 2 and isinstance(thing, memoryview):
                thing.release()
            del thing
        if chance.randrange(200) == 0:
            gc.collect()
    held.clear()


def settled() -> tuple[int, int]:
    """The library's mapped bytes and the process's threads, when everything is gone."""
    for _ in range(3):
        gc.collect()
    return memory_info().mapped, threading.active_count()


def main() -> int:
    unraisable: list[object] = []
    sys.unraisablehook = lambda seen: unraisable.append((seen.exc_value, seen.object))
    threading.excepthook = lambda seen: unraisable.append(seen.exc_value)
    with tempfile.TemporaryDirectory() as private:  # a file that others may read is refused
        keys = Path(shutil.copy(KEYS / "client2048_private.pem", private))
        keys.chmod(0o600)
        work = Work(keys)
    passing: queue.SimpleQueue[Any] = queue.SimpleQueue()
    begun = time.monotonic()
    rounds, after = 4, []
    for number in range(rounds):
        threads = [
            threading.Thread(target=torture, args=(work, 100 * number + seed, OBJECTS // rounds // THREADS, passing))
            for seed in range(THREADS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        while not passing.empty():
            passing.get()
        after.append(settled())
    print(f"{OBJECTS} objects dropped by {THREADS} threads in {time.monotonic() - begun:.1f} s")
    print(f"after each quarter, the library's mapped bytes and the threads: {after}")
    assert not unraisable, unraisable[:3]
    assert after[-1][1] <= after[0][1], "threads stay"
    assert after[-1][0] <= after[0][0] * 1.25, "memory stays"
    assert work.client.open(work.sealed, work.package).content() == "Hello"
    return 0


if __name__ == "__main__":
    sys.exit(main())
