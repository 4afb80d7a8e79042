"""Each failure is the exception that its name says, and tells what to do."""

import pickle
import ssl

import pytest

import nomyo_native as nomyo

BY_HTTP_STATUS = [
    (400, nomyo.InvalidRequestError, False),
    (401, nomyo.AuthenticationError, False),
    (403, nomyo.ForbiddenError, False),
    (404, nomyo.APIError, False),
    (418, nomyo.APIError, False),
    (429, nomyo.RateLimitError, True),
    (500, nomyo.ServerError, True),
    (502, nomyo.APIError, True),
    (503, nomyo.ServiceUnavailableError, True),
    (504, nomyo.APIError, True),
]


@pytest.mark.parametrize(("http_status", "expected", "retryable"), BY_HTTP_STATUS)
def test_an_http_status_is_its_class(client, chat, http_status, expected, retryable):
    with pytest.raises(nomyo.NomyoError) as caught:
        client.create(chat(test={"status": http_status, "body": '{"detail": "why"}'}))
    error = caught.value
    assert type(error) is expected
    assert error.status_code == http_status
    assert error.details == b'{"detail": "why"}'
    assert error.error_details == {"detail": "why"}
    assert error.retryable is retryable
    assert error.attempts == 1
    assert error.status_name.startswith("NOMYO_ERR_")
    assert "why" not in str(error), "the server's words are not the library's"


def test_retry_after_is_in_seconds(client, chat):
    with pytest.raises(nomyo.RateLimitError) as caught:
        client.create(chat(test={"status": 429, "headers": {"Retry-After": "1.5"}}))
    assert caught.value.retry_after == 1.5
    with pytest.raises(nomyo.RateLimitError) as caught:
        client.create(chat(test={"status": 429}))
    assert caught.value.retry_after is None


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ({"payload_id": "another"}, nomyo.SecurityError),
        ({"malformed": "ciphertext_bit_flip"}, nomyo.SecurityError),
        ({"status": 200, "body": "{}"}, nomyo.ProtocolError),
        ({"close": True}, nomyo.APIConnectionError),
        ({"reset": "before_headers"}, nomyo.APIConnectionError),
        ({"redirect": "https://example.com/"}, nomyo.APIError),
    ],
)
def test_a_bad_answer_is_its_class(client, chat, test, expected):
    with pytest.raises(expected):
        client.create(chat(test=test))


def test_what_passes_is_tried_again(make_client, chat):
    test = {"status": 500, "times": 2, "headers": {"Retry-After-Ms": "1"}}
    with make_client(max_retries=1) as client:
        with pytest.raises(nomyo.ServerError) as caught:
            client.create(chat(test=test))
        assert caught.value.attempts == 2
    with make_client() as client:
        assert client.create(chat(test=test)).content() == "Hello"
    for number in (-1, 11, 2**32):
        with pytest.raises(nomyo.ArgumentError):
            make_client(max_retries=number)


def test_a_lower_tier_than_asked_for_is_withheld(client, chat):
    with pytest.raises(nomyo.SecurityError):
        client.create(chat(test={"tier": "standard"}), security_tier="high")


def test_a_tier_that_the_server_cannot_give_is_refused(client, chat):
    with pytest.raises(nomyo.ServiceUnavailableError):
        client.create(chat(), security_tier="maximum")


def test_a_timeout_is_kept(client, chat):
    with pytest.raises(nomyo.APITimeoutError) as caught:
        client.create(chat(test={"delay_before_headers_ms": 60_000}), timeout=0.3)
    assert isinstance(caught.value, nomyo.APIConnectionError)


@pytest.mark.parametrize("request_json", [b"", b"[]", b"{", b"{}", b"\xff", b'{"a": NaN}', bytearray(), {}])
def test_what_is_no_request_is_refused(client, request_json):
    with pytest.raises(nomyo.ArgumentError):
        client.create(request_json)


@pytest.mark.parametrize(
    "options",
    [
        {"security_tier": "High"},
        {"security_tier": ""},
        {"security_tier": "high\0"},
        {"api_key": "a\r\nb"},
        {"timeout": 0},
        {"timeout": -1},
        {"timeout": float("nan")},
        {"timeout": float("inf")},
        {"stream": True, "model": "m"},
    ],
)
def test_what_is_no_option_is_refused(client, chat, options):
    with pytest.raises(ValueError):
        client.create(**{**chat(), **options})


@pytest.mark.parametrize("wrong", [7, "{}", [("model", "m")]])
def test_a_request_of_another_type_is_a_type_error(client, wrong):
    with pytest.raises(TypeError):
        client.create(wrong)


def test_a_request_and_members_are_a_type_error(client, chat):
    with pytest.raises(TypeError):
        client.create(chat(), model="m")


@pytest.mark.parametrize("value", [float("nan"), {1, 2}])
def test_what_json_cannot_hold_is_python_s_error(client, chat, value):
    with pytest.raises((ValueError, TypeError)):
        client.create(chat(extra=value))


@pytest.mark.parametrize(
    "options",
    [
        {"max_retries": 11},
        {"max_retries": -1},
        {"max_retries": 2**32 + 1},
        {"rate_limit": (float("nan"), 1)},
        {"rate_limit": (1, 0)},
        {"response_limit": 0},
        {"response_limit": 2**64},
        {"proxy": "no url"},
        {"memory": "always"},
        {"timeout": -1},
        {"key_rotation": float("inf")},
    ],
    ids=str,
)
def test_what_no_client_can_have_is_refused(options):
    with pytest.raises(nomyo.ArgumentError):
        nomyo.Client(**options)


def test_too_long_an_answer_is_refused(make_client, chat):
    with make_client(response_limit=10_000) as client, pytest.raises(nomyo.ProtocolError):
        client.create(chat("x" * 10_000))


@pytest.mark.parametrize("url", ["", "ftp://x", "https://u:p@x", "https://x\0y", "https://x?q"])
def test_what_is_no_url_is_refused(url):
    with pytest.raises(nomyo.ArgumentError):
        nomyo.Client(url)


def test_plain_http_is_refused(plain_base_url):
    with pytest.raises(nomyo.SecurityError):
        nomyo.Client(plain_base_url)


def test_a_server_of_an_unknown_ca_is_refused(base_url, tmp_path):
    with nomyo.Client(base_url) as client, pytest.raises(nomyo.APIConnectionError, match="ca_file"):
        client.warm_up()
    other = tmp_path / "ca.pem"
    other.write_text(ssl.DER_cert_to_PEM_cert(ssl.create_default_context().get_ca_certs(binary_form=True)[0]))
    with nomyo.Client(base_url, ca_file=other) as client, pytest.raises(nomyo.APIConnectionError) as caught:
        client.warm_up()
    assert not caught.value.retryable


def test_a_ca_file_that_is_not_there_is_a_file_error(base_url, tmp_path):
    with pytest.raises(nomyo.FileError) as caught:
        nomyo.Client(base_url, ca_file=tmp_path / "none.pem")
    assert isinstance(caught.value, OSError)
    assert "none.pem" in str(caught.value)


def test_a_pin_in_the_environment_that_is_none_is_refused(base_url, monkeypatch):
    monkeypatch.setenv("NOMYO_SERVER_KEY_PIN", "00")
    with pytest.raises(nomyo.ArgumentError):
        nomyo.Client(base_url)


def test_an_error_survives_pickling(client, chat):
    with pytest.raises(nomyo.RateLimitError) as caught:
        client.create(chat(test={"status": 429}))
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), str(copy), vars(copy)) == (type(caught.value), str(caught.value), vars(caught.value))
