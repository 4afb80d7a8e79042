"""Connections that are used again, and what a call knows about its package: scripted by a gateway before the endpoint.

A server that takes a request and closes has perhaps worked on it, so that a second POST is the caller's decision. Bytes
that nobody asked for are no answer to the next request.
"""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import certificates
from abi import KEYS, NOT_SENT, Cancel, Client, Outcome
from certificates import Certificate
from checks import Checks
from endpoint import Endpoint
from gateway import Gateway, Request, response
from matrix import SLACK
from rows import SOON
from table import Bench

# A connection counts as idle after a second.
IDLE_S, WORK_S = 1.2, 2.0
STALE = response(401, b'{"detail":"stale"}')
# Lengths of a whole answer, at and around the sizes of buffers and of TLS records.
LENGTHS = [4074, 8170, 12_266, 16_362, 16_384, 32_768]
# The stale bytes are in the record of the answer, in a record or a segment of their own, or come after a pause.
PLACES = ["same record", "own record", "own segment", "late"]
COULD_NOT_DECRYPT = {"status": 400, "body": '{"detail":"could not decrypt the request"}'}


class Scripted:
    """A gateway and a client of it."""

    def __init__(self, bench: Bench, endpoint: Endpoint, own: Certificate | None, **settings: object) -> None:
        self.gateway = Gateway(endpoint, own.context() if own else None)
        trust = {"ca_file": endpoint.ca_file} if own else {"allow_http": 1}
        settings = {"base_url": self.gateway.url, "proxy": "", **trust, **settings}
        self.client = Client(bench.library, **settings)

    def __enter__(self) -> "Scripted":
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.gateway.close()


def knows(checks: Checks, what: str, outcome: Outcome, status: str, sent: str, attempts: int) -> None:
    """The call's status, its fact and its number, and words that do not contradict the fact."""
    got = (outcome.status, outcome.sent, outcome.attempts)
    checks.that(got == (status, sent, attempts), f"{what}: {got}, not {(status, sent, attempts)}: {outcome.message}")
    said = NOT_SENT in outcome.message
    checks.that(said == (sent == "no"), f"{what}: the message does not fit to the fact: {outcome.message}")
    print(f"  {what}: {outcome.status}, sent {outcome.sent or '-'}, {outcome.attempts} attempts")


def worked_and_closed(bench: Bench, endpoint: Endpoint, own: Certificate | None, retries: int, checks: Checks) -> None:
    """The server reads a request whole on a connection that was idle, works on it and closes."""

    def script(gateway: Gateway, request: Request, number: int) -> bool:
        if number == 1:
            return gateway.pass_on(request, number)
        request.read()
        time.sleep(WORK_S)
        return False

    with Scripted(bench, endpoint, own, max_retries=retries) as one:
        one.gateway.script = script
        one.client.create("warm")
        time.sleep(IDLE_S)
        outcome = one.client.create("charge me once")
        what = f"{'TLS' if own else 'TCP'}, read and closed after {WORK_S:.0f} s, {retries} retries"
        knows(checks, what, outcome, "CONNECTION", "maybe", 1 + retries)
        posts = one.gateway.posts - 1
        checks.that(posts == 1 + retries, f"{what}: {posts} POSTs, not {1 + retries}")
        ids = {outcome.payload_id, *one.gateway.payload_ids[1:]}
        checks.that(len(ids) == 1, f"{what}: the error's payload id is not the header's: {ids}")
        announced = [line for line in one.client.log if "retr" in line.lower() or "again" in line.lower()]
        checks.that(len(announced) >= retries, f"{what}: no log line of the retry: {one.client.log[-4:]}")


def stale_bytes(bench: Bench, endpoint: Endpoint, own: Certificate | None, checks: Checks) -> None:
    """A second answer behind the first one is never the next call's."""

    def one(length: int, place: str) -> None:
        def script(gateway: Gateway, request: Request, number: int) -> bool:
            natural = len(gateway.right_answer(request))
            answer = gateway.right_answer(request, max(0, length - natural))
            connection = request.connection
            if number > 1 or place == "none":
                connection.sendall(answer)
                return True
            # A longer text than a record holds is two records, and they leave together.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, place in ("same record", "own record"))
            connection.sendall(answer + STALE if place == "same record" else answer)
            if place == "late":
                time.sleep(0.1)
            if place != "same record":
                connection.sendall(STALE)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, False)
            return True

        with Scripted(bench, endpoint, own, max_retries=0) as scripted:
            scripted.gateway.script = script
            asked = [f"question {n}" for n in range(3)]
            ended = []
            for question in asked:
                ended.append(scripted.client.create(question, timeout_ms=10_000))
                time.sleep({"own segment": 0.05, "late": 0.3}.get(place, 0.0))
            what = f"{'TLS' if own else 'TCP'}, an answer of {length} bytes, stale bytes: {place}"
            said = [outcome.content or f"{outcome.status} {outcome.message}" for outcome in ended]
            checks.that(said == asked, f"{what}: {said}")
            wanted = 1 if place == "none" else 2
            made = scripted.gateway.connections
            checks.that(made == wanted, f"{what}: {made} connections, not {wanted}")

    for place in ["none", *PLACES]:
        for length in LENGTHS:
            one(length, place)


def unasked_while_idle(bench: Bench, endpoint: Endpoint, own: Certificate | None, checks: Checks) -> None:
    """A timeout's answer of a server that closes idle connections, such as 408, is not the next call's either."""

    def script(gateway: Gateway, request: Request, number: int) -> bool:
        gateway.pass_on(request, number)
        if number > 1:
            return True
        time.sleep(0.2)
        request.connection.sendall(response(408))
        return False

    with Scripted(bench, endpoint, own, max_retries=0) as one:
        one.gateway.script = script
        one.client.create("warm")
        time.sleep(0.5)
        outcome = one.client.create("after a 408")
        what = f"{'TLS' if own else 'TCP'}, 408 while idle, then closed"
        checks.that(outcome.content == "after a 408", f"{what}: {outcome.status} {outcome.message}")
        checks.that(one.gateway.posts == 2, f"{what}: {one.gateway.posts} POSTs, not 2")


def answered_and_not(bench: Bench, endpoint: Endpoint, checks: Checks) -> None:
    """The fact is about every attempt that left, not about the last one."""
    answer = response(503, b"{}", *SOON.items())
    for what, first, then, status, sent in [
        ("closed, then 400", b"", response(400, b"{}"), "BAD_REQUEST", "maybe"),
        ("503, then closed", answer, b"", "CONNECTION", "maybe"),
        ("503, then 400", answer, response(400, b"{}"), "BAD_REQUEST", "yes"),
    ]:
        turns = [first, then]

        def script(_gateway: Gateway, request: Request, number: int, turns: list[bytes] = turns) -> bool:
            request.read()
            request.connection.sendall(turns[number - 1])
            return bool(turns[number - 1])

        with Scripted(bench, endpoint, None, max_retries=1) as one:
            one.client.warm_up()
            one.gateway.script = script
            knows(checks, what, one.client.create("x"), status, sent, 2)


def server_goes_away(bench: Bench, endpoint: Endpoint, checks: Checks) -> None:
    """Nothing left in the second attempt: the connection was refused. The first was answered."""

    def script(gateway: Gateway, request: Request, _number: int) -> bool:
        request.read()
        gateway.port.close()
        request.connection.sendall(response(503, b"{}", ("Connection", "close"), *SOON.items()))
        return False

    with Scripted(bench, endpoint, None, max_retries=1) as one:
        one.client.warm_up()
        one.gateway.script = script
        knows(checks, "503, then refused", one.client.create("x"), "CONNECTION", "yes", 2)


def refused_with_the_key_at_hand(bench: Bench, endpoint: Endpoint, checks: Checks) -> None:
    with Scripted(bench, endpoint, None, max_retries=0) as one:
        one.gateway.script = lambda gateway, request, number: not gateway.pass_on(request, number)
        one.client.create("x")
        one.gateway.port.close()
        time.sleep(0.2)
        knows(checks, "refused", one.client.create("x"), "CONNECTION", "no", 1)


def cancelled_before_a_retry(bench: Bench, endpoint: Endpoint, checks: Checks) -> None:
    """A wait of 30 s that the server asked for is cancelled: the package was answered by 503."""
    client = Client(bench.library, base_url=endpoint.url, ca_file=endpoint.ca_file, proxy="", max_retries=1)
    client.warm_up()
    cancel = Cancel(bench.library)
    timer = threading.Timer(1.0, cancel.trigger)
    timer.start()
    outcome = client.create("x", {"status": 503, "body": "{}", "headers": {"Retry-After": "30"}}, cancel=cancel)
    knows(checks, "cancelled in the wait after a 503", outcome, "CANCELLED", "yes", 1)
    checks.that(0.9 < outcome.seconds < 1 + SLACK, f"cancelled after {outcome.seconds:.1f} s")
    timer.join()
    cancel.close()
    client.close()


def key_that_changed(bench: Bench, endpoint: Endpoint, checks: Checks) -> None:
    """The server answers that it could not decrypt, and then shows another key than the pinned one."""
    settings = {"base_url": endpoint.url, "ca_file": endpoint.ca_file, "proxy": ""}
    client = Client(bench.library, **settings, server_key_pin=endpoint.key_fingerprint)
    client.warm_up()
    endpoint.set_faults({"key_fetch": {"key_pem": (KEYS / "other_public.pem").read_text()}})
    before = endpoint.stats()["requests"]
    outcome = client.create("x", COULD_NOT_DECRYPT)
    endpoint.set_faults({})
    knows(checks, "another key after a 400", outcome, "PIN", "yes", 1)
    seen = endpoint.stats()["requests"] - before
    checks.that(seen == 1, f"another key after a 400: {seen} requests")
    client.close()


def cancelled_while_the_key_is_fetched_again(bench: Bench, endpoint: Endpoint, checks: Checks) -> None:
    """Both calls were answered that they cannot be decrypted. One fetches the key, the other is cancelled waiting."""
    with Scripted(bench, endpoint, None, max_retries=0) as one:
        one.client.warm_up()
        both = threading.Barrier(2)

        def script(_gateway: Gateway, request: Request, _number: int) -> bool:
            request.read()
            time.sleep(0.3 * both.wait())
            request.connection.sendall(response(400, COULD_NOT_DECRYPT["body"].encode()))
            return True

        one.gateway.script = script
        endpoint.set_faults({"key_fetch": {"delay_before_headers_ms": 3000, "times": 1}})
        cancel = Cancel(bench.library)
        with ThreadPoolExecutor(2) as threads:
            calls = [threads.submit(one.client.create, "x", None, 20_000, cancel) for _ in range(2)]
            time.sleep(1.5)
            cancel.trigger()
            ended = [call.result() for call in calls]
        endpoint.set_faults({})
        cancel.close()
        for outcome in ended:
            knows(checks, "cancelled while the key is fetched again", outcome, "CANCELLED", "yes", 1)


def counted_key_fetches(bench: Bench, endpoint: Endpoint, checks: Checks) -> None:
    """Without a POST, the attempts of an error are the key fetches."""
    settings = {"base_url": endpoint.url, "ca_file": endpoint.ca_file, "proxy": ""}
    pinned = Client(bench.library, **settings, server_key_pin="ab" * 32)
    knows(checks, "another key than the pinned one", pinned.create("x"), "PIN", "no", 1)
    pinned.close()
    known = bench.work / "known"
    known.write_text(f"{endpoint.url} {'ab' * 32}\n")
    known.chmod(0o600)
    remembering = Client(bench.library, **settings, known_servers=str(known))
    knows(checks, "another key than the known one", remembering.create("x"), "PIN", "no", 1)
    remembering.close()
    unwritable = Client(bench.library, **settings, known_servers="/proc/nowhere/known")
    knows(checks, "known servers in no directory", unwritable.create("x"), "IO", "no", 1)
    unwritable.close()


def run(bench: Bench) -> Checks:
    checks = Checks("connections")
    with ExitStack() as done:
        endpoint = bench.endpoint()
        done.callback(endpoint.close)
        own = certificates.make(bench.work, "connections", certificates.of_the_endpoint(bench.state))
        with ThreadPoolExecutor() as threads:
            slow = [
                threads.submit(worked_and_closed, bench, endpoint, certificate, retries, checks)
                for certificate in (None, own)
                for retries in (0, 1)
            ]
            for certificate in (None, own):
                stale_bytes(bench, endpoint, certificate, checks)
                unasked_while_idle(bench, endpoint, certificate, checks)
            for one in slow:
                one.result()
        for part in (answered_and_not, server_goes_away, refused_with_the_key_at_hand, cancelled_before_a_retry,
                     key_that_changed, cancelled_while_the_key_is_fetched_again, counted_key_fetches):  # fmt: skip
            part(bench, endpoint, checks)
    checks.summary()
    return checks
