"""Names with two addresses, of which one swallows all packets, as with an IPv6 route that is announced and broken.

RFC 8305: the next address is tried 250 ms later, while the first attempt goes on, and a client remembers the family that
worked. Needs a network namespace of the test's own, for its name server.
"""

import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from abi import Client, Outcome
from checks import Checks
from peers import PATIENCE, Port, relay
from table import GOODBYE, NAME, Bench

# A stagger of 0.25 s, and the time that a busy machine needs. Half of the connect timeout would be 5 s.
WITH_STAGGER_S = 1.5
THREADS, TIMES = 6, 3
HASTY_MS = 400


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


class TwoAddresses:
    """The endpoint under a name with the addresses ::1 and 127.0.0.1, both on one port, each of them good or not."""

    def __init__(self, bench: Bench, done: ExitStack) -> None:
        self.bench = bench
        self.endpoint = bench.endpoint()
        done.callback(self.endpoint.close)
        self.ports: dict[str, Port] = {}
        self.number = 0
        done.callback(lambda: [port.close() for port in self.ports.values()])

    def become(self, address: str, how: str) -> None:
        """Makes an address "good", "dead" (it swallows what comes) or let it refuse."""
        if old := self.ports.pop(address, None):
            old.close()
        port = self.ports[address] = Port(address, self.number)
        self.number = port.number
        if how == "good":
            port.serve(lambda client: relay(client, self.endpoint.port))
        elif how == "dead":
            port.fill()

    def client(self, **settings: object) -> Client:
        url = f"https://{NAME}:{self.number}"
        return Client(self.bench.library, base_url=url, ca_file=self.endpoint.ca_file, proxy="", **settings)


def swallowed() -> int:
    """How many attempts to connect the dead addresses of this network namespace have swallowed."""
    names, numbers = [line.split() for line in Path("/proc/net/netstat").read_text().splitlines()[:2]]
    return int(numbers[names.index("ListenDrops")])


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def median(outcomes: list[Outcome]) -> float:
    return sorted(outcome.seconds for outcome in outcomes)[len(outcomes) // 2]


def answered(checks: Checks, what: str, outcomes: list[Outcome], most: float) -> None:
    """All of them are answered, and half of them so soon."""
    wrong = [f"{outcome.status} {outcome.message}" for outcome in outcomes if outcome.status != "OK"]
    checks.that(not wrong, f"{what}: {wrong}")
    seconds = median(outcomes)
    checks.that(seconds < most, f"{what}: {seconds:.2f} s, not below {most:.2f}")
    print(f"  {what}: {seconds:.2f} s")


def begins_with_the_other(client: Client, checks: Checks, what: str) -> None:
    """The dead address is not tried."""
    before = swallowed()
    answered(checks, what, [client.create("x", GOODBYE) for _ in range(TIMES)], WITH_STAGGER_S)
    tried = swallowed() - before
    checks.that(tried == 0, f"{what}: the dead address was tried {tried} times")


def one_is_dead(two: TwoAddresses, dead: str, good: str, checks: Checks) -> None:
    two.become(dead, "dead")
    two.become(good, "good")
    fresh = []
    for _ in range(TIMES):
        client = two.client()
        fresh.append(client.create("x", GOODBYE))
        client.close()
    # A client without a memory begins with ::1, so that a dead 127.0.0.1 costs nothing.
    answered(checks, f"{dead} is dead, a client's first connection", fresh, WITH_STAGGER_S)

    client = two.client()
    client.create("x", GOODBYE)
    begins_with_the_other(client, checks, f"{dead} is dead, its next connections")
    client.close()

    client = two.client(connect_timeout_ms=30_000)
    with ThreadPoolExecutor(THREADS) as threads:
        at_once = list(threads.map(lambda _: client.create("x", GOODBYE), range(THREADS)))
    answered(checks, f"{dead} is dead, {THREADS} threads at once, 30 s to connect", at_once, WITH_STAGGER_S)
    client.close()


def families_change(two: TwoAddresses, checks: Checks) -> None:
    """A client begins with the family that it remembers, and does not depend on it."""
    two.become("::1", "dead")
    two.become("127.0.0.1", "good")
    client = two.client(max_retries=0)
    client.create("x", GOODBYE)
    two.become("127.0.0.1", "dead")
    two.become("::1", "good")
    answered(checks, "the remembered address died", [client.create("x", GOODBYE)], WITH_STAGGER_S)
    begins_with_the_other(client, checks, "the remembered address died, then")
    two.become("::1", "refusing")
    two.become("127.0.0.1", "good")
    answered(checks, "the remembered address refuses", [client.create("x", GOODBYE)], WITH_STAGGER_S)
    client.close()


def the_first_refuses(two: TwoAddresses, checks: Checks) -> None:
    two.become("::1", "refusing")
    two.become("127.0.0.1", "good")
    clients = [two.client() for _ in range(TIMES)]
    answered(checks, "::1 refuses", [client.create("x") for client in clients], WITH_STAGGER_S)
    for client in clients:
        client.close()


def both_are_dead(two: TwoAddresses, checks: Checks) -> None:
    """The connect timeout bounds both attempts together. Neither gets a share of it."""
    two.become("::1", "dead")
    two.become("127.0.0.1", "dead")
    client = two.client(max_retries=0, connect_timeout_ms=HASTY_MS)
    outcome = client.create("x")
    checks.that(outcome.status == "TIMEOUT", f"both are dead: {outcome}")
    checks.that(HASTY_MS / 1000 <= outcome.seconds < WITH_STAGGER_S, f"both are dead: after {outcome.seconds:.2f} s")
    client.close()


def run(bench: Bench) -> Checks:
    checks = Checks("addresses")
    if bench.no_namespace or not has_ipv6():
        checks.skip(f"two addresses: {bench.no_namespace or 'this system has no IPv6'}")
        checks.summary()
        return checks
    with ExitStack() as done:
        bench.names.address6 = "::1"
        done.callback(setattr, bench.names, "address6", "")
        two = TwoAddresses(bench, done)
        two.become("::1", "good")
        two.become("127.0.0.1", "good")
        before = descriptors()
        one_is_dead(two, "::1", "127.0.0.1", checks)
        one_is_dead(two, "127.0.0.1", "::1", checks)
        families_change(two, checks)
        the_first_refuses(two, checks)
        both_are_dead(two, checks)
        two.become("::1", "good")
        two.become("127.0.0.1", "good")
        until = time.monotonic() + PATIENCE
        while descriptors() > before and time.monotonic() < until:
            time.sleep(0.1)
        checks.that(descriptors() <= before, f"{descriptors()} descriptors are open, not {before}")
    checks.summary()
    return checks
