"""Answers that come before the request is read: a gateway refuses 8 MiB after the head, and does not read the rest.

Each call must end with the answer's status, after one upload, and soon. The peers are a scripted gateway, which closes,
resets or stops reading, then Go's net/http and hypercorn, which answer early as their users make them.
"""

import json
import resource
import socket
import struct
import subprocess
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import certificates
from abi import Client, Outcome
from certificates import Certificate
from checks import Checks
from endpoint import Endpoint
from gateway import Gateway, Request, Script, response
from peers import PIECE
from real_peers import free_port, server
from rows import DETAIL, WORDS
from table import Bench

HERE = Path(__file__).parent
SIZE = 8 << 20
# The endpoint's debug build takes seconds for a request of megabytes that it answers.
ANSWERED, PATIENT_MS = 2 << 20, 60_000
# The length of an endless head, and how much memory it may take.
ENDLESS, GROWTH_MIB = 1 << 30, 128
# No call waits for anything, so that this is far below the timeout.
SOON_S, TIMEOUT_MS = 10.0, 30_000
# Longer than a client waits before a retry, so that every refusal is the last.
RETRY_AFTER_S = 121
ENDINGS = ["lingers", "closes", "resets", "stops reading"]
WANTED = {413: "HTTP", 401: "AUTHENTICATION", 429: "RATE_LIMIT"}


def end(gateway: Gateway, connection: socket.socket, ending: str) -> None:
    """Ends a connection of which the client still sends its request."""
    if ending == "lingers":
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(0.5)
        while connection.recv(PIECE):
            pass
    elif ending == "resets":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    elif ending == "stops reading":
        gateway.done.wait(TIMEOUT_MS / 1000)


def early(status: int, ending: str, times: int = 1, retry_after: str = str(RETRY_AFTER_S)) -> Script:
    """Answers the first requests from their heads alone."""

    def script(gateway: Gateway, request: Request, number: int) -> bool:
        if number > times:
            return gateway.pass_on(request, number)
        request.connection.sendall(response(status, DETAIL.encode(), ("Retry-After", retry_after)))
        end(gateway, request.connection, ending)
        return False

    return script


def judge(checks: Checks, what: str, outcome: Outcome, status: int, uploads: int) -> None:
    got = (outcome.status, outcome.http, outcome.attempts, outcome.sent, uploads)
    wanted = (WANTED[status], status, 1, "yes", 1)
    checks.that(got == wanted, f"{what}: {got}, not {wanted}: {outcome.message}")
    checks.that(outcome.retry_after_ms == RETRY_AFTER_S * 1000, f"{what}: Retry-After {outcome.retry_after_ms} ms")
    checks.that(outcome.seconds < SOON_S, f"{what}: took {outcome.seconds:.1f} s")
    checks.that(WORDS not in outcome.message, f"{what}: the server's words are in the message")
    print(f"  {what}: {outcome.status}, HTTP {outcome.http or '-'}, {uploads} uploads, {outcome.seconds:.2f} s")


def by_a_gateway(bench: Bench, endpoint: Endpoint, own: Certificate, checks: Checks) -> None:
    """Every ending, of every refusal, with TLS and without."""

    def one(secure: bool, status: int, ending: str) -> None:
        gateway = Gateway(endpoint, own.context() if secure else None)
        client = Client(bench.library, base_url=gateway.url, ca_file=endpoint.ca_file, proxy="", allow_http=1)
        client.warm_up()
        what = f"{status}, then it {ending}, {'TLS' if secure else 'TCP'}"
        gateway.script = early(status, ending)
        outcome = client.create("x" * SIZE, timeout_ms=TIMEOUT_MS)
        judge(checks, what, outcome, status, gateway.posts)
        checks.that(outcome.details == DETAIL.encode(), f"{what}: details {outcome.details!r}")
        after = client.create("after it", timeout_ms=TIMEOUT_MS)
        checks.that(after.content == "after it", f"{what}: the next call: {after.status} {after.message}")
        client.close()
        gateway.close()

    def retried(secure: bool) -> None:
        gateway = Gateway(endpoint, own.context() if secure else None)
        client = Client(bench.library, base_url=gateway.url, ca_file=endpoint.ca_file, proxy="", allow_http=1)
        gateway.script = early(429, "stops reading", 1, "0")
        outcome = client.create("x" * SIZE, timeout_ms=PATIENT_MS)
        got = (outcome.status, len(outcome.content or ""), outcome.attempts, gateway.posts)
        checks.that(got == ("OK", SIZE, 2, 2), f"429 once, retried at once: {got} {outcome.message}")
        client.close()
        gateway.close()

    def without_an_answer(secure: bool) -> None:
        """The server ends its direction, reads no more and says nothing: there is nothing to wait for."""
        gateway = Gateway(endpoint, own.context() if secure else None)
        client = Client(
            bench.library, base_url=gateway.url, ca_file=endpoint.ca_file, proxy="", allow_http=1, max_retries=0
        )
        client.warm_up()

        def script(gateway: Gateway, request: Request, _number: int) -> bool:
            request.connection.shutdown(socket.SHUT_WR)
            return not gateway.done.wait(TIMEOUT_MS / 1000)

        gateway.script = script
        outcome = client.create("x" * SIZE, timeout_ms=TIMEOUT_MS)
        got = (outcome.status, outcome.http, outcome.attempts, outcome.sent)
        checks.that(got == ("CONNECTION", 0, 1, "maybe"), f"ends without an answer: {got} {outcome.message}")
        checks.that(outcome.seconds < SOON_S, f"ends without an answer: took {outcome.seconds:.1f} s")
        client.close()
        gateway.close()

    def interim(secure: bool) -> None:
        """Interim responses before the request is read are no answers."""
        gateway = Gateway(endpoint, own.context() if secure else None)
        client = Client(bench.library, base_url=gateway.url, ca_file=endpoint.ca_file, proxy="", allow_http=1)

        def script(gateway: Gateway, request: Request, number: int) -> bool:
            for text in ("100 Continue", "102 Processing", "103 Early Hints"):
                request.connection.sendall(f"HTTP/1.1 {text}\r\n\r\n".encode())
                time.sleep(0.1)
            return gateway.pass_on(request, number)

        gateway.script = script
        outcome = client.create("x" * ANSWERED, timeout_ms=PATIENT_MS)
        got = (outcome.status, len(outcome.content or ""), outcome.attempts, gateway.posts)
        checks.that(got == ("OK", ANSWERED, 1, 1), f"interim responses first: {got} {outcome.message}")
        client.close()
        gateway.close()

    def endless(secure: bool) -> None:
        """The head of an interim response that has no end, before the request is read, takes no memory."""
        gateway = Gateway(endpoint, own.context() if secure else None)
        client = Client(bench.library, base_url=gateway.url, ca_file=endpoint.ca_file, proxy="", allow_http=1)
        client.warm_up()

        def script(_gateway: Gateway, request: Request, _number: int) -> bool:
            request.connection.sendall(b"HTTP/1.1 103 Early Hints\r\nX-Long: ")
            for _ in range(ENDLESS // PIECE):
                request.connection.sendall(b"x" * PIECE)
            return False

        gateway.script = script
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        outcome = client.create("x" * SIZE, timeout_ms=TIMEOUT_MS)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) >> 10
        got = (outcome.status, outcome.attempts, outcome.sent)
        checks.that(got == ("PROTOCOL", 1, "maybe"), f"an interim head without an end: {got} {outcome.message}")
        checks.that(grown < GROWTH_MIB, f"an interim head without an end: {grown} MiB more were resident")
        client.close()
        gateway.close()

    cases = [(secure, status, ending) for secure in (False, True) for status in WANTED for ending in ENDINGS]
    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(one, *case) for case in cases]:
            done.result()
    for secure in (False, True):
        for part in (retried, without_an_answer, interim, endless):
            part(secure)


def by_a_real_server(bench: Bench, endpoint: Endpoint, checks: Checks, name: str, url: str, ways: list[str]) -> None:
    """`ways` are paths of the server, which say how it refuses; `/posts` tells how many requests it has seen."""

    def posts() -> int:
        trust = certificates.trusting(endpoint.ca_file) if url.startswith("https") else None
        with urllib.request.urlopen(f"{url}/posts", context=trust) as answer:
            return json.load(answer)

    for way in ways:
        client = Client(bench.library, base_url=f"{url}/{way}", ca_file=endpoint.ca_file, proxy="", allow_http=1)
        before = posts()
        outcome = client.create("x" * SIZE, timeout_ms=TIMEOUT_MS)
        kind = url.partition(":")[0]
        judge(checks, f"{name}, {kind}, {way}", outcome, int(way.rpartition("-")[2]), posts() - before)
        client.close()


def go(bench: Bench, endpoint: Endpoint, own: Certificate, pem: Path, checks: Checks) -> None:
    program = bench.work / "early_go"
    subprocess.run(["go", "build", "-o", program, HERE / "early_go" / "main.go"], check=True)
    for scheme, files in ("http", []), ("https", [own.certificate, own.key]):
        port = free_port()
        with server([program, f"127.0.0.1:{port}", pem, *files], port):
            ways = ["unread-413", "limited-413", "unread-401", "unread-429"]
            by_a_real_server(bench, endpoint, checks, "net/http", f"{scheme}://127.0.0.1:{port}", ways)


def hypercorn(bench: Bench, endpoint: Endpoint, own: Certificate, pem: Path, checks: Checks) -> None:
    if subprocess.run([bench.python, "-c", "import hypercorn"], capture_output=True).returncode:
        checks.skip(f"hypercorn: it is not installed for {bench.python}; pass --python")
        return
    for scheme, files in ("http", []), ("https", [own.certificate, own.key]):
        port = free_port()
        with server([bench.python, HERE / "early_asgi.py", port, pem, *files], port):
            ways = ["unread-413", "unread-401", "unread-429"]
            by_a_real_server(bench, endpoint, checks, "hypercorn", f"{scheme}://127.0.0.1:{port}", ways)


def run(bench: Bench) -> Checks:
    checks = Checks("early")
    with ExitStack() as done:
        endpoint = bench.endpoint()
        done.callback(endpoint.close)
        own = certificates.make(bench.work, "early", certificates.of_the_endpoint(bench.state))
        pem = bench.work / "server_public.pem"
        with urllib.request.urlopen(f"{endpoint.plain_url}/pki/public_key") as answer:
            pem.write_bytes(answer.read())
        by_a_gateway(bench, endpoint, own, checks)
        hypercorn(bench, endpoint, own, pem, checks)
        go(bench, endpoint, own, pem, checks)
    checks.summary()
    return checks
