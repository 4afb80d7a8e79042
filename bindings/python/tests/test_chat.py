"""Answers: what they hold, and what a request may be."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

import nomyo_native
from nomyo_native._arguments import request_json

TEXT = 'grüße, мир, 🦁\n"\\\u0001'
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]


def test_an_answer_holds_what_the_model_said(client, chat):
    with client.create(chat(TEXT)) as answer:
        assert answer.content() == TEXT
        assert answer.finish_reason() == "stop"
        assert answer.choice_count == 1
        assert answer.reasoning() is None and answer.tool_calls() is None
        assert answer.json()["choices"][0]["message"]["content"] == TEXT
        assert bytes(answer.view()) == json.dumps(answer.json(), ensure_ascii=False, separators=(",", ":")).encode()
        assert UUID(answer.payload_id).version == 4
        assert answer.pointer("/_metadata/payload_id") == answer.payload_id
        assert answer.pointer("/_metadata/is_encrypted") is True


def test_an_answer_becomes_a_plain_dict_and_json(client, chat):
    with client.create(chat(TEXT)) as answer:
        dumped = answer.model_dump()
        assert type(dumped) is dict and dumped == answer.json() == dict(answer)
        assert json.loads(json.dumps(answer.json())) == dumped
        dumped.clear()
        assert answer.model_dump()["choices"], "each has a dict of its own"


def test_an_answer_tells_its_tokens(client, chat):
    with client.create(chat()) as answer:
        usage = answer.usage
        assert usage == nomyo_native.Usage(**answer["usage"])
        assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens > 0


@pytest.mark.parametrize(
    "said", [{}, {"usage": None}, {"usage": 7}, {"usage": {}}, {"usage": {"total_tokens": 1}}]
    + [{"usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": wrong}} for wrong in (None, "2", 2.5, True)]
)  # fmt: skip
def test_an_answer_without_its_tokens_has_no_usage(client, chat, said):
    with client.create(chat(test={"answer": said})) as answer:
        assert answer.usage is None


@pytest.mark.parametrize("text", ["\u0439" * 2_700_000, "\u4e2d" * 3_000_000], ids=["two bytes each", "three bytes each"])
def test_a_dict_is_sent_as_utf_8_which_is_as_long_as_its_text(client, chat, text):
    """As ASCII escapes these are 16 and 18 MB, and the limit is 10 MiB."""
    with client.create(chat(text, test={"reply": "read"})) as answer:
        assert answer.content() == "read"
    assert len(request_json(chat(text), {})) < len(text.encode()) + 100


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\ud83e\udd81", "\udd81\ud83e", "\ud800\\ud800"])
def test_a_surrogate_is_sent_as_the_escape_that_json_has_for_it(client, chat, text):
    request = request_json(chat(text), {})
    assert json.loads(request) == json.loads(json.dumps(chat(text)))
    assert json.dumps(text)[1:-1].encode() in request
    sent, expected = (outcome(client, body) for body in (chat(text), json.dumps(chat(text)).encode()))
    assert sent == expected


def outcome(client: nomyo_native.Client, request: Any) -> Any:
    try:
        with client.create(request) as answer:
            return answer.content()
    except nomyo_native.NomyoError as e:
        return type(e), str(e)


def test_a_request_may_be_given_by_its_members(client):
    with client.create(model="echo", messages=[{"role": "user", "content": "Hi"}], n=2) as answer:
        assert [answer.content(choice) for choice in range(answer.choice_count)] == ["Hi", "Hi"]
        with pytest.raises(IndexError):
            answer.content(2)
        with pytest.raises(IndexError):
            answer.content(-1)


@pytest.mark.parametrize(
    "kind",
    [
        bytes,
        bytearray,
        memoryview,
        lambda data: memoryview(bytearray(data)),
        lambda data: memoryview(bytearray(b"  " + data + b"  "))[2:-2],
        lambda data: memoryview(bytearray(byte for byte in data for _ in range(2)))[::2],
    ],
    ids=["bytes", "bytearray", "read-only", "writable", "a part", "every other byte"],
)
def test_a_request_may_be_any_bytes(client, chat, kind):
    with client.create(kind(json.dumps(chat("bytes"), ensure_ascii=False).encode())) as answer:
        assert answer.content() == "bytes"


def test_a_bytearray_can_be_wiped_and_emptied_after_the_call(client, chat):
    data = bytearray(json.dumps(chat("secret")).encode())
    client.create(data).close()
    data[:] = bytes(len(data))
    data.clear()
    data += b"[]"
    try:
        client.create(data)
    except nomyo_native.ArgumentError:
        data.clear()  # BufferError, if the traceback held on to it
    else:
        pytest.fail("an array was taken for a request")


@pytest.mark.parametrize("method", ["generate_keys", "save_keys", "load_keys"])
def test_a_password_can_be_emptied_after_a_call_that_failed(client, tmp_path, method):
    password = bytearray(b"long enough")
    try:
        getattr(client, method)(tmp_path / "no" / "such" / "directory", password=password)
    except nomyo_native.NomyoError:
        password.clear()  # BufferError, if the traceback held on to it
    else:
        pytest.fail("it worked")


def test_a_null_in_a_text_does_not_end_it(client, chat):
    with client.create(chat("a\0b")) as answer:
        assert answer.content() == "a\0b"


def test_a_pointer_tells_null_from_absent(client, chat):
    with client.create(chat(test={"answer": {"a": None, "b": [1, {"c/d": "e"}]}})) as answer:
        assert answer.pointer("/a", "absent") is None
        assert answer.pointer("/b/0") == 1
        assert answer.pointer("/b/1/c~1d") == "e"
        assert answer.pointer("/x", "absent") == "absent"
        assert answer.pointer("/a\0x", "absent") == "absent"
        assert answer.pointer("no pointer", "absent") == "absent"
        assert answer.choice_count == 0


def test_reasoning_is_separate(client, chat):
    with client.create(chat(test={"reply": "said", "reasoning": "thought"})) as answer:
        assert (answer.content(), answer.reasoning()) == ("said", "thought")
    for thoughts in ({"reasoning": "thought"}, {"reasoning_content": None, "reasoning": "thought"}):
        said = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "said", **thoughts}}]}
        with client.create(chat(test={"answer": said})) as answer:
            assert (answer.content(), answer.reasoning()) == ("said", "thought")


def test_a_tool_is_called_and_its_result_answered(client, chat):
    request = chat("Weather?", tools=TOOLS)
    with client.create(request) as answer:
        (call,) = answer.tool_calls()
        assert call["function"]["name"] == "get_weather"
        assert answer.content() is None
        assert answer.finish_reason() == "tool_calls"
        said = answer.json()["choices"][0]["message"]
    request["messages"] += [said, {"role": "tool", "tool_call_id": call["id"], "content": "sun"}]
    with client.create(request) as answer:
        assert answer.content() == "sun"


def test_a_tier_is_asked_for_and_told(client, chat):
    with client.create(chat(), security_tier="high") as answer:
        assert answer.pointer("/_metadata/security_tier") == "high"


def test_sixteen_threads_share_a_client(client, chat):
    def ask(number: int) -> str | None:
        with client.create(chat(f"message {number}")) as answer:
            return answer.content()

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(ask, range(64))) == [f"message {number}" for number in range(64)]


def test_plain_http_works_when_allowed_and_is_logged(plain_base_url, chat, caplog):
    log = logging.getLogger("nomyo_native.test")
    with caplog.at_level(logging.WARNING, log.name), nomyo_native.Client(plain_base_url, allow_http=True, log=log) as c:
        c.warm_up()
        with c.create(chat()) as answer:
            assert answer.content() == "Hello"
    assert [record.levelname for record in caplog.records] == ["WARNING"]


