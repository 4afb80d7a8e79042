"""A connection whose packets vanish, as after a firewall's restart: new connections work, and nobody says a word.

Two network namespaces are joined by a cable. The servers are in the far one, where a rule of the kernel swallows the
packets of one connection, both ways. A call on such a connection must end long before its timeout, while a healthy server
that thinks, or that does not read for a while, is waited for.
"""

import ctypes
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import certificates
from abi import Client, Outcome
from certificates import Certificate
from checks import Checks
from endpoint import Endpoint
from gateway import Gateway, Request
from peers import Port
from table import Bench

NEAR, FAR = "10.84.0.1", "10.84.0.2"
CLONE_NEWNET = 0x40000000
TIMEOUT_MS = 120_000
# The end of a call on a dead connection: not at once, since packets are late and lost, and well before the timeout.
LEAST_S, MOST_S = 10.0, 60.0
# Sealing 8 MiB takes a second in a debug build.
BUSY_S = 5.0
# Longer than a dead connection lasts.
THINKING_S = 45.0
# More than the buffers on the way hold. A small window and late acknowledgements make more of it take long.
LARGE, UNREAD = 8 << 20, 1 << 20


def shell(command: str) -> None:
    subprocess.run(command.split(), check=True)


class FarSide:
    """A thread in a network namespace of its own. A socket that is opened there stays there, whoever uses it."""

    def __init__(self) -> None:
        self.thread = ThreadPoolExecutor(1)
        number = self.call(self._leave)
        shell("ip link add near type veth peer name far")
        shell(f"ip link set far netns {number}")
        shell(f"ip addr add {NEAR}/24 dev near")
        shell("ip link set near up")
        for command in (
            f"ip addr add {FAR}/24 dev far",
            "ip link set far up",
            "ip link set lo up",
            # The table of local addresses comes after the rules of swallow().
            "ip rule add pref 10 lookup local",
            "ip rule del pref 0",
        ):
            self.call(shell, command)

    @staticmethod
    def _leave() -> int:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare")
        return threading.get_native_id()

    def call(self, function: Callable[..., Any], *arguments: object) -> Any:
        return self.thread.submit(function, *arguments).result()

    def swallow(self, near: int, far: int) -> None:
        """From now on no packet between these two ports arrives."""
        self.call(shell, f"ip rule add pref 5 iif far ipproto tcp sport {near} dport {far} blackhole")
        self.call(shell, f"ip rule add pref 5 ipproto tcp sport {far} dport {near} blackhole")

    def close(self) -> None:
        shell("ip link del near")
        self.thread.shutdown()


class Flow:
    """A gateway in the far namespace, and a client here whose one connection to it is idle."""

    def __init__(self, bench: Bench, endpoint: Endpoint, far: FarSide, own: Certificate, **settings: object) -> None:
        self.far = far
        self.gateway = Gateway(endpoint, own.context(), far.call(Port, FAR))
        self.gateway.script = self._noting
        self.near = 0
        self.client = Client(bench.library, base_url=self.gateway.url, ca_file=endpoint.ca_file, **settings)
        first = self.client.create("before")
        if first.status != "OK":
            raise RuntimeError(f"over the cable: {first}")

    def _noting(self, gateway: Gateway, request: Request, number: int) -> bool:
        self.near = request.connection.getpeername()[1]
        return gateway.pass_on(request, number)

    def swallow(self) -> None:
        self.far.swallow(self.near, self.gateway.port.number)

    def close(self) -> None:
        self.client.close()
        self.gateway.close()


def swallowed_while_idle(flow: Flow, size: int) -> Outcome:
    flow.swallow()
    return flow.client.create("x" * size, timeout_ms=TIMEOUT_MS)


def swallowed_while_it_thinks(flow: Flow) -> Outcome:
    """The server has acknowledged the whole request, so that only keepalive can tell."""

    def script(gateway: Gateway, request: Request, _number: int) -> bool:
        request.read()
        time.sleep(1)
        flow.swallow()
        return not gateway.done.wait(TIMEOUT_MS / 1000)

    flow.gateway.script = script
    return flow.client.create("x", timeout_ms=TIMEOUT_MS)


def thinks(flow: Flow) -> Outcome:
    def script(gateway: Gateway, request: Request, number: int) -> bool:
        request.read()
        time.sleep(THINKING_S)
        return gateway.pass_on(request, number)

    flow.gateway.script = script
    return flow.client.create("x", timeout_ms=TIMEOUT_MS)


def does_not_read_for_a_while(flow: Flow) -> Outcome:
    """The server's window is closed. It acknowledges each probe: it is alive."""

    def script(gateway: Gateway, request: Request, number: int) -> bool:
        time.sleep(THINKING_S)
        return gateway.pass_on(request, number)

    flow.gateway.script = script
    return flow.client.create("x" * UNREAD, timeout_ms=TIMEOUT_MS)


def is_idle(checks: Checks, what: str, outcome: Outcome) -> None:
    """A call that waits does not spin."""
    used = outcome.cpu_seconds
    checks.that(used < BUSY_S, f"{what}: used {used:.1f} s of processor time in {outcome.seconds:.0f} s")


def died(checks: Checks, what: str, outcome: Outcome) -> None:
    got = (outcome.status, outcome.sent, outcome.attempts)
    wanted = ("CONNECTION", "maybe", 1)
    checks.that(got == wanted, f"{what}: {got}, not {wanted}: {outcome.message}")
    is_idle(checks, what, outcome)
    in_time = LEAST_S < outcome.seconds < MOST_S
    checks.that(in_time, f"{what}: ended after {outcome.seconds:.1f} s, not between {LEAST_S:.0f} and {MOST_S:.0f}")
    print(f"  {what}: {outcome.status} after {outcome.seconds:.1f} s")


def lived(checks: Checks, what: str, outcome: Outcome, attempts: int) -> None:
    got = (outcome.status, outcome.attempts)
    checks.that(got == ("OK", attempts), f"{what}: {got}, not OK after {attempts}: {outcome.message}")
    is_idle(checks, what, outcome)
    checks.that(outcome.seconds < MOST_S + LEAST_S, f"{what}: took {outcome.seconds:.1f} s")
    print(f"  {what}: {outcome.status} after {outcome.seconds:.1f} s, {outcome.attempts} attempts")


def run(bench: Bench) -> Checks:
    checks = Checks("blackhole")
    why_not = bench.no_namespace
    try:
        far = None if why_not else FarSide()
    except (OSError, subprocess.CalledProcessError) as error:
        why_not = f"this system does not join two network namespaces: {error}"
    if why_not or not far:
        checks.skip(f"a connection whose packets vanish: {why_not}")
        checks.summary()
        return checks
    with ExitStack() as done:
        done.callback(far.close)
        endpoint = bench.endpoint()
        done.callback(endpoint.close)
        authority = certificates.of_the_endpoint(bench.state)
        own = certificates.make(bench.work, "blackhole", authority, names=f"IP:{FAR}")

        def flow(**settings: object) -> Flow:
            made = Flow(bench, endpoint, far, own, proxy="", **settings)
            done.callback(made.close)
            return made

        with ThreadPoolExecutor() as threads:
            dead: dict[str, Future[Outcome]] = {
                "swallowed while idle": threads.submit(swallowed_while_idle, flow(max_retries=0), 1),
                "swallowed while idle, 8 MiB": threads.submit(swallowed_while_idle, flow(max_retries=0), LARGE),
                "swallowed while it thinks": threads.submit(swallowed_while_it_thinks, flow(max_retries=0)),
            }
            retried = threads.submit(swallowed_while_idle, flow(max_retries=2), 1)
            thinking = threads.submit(thinks, flow(max_retries=0))
            not_reading = threads.submit(does_not_read_for_a_while, flow(max_retries=0))
            for what, call in dead.items():
                died(checks, what, call.result())
            lived(checks, "swallowed while idle, 2 retries", retried.result(), 2)
            lived(checks, f"thinks for {THINKING_S:.0f} s", thinking.result(), 1)
            lived(checks, f"does not read for {THINKING_S:.0f} s", not_reading.result(), 1)
    checks.summary()
    return checks
