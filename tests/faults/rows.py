"""The fault table: what a server, or what stands before it, does wrong, and how a call must end.

Faults are in the words of tests/endpoint/README.md: `test` goes with the request, `server` is told to the endpoint.
`peer` names what the call meets instead of the endpoint, in table.py; `client` are settings of the client.

`attempts` is the number that the error or the response reports. The endpoint must have seen as many requests, or none if
the connection or TLS failed. `sent` is what the error knows about the package. It follows from the phase and the HTTP
status.
"""

from dataclasses import dataclass, field
from typing import Any

# What a server may say, and no error message may repeat.
WORDS = "words-of-the-server-9f3a"
DETAIL = f'{{"detail":"{WORDS}"}}'
SOON = {"Retry-After-Ms": "20"}
# Backoff of three attempts: 0.375 to 0.5 s, then 0.75 to 1 s.
BACKOFF = 1.12
ALERT = "\x15\x03\x03\x00\x02\x02\x28"
RESET = {"reset": "before_headers"}
HASTY = {"connect_timeout_ms": 400}
HANG = 60_000
HINTS = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
# Statuses of gateways and content delivery networks that are worth a retry. 425 is from RFC 8470, the others from none.
GATEWAYS = [425, 520, 521, 522, 523, 524, 529, 530]
# Waits that no number holds.
ENDLESS = ["1e30", "99999999999999999999", "1e999"]
MIB, GIB = 1 << 20, 1 << 30


@dataclass(frozen=True)
class Row:
    phase: str
    fault: str
    status: str
    http: int = 0
    attempts: int = 1
    test: dict[str, Any] = field(default_factory=dict)
    server: dict[str, Any] = field(default_factory=dict)
    peer: str = ""
    client: dict[str, Any] = field(default_factory=dict)
    timeout_ms: int = 20_000
    # Not sooner than this, and not later by more than `slack`: the machine may be busy.
    least: float = 0.0
    slack: float = 15.0
    size: int = 0
    retry_after_ms: int | None = None
    retryable: bool | None = None

    @property
    def sent(self) -> str:
        """A package that did not leave, one that was answered, or one of which nothing is known."""
        return "no" if self.phase in ("key fetch", "connect", "TLS") else "yes" if self.http else "maybe"

    @property
    def is_sealed(self) -> bool:
        """Whether the call has come as far as a package: the rows that begin without a server key fail before."""
        return self.phase != "key fetch" and not self.peer

    @property
    def reaching(self) -> int:
        """How many the endpoint sees."""
        if self.phase in ("connect", "TLS"):
            return 1 if self.status == "OK" else 0
        return self.attempts


def key_fetch(fault: str, faults: dict[str, Any], status: str, http: int = 0, attempts: int = 1, **own: Any) -> Row:
    return Row("key fetch", fault, status, http, attempts, server={"key_fetch": faults}, **own)


def connect(fault: str, peer: str, status: str, attempts: int = 1, **own: Any) -> Row:
    return Row("connect", fault, status, 0, attempts, peer=peer, **own)


def accept(fault: str, faults: dict[str, Any], status: str, attempts: int = 1, **own: Any) -> Row:
    return Row("connect", fault, status, 0, attempts, server=faults, **own)


def tls(fault: str, faults: dict[str, Any], status: str = "CONNECTION", attempts: int = 1, **own: Any) -> Row:
    return Row("TLS", fault, status, 0, attempts, server=faults, **own)


def request_body(fault: str, faults: dict[str, Any], status: str, attempts: int = 1, **own: Any) -> Row:
    size = own.pop("size", MIB)
    return Row("request body", fault, status, 0, attempts, server=faults, size=size, **own)


def answer(
    phase: str, fault: str, test: dict[str, Any], status: str, http: int = 0, attempts: int = 1, **own: Any
) -> Row:
    return Row(phase, fault, status, http, attempts, test=test, **own)


def refused(fault: str, http: int, test: dict[str, Any], status: str, attempts: int = 1, **own: Any) -> Row:
    """An HTTP error in so many words."""
    test = {"status": http, "body": DETAIL, **test}
    return Row("headers", fault, status, 0 if status == "OK" else http, attempts, test=test, **own)


def defect(phase: str, name: str, status: str) -> Row:
    return answer(phase, name.replace("_", " "), {"malformed": name}, status, 200)


KEY_FETCH = [
    key_fetch("500, always", {"status": 500, "headers": SOON, "body": DETAIL}, "SERVER", 500, 3),
    key_fetch("429 once", {"status": 429, "headers": SOON, "times": 1}, "OK", 0, 2),
    key_fetch("503, always", {"status": 503, "headers": SOON}, "UNAVAILABLE", 503, 2),
    key_fetch("401", {"status": 401}, "AUTHENTICATION", 401),
    key_fetch("404, as an open router", {"status": 404}, "NOT_FOUND", 404),
    key_fetch("redirect to http", {"redirect": "http://127.0.0.1:1/"}, "HTTP", 307),
    key_fetch("closed without an answer, always", {"close": True}, "CONNECTION", 0, 3, least=BACKOFF),
    key_fetch("reset once", {"reset": "before_headers", "times": 1}, "OK", 0, 2, least=0.37),
    key_fetch("no answer until the deadline", {"delay_before_headers_ms": HANG}, "TIMEOUT", least=0.8, timeout_ms=800),
    key_fetch("cut off in the body", {"truncate": 100}, "CONNECTION", 200),
    key_fetch("a page of HTML", {"body": f"<html>{WORDS}</html>"}, "PROTOCOL", 200),
    key_fetch("an empty body", {"body": ""}, "PROTOCOL", 200),
    key_fetch("unasked gzip", {"gzip": True}, "PROTOCOL", 200),
    key_fetch("a body of 1 GiB", {"oversize": GIB}, "PROTOCOL", 200),
]

CONNECT = [
    connect("refused, always", "refuses", "CONNECTION", 3, least=BACKOFF),
    connect("a black hole (full backlog)", "black hole", "TIMEOUT", 3, client=HASTY, least=3 * 0.4 + BACKOFF),
    connect("a black hole, short deadline", "black hole", "TIMEOUT", timeout_ms=500, least=0.5),
    accept("closed at accept, always", {"accept": "close"}, "CONNECTION", 3, least=BACKOFF),
    accept("reset at accept, always", {"accept": "reset"}, "CONNECTION", 3, least=BACKOFF),
    accept("reset at accept, once", {"accept": "reset", "accept_times": 1}, "OK", 2, least=0.37),
    connect("unknown name (NXDOMAIN)", "name unknown", "CONNECTION"),
    connect("name server fails (SERVFAIL)", "name failing", "CONNECTION", 3, least=BACKOFF),
    connect("name server is silent", "name silent", "TIMEOUT", timeout_ms=1000, least=1.0),
    connect("proxy refuses: 403", "proxy 403", "CONNECTION"),
    connect("proxy refuses: 407", "proxy 407", "CONNECTION"),
    connect("proxy: 502, always", "proxy 502", "CONNECTION", 3, least=BACKOFF),
    connect("proxy closes, always", "proxy closes", "CONNECTION", 3, least=BACKOFF),
    connect("proxy is silent", "proxy silent", "TIMEOUT", least=0.8, timeout_ms=800),
    connect("proxy does not speak HTTP", "proxy SSH", "CONNECTION"),
    connect("proxy redirects: 302", "proxy 302", "CONNECTION"),
    connect("proxy upgrades: 101", "proxy 101", "CONNECTION"),
    connect("proxy: a head of 300 kB", "proxy 300 kB", "CONNECTION"),
    connect("proxy: 407 after a 100", "proxy 407 after 100", "CONNECTION"),
    *[connect(f"a tunnel after: {how}", f"proxy {how}", "OK") for how in
      ("200", "201", "204", "299", "100 first", "103 twice first", "no reason", "HTTP/1.0", "a length", "a coding",
       "200 headers", "a header of 8 KiB", "a byte at a time")],
]

TLS = [
    tls("certificate expired", {"certificate": "expired"}),
    tls("certificate not valid yet", {"certificate": "not_yet_valid"}),
    tls("certificate self-signed", {"certificate": "self_signed"}),
    tls("certificate for another host", {"certificate": "wrong_host"}),
    tls("certificate by an unknown CA", {"certificate": "unknown_ca"}),
    tls("TLS 1.1 only", {}, peer="TLS 1.1"),
    tls("plain HTTP on the TLS port", {"accept": "answer", "accept_answer": f"HTTP/1.1 400 {WORDS}\r\n\r\n"}),
    tls("fatal alert", {"accept": "answer", "accept_answer": ALERT}),
    tls("closed in the handshake, always", {"accept": "answer"}, "CONNECTION", 3, least=BACKOFF),
    tls("closed in the handshake, once", {"accept": "answer", "accept_times": 1}, "OK", 2, least=0.37),
    tls("handshake stalls", {"accept": "stall"}, "TIMEOUT", 3, client=HASTY, least=3 * 0.4 + BACKOFF),
    tls("handshake stalls, short deadline", {"accept": "stall"}, "TIMEOUT", timeout_ms=600, least=0.6),
]

MIDWAY = {"read_request": "close_midway", "read_bytes": 100_000}
REQUEST_BODY = [
    request_body("reset midway, always", MIDWAY, "CONNECTION", 3, least=BACKOFF),
    request_body("reset midway, once", {**MIDWAY, "read_times": 1}, "OK", 2, least=0.37),
    request_body("reset at its first byte, once", {**MIDWAY, "read_bytes": 0, "read_times": 1}, "OK", 2, least=0.37),
    request_body("server stops reading", {**MIDWAY, "read_request": "stall_midway"}, "TIMEOUT", timeout_ms=1500,
                 least=1.5, size=8 * MIB),
]

WAITING = [
    answer("waiting", "takes its time", {"delay_before_headers_ms": 700}, "OK", least=0.7),
    answer("waiting", "no answer until the deadline", {"delay_before_headers_ms": HANG}, "TIMEOUT", timeout_ms=800,
           least=0.8),
    answer("waiting", "closed without an answer, always", {"close": True}, "CONNECTION", 0, 3, least=BACKOFF),
    answer("waiting", "closed without an answer, once", {"close": True, "times": 1}, "OK", 0, 2, least=0.37),
    answer("waiting", "reset, always", RESET, "CONNECTION", 0, 3, least=BACKOFF),
    answer("waiting", "reset, once", {**RESET, "times": 1}, "OK", 0, 2, least=0.37),
    answer("waiting", "reset, no retries", RESET, "CONNECTION", client={"max_retries": 0}),
    answer("waiting", "backoff would outlive the deadline", RESET, "CONNECTION", timeout_ms=300),
]

HEADERS = [
    refused("429 once, Retry-After-Ms", 429, {"headers": SOON, "times": 1}, "OK", 2),
    refused("429, always", 429, {"headers": SOON}, "RATE_LIMIT", 3, retry_after_ms=20),
    refused("429 once, Retry-After 1", 429, {"headers": {"Retry-After": "1"}, "times": 1}, "OK", 2, least=1.0),
    refused("429, Retry-After 121", 429, {"headers": {"Retry-After": "121"}}, "RATE_LIMIT", retry_after_ms=121_000),
    refused("429, Retry-After 30, 2 s left", 429, {"headers": {"Retry-After": "30"}}, "RATE_LIMIT", timeout_ms=2000,
            retry_after_ms=30_000),
    refused("500, always, backoff", 500, {}, "SERVER", 3, least=BACKOFF),
    refused("500, x-should-retry: false", 500, {"headers": {**SOON, "x-should-retry": "false"}}, "SERVER"),
    refused("400 once, x-should-retry: true", 400, {"headers": {**SOON, "x-should-retry": "true"}, "times": 1}, "OK",
            2),
    refused("503 twice", 503, {"headers": SOON}, "UNAVAILABLE", 2),
    refused("503, abuse", 503, {"body": '{"detail":"cool-down after rate limit abuse"}'}, "UNAVAILABLE",
            retry_after_ms=1_800_000),
    refused("502, always", 502, {"headers": SOON}, "HTTP", 3),
    refused("413", 413, {"headers": SOON}, "HTTP"),
    answer("headers", "redirect to http", {"redirect": "http://127.0.0.1:1/"}, "HTTP", 307),
    answer("headers", "redirect to https", {"redirect": "https://127.0.0.1:1/", "status": 308}, "HTTP", 308),
    *[refused(f"{status} once", status, {"headers": SOON, "times": 1}, "OK", 2) for status in GATEWAYS],
    *[refused(f"{status}, always", status, {"headers": SOON}, "HTTP", 3) for status in GATEWAYS],
    *[refused(f"{status}", status, {"headers": SOON}, "HTTP", retryable=False) for status in (501, 505)],
    *[refused(f"429, Retry-After {wait}", 429, {"headers": {"Retry-After": wait}}, "RATE_LIMIT", retryable=False)
      for wait in ENDLESS],
    refused("503, Retry-After-Ms 1e30", 503, {"headers": {"Retry-After-Ms": "1e30"}}, "UNAVAILABLE", retryable=False),
    answer("headers", "100-continue first", {"before": "HTTP/1.1 100 Continue\r\n\r\n"}, "OK"),
    answer("headers", "103 early hints first", {"before": HINTS}, "OK"),
    answer("headers", "100, then 103 three times", {"before": f"HTTP/1.1 100 Continue\r\n\r\n{HINTS * 3}"}, "OK"),
    answer("headers", "103, then 500", {"before": HINTS, "status": 500, "body": DETAIL, "headers": SOON, "times": 1},
           "OK", attempts=2),
    answer("headers", "103, then 413", {"before": HINTS, "status": 413, "body": DETAIL}, "HTTP", 413),
    answer("headers", "101, which nobody asked for", {"raw": "HTTP/1.1 101 Switching Protocols\r\n\r\n"}, "HTTP", 101),
    answer("headers", "drip, in time", {"drip_head_ms": 2}, "OK"),
    answer("headers", "drip, beyond the deadline", {"drip_head_ms": 100}, "TIMEOUT", timeout_ms=1000, least=1.0),
    answer("headers", "closed in the head", {"raw": "HTTP/1.1 200 OK\r\nContent-"}, "CONNECTION"),
    answer("headers", "not HTTP", {"raw": f"SSH-2.0-{WORDS}\r\n\r\n"}, "PROTOCOL"),
    answer("headers", "a head of 300 kB", {"headers": {"X-Long": "x" * 300_000}}, "PROTOCOL"),
    answer("headers", "5 000 headers", {"headers": {f"X-{i}": "x" for i in range(5000)}}, "PROTOCOL"),
    answer("headers", "length is not a number", {"content_length": "ten"}, "PROTOCOL"),
    answer("headers", "length is negative", {"content_length": "-1"}, "PROTOCOL"),
    answer("headers", "two lengths that differ", {"headers": {"Content-Length": "12"}}, "PROTOCOL"),
    answer("headers", "chunked said, length meant", {"headers": {"Transfer-Encoding": "chunked"}}, "TIMEOUT", 200,
           timeout_ms=1000, least=1.0),
    answer("headers", "HTTP/1.0, no length", {"raw": f"HTTP/1.0 400 {WORDS}\r\n\r\n{DETAIL}"}, "BAD_REQUEST", 400),
]

NO_CHUNK = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n"
BODY = [
    answer("body", "2 GiB announced, little comes", {"content_length": str(2 * GIB)}, "TIMEOUT", 200, timeout_ms=500,
           least=0.5, slack=1.5, client={"response_limit": 4 * GIB}),
    answer("body", "2 GiB announced, of an error", {"status": 400, "body": DETAIL, "content_length": str(2 * GIB)},
           "BAD_REQUEST", 400, timeout_ms=500, least=0.5, slack=1.5),
    answer("body", "cut off", {"truncate": 300}, "CONNECTION", 200),
    answer("body", "reset", {"reset": "in_body"}, "CONNECTION", 200),
    answer("body", "stalls until the deadline", {"delay_in_body_ms": HANG}, "TIMEOUT", 200, timeout_ms=1000, least=1.0),
    answer("body", "drip, in time", {"drip_ms": 0}, "OK"),
    answer("body", "drip, beyond the deadline", {"drip_ms": 20}, "TIMEOUT", 200, timeout_ms=1000, least=1.0),
    answer("body", "shorter than its length", {"content_length": "99999"}, "TIMEOUT", 200, timeout_ms=1000, least=1.0),
    answer("body", "longer than its length", {"content_length": "10"}, "PROTOCOL", 200),
    answer("body", "unasked gzip", {"gzip": True}, "PROTOCOL", 200),
    answer("body", "chunked", {"chunked": True}, "OK"),
    answer("body", "chunked, cut off", {"chunked": True, "truncate": 300}, "CONNECTION", 200),
    answer("body", "chunk size is no number", {"raw": NO_CHUNK}, "PROTOCOL", 200),
    answer("body", "2 GiB", {"oversize": 2 * GIB}, "PROTOCOL", 200),
    answer("body", "2 GiB, chunked", {"oversize": 2 * GIB, "chunked": True}, "PROTOCOL", 200),
    answer("body", "2 GiB, of an error", {"status": 400, "body": DETAIL, "oversize": 2 * GIB}, "BAD_REQUEST", 400),
    answer("body", "over a limit of 1 MiB", {"oversize": MIB + 1}, "PROTOCOL", 200, client={"response_limit": MIB}),
    answer("body", "of an error, cut off", {"status": 400, "body": DETAIL, "truncate": 5}, "BAD_REQUEST", 400),
    answer("body", "of an error, stalls", {"status": 400, "body": DETAIL, "delay_in_body_ms": HANG}, "BAD_REQUEST", 400,
           timeout_ms=1000, least=1.0),
]

NO_PACKAGE = ["empty_body", "not_json", "truncated_json", "missing_version", "algorithm_other", "payload_not_object",
              "tag_12_bytes", "nonce_empty", "base64url_alphabet"]
ALTERED = ["rsa_wrong_key", "ciphertext_bit_flip", "nonce_bit_flip", "aes_key_31_bytes"]
PACKAGE = [
    *[defect("package", name, "PROTOCOL") for name in NO_PACKAGE],
    *[defect("package", name, "SECURITY") for name in ALTERED],
]

PLAINTEXT = [
    *[defect("plaintext", name, "SECURITY") for name in ("plaintext_empty", "plaintext_not_json", "plaintext_array")],
    answer("plaintext", "answers another request", {"payload_id": "0e4f6f0e-0000-4000-8000-00000000"}, "SECURITY", 200),
]

ROWS = [*KEY_FETCH, *CONNECT, *TLS, *REQUEST_BODY, *WAITING, *HEADERS, *BODY, *PACKAGE, *PLAINTEXT]
