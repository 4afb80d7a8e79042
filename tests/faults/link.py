"""A bad network: every packet 200 ms late, one in twenty lost, and connections cut in mid-answer.

In the test's own network namespace. The kernel's netem does it on the loopback; a kernel without netem gets a mirror: a
TUN device whose packets this process delays, drops and sends back with their two addresses swapped. A client that calls
the mirror's far address so reaches a server at its near one, through packets that are late and lost both ways.
"""

import collections
import fcntl
import os
import random
import select
import struct
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from abi import Client, Outcome
from checks import Checks
from peers import Port, relay
from table import NAME, Bench

DELAY_S, LOSS = 0.2, 0.05
REQUESTS, THREADS, CUT_EVERY = 200, 16, 10
TIMEOUT_MS, SLACK_S = 30_000, 5.0
NEAR, FAR = "10.83.0.1", "10.83.0.2"
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000


def run_quietly(command: str) -> bool:
    return subprocess.run(command.split(), capture_output=True).returncode == 0


class Mirror:
    """The TUN device, and the thread that passes its packets back."""

    def __init__(self) -> None:
        self.device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.device, TUNSETIFF, struct.pack("16sH22x", b"mirror", IFF_TUN | IFF_NO_PI))
        for command in (f"ip addr add {NEAR}/24 dev mirror", "ip link set mirror up"):
            subprocess.run(command.split(), check=True)
        self.passed = self.lost = 0
        threading.Thread(target=self._pass, daemon=True).start()

    def _pass(self) -> None:
        late: collections.deque[tuple[float, bytes]] = collections.deque()
        dice = random.Random(83)
        while True:
            wait = max(0.0, late[0][0] - time.monotonic()) if late else None
            if select.select([self.device], [], [], wait)[0]:
                packet = os.read(self.device, 65536)
                if packet[0] >> 4 != 4:
                    continue  # IPv6's own chatter
                if dice.random() < LOSS:
                    self.lost += 1
                    continue
                # Swapped addresses leave all checksums right.
                late.append((time.monotonic() + DELAY_S, packet[:12] + packet[16:20] + packet[12:16] + packet[20:]))
            while late and late[0][0] <= time.monotonic():
                os.write(self.device, late.popleft()[1])
                self.passed += 1


def one(client: Client, number: int) -> tuple[int, Outcome]:
    cut = {"reset": "in_body", "times": 1} if number % CUT_EVERY == 0 else None
    return number, client.create(f"over a bad network {number}", cut, TIMEOUT_MS)


def judge(checks: Checks, ended: list[tuple[int, Outcome]]) -> None:
    """None wrong, none hung; what was not cut is answered, and what was cut is tried again or a lost connection."""
    wrong = [n for n, o in ended if o.status == "OK" and o.content != f"over a bad network {n}"]
    late = [n for n, o in ended if o.seconds > TIMEOUT_MS / 1000 + SLACK_S]
    failed = [f"{n}: {o.status} {o.message}" for n, o in ended if n % CUT_EVERY and o.status != "OK"]
    cut = collections.Counter(o.status for n, o in ended if not n % CUT_EVERY)
    checks.that(len(ended) == REQUESTS, f"{len(ended)} requests ended, not {REQUESTS}")
    checks.that(not wrong, f"wrong answers to {wrong}")
    checks.that(not late, f"ended after their deadline: {late}")
    checks.that(not failed, f"failed, though not cut: {failed[:3]}")
    checks.that(set(cut) <= {"OK", "CONNECTION"}, f"those that were cut ended as {dict(cut)}")
    seconds = sorted(o.seconds for _, o in ended)
    print(f"  {len(ended)} requests: median {seconds[len(seconds) // 2]:.1f} s, longest {seconds[-1]:.1f} s")
    print(f"  those that were cut: {dict(cut)}")


def run(bench: Bench) -> Checks:
    checks = Checks("link")
    if bench.no_namespace:
        checks.skip(f"a bad network: {bench.no_namespace}")
        checks.summary()
        return checks
    netem = run_quietly(f"tc qdisc add dev lo root netem delay {DELAY_S * 1000:.0f}ms loss {LOSS:.0%}")
    mirror = None if netem else Mirror()
    endpoint = bench.endpoint()
    near = Port(NEAR).serve(lambda client: relay(client, endpoint.port)) if mirror else None
    bench.names.address = FAR if mirror else "127.0.0.1"
    url = f"https://{NAME}:{near.number if mirror else endpoint.port}"
    client = Client(bench.library, base_url=url, ca_file=endpoint.ca_file, proxy="")
    with ThreadPoolExecutor(THREADS) as threads:
        ended = list(threads.map(lambda number: one(client, number), range(REQUESTS)))
    print(f"  by {'netem' if netem else f'a mirror: {mirror.passed} packets passed, {mirror.lost} lost'}")
    judge(checks, ended)
    client.close()
    bench.names.address = "127.0.0.1"
    if mirror:
        near.close()
    else:
        run_quietly("tc qdisc del dev lo root")
    endpoint.close()
    checks.summary()
    return checks
