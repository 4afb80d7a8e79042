"""The official SDK gets its answers from our endpoint."""

import asyncio
import uuid

import pytest
from conftest import FIXTURES
from nomyo import SecureChatCompletion
from nomyo.SecureCompletionClient import SecureCompletionClient

TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]


def content(answer):
    return answer["choices"][0]["message"]["content"]


def test_create_gets_the_echo(ask):
    answer = ask("What is a lion?")
    assert content(answer) == "What is a lion?"
    assert answer["object"] == "chat.completion"
    assert answer["model"] == "echo"
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert answer["usage"]["total_tokens"] == 8


@pytest.mark.parametrize("text", ["grüße, мир", "🦁", '\n"\\\u0001\u2028', "a\0b", " ", "x" * 1_000_000])
def test_text_comes_back_as_it_went(ask, text):
    assert content(ask(text)) == text


def test_metadata_is_what_the_documentation_says(ask):
    metadata = ask()["_metadata"]
    assert uuid.UUID(metadata["payload_id"]).version == 4
    assert isinstance(metadata["processed_at"], int)
    assert metadata["is_encrypted"] is True
    assert metadata["encryption_algorithm"] == "hybrid-aes256-rsa4096"
    assert metadata["response_status"] == "success"
    assert metadata["security_tier"] == "standard"
    assert set(metadata["memory_protection"]) == {
        "platform",
        "memory_locking",
        "secure_zeroing",
        "core_dump_prevention",
    }
    assert set(metadata["cuda_device"]) == {"available", "device_hash"}
    assert metadata["tpm_attestation"] == {"is_available": False}


def test_other_parameters_go_through(ask):
    answer = ask(
        n=2,
        temperature=0.7,
        max_tokens=10,
        top_p=0.9,
        stop=["x"],
        seed=1,
        logit_bias={"1": 2},
        user="u",
        response_format={"type": "json_object"},
    )
    assert [choice["index"] for choice in answer["choices"]] == [0, 1]


def test_reasoning_arrives_beside_the_content(ask):
    message = ask(test={"reply": "said", "reasoning": "thought"})["choices"][0]["message"]
    assert (message["content"], message["reasoning_content"]) == ("said", "thought")


def test_a_tool_is_called_and_its_result_answered(ask):
    user = {"role": "user", "content": "Weather?"}
    choice = ask(messages=[user], tools=TOOLS)["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    (call,) = choice["message"]["tool_calls"]
    assert (call["type"], call["function"]) == ("function", {"name": "get_weather", "arguments": "{}"})
    result = {"role": "tool", "tool_call_id": call["id"], "content": "sun"}
    assert content(ask(messages=[user, choice["message"], result], tools=TOOLS)) == "sun"


@pytest.mark.parametrize("tier", ["standard", "high"])
def test_a_tier_is_asked_for_and_told(ask, tier):
    assert ask(security_tier=tier)["_metadata"]["security_tier"] == tier


def test_an_api_key_is_taken(strict_url):
    sdk = SecureChatCompletion(base_url=strict_url, api_key="right", max_retries=0)
    messages = [{"role": "user", "content": "Hello"}]
    assert content(asyncio.run(sdk.create(model="echo", messages=messages))) == "Hello"


def test_a_key_directory_is_made_and_used_again(base_url, tmp_path):
    for _ in range(2):  # the second time the public key is sent without its last line feed
        sdk = SecureChatCompletion(base_url=base_url, key_dir=str(tmp_path), max_retries=0)
        assert content(asyncio.run(sdk.create(model="echo", messages=[{"role": "user", "content": "Hi"}]))) == "Hi"
    assert {path.name for path in tmp_path.iterdir()} == {"private_key.pem", "public_key.pem"}


def test_the_smallest_client_key_and_a_payload_id_of_older_sdks_are_taken(base_url):
    keys = FIXTURES / "keys"
    low_level = SecureCompletionClient(router_url=base_url, max_retries=0)
    low_level.load_keys(str(keys / "client2048_private.pem"), str(keys / "client2048_public.pem"))
    payload_id = f"openai-compat-{uuid.uuid4()}"
    request = {"model": "echo", "messages": [{"role": "user", "content": "Hi"}]}
    answer = asyncio.run(low_level.send_secure_request(request, payload_id))
    assert content(answer) == "Hi"
    assert answer["_metadata"]["payload_id"] == payload_id


def test_calls_at_once_each_get_their_own_answer(sdk):
    async def ask_all():
        said = [f"message {number}" for number in range(16)]
        calls = [sdk.create(model="echo", messages=[{"role": "user", "content": text}]) for text in said]
        assert [content(answer) for answer in await asyncio.gather(*calls)] == said

    asyncio.run(ask_all())


def test_a_retry_is_the_same_request_and_is_answered(sdk, ask, monkeypatch):
    monkeypatch.setattr(sdk.client, "max_retries", 1)
    assert content(ask(test={"status": 503, "times": 1})) == "Hello"


@pytest.mark.parametrize("test", [{"gzip": True}, {"chunked": True}, {"delay_in_body_ms": 50}, {"processed_at": None}])
def test_odd_but_valid_answers_are_read(ask, test):
    answer = ask(test=test)
    assert content(answer) == "Hello"
    assert isinstance(answer["_metadata"]["processed_at"], int) is ("processed_at" not in test)
