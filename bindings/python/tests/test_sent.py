"""An error says whether its request reached the server, under which id, and after how many attempts."""

import asyncio
import re
import select
import socket
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest

import nomyo_native as nomyo

SLOW = {"delay_before_headers_ms": 60_000}


def failed(call: Callable[..., Any], *arguments: Any, **options: Any) -> nomyo.NomyoError:
    with pytest.raises(nomyo.NomyoError) as caught:
        call(*arguments, **options)
    return caught.value


@pytest.fixture
def ids(plain_base_url: str) -> Iterator[tuple[str, list[str]]]:
    """The address of a relay to the endpoint, and the ids of the requests that went through it."""
    seen: list[str] = []
    target = urllib.parse.urlsplit(plain_base_url)

    def relay(near: socket.socket) -> None:
        with near, socket.create_connection((target.hostname, target.port)) as far:
            while readable := select.select([near, far], [], [])[0]:
                for source in readable:
                    if not (data := source.recv(65536)):
                        return
                    if source is near:
                        seen.extend(re.findall(r"(?i)x-payload-id: *(\S+)", data.decode("latin-1")))
                    (far if source is near else near).sendall(data)

    def serve() -> None:
        while True:
            try:
                near, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=relay, args=(near,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", seen
        server.shutdown(socket.SHUT_RDWR)


def test_what_was_not_sent_is_no(make_client, client, chat):
    with nomyo.Client("https://127.0.0.1:1", environment=False, max_retries=1) as nowhere:
        error = failed(nowhere.create, chat())
        assert (type(error), error.sent) == (nomyo.APIConnectionError, "no")
    with make_client(server_key_pin="0" * 64) as pinned:
        error = failed(pinned.create, chat())
        assert (type(error), error.sent, error.attempts) == (nomyo.PinError, "no", 1), "it fetched one key"
    triggered = nomyo.Cancel()
    triggered.trigger()
    error = failed(client.create, chat(), cancel=triggered)
    assert (type(error), error.sent, error.payload_id) == (nomyo.CancelledError, "no", None)
    error = failed(client.create, b"[]")
    assert (type(error), error.sent, error.payload_id, error.attempts) == (nomyo.ArgumentError, "no", None, 0)


def test_what_left_without_an_answer_is_maybe(client, chat):
    client.warm_up()
    error = failed(client.create, chat(test=SLOW), timeout=0.5)
    assert (type(error), error.sent, error.attempts) == (nomyo.APITimeoutError, "maybe", 1)
    assert UUID(error.payload_id).version == 4
    cancel = nomyo.Cancel()
    threading.Timer(0.5, cancel.trigger).start()
    error = failed(client.create, chat(test=SLOW), cancel=cancel)
    assert (type(error), error.sent) == (nomyo.CancelledError, "maybe")
    error = failed(client.create, chat(test={"close": True}))
    assert (type(error), error.sent, error.attempts) == (nomyo.APIConnectionError, "maybe", 1)


@pytest.mark.parametrize(
    "test", [{"status": 429}, {"status": 500}, {"status": 400}, {"payload_id": "another"}, {"status": 200, "body": "{}"}]
)
def test_what_was_answered_is_yes(client, chat, test):
    error = failed(client.create, chat(test=test))
    assert (error.sent, error.attempts) == ("yes", 1)
    assert UUID(error.payload_id).version == 4


def test_the_payload_id_is_the_one_that_the_server_saw(ids, chat):
    url, seen = ids
    with nomyo.Client(url, allow_http=True, environment=False, max_retries=0) as client:
        error = failed(client.create, chat(test={"status": 503}))
        assert seen == [error.payload_id]
        with client.create(chat()) as answer:
            assert seen == [error.payload_id, answer.payload_id]


def test_an_answer_tells_its_attempts(client, make_client, chat):
    assert client.create(chat()).attempts == 1
    with make_client() as patient:
        test = {"status": 500, "times": 2, "headers": {"Retry-After-Ms": "1"}}
        assert patient.create(chat(test=test)).attempts == 3


def test_an_answer_that_python_does_not_parse_was_sent(client, chat):
    with client.create(chat(test={"malformed": "plaintext_huge_int"})) as answer:
        error = failed(answer.json)
        assert (type(error), error.sent, error.attempts) == (nomyo.ProtocolError, "yes", 1)
        assert error.payload_id == answer.payload_id


def test_the_drop_in_client_s_errors_have_the_same_facts(base_url, ca_file, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    sdk = nomyo.SecureChatCompletion(base_url, max_retries=0)
    user = [{"role": "user", "content": "Hello"}]
    with pytest.raises(nomyo.RateLimitError) as caught:
        asyncio.run(sdk.create("echo", user, nomyo_test={"status": 429}))
    assert (caught.value.sent, caught.value.attempts) == ("yes", 1)
    assert UUID(caught.value.payload_id).version == 4
