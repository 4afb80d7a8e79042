"""An answer is a mapping, and memory that can be looked at and is gone when it is closed."""

import asyncio
import ctypes
import gc
import json
import sys
import threading
import weakref
from collections.abc import Mapping

import pytest

import nomyo_native as nomyo
from nomyo_native import _response


@pytest.fixture
def answer(client, chat):
    with client.create(chat("a secret")) as answer:
        yield answer


def test_it_is_a_read_only_mapping(answer):
    assert isinstance(answer, Mapping)
    assert answer["choices"][0]["message"]["content"] == "a secret"
    assert answer["choices"] is answer["choices"], "parsed once"
    assert set(answer) == set(answer.json()) and len(answer) == len(answer.json())
    assert answer.get("nothing", 1) == 1 and "usage" in answer and dict(answer) == answer.json() == answer
    with pytest.raises(TypeError):
        answer["choices"] = []
    with pytest.raises(KeyError):
        answer["nothing"]
    assert "secret" not in repr(answer) + str(answer)


def test_a_view_is_the_memory_itself(answer):
    view = answer.view("content")
    assert (bytes(view), view.readonly, view.format, view.nbytes) == (b"a secret", True, "B", 8)
    again = answer.view("content")
    addresses = [ctypes.addressof(v.obj) for v in (view, again)]
    assert addresses[0] == addresses[1], "no copy"
    assert json.loads(bytes(answer.view())) == answer.json()
    assert bytes(answer.view("finish_reason")) == b"stop"
    assert bytes(answer.view("/choices/0/message/content")) == b'"a secret"'


def test_a_view_of_nothing_is_none_and_of_an_empty_text_is_empty(client, chat):
    with client.create(chat("", test={"reply": ""})) as answer:
        assert answer.view("content") == b"" and answer.content() == ""
        assert answer.view("reasoning") is answer.view("/none") is answer.view("no pointer") is answer.view("/a\0") is None
        with pytest.raises(IndexError):
            answer.view("content", 1)


def test_a_view_is_dead_when_the_answer_is_closed(answer):
    views = [answer.view("content"), answer.view(), answer.view("/usage")]
    answer.close()
    for view in views:
        for use in (lambda: view[0], lambda: bytes(view), lambda: len(view), lambda: view[1:]):
            with pytest.raises(ValueError, match="released"):
                use()


def test_what_was_made_of_a_view_reads_zeros_when_the_answer_is_closed(client, chat):
    answer = client.create(chat("a secret"))
    view = answer.view("content")
    sliced, cast, array = view[2:], view.cast("c"), answer.view()
    holder = memoryview(array)
    answer.close()
    assert bytes(sliced) == bytes(6) and bytes(cast) == bytes(8) and not any(holder)
    handle = weakref.ref(answer._handle)
    del answer, sliced, cast, holder, array, view
    gc.collect()
    assert handle() is None, "the memory is freed with the last slice"


def test_a_view_outlives_an_answer_that_is_forgotten_but_not_closed(client, chat):
    view = client.create(chat("still here")).view("content")
    gc.collect()
    assert bytes(view) == b"still here"


def test_views_that_are_dropped_leave_nothing(answer):
    for _ in range(1000):
        answer.view("content")
        answer.content()
    gc.collect()
    assert len(answer._views.views) == len(answer._views.memory) == 0
    assert answer._handle._uses == 0


def test_closing_while_others_read_is_safe(client, chat):
    for _ in range(20):
        answer = client.create(chat("x" * 1000))
        seen: list[object] = []
        wrong: list[object] = []

        def read(answer=answer, seen=seen, wrong=wrong) -> None:
            try:
                while True:
                    content, reason = answer.content(), answer.finish_reason()
                    if (content, reason) != ("x" * 1000, "stop"):
                        wrong.append((content, reason))
                    seen.append(answer.view()[:4])
            except ValueError:  # closed, or a view that was released in between
                pass
            except BaseException as e:
                wrong.append(e)

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        answer.close()
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive()
        assert not wrong
        with pytest.raises(nomyo.ArgumentError):
            answer.content()


def elsewhere(work) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


@pytest.mark.parametrize("moment", ["while it is parsed", "once it is parsed"])
def test_an_answer_closed_while_it_is_read_as_a_mapping_is_read_and_leaves_nothing(client, chat, monkeypatch, moment):
    answer = client.create(chat("a secret"))
    parse = answer.json

    def parse_and_close() -> object:
        parsed = parse()
        elsewhere(answer.close)
        return parsed

    if moment == "while it is parsed":
        monkeypatch.setattr(answer, "json", parse_and_close)
    else:
        monkeypatch.setattr(type(answer), "_parsed", Closing())
    assert answer["choices"][0]["message"]["content"] == "a secret"
    assert not answer.__dict__.get("_parsed")
    with pytest.raises(nomyo.ArgumentError, match="closed"):
        answer["choices"]


class Closing:
    """The member of an answer that another thread closes as soon as it is set."""

    closed = False

    def __get__(self, answer, kind=None):
        return answer.__dict__.get("_parsed")

    def __set__(self, answer, parsed) -> None:
        answer.__dict__["_parsed"] = parsed
        if parsed and not self.closed:
            self.closed = True
            elsewhere(answer.close)


def test_a_view_that_is_made_while_the_answer_is_closed_is_dead(client, chat, monkeypatch):
    answer = client.create(chat("a secret"))

    def finalize(*arguments):
        made = weakref.finalize(*arguments)
        elsewhere(answer.close)
        return made

    monkeypatch.setattr(_response, "finalize", finalize)
    view = answer.view("content")
    with pytest.raises(ValueError, match="released"):
        bytes(view)
    handle = weakref.ref(answer._handle)
    del answer
    monkeypatch.undo()
    gc.collect()
    assert handle() is None


def test_threads_may_all_close_an_answer_whose_views_were_sliced(client, chat):
    failed: list[BaseException] = []

    def close(answer, ready: threading.Barrier) -> None:
        ready.wait()
        try:
            answer.close()
        except BaseException as e:
            failed.append(e)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(20):
            answer, ready = client.create(chat("a secret")), threading.Barrier(8)
            slices = [answer.view("content")[1:] for _ in range(50)]
            threads = [threading.Thread(target=close, args=(answer, ready)) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert {bytes(each) for each in slices} == {bytes(7)}
    finally:
        sys.setswitchinterval(interval)
    assert not failed


def test_json_that_python_does_not_parse_is_a_protocol_error(client, chat):
    with client.create(chat(test={"malformed": "plaintext_huge_int"})) as answer:
        with pytest.raises(nomyo.ProtocolError):
            answer["choices"]
        assert bytes(answer.view())


def test_secure_buffers_are_requests_and_keys(client, make_client, chat):
    data = json.dumps(chat("from a buffer")).encode()
    with nomyo.secure_bytearray(data) as request:
        assert client.create(request).content() == "from a buffer"
        assert asyncio.run(client.acreate(request)).content() == "from a buffer"
        with nomyo.SecureBuffer(b"a-key") as key:
            assert client.create(request, api_key=key).content() == "from a buffer"
            with make_client(api_key=key) as other:
                key.zero()  # copied
                assert other.create(request).content() == "from a buffer"


def test_a_request_is_sealed_and_its_answer_opened_alone(client, chat, plain_base_url):
    import urllib.request

    key = client.server_key()
    sealed = client.seal(key.pem, chat("alone"), security_tier="high")
    assert sealed.headers["X-Security-Tier"] == "high" and b"alone" not in sealed.body
    request = urllib.request.Request(f"{plain_base_url}/v1/chat/secure_completion", sealed.body, sealed.headers)
    with urllib.request.urlopen(request) as response:
        package = response.read()
    for _ in range(2):
        with client.open(sealed, bytearray(package)) as answer:
            assert answer.content() == "alone" and answer.payload_id == sealed.headers["X-Payload-ID"]
            assert answer.attempts == 0, "others sent it"
    other = client.seal(key.pem, chat("other"))
    with pytest.raises(nomyo.SecurityError):
        client.open(other, package)
    sealed.close()
    with pytest.raises(nomyo.ArgumentError):
        client.open(sealed, package)


def test_keys_of_ones_own(make_client, chat, tmp_path):
    with make_client() as client:
        client.generate_keys(tmp_path / "keys", "long enough")
        pem = client.public_key()
        client.save_keys(tmp_path / "copy")
        client.rotate_keys()
        assert client.public_key() != pem
        client.load_keys(tmp_path / "copy" / "private_key.pem", tmp_path / "copy" / "public_key.pem")
        assert client.public_key() == pem
        assert client.create(chat()).content() == "Hello"
        with pytest.raises(nomyo.ClientKeyError):
            client.load_keys(tmp_path / "keys" / "private_key.pem", password="wrong password")
        with pytest.raises(nomyo.ClientKeyError):
            client.generate_keys(tmp_path / "copy")
    with make_client(key_dir=tmp_path / "copy", key_rotation=0) as again:
        assert again.public_key() == pem


def test_the_server_s_key_is_pinned_or_remembered(make_client, chat, tmp_path):
    with make_client() as client:
        fingerprint = client.server_key().fingerprint
    for pins in (fingerprint, ["0" * 64, fingerprint]):
        with make_client(server_key_pin=pins, known_servers=tmp_path / "known") as client:
            assert client.create(chat()).content() == "Hello"
    assert fingerprint in (tmp_path / "known").read_text()
    with make_client(server_key_pin="0" * 64, max_retries=0) as client, pytest.raises(nomyo.PinError):
        client.create(chat())
    with pytest.raises(nomyo.ArgumentError):
        make_client(server_key_pin="no pin")
