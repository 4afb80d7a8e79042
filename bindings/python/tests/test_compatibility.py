"""The five things that the official SDK's own compatibility script checks, with `nomyo` and with `nomyo_native`.

The script (test.py in the SDK's repository) is not ours to copy: this is the same, written anew. It runs against an endpoint
in front of a model server that refuses models which it does not have.
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler
from importlib import import_module
from typing import Any

import pytest

MODEL = "Qwen/Qwen3-0.6B"
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]},
    },
}


class Model(BaseHTTPRequestHandler):
    """An OpenAI-compatible server with one model, which says what it was asked, or calls the first tool."""

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if request["model"] != MODEL:
            return self.answer(404, {"error": {"message": "no such model"}})
        message: dict[str, Any] = {"role": "assistant", "content": request["messages"][-1]["content"]}
        if tools := request.get("tools"):
            function = {"name": tools[0]["function"]["name"], "arguments": '{"location": "Paris"}'}
            message |= {"content": None, "tool_calls": [{"id": "1", "type": "function", "function": function}]}
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if tools else "stop"}
        return self.answer(200, {"id": "x", "object": "chat.completion", "model": MODEL, "choices": [choice]})

    def answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def url(in_front_of: Callable[..., AbstractContextManager[str]]) -> Iterator[str]:
    with in_front_of(Model) as url:
        yield url


@pytest.fixture(scope="module", params=["nomyo", "nomyo_native"])
def sdk(request: pytest.FixtureRequest, url: str, ca_file: str) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", ca_file)
        patch.setenv("NO_PROXY", "*")
        yield import_module(request.param).SecureChatCompletion(base_url=url, api_key="test-api-key-12345")


def said(text: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": "You are a helpful assistant."}, {"role": "user", "content": text}]


def test_1_basic_chat(sdk):
    response = asyncio.run(sdk.create(model=MODEL, messages=said("What is the capital of France?"), temperature=0.7))
    assert isinstance(response, dict) and len(response["choices"]) > 0
    assert response.get("model") == MODEL
    choice = response["choices"][0]
    assert choice["message"]["content"] == "What is the capital of France?"
    assert choice.get("finish_reason") == "stop"
    assert json.loads(json.dumps(response)) == response


def test_2_chat_with_tools(sdk):
    call = sdk.create(model=MODEL, messages=said("Weather in Paris?"), tools=[TOOL], temperature=0.7, max_tokens=2000)
    message = asyncio.run(call)["choices"][0]["message"]
    assert "tool_calls" in message
    assert [call["function"]["name"] for call in message["tool_calls"]] == ["get_weather"]


def test_3_all_parameters(sdk):
    parameters = {
        "temperature": 0.7, "max_tokens": 100, "top_p": 0.9, "frequency_penalty": 0.0, "presence_penalty": 0.0,
        "stop": None, "n": 1, "stream": False, "user": "test_user",
    }  # fmt: skip
    assert asyncio.run(sdk.create(model=MODEL, messages=said("Hello!"), **parameters))["choices"]


def test_4_async_alias(sdk):
    response = asyncio.run(sdk.acreate(model=MODEL, messages=said("Test message"), temperature=0.7))
    assert response["choices"][0]["message"]["content"] == "Test message"


def test_5_error_handling(sdk):
    with pytest.raises(Exception) as caught:
        asyncio.run(sdk.create(model="nonexistent-model", messages=said("Test")))
    assert type(caught.value).__name__ == "APIError"
    assert caught.value.status_code == 404
