"""SecureChatCompletion and its company are the official SDK's: same names, signatures, answers, exceptions.

What differs is listed here, each time with the decision of PROTOCOL.md that it follows.
"""

import asyncio
import json
import os
import random
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nomyo
import pytest
from nomyo.SecureCompletionClient import SecureCompletionClient as TheirClient
from nomyo.SecureMemory import SecureMemory

import nomyo_native as ours
from nomyo_native import _memory
from nomyo_native._memory import wipe

FIXTURES = Path(__file__).parents[3] / "tests" / "fixtures" / "protocol"
STATUSES = json.loads((FIXTURES / "http" / "status_matrix.json").read_text())["cases"]
MALFORMED = json.loads((FIXTURES / "manifest.json").read_text())["malformed"]
USER = [{"role": "user", "content": "Hello"}]
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]
MAPPED = (400, 401, 403, 404, 429, 500, 502, 503, 504)
EXCEPTIONS = [name for name in nomyo.__all__ if name.endswith("Error")]


@pytest.fixture(scope="module", autouse=True)
def trust(ca_file: str) -> Iterator[None]:
    """Neither has an option for a CA; both believe SSL_CERT_FILE. No proxy stands between us."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", ca_file)
        patch.setenv("NO_PROXY", "*")
        yield


@pytest.fixture(scope="module")
def both(base_url: str, trust: None) -> tuple[Any, Any]:
    """Theirs and ours, made once: each makes an RSA-4096 pair."""
    options = {"base_url": base_url, "api_key": "test", "max_retries": 0}
    return nomyo.SecureChatCompletion(**options), ours.SecureChatCompletion(**options)


def outcome(client: Any, **request: Any) -> Any:
    """The answer without what each time is another, or the exception."""
    try:
        answer = asyncio.run(client.create(**{"model": "echo", "messages": USER, **request}))
    except Exception as e:
        return e
    for gone in ("id", "created"):
        answer.pop(gone, None)
    assert len(answer["_metadata"].pop("payload_id")) == 36
    answer["_metadata"].pop("processed_at", None)
    for choice in answer.get("choices", []):
        for call in choice["message"].get("tool_calls") or []:
            call.pop("id")
    return answer


def test_every_public_attribute_of_the_sdk_s_objects_is_there(both):
    theirs, mine = both
    for their_object, my_object in ((theirs, mine), (theirs.client, mine.client)):
        for name in (name for name in vars(their_object) if not name.startswith("_")):
            assert hasattr(my_object, name), name
    for name in ("router_url", "allow_http", "max_retries", "key_size"):
        assert getattr(theirs.client, name) == getattr(mine.client, name)
    assert mine.api_key == "test"


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_an_exception_is_made_and_shown_as_the_sdk_s(name):
    theirs, mine = getattr(nomyo, name), getattr(ours, name)
    assert issubclass(mine, ours.NomyoError)
    assert issubclass(mine, ours.APIError) == issubclass(theirs, nomyo.APIError)
    given = [("text",), ("text", 418, {"detail": "d"})] if issubclass(theirs, nomyo.APIError) else [("text",)]
    for arguments in given:
        their_error, my_error = theirs(*arguments), mine(*arguments)
        assert (str(my_error), my_error.args) == (str(their_error), ("text",))
        for attribute, value in vars(their_error).items():
            assert getattr(my_error, attribute) == value


CALLS: list[dict[str, Any]] = [
    {},
    {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "grüße, мир, 🦁\n\"\\\u0001"}]},
    {"messages": [{"role": "user", "content": "\ud800 a lone surrogate"}]},
    {"messages": [{"role": "user", "content": ""}]},
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "parts"}]}]},
    {"messages": ({"role": "user", "content": "a tuple"},)},
    {"messages": None},
    {"messages": "no list"},
    {"messages": []},
    {"model": None},
    {"model": ""},
    {"model": {"no": "text"}},
    {"temperature": 0.7, "max_tokens": 100, "top_p": 0.9, "frequency_penalty": 0.0, "presence_penalty": 0.0},
    {"stop": None, "n": 1, "stream": False, "user": "test_user"},
    {"n": 3},
    {"n": 0},
    {"seed": 1, "logit_bias": {"1": 2}, "response_format": {"type": "json_object"}},
    {"timeout": 5, "cancel": "a parameter like another", "request": 1},
    {"tools": TOOLS, "tool_choice": "auto"},
    {"tools": []},
    {"nomyo_test": {"reply": "said", "reasoning": "thought"}},
    {"nomyo_test": {"answer": {}}},
    {"nomyo_test": {"answer": {"a": [1, 2.5, True, None, {"b": "c"}], "_metadata": {"x": 1}}}},
    {"nomyo_test": {"gzip": False, "chunked": True}},
    {"nomyo_test": {"no such member": 1}},
    {"security_tier": "standard"},
    {"security_tier": "high"},
    {"security_tier": "maximum"},
    {"security_tier": "High"},
    {"security_tier": ""},
    {"security_tier": None, "api_key": None},
    {"api_key": "another"},
    {"api_key": ""},
    {"security_tier": "high", "nomyo_test": {"status": 403, "body": '{"detail": "no"}'}},
    {"nomyo_test": {"redirect": "https://127.0.0.1:1/"}},
    {"nomyo_test": {"close": True}},
    {"nomyo_test": {"reset": "before_headers"}},
    {"nomyo_test": {"truncate": 10}},
    {"nomyo_test": {"malformed": "ciphertext_bit_flip"}},
    {"unserializable": {1, 2}},
]


@pytest.mark.parametrize("call", CALLS, ids=range(1, len(CALLS) + 1))
def test_a_call_has_the_sdk_s_outcome(both, call):
    expected, got = (outcome(client, **call) for client in both)
    if not isinstance(expected, Exception):
        assert got == expected
        return
    same_class(got, expected)
    if isinstance(expected, nomyo.APIError):
        kept = () if expected.status_code in MAPPED else ("error_details",)  # see difference()
        same_error(got, {name: value for name, value in vars(expected).items() if name not in kept})


def test_there_are_forty_calls():
    assert len(CALLS) == 40


def same_class(got: Any, expected: Exception) -> None:
    """The very class of the SDK's name where it is the SDK's; of a built-in one, a subclass."""
    name = type(expected).__name__
    assert isinstance(got, getattr(ours, name, type(expected))), got
    assert isinstance(got, ours.APIError) == isinstance(expected, nomyo.APIError)


def same_error(got: Any, expected: dict[str, Any]) -> None:
    assert {name: getattr(got, name) for name in expected} == expected
    assert str(got) == expected["message"]


def difference(case: dict[str, Any]) -> str | None:
    """What of a status is not as in the SDK; PROTOCOL.md calls all of it a defect (7, Y18)."""
    body, status = case["body"], case["http_status"]
    try:
        parsed = json.loads(body)
    except ValueError:
        return "the status of a 404 without JSON is kept" if status == 404 else None
    if status in (400, 401, 403, 404) and not isinstance(parsed, dict):
        return "a body that is no object does not hide the status"
    if status == 401 and not isinstance(parsed.get("detail", ""), str):
        return "the text of a 401 is a text"
    if status not in MAPPED:
        return "the details of other statuses are kept"
    return None


@pytest.mark.parametrize("case", STATUSES, ids=lambda case: f"{case['http_status']} {case['body_name']}")
def test_a_status_is_the_sdk_s_exception(both, case):
    test = {"status": case["http_status"], "body": case["body"], "headers": case["response_headers"]}
    got = outcome(both[1], nomyo_test=test)
    assert isinstance(got, ours.APIError) and got.status_code == case["http_status"]
    if not difference(case):
        assert type(got).__name__ == case["exception"]
        expected = {"status_code": case["status_code_attr"], "error_details": case["error_details"]}
        same_error(got, {"message": case["str"], **expected})


# Through create() the SDK shows most of them as connection errors, "unexpected". PROTOCOL.md has one SecurityError for
# whatever fails in decryption, and for forms NOMYO_ERR_PROTOCOL, an APIConnectionError.
@pytest.mark.parametrize("case", MALFORMED, ids=lambda case: case["name"])
def test_a_malformed_answer_is_an_exception_of_the_sdk_s(both, case):
    got = outcome(both[1], nomyo_test={"malformed": case["name"]})
    if case["name"] in ("metadata_null", "metadata_array", "metadata_string"):
        assert got["_metadata"]["is_encrypted"] is True, "a _metadata that is no object is replaced"
    else:
        assert isinstance(got, (ours.SecurityError, ours.APIConnectionError)), got


DIFFERENT: list[tuple[str, dict[str, Any], type[Exception], type[Exception]]] = [
    ("stream: true refused", {"stream": True}, nomyo.InvalidRequestError, ValueError),
    ("CR/LF in the API key", {"api_key": "a\r\nb"}, nomyo.APIConnectionError, ValueError),
    ("JSON has no NaN", {"seed": float("nan")}, nomyo.InvalidRequestError, ValueError),
    ("sizes", {"user": "x" * 10_485_760}, ValueError, ValueError),
]


@pytest.mark.parametrize(("decision", "call", "theirs", "mine"), DIFFERENT, ids=[d[0] for d in DIFFERENT])
def test_a_difference_is_a_decision(both, decision, call, theirs, mine):
    assert isinstance(outcome(both[0], **call), theirs)
    assert isinstance(outcome(both[1], **call), mine)


def test_key_fetch_failures_are_of_both_kinds(base_url, faults):
    """PROTOCOL.md: "errors of the key fetch: the same statuses as the request itself"; the SDK has ValueErrors."""
    for fault, expected in (({"status": 503}, ours.ServiceUnavailableError), ({"key_pem": "no key"}, ValueError)):
        faults({"key_fetch": fault})
        client = ours.SecureCompletionClient(base_url, max_retries=0)
        with pytest.raises(expected):
            asyncio.run(client.fetch_server_public_key())
    faults({})
    gone = ours.SecureCompletionClient("https://127.0.0.1:1", max_retries=0)
    with pytest.raises(ConnectionError):
        asyncio.run(gone.fetch_server_public_key())


def test_plain_http_is_refused_at_the_first_request_and_warned_of(plain_base_url):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        client = ours.SecureChatCompletion(plain_base_url)
    with pytest.raises(ours.SecurityError):
        asyncio.run(client.create("echo", USER))
    with pytest.warns(UserWarning, match="http"):
        client = ours.SecureChatCompletion(plain_base_url, allow_http=True)
    assert asyncio.run(client.acreate("echo", USER))["choices"][0]["message"]["content"] == "Hello"


def test_the_api_key_and_the_server_are_the_arguments_not_the_environment_s(base_url, monkeypatch, tmp_path):
    heard: list[str] = []
    monkeypatch.setenv("NOMYO_API_KEY", "not-for-this-server")
    monkeypatch.setenv("NOMYO_BASE_URL", "https://127.0.0.1:1")
    sdk = ours.SecureChatCompletion(base_url)
    with pytest.MonkeyPatch.context() as patch:
        answer = ours.Client._answer
        patch.setattr(ours.Client, "_answer", lambda self, one, data: heard.append(one._api_key) or answer(self, one, data))
        assert asyncio.run(sdk.create("echo", USER))["choices"]
    assert heard == [""]


def test_another_base_url_for_one_call(both, plain_base_url):
    client = ours.SecureChatCompletion("https://127.0.0.1:1", allow_http=True)
    with pytest.warns(UserWarning):
        answer = asyncio.run(client.create("echo", USER, base_url=plain_base_url))
    assert answer["choices"]
    assert asyncio.run(client.create("echo", USER, base_url=plain_base_url))["choices"], "without a new key pair"


def test_a_key_directory_is_shared_with_the_sdk(base_url, tmp_path):
    pems = []
    for kind in (ours, nomyo, ours):
        client = kind.SecureChatCompletion(base_url, key_dir=str(tmp_path), max_retries=0)
        assert asyncio.run(client.create("echo", USER))["choices"]
        pems.append(client.client.public_key_pem.strip())
    assert len(set(pems)) == 1
    assert (tmp_path / "private_key.pem").stat().st_mode & 0o777 == 0o600


def test_keys_are_made_saved_and_loaded(base_url, tmp_path):
    client = ours.SecureCompletionClient(base_url)
    assert client.public_key_pem is None
    client.generate_keys(save_to_file=True, key_dir=str(tmp_path / "keys"), password="a password")
    private, public = (str(tmp_path / "keys" / name) for name in ("private_key.pem", "public_key.pem"))
    theirs = TheirClient(base_url)
    theirs.load_keys(private, public, "a password")
    assert theirs.public_key_pem == client.public_key_pem.strip()
    with pytest.raises(ValueError):
        client.load_keys(private, public, "another")
    with pytest.raises(FileNotFoundError):
        client.load_keys(str(tmp_path / "none.pem"))
    with pytest.raises(ValueError):  # the SDK would overwrite them
        client.generate_keys(save_to_file=True, key_dir=str(tmp_path / "keys"))
    other = ours.SecureCompletionClient(base_url)
    other.load_keys(private, password="a password")
    answer = asyncio.run(other.send_secure_request({"model": "echo", "messages": USER}, "ignored", "key", "high"))
    assert answer["_metadata"]["security_tier"] == "high"


def test_a_request_is_encrypted_and_decrypted_alone(base_url, ca_file):
    import ssl
    import urllib.request

    async def exchange() -> dict[str, Any]:
        client = ours.SecureCompletionClient(base_url)
        body = await client.encrypt_payload({"model": "echo", "messages": USER})
        assert json.loads(body)["algorithm"] == "hybrid-aes256-rsa4096"
        request = urllib.request.Request(f"{base_url}/v1/chat/secure_completion", body, body.headers)
        trust = ssl.create_default_context(cafile=ca_file)
        with urllib.request.urlopen(request, context=trust) as answer:
            package = answer.read()
        with pytest.raises(ValueError):
            await client.decrypt_response(package, "another id")
        for wrong in (b"", bytearray(package)):
            with pytest.raises(ValueError):
                await client.decrypt_response(wrong, body.payload_id)
        with pytest.raises(ours.SecurityError):
            flipped = json.loads(package)
            flipped["encrypted_payload"]["tag"] = "A" * 22 + "=="
            await client.decrypt_response(json.dumps(flipped).encode(), body.payload_id)
        return await client.decrypt_response(package, body.payload_id)

    assert asyncio.run(exchange())["choices"][0]["message"]["content"] == "Hello"


def test_memory_protection_has_the_sdk_s_members():
    theirs, mine = nomyo.get_memory_protection_info(), ours.get_memory_protection_info()
    assert {name: type(value) for name, value in mine.items()} == {n: type(v) for n, v in theirs.items()}
    nomyo.disable_secure_memory()
    ours.disable_secure_memory()
    try:
        assert ours.get_memory_protection_info() == nomyo.get_memory_protection_info() | {"page_size": mine["page_size"]}
        assert ours.SecureBuffer(b"x").lock() is False
    finally:
        nomyo.enable_secure_memory()
        ours.enable_secure_memory()
    assert ours.get_memory_protection_info() == mine


def buffers() -> list[Callable[[Any], Any]]:
    return [lambda data: nomyo.SecureBuffer(data, SecureMemory()), ours.SecureBuffer]


@pytest.mark.parametrize("make", buffers(), ids=["theirs", "ours"])
@pytest.mark.parametrize("data", [b"", b"secret", bytes(5000)])
def test_a_secure_buffer_is_as_the_sdk_s(make, data):
    for source in (data, bytearray(data)):
        buffer = make(source)
        assert isinstance(buffer.data, bytearray) and isinstance(buffer.address, int)
        assert (bytes(buffer), len(buffer), buffer.size) == (data, len(data), len(data))
        if isinstance(source, bytearray):
            assert source == bytes(len(data)), "the source is wiped"
        assert buffer.unlock() is True
        if data:
            assert buffer.lock() is buffer.lock() is True
            with pytest.raises(BufferError):
                buffer.data.append(1)
        with buffer as entered:
            assert entered is buffer
        assert buffer.data == bytes(len(data))
        buffer.zero()
        assert buffer.unlock() is True


def test_a_secure_bytearray_is_wiped_at_the_end_also_of_an_exception():
    with pytest.raises(RuntimeError):
        with ours.secure_bytearray(b"secret") as buffer:
            assert buffer.data == b"secret"
            raise RuntimeError
    assert buffer.data == bytes(6)
    with pytest.deprecated_call(), ours.secure_bytes(b"secret", lock=False) as buffer:
        assert buffer.data == b"secret"


def locked_bytes() -> int:
    return int(Path("/proc/self/status").read_text().split("VmLck:")[1].split()[0])


def test_locks_of_buffers_on_one_page_do_not_undo_each_other():
    """PROTOCOL.md (7, Y12): in the SDK, unlocking one unlocks the other."""
    room = [ours.SecureBuffer(bytes([n]) * 8) for n in range(64)]
    before = locked_bytes()
    for buffer in room:
        assert buffer.lock()
    held = locked_bytes()
    random.Random(1).shuffle(room)
    for buffer in room[:-1]:
        buffer.unlock()
    assert before < locked_bytes() <= held
    room[-1].unlock()
    assert locked_bytes() == before


def test_a_forgotten_locked_buffer_is_unlocked():
    before = locked_bytes()
    buffer = ours.SecureBuffer(os.urandom(100_000))
    assert buffer.lock() and locked_bytes() > before
    del buffer
    assert locked_bytes() == before


def test_the_bytes_of_a_forgotten_buffer_stay_until_nobody_has_them(monkeypatch):
    wiped: list[bytes] = []
    assert bytes(ours.SecureBuffer(b"secret").data) == b"secret"
    assert json.loads(ours.SecureBuffer(b'{"a": 1}').data) == {"a": 1}
    before = locked_bytes()
    buffer = ours.SecureBuffer(b"secret" * 100_000)
    assert buffer.lock()
    data = buffer.data
    del buffer
    assert data == b"secret" * 100_000 and locked_bytes() > before
    monkeypatch.setattr(_memory, "wipe", lambda data: (wiped.append(bytes(data)), wipe(data), wiped.append(bytes(data))))
    del data
    assert wiped == [b"secret" * 100_000, bytes(600_000)] and locked_bytes() == before


def test_a_buffer_in_a_forked_child_is_locked_when_it_says_so():
    buffer = ours.SecureBuffer(b"secret" * 1000)
    assert buffer.lock()
    child = os.fork()
    if child == 0:
        outcome = 1
        try:
            inherited = locked_bytes()
            buffer.unlock()
            with buffer:
                assert buffer.lock() and locked_bytes() > inherited
            assert locked_bytes() == inherited
            assert buffer.lock() and buffer.unlock()
            outcome = 0
        except BaseException:
            traceback.print_exc()
        os._exit(outcome)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert buffer.unlock()
