"""Runs the rows of the fault table: a few lanes at once, each with an endpoint and clients of its own."""

import queue
import resource
import threading
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abi import NOT_SENT, Client, Library, Outcome
from checks import Checks
from endpoint import Endpoint
from peers import ESTABLISHED, PIECE, NameServer, Port, answering, old_tls, proxy_to, relay, silent, tls_version
from rows import DETAIL, HINTS, ROWS, WORDS, Row

LANES = 4
# Of this process: answers of 2 GiB are not read to their end.
PEAK_MIB = 512
API_KEY = "api-key-5e1b"
PROMPT = "prompt-77c2-"
GOODBYE = {"headers": {"Connection": "close"}}
# The endpoint's certificate is for this name, too.
NAME = "endpoint.test"
# A proxy's answers, by what rows call it.
PROXIES = {
    "403": answering(f"HTTP/1.1 403 {WORDS}\r\nContent-Length: {len(WORDS)}\r\n\r\n{WORDS}".encode()),
    "407": answering(f'HTTP/1.1 407 {WORDS}\r\nProxy-Authenticate: Basic realm="{WORDS}"\r\n\r\n'.encode()),
    "502": answering(f"HTTP/1.1 502 {WORDS}\r\n\r\n".encode()),
    "302": answering(f"HTTP/1.1 302 {WORDS}\r\nLocation: http://127.0.0.1:1/\r\n\r\n".encode()),
    "101": answering(f"HTTP/1.1 101 {WORDS}\r\n\r\n".encode()),
    "300 kB": answering(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 300_000 + b"\r\n\r\n"),
    "407 after 100": answering(f"HTTP/1.1 100 {WORDS}\r\n\r\nHTTP/1.1 407 {WORDS}\r\n\r\n".encode()),
    "closes": answering(b""),
    "silent": silent,
    "SSH": answering(f"SSH-2.0-{WORDS}\r\n".encode()),
}
# Answers of a proxy that all mean that the tunnel is there. RFC 9110, 9.3.6: any 2xx, and no content in it.
TUNNELS = {
    "200": b"HTTP/1.1 200 OK\r\n\r\n",
    "201": b"HTTP/1.1 201 Created\r\n\r\n",
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "299": b"HTTP/1.1 299 Fine\r\n\r\n",
    "100 first": b"HTTP/1.1 100 Continue\r\n\r\n" + ESTABLISHED,
    "103 twice first": HINTS.encode() * 2 + ESTABLISHED,
    "no reason": b"HTTP/1.1 200\r\n\r\n",
    "HTTP/1.0": b"HTTP/1.0 200 Connection established\r\nProxy-agent: old\r\n\r\n",
    "a length": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
    "a coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "200 headers": b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: x\r\n" % i for i in range(200)) + b"\r\n",
    "a header of 8 KiB": b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 8192 + b"\r\n\r\n",
    "a byte at a time": ESTABLISHED,
}


@dataclass
class Bench:
    """What all lanes share."""

    library: Library
    endpoint_binary: Path
    state: Path
    work: Path
    # Why there is no network namespace of our own, or nothing when there is one.
    no_namespace: str
    # An interpreter that has hypercorn.
    python: Path

    def __post_init__(self) -> None:
        self.names = None if self.no_namespace else NameServer()
        self.names_turn = threading.Lock()
        self.old_tls = old_tls(self.work)

    def endpoint(self, *flags: str) -> Endpoint:
        return Endpoint(self.endpoint_binary, self.state, self.work, *flags)


class Lane:
    """An endpoint, and a client for each configuration that rows want."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.endpoint = bench.endpoint("--api-key", API_KEY)
        self._clients: dict[str, Client] = {}

    def close(self) -> None:
        for client in self._clients.values():
            client.close()
        self.endpoint.close()

    def client(self, row: Row, settings: dict[str, Any]) -> Client:
        """One that others have used, unless the row must begin without a server key or at an address of its own."""
        settings = {"base_url": self.endpoint.url, **settings, **row.client}
        key = str(sorted(settings.items()))
        if row.phase == "key fetch" or row.peer or key not in self._clients:
            proxy = {"proxy": settings.pop("proxy", "")}
            client = Client(self.bench.library, ca_file=self.endpoint.ca_file, api_key=API_KEY, **settings, **proxy)
            if row.phase == "key fetch" or row.peer:
                return client
            client.create(PROMPT)
            self._clients[key] = client
        return self._clients[key]

    def peer(self, row: Row, done: ExitStack) -> tuple[dict[str, Any], Callable[[], None]]:
        """Settings to meet the row's peer instead of the endpoint; and what makes the peer good."""
        kind, _, how = row.peer.partition(" ")
        good = self.endpoint.port
        if not kind:
            return {}, lambda: None
        if kind == "name":
            names = self.bench.names
            done.enter_context(self.bench.names_turn)
            names.mode = how
            return {"base_url": f"https://{NAME}:{good}"}, lambda: setattr(names, "mode", "good")
        port = Port()
        done.callback(port.close)
        if kind == "proxy":
            piece = 1 if how == "a byte at a time" else PIECE
            port.serve(PROXIES[how] if how in PROXIES else proxy_to(good, TUNNELS[how], piece))
            return {"proxy": f"http://127.0.0.1:{port.number}"}, lambda: port.serve(proxy_to(good)) and None
        if row.peer == "black hole":
            port.fill()
        elif row.peer == "TLS 1.1":
            port.serve(self.bench.old_tls)
            if tls_version(port.number) != "TLSv1.1":
                raise RuntimeError("the peer that is to speak TLS 1.1 does not")
        return {"base_url": port.url}, lambda: port.serve(lambda client: relay(client, good)) and None

    def run(self, row: Row, checks: Checks) -> list[str]:
        """One row: what to print of it."""
        with ExitStack() as done:
            settings, make_good = self.peer(row, done)
            client = self.client(row, settings)
            if not row.peer and row.phase in ("connect", "TLS"):
                client.create(PROMPT, GOODBYE)  # no idle connection is left to use instead
            logged = len(client.log)
            self.endpoint.set_faults(row.server)
            before = self.endpoint.stats()
            prompt = f"{PROMPT}{uuid.uuid4()}" + "x" * row.size
            outcome = client.create(prompt, row.test, row.timeout_ms)
            after = self.endpoint.stats()
            self.endpoint.set_faults({})
            make_good()
            counter = "key_fetches" if row.phase == "key fetch" else "requests"
            seen = after[counter] - before[counter]
            wrong = [*differences(row, outcome, prompt, seen), *leaks(outcome, client.log[logged:])]
            next_prompt = f"{PROMPT}{uuid.uuid4()}"
            next_one = client.create(next_prompt, GOODBYE)
            usable = (next_one.status, next_one.content) == ("OK", next_prompt)
            if row.peer or row.phase == "key fetch":
                client.close()
        name = f"{row.phase}: {row.fault}"
        checks.that(not wrong, f"{name}: {'; '.join(wrong)}")
        checks.that(usable, f"{name}: the next request: {next_one.status}, {next_one.message}")
        return [row.phase, row.fault, outcome.status, str(outcome.http or "-"), str(outcome.attempts), str(seen),
                outcome.sent or "-",
                f"{outcome.seconds:.2f}", f"{row.least:.2f}", "yes" if usable else "NO", "" if not wrong else "WRONG"]


def differences(row: Row, outcome: Outcome, prompt: str, seen: int) -> list[str]:
    """In what the call did not end as the row says."""
    wrong = []

    def same(what: str, got: object, wanted: object) -> None:
        if got != wanted:
            wrong.append(f"{what} {got}, not {wanted}")

    same("status", outcome.status, row.status)
    same("requests seen", seen, row.reaching)
    if row.status == "OK":
        same("answer", (outcome.content or "")[:60], prompt[:60])
    else:
        same("HTTP", outcome.http, row.http)
        same("sent", outcome.sent, row.sent)
        same(f"'{NOT_SENT}'", NOT_SENT in outcome.message, row.sent == "no")
        same("a payload id", outcome.payload_id is not None, row.is_sealed)
    # A response counts the package alone, not key fetches before it.
    same("attempts", outcome.attempts, 1 if row.status == "OK" and row.phase == "key fetch" else row.attempts)
    if row.retryable is not None:
        same("retryable", outcome.retryable, row.retryable)
    if row.retry_after_ms is not None:
        same("Retry-After", outcome.retry_after_ms, row.retry_after_ms)
    if outcome.http not in (0, 200) and row.test.get("body") == DETAIL:
        details = outcome.details[: len(DETAIL)]  # of a body that breaks off, what came
        same("details", details, DETAIL.encode()[: max(1, len(details))])
    if not row.least <= outcome.seconds <= row.least + row.slack:
        wrong.append(f"{outcome.seconds:.2f} s, not {row.least:.2f} to {row.least + row.slack:.2f}")
    return wrong if not wrong else [*wrong, outcome.message]


def leaks(outcome: Outcome, log: list[str]) -> list[str]:
    """What an error or a log line must not repeat. There are log lines of every call."""
    if not log:
        return ["no log line"]
    said = [outcome.message, *log]
    found = [f"{secret} is in {line!r}" for line in said for secret in (PROMPT, API_KEY, WORDS) if secret in line]
    return found if len(outcome.details) <= 64 * 1024 else [*found, f"{len(outcome.details)} bytes of details"]


def print_table(head: list[str], lines: list[list[str]]) -> None:
    widths = [max(len(line[column]) for line in [head, *lines]) for column in range(len(head))]
    for line in [head, ["-" * width for width in widths], *lines]:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


def run(bench: Bench, only: str = "") -> Checks:
    checks = Checks("faults")
    waiting: queue.SimpleQueue[tuple[int, Row]] = queue.SimpleQueue()
    printed: dict[int, list[str]] = {}
    for number, row in enumerate(ROWS):
        if only not in f"{row.phase}: {row.fault}":
            continue
        if row.peer.startswith("name") and bench.no_namespace:
            checks.skip(f"{row.phase}: {row.fault}: {bench.no_namespace}")
        else:
            waiting.put((number, row))

    def work() -> None:
        lane = Lane(bench)
        try:
            while True:
                number, row = waiting.get_nowait()
                printed[number] = lane.run(row, checks)
        except queue.Empty:
            pass
        except Exception as error:
            checks.that(False, f"{row.phase}: {row.fault}: {error!r}")
            raise
        finally:
            lane.close()

    lanes = [threading.Thread(target=work) for _ in range(LANES)]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    head = ["phase", "fault", "status", "HTTP", "attempts", "seen", "sent", "seconds", "least", "usable", ""]
    print_table(head, [printed[number] for number in sorted(printed)])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    checks.that(peak < PEAK_MIB, f"{peak} MiB were resident")
    print(f"{len(printed)} rows; at most {peak} MiB resident")
    checks.summary()
    return checks
