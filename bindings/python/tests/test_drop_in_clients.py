"""A client of the official SDK's interface follows its attributes, and can be copied."""

import asyncio
import copy
import os
import stat

import pytest

import nomyo_native as nomyo

USER = [{"role": "user", "content": "Hello"}]


@pytest.fixture(autouse=True)
def trust(ca_file, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)


def content(client: nomyo.SecureChatCompletion) -> str:
    return asyncio.run(client.create("echo", USER))["choices"][0]["message"]["content"]


def test_a_router_url_that_is_changed_counts_for_the_next_call(base_url):
    client = nomyo.SecureChatCompletion(base_url, max_retries=0)
    assert content(client) == "Hello"
    before = client.client.public_key_pem
    client.client.router_url = "https://127.0.0.1:1"
    with pytest.raises(nomyo.APIConnectionError, match="127.0.0.1:1"):
        content(client)
    assert client.client.public_key_pem == before, "the keys stay"
    client.client.router_url = base_url
    assert content(client) == "Hello" and client.client.public_key_pem == before


def test_http_that_is_no_longer_allowed_is_refused(plain_base_url):
    with pytest.warns(UserWarning):
        client = nomyo.SecureChatCompletion(plain_base_url, allow_http=True)
    assert content(client) == "Hello"
    client.client.allow_http = False
    with pytest.raises(nomyo.SecurityError):
        content(client)


def test_an_answer_to_a_request_of_before_a_change_is_decrypted(base_url, ca_file):
    import ssl
    import urllib.request

    low = nomyo.SecureCompletionClient(base_url)

    async def exchange():
        sealed = await low.encrypt_payload({"model": "echo", "messages": USER})
        request = urllib.request.Request(f"{base_url}/v1/chat/secure_completion", bytes(sealed), sealed.headers)
        with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=ca_file)) as answer:
            body = answer.read()
        low.max_retries = 1
        return await low.decrypt_response(body, sealed.payload_id)

    assert asyncio.run(exchange())["choices"][0]["message"]["content"] == "Hello"


def test_a_deep_copy_has_the_same_keys_and_goes_its_own_way(base_url):
    client = nomyo.SecureChatCompletion(base_url, api_key="k", max_retries=0)
    assert content(copy.deepcopy(client)) == "Hello"
    assert content(client) == "Hello"
    copied = copy.deepcopy(client)
    assert content(copied) == "Hello" and copied.client.public_key_pem == client.client.public_key_pem
    copied.client.router_url = "https://127.0.0.1:1"
    with pytest.raises(nomyo.APIConnectionError):
        content(copied)
    assert content(client) == "Hello"


def test_the_directories_above_a_key_directory_are_made_for_the_user_alone(base_url, tmp_path):
    before = os.umask(0)
    try:
        nomyo.SecureCompletionClient(base_url).generate_keys(save_to_file=True, key_dir=str(tmp_path / "a/b/keys"))
        content(nomyo.SecureChatCompletion(base_url, key_dir=str(tmp_path / "c/d/keys")))
    finally:
        os.umask(before)
    for made in ("a", "a/b", "a/b/keys", "c", "c/d", "c/d/keys"):
        assert stat.S_IMODE((tmp_path / made).stat().st_mode) == 0o700, made
    assert (tmp_path / "c/d/keys/private_key.pem").exists()


@pytest.mark.parametrize("key_dir", ["/proc/none/keys", "a\0b/keys", 5])
def test_a_key_directory_that_cannot_be_made_is_an_error_of_the_library_s(base_url, key_dir):
    for attempt in (
        lambda: nomyo.SecureCompletionClient(base_url).generate_keys(save_to_file=True, key_dir=key_dir),
        lambda: content(nomyo.SecureChatCompletion(base_url, key_dir=key_dir)),
    ):
        with pytest.raises(nomyo.NomyoError):
            attempt()


def test_methods_that_are_not_async_may_be_awaited(base_url, tmp_path):
    async def both():
        low = nomyo.SecureCompletionClient(base_url)
        assert await low.generate_keys(save_to_file=True, key_dir=str(tmp_path / "keys"), password="a password") is None
        assert await low.load_keys(str(tmp_path / "keys/private_key.pem"), password="a password") is None
        return low.public_key_pem

    assert asyncio.run(both()) == (tmp_path / "keys/public_key.pem").read_text()


def test_a_server_that_cannot_be_reached_is_a_connection_error_and_was_a_security_error():
    import nomyo as sdk

    for module, kind in ((sdk, sdk.SecurityError), (nomyo, nomyo.APIConnectionError)):
        with pytest.raises(kind):
            content(module.SecureChatCompletion("https://127.0.0.1:1", max_retries=0))
