"""Our endpoint's refusals and defects are to the official SDK what those of a recorded server were."""

import asyncio
import json

import httpx
import pytest
from conftest import FIXTURES
from nomyo import (
    APIConnectionError,
    APIError,
    AuthenticationError,
    ForbiddenError,
    InvalidRequestError,
    SecureChatCompletion,
    SecurityError,
    ServiceUnavailableError,
)

STATUSES = json.loads((FIXTURES / "http" / "status_matrix.json").read_text())["cases"]
MALFORMED = json.loads((FIXTURES / "manifest.json").read_text())["malformed"]
UNEXPECTED = "Request failed due to an unexpected error"


@pytest.mark.parametrize("case", STATUSES, ids=lambda case: f"{case['http_status']} {case['body_name']}")
def test_a_status_is_what_it_was(ask, case):
    with pytest.raises(Exception) as caught:
        ask(test={"status": case["http_status"], "body": case["body"], "headers": case["response_headers"]})
    error = caught.value
    assert type(error).__name__ == case["exception"]
    if isinstance(error.args[0], str):  # with 401 and a `detail` that is no string, the SDK's text is none either
        assert str(error) == case["str"]
    assert getattr(error, "status_code", None) == case["status_code_attr"]
    assert getattr(error, "error_details", None) == case["error_details"]


@pytest.mark.parametrize("case", MALFORMED, ids=lambda case: case["name"])
def test_a_malformed_answer_is_what_it_was(ask, case):
    with pytest.raises(Exception) as caught:
        ask(test={"malformed": case["name"]})
    if case["name"] == "base64url_alphabet":  # the SDK drops `-` and `_`; what it then finds wrong depends on chance
        assert isinstance(caught.value, (APIConnectionError, SecurityError))
        return
    assert {"class": type(caught.value).__name__, "message": str(caught.value)} == case["via_create()"]


def test_a_malformed_answer_does_not_stay(ask):
    with pytest.raises(SecurityError):
        ask(test={"malformed": "ciphertext_bit_flip"})
    assert ask()["choices"]


def test_a_tag_at_the_end_of_the_ciphertext_is_not_this_sdk_s_form(ask):
    with pytest.raises(APIConnectionError, match=UNEXPECTED):
        ask(test={"js_form": True})


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ({"reset": "before_headers"}, "Failed to connect to router"),
        ({"reset": "in_body"}, "Failed to connect to router"),
        ({"close": True}, UNEXPECTED),
        ({"truncate": 10}, UNEXPECTED),
    ],
)
def test_a_broken_connection_is_an_api_connection_error(ask, test, message):
    with pytest.raises(APIConnectionError, match=message):
        ask(test=test)


def test_a_redirect_is_not_followed(ask):
    with pytest.raises(APIError) as caught:
        ask(test={"redirect": "https://127.0.0.1:1/"})
    assert caught.value.status_code == 307


def test_the_maximum_tier_needs_a_tpm(ask):
    with pytest.raises(ServiceUnavailableError, match="TPM"):
        ask(security_tier="maximum")


@pytest.mark.parametrize("tier", ["", "High", "top"])
def test_an_unknown_tier_never_leaves_the_sdk(ask, tier):
    with pytest.raises(ValueError, match="Invalid security_tier"):
        ask(security_tier=tier)


@pytest.mark.parametrize("members", [{"stream": True}, {"messages": []}, {"n": 0}, {"nomyo_test": {"no such": 1}}])
def test_what_the_endpoint_cannot_do_is_a_bad_request(ask, members):
    with pytest.raises(InvalidRequestError) as caught:
        ask(**members)
    assert caught.value.error_details["detail"]


@pytest.fixture(scope="module")
def strict(strict_url):
    return SecureChatCompletion(base_url=strict_url, max_retries=0)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, AuthenticationError),
        ({"api_key": "wrong"}, AuthenticationError),
        ({"api_key": "right", "security_tier": "high"}, ForbiddenError),
        ({"api_key": "right", "security_tier": "maximum"}, ForbiddenError),
    ],
)
def test_a_strict_endpoint_refuses(strict_url, strict, members, expected):
    with pytest.raises(expected):
        asyncio.run(strict.create(model="echo", messages=[{"role": "user", "content": "Hi"}], **members))


def test_a_strict_endpoint_takes_no_test_instructions(strict):
    messages = [{"role": "user", "content": "Hi"}]
    with pytest.raises(InvalidRequestError, match="--control"):
        asyncio.run(strict.create(model="echo", messages=messages, api_key="right", nomyo_test={}))


@pytest.mark.parametrize(
    ("fault", "expected", "message"),
    [
        ({"status": 503}, ValueError, "Failed to fetch server's public key: HTTP 503"),
        ({"redirect": "/elsewhere"}, ValueError, "Failed to fetch server's public key: HTTP 307"),
        ({"key_pem": "no key"}, ValueError, "Server returned invalid public key format"),
        ({"status": 200, "body": ""}, ValueError, "Server returned invalid public key format"),
        ({"close": True}, ValueError, "Failed to fetch server's public key"),
    ],
)
def test_a_bad_key_fetch_is_what_it_was(ask, faults, fault, expected, message):
    faults({"key_fetch": fault})
    with pytest.raises(expected) as caught:
        ask()
    assert str(caught.value) == message


def test_a_request_for_another_key_is_refused(ask, faults):
    faults({"key_fetch": {"key_pem": (FIXTURES / "keys" / "other_public.pem").read_text()}})
    with pytest.raises(InvalidRequestError):
        ask()


def test_a_rotated_server_key_is_used_at_once(ask, base_url):
    key = f"{base_url}/pki/public_key"
    before = httpx.get(key).text
    pem = (FIXTURES / "keys" / "server_private.pem").read_bytes()
    httpx.post(f"{base_url}/control/rotate-key", content=pem).raise_for_status()
    assert httpx.get(key).text != before
    assert ask()["choices"]
