"""Calls that the network blocks: peers that do not answer, and waits between attempts."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from calls import Cancel, Given
from peers import Port, proxy_to, relay, silent
from scene import HANG_MS, Lane, Scene, Stage

# The endpoint's certificate is for this name, too.
NAME = "endpoint.test"
HANGS = {"delay_before_headers_ms": HANG_MS}
STALLS = {"delay_in_body_ms": HANG_MS}
LATER = {"status": 429, "headers": {"Retry-After": "60"}}
GOODBYE = Given(test={"headers": {"Connection": "close"}})
LARGE = 8 << 20


@contextmanager
def name_lookup(lane: Lane) -> Iterator[Scene]:
    """The name server does not answer."""
    names = lane.bench.names
    assert names is not None
    with lane.bench.names_turn, lane.client(base_url=f"https://{NAME}:{lane.endpoint.port}") as client:
        names.mode = "silent"
        yield Scene(client, release=lambda: setattr(names, "mode", "good"))


@contextmanager
def _port(lane: Lane, begin: Callable[[Port], object], proxy: bool = False) -> Iterator[Scene]:
    """A port that stands for the server, or for a proxy, and serves as it should when the scene is released."""
    port, good = Port(), lane.endpoint.port
    assert good is not None
    settings = {"proxy": f"http://127.0.0.1:{port.number}"} if proxy else {"base_url": port.url}
    try:
        begin(port)
        with lane.client(**settings) as client:
            yield Scene(client, release=lambda: port.serve(proxy_to(good) if proxy else lambda it: relay(it, good)))
    finally:
        port.close()


def connect(lane: Lane) -> AbstractContextManager[Scene]:
    """The system drops the connection's first packet."""
    return _port(lane, Port.fill)


def handshake(lane: Lane) -> AbstractContextManager[Scene]:
    """The server accepts, and does not answer the ClientHello."""
    return _port(lane, lambda port: port.serve(silent))


def proxy_connect(lane: Lane) -> AbstractContextManager[Scene]:
    """The proxy accepts, and does not answer CONNECT."""
    return _port(lane, lambda port: port.serve(silent), proxy=True)


def _of_server(counter: str, faults: dict[str, Any], given: Given = Given(), warm: bool = False) -> Stage:
    """A stage on which the endpoint has `faults`, and counts the calls that have arrived."""

    @contextmanager
    def scene(lane: Lane) -> Iterator[Scene]:
        with lane.client() as client:
            if warm:
                client.call("warm_up")
            lane.endpoint.set_faults(faults)
            try:
                yield Scene(
                    client,
                    given,
                    release=lambda: lane.endpoint.set_faults({}),
                    arrivals=lambda: lane.endpoint.stats()[counter],
                )
            finally:
                lane.endpoint.set_faults({})

    return scene


key_fetch = _of_server("key_fetches", {"key_fetch": HANGS})
key_fetch_body = _of_server("key_fetches", {"key_fetch": STALLS})
key_fetch_retry = _of_server("key_fetches", {"key_fetch": LATER})
post_head = _of_server("requests", {}, Given(test=HANGS), warm=True)
post_body = _of_server("requests", {}, Given(test=STALLS), warm=True)
post_retry = _of_server("requests", {}, Given(test=LATER), warm=True)
UPLOAD = {"read_request": "stall_midway", "read_bytes": 100_000}
upload = _of_server("requests", UPLOAD, Given("x" * LARGE), warm=True)


@contextmanager
def post_handshake(lane: Lane) -> Iterator[Scene]:
    """The key is there, the request is sealed, and the new connection for it gets no TLS."""
    with lane.client() as client:
        client.call("create", GOODBYE)
        lane.endpoint.set_faults({"accept": "stall"})
        yield Scene(client, release=lambda: lane.endpoint.set_faults({}))


@contextmanager
def rate_limit(lane: Lane) -> Iterator[Scene]:
    """The client's own limit leaves the next turn to a later second. Each call begins with a key fetch."""
    with lane.client(rate_limit=(0.5, 1), server_key_ttl_ms=0) as client:
        client.call("server_key")
        yield Scene(client)


@contextmanager
def others_key_fetch(lane: Lane) -> Iterator[Scene]:
    """Another thread fetches the server's key, and the server does not answer."""
    cancel = Cancel(lane.bench.library)
    with lane.client() as client:
        lane.endpoint.set_faults({"key_fetch": HANGS})
        before = lane.endpoint.stats()["key_fetches"]
        other = threading.Thread(target=client.call, args=("server_key",), kwargs={"cancel": cancel})
        other.start()
        while lane.endpoint.stats()["key_fetches"] == before:
            pass

        def release() -> None:
            lane.endpoint.set_faults({})
            cancel.trigger()
            other.join()

        try:
            yield Scene(client, release=release)
        finally:
            release()
