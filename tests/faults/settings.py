"""Settings that cannot work, and errors that name the cause: proxies, trust stores, certificates, ClientHellos.

Each client here is made with the environment that its test sets, one after the other.
"""

import os
import select
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import certificates
from abi import NOT_SENT, Client, Outcome, Refused
from certificates import Certificate
from checks import Checks
from endpoint import Endpoint
from peers import ESTABLISHED, PATIENCE, PIECE, Port, proxy_to, pump, silent
from table import Bench

USER, SECRET = "user-2b7d", "secret-2b7d"
# A ClientHello that no middlebox has trouble with, and the packet that is too small for one with ML-KEM.
SMALL, PACKET = 600, 1400
# The group X25519MLKEM768.
POST_QUANTUM = b"\x11\xec"
HASTY_MS = 500


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            del os.environ[name]


def ends(bench: Bench, **settings: object) -> Outcome:
    """Makes a client and one call. Returns the first failure of the two, or the call's success."""
    try:
        client = Client(bench.library, max_retries=0, **settings)
    except Refused as refused:
        return refused.outcome
    outcome = client.create("x")
    told = [line for line in client.log if SECRET in line or USER in line]
    client.close()
    return outcome if not told else Outcome("LEAK", 0, message=told[0])


def says(checks: Checks, what: str, outcome: Outcome, status: str, has: list[str], has_not: list[str]) -> None:
    """The error's status, and words that its message has, or must not have. The place in brackets does not count."""
    checks.that(outcome.status == status, f"{what}: {outcome.status}, not {status}: {outcome.message}")
    before, _, rest = outcome.message.partition("(")
    words = (before + rest.rpartition(")")[2]).lower()
    missing = [word for word in has if word.lower() not in outcome.message.lower()]
    wrong = [word for word in has_not if word.lower() in words]
    checks.that(not missing, f"{what}: {missing} not in {outcome.message!r}")
    checks.that(not wrong, f"{what}: {wrong} in {outcome.message!r}")
    checks.that(SECRET not in outcome.message, f"{what}: a secret is in {outcome.message!r}")
    print(f"  {what}: {outcome.status} {outcome.message}")


def proxy_urls(bench: Bench, endpoint: Endpoint, checks: Checks) -> None:
    """A proxy is a host and a port. A URL with more than that is refused, and nothing of it is repeated."""
    server = {"base_url": endpoint.url, "ca_file": endpoint.ca_file}
    for rest in ("/path", "/path/", "/?a=b", "?a=b", "#fragment", "/#fragment"):
        url = f"http://{USER}:{SECRET}@127.0.0.1:1{rest}"
        says(checks, f"a proxy URL with {rest}", ends(bench, **server, proxy=url), "ARGUMENT", ["proxy"], [USER])
        with environment(HTTPS_PROXY=url):
            outcome = ends(bench, **server, environment=True)
            says(checks, f"HTTPS_PROXY with {rest}", outcome, "ARGUMENT", ["HTTPS_PROXY"], [USER])
    port = Port().serve(proxy_to(endpoint.port))
    slash = ends(bench, **server, proxy=f"http://{USER}:{SECRET}@127.0.0.1:{port.number}/")
    checks.that(slash.status == "OK", f"a proxy URL with a slash at its end: {slash}")
    port.close()


def no_proxy(bench: Bench, endpoint: Endpoint, checks: Checks) -> None:
    """`*:port` is every host, at this port."""
    tunnels: list[int] = []

    def counting(connection: socket.socket) -> None:
        tunnels.append(1)
        proxy_to(endpoint.port)(connection)

    port = Port().serve(counting)
    for listed, used in [(f"*:{endpoint.port}", 0), (f"*:{port.number}", 1), ("*", 0), (f"*:{endpoint.port},x", 0)]:
        tunnels.clear()
        with environment(HTTPS_PROXY=f"http://127.0.0.1:{port.number}", NO_PROXY=listed):
            outcome = ends(bench, base_url=endpoint.url, ca_file=endpoint.ca_file, environment=True)
        got = (outcome.status, len(tunnels))
        checks.that(got == ("OK", used), f"NO_PROXY={listed}: {got}, not {('OK', used)}: {outcome.message}")
    port.close()


def secured_proxies(bench: Bench, endpoint: Endpoint, own: Certificate, checks: Checks) -> None:
    """A proxy that is spoken to with TLS has a certificate of its own."""
    stranger = certificates.make(bench.work, "stranger")

    def behind(certificate: Certificate) -> Port:
        context = certificate.context()

        def behaviour(connection: socket.socket) -> None:
            with context.wrap_socket(connection, server_side=True) as secured:
                tunnel(secured, endpoint.port)

        return Port().serve(behaviour)

    server = {"base_url": endpoint.url, "ca_file": endpoint.ca_file}
    good, bad = behind(own), behind(stranger)
    outcome = ends(bench, **server, proxy=f"https://127.0.0.1:{good.number}")
    checks.that(outcome.status == "OK", f"a proxy with TLS: {outcome.status} {outcome.message}")
    outcome = ends(bench, **server, proxy=f"https://127.0.0.1:{bad.number}")
    says(checks, "a proxy's bad certificate", outcome, "CONNECTION", ["TLS with the proxy"], ["server"])
    endpoint.set_faults({"certificate": "expired"})
    outcome = ends(bench, **server, proxy=f"https://127.0.0.1:{good.number}")
    endpoint.set_faults({})
    says(checks, "a server's, behind a proxy with TLS", outcome, "CONNECTION", ["TLS with the server", "expired"], [])
    good.close()
    bad.close()


def tunnel(secured: ssl.SSLSocket, port: int) -> None:
    """Answers CONNECT, and passes bytes on in both directions. One thread alone uses the TLS connection."""
    head = b""
    while b"\r\n\r\n" not in head and (piece := secured.recv(PIECE)):
        head += piece
    secured.sendall(ESTABLISHED)
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as server:
        while True:
            ready = [secured] if secured.pending() else select.select([secured, server], [], [], PATIENCE)[0]
            for source in ready:
                piece = source.recv(PIECE)
                if not piece:
                    return
                (server if source is secured else secured).sendall(piece)


def trust_stores(bench: Bench, endpoint: Endpoint, checks: Checks) -> None:
    server = {"base_url": endpoint.url, "proxy": ""}
    nowhere = "/nonexistent/ca-certificates.crt"
    with environment(SSL_CERT_FILE=nowhere):
        says(checks, "an empty trust store", ends(bench, **server, environment=True), "CONNECTION",
             [nowhere, "ca-certificates", "ca_file"], ["handshake failed"])  # fmt: skip
    empty = bench.work / "empty.d"
    empty.mkdir()
    with environment(SSL_CERT_DIR=str(empty)):
        says(checks, "an empty directory of certificates", ends(bench, **server, environment=True), "CONNECTION",
             [str(empty), "ca-certificates"], ["handshake failed"])  # fmt: skip
    with environment(SSL_CERT_FILE=endpoint.ca_file):
        outcome = ends(bench, **server, environment=True)
        checks.that(outcome.status == "OK", f"SSL_CERT_FILE: {outcome.status} {outcome.message}")
        outcome = ends(bench, **server)
        checks.that(outcome.status == "CONNECTION", f"SSL_CERT_FILE without load_env: {outcome.status}")


def self_signed(bench: Bench, checks: Checks) -> None:
    """The certificate that many guides make: an authority's, which the server shows as its own."""
    for is_authority in (True, False):
        certificate = certificates.make(bench.work, f"self-signed-{is_authority}", is_authority=is_authority)
        context = certificate.context()

        def behaviour(connection: socket.socket) -> None:
            with context.wrap_socket(connection, server_side=True) as secured:
                secured.recv(PIECE)

        port = Port().serve(behaviour)
        outcome = ends(bench, base_url=port.url, proxy="", ca_file=str(certificate.certificate))
        if is_authority:
            says(checks, "an authority's certificate as the server's", outcome, "CONNECTION",
                 ["TLS with the server", "CA:FALSE"], [])  # fmt: skip
        else:
            accepted = "TLS" not in outcome.message
            checks.that(accepted, f"a self-signed certificate of no authority: {outcome.message}")
        port.close()


class Middlebox:
    """Looks at ClientHellos, and lets only the small ones through to the endpoint."""

    def __init__(self, endpoint: Endpoint, resets: bool) -> None:
        self.hellos: list[bytes] = []
        self.endpoint, self.resets = endpoint, resets
        self.port = Port().serve(self._look)

    def _look(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        hello = connection.recv(PIECE)
        while len(hello) < 5 + int.from_bytes(hello[3:5], "big"):
            hello += connection.recv(PIECE)
        self.hellos.append(hello)
        if len(hello) <= PACKET:
            self._pass_on(connection, hello)
        elif self.resets:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            silent(connection)

    def _pass_on(self, connection: socket.socket, hello: bytes) -> None:
        connection.settimeout(None)
        with socket.create_connection(("127.0.0.1", self.endpoint.port), PATIENCE) as server:
            server.settimeout(None)
            server.sendall(hello)
            threading.Thread(target=pump, args=(connection, server), daemon=True).start()
            pump(server, connection)


def hellos(bench: Bench, endpoint: Endpoint, checks: Checks) -> None:
    """The post-quantum share is the default. The error mentions it if a handshake got no answer."""
    hint = ["post-quantum", "nomyo_config_set_post_quantum"]
    for resets in (True, False):
        box = Middlebox(endpoint, resets)
        how = "resets" if resets else "swallows"
        server = {"base_url": box.port.url, "ca_file": endpoint.ca_file, "proxy": "", "connect_timeout_ms": HASTY_MS}
        outcome = ends(bench, **server)
        says(checks, f"a middlebox that {how}", outcome, "CONNECTION" if resets else "TIMEOUT", hint, [])
        checks.that(POST_QUANTUM in box.hellos[0], "the default ClientHello has no post-quantum share")
        outcome = ends(bench, **server, post_quantum=0)
        checks.that(outcome.status == "OK", f"a middlebox that {how}, no post-quantum: {outcome.status}")
        hello = box.hellos[-1]
        small = len(hello) < SMALL and POST_QUANTUM not in hello
        checks.that(small, f"without a post-quantum share the ClientHello has {len(hello)} bytes")
        print(f"  ClientHellos: {[len(hello) for hello in box.hellos]} bytes")
        box.port.close()
    endpoint.set_faults({"certificate": "expired"})
    outcome = ends(bench, base_url=endpoint.url, ca_file=endpoint.ca_file, proxy="")
    endpoint.set_faults({})
    says(checks, "an expired certificate", outcome, "CONNECTION", ["expired"], hint)
    outcome = ends(bench, base_url="https://127.0.0.1:1", proxy="", post_quantum=0)
    says(checks, "a refused connection", outcome, "CONNECTION", [NOT_SENT], hint)


def run(bench: Bench) -> Checks:
    checks = Checks("settings")
    endpoint = bench.endpoint()
    own = certificates.make(bench.work, "settings", certificates.of_the_endpoint(bench.state))
    proxy_urls(bench, endpoint, checks)
    no_proxy(bench, endpoint, checks)
    secured_proxies(bench, endpoint, own, checks)
    trust_stores(bench, endpoint, checks)
    self_signed(bench, checks)
    hellos(bench, endpoint, checks)
    endpoint.close()
    checks.summary()
    return checks
