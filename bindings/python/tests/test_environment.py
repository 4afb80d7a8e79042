"""The environment is read where the page says so: when a client is made with environment=True, and nowhere else."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

import nomyo_native as nomyo

# No client could work with any of these.
POISON = {
    **dict.fromkeys(("http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"), "http://127.0.0.1:1"),
    "SSL_CERT_FILE": "/nowhere/ca.pem",
    "SSL_CERT_DIR": "/nowhere",
    "REQUESTS_CA_BUNDLE": "/nowhere/ca.pem",
    "NOMYO_API_KEY": "a\nb",
    "NOMYO_BASE_URL": "no url",
    "NOMYO_KEY_DIR": "/nowhere/keys",
    "NOMYO_KEY_PASSWORD": "short",
    "NOMYO_KEY_GROUP_READ": "maybe",
    "NOMYO_SERVER_KEY_PIN": "no pin",
    "NOMYO_TLS_PIN": "no pin",
}


def test_with_environment_false_no_variable_has_an_effect(monkeypatch, base_url, ca_file, chat):
    for name, value in POISON.items():
        monkeypatch.setenv(name, value)
    with nomyo.Client(base_url, ca_file=ca_file, environment=False, max_retries=0) as client:
        assert client.create(chat()).content() == "Hello"
        assert client.tls_chain() and client.server_key() and client.public_key()


def test_with_environment_false_ssl_cert_file_is_not_believed(monkeypatch, base_url, ca_file):
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    with nomyo.Client(base_url, environment=False, max_retries=0) as client:
        with pytest.raises(nomyo.APIConnectionError, match="certificate"):
            client.server_key()


def test_ssl_cert_file_is_believed(monkeypatch, base_url, ca_file, chat):
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    with nomyo.Client(base_url) as client:
        monkeypatch.delenv("SSL_CERT_FILE")  # it was read when the client was made, and never is again
        assert client.create(chat()).content() == "Hello"


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_variable_is_obeyed(monkeypatch, make_client, name):
    monkeypatch.setenv(name, "http://127.0.0.1:1")
    with make_client(max_retries=0) as client:
        monkeypatch.delenv(name)
        with pytest.raises(nomyo.APIConnectionError) as caught:
            client.server_key()
    assert "http://127.0.0.1:1" in str(caught.value)
    assert caught.value.sent == "no"


def test_no_proxy_is_obeyed(monkeypatch, make_client, chat):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with make_client() as client:
        assert client.create(chat()).content() == "Hello"


def test_an_argument_precedes_its_variable(monkeypatch, base_url, ca_file, chat):
    monkeypatch.setenv("NOMYO_BASE_URL", "https://127.0.0.1:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    with nomyo.Client(base_url, proxy="", ca_file=ca_file) as client:
        assert client.create(chat()).content() == "Hello"


@pytest.mark.parametrize("name", ["NOMYO_TLS_PIN", "NOMYO_SERVER_KEY_PIN"])
def test_a_pin_in_the_environment_is_obeyed(monkeypatch, make_client, client, name):
    pin = {"NOMYO_TLS_PIN": client.tls_chain()[0].sha256, "NOMYO_SERVER_KEY_PIN": client.server_key().fingerprint}[name]
    for value, refused in ((f"{'0' * 64}, {pin}", False), ("0" * 64, True)):
        monkeypatch.setenv(name, value)
        with make_client() as pinned:
            if not refused:
                pinned.server_key()
                continue
            with pytest.raises(nomyo.PinError):
                pinned.server_key()


@pytest.mark.parametrize(
    "name", ["NOMYO_TLS_PIN", "NOMYO_SERVER_KEY_PIN", "NOMYO_API_KEY", "NOMYO_BASE_URL", "NOMYO_KEY_GROUP_READ"]
)
def test_a_variable_that_cannot_be_used_is_named(monkeypatch, name):
    monkeypatch.setenv(name, POISON[name])
    with pytest.raises(nomyo.ArgumentError):
        nomyo.Client()


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("NOMYO_TLS_PIN", "0" * 64, nomyo.PinError),
        ("NOMYO_SERVER_KEY_PIN", "0" * 64, nomyo.PinError),
        ("HTTPS_PROXY", "http://127.0.0.1:1", nomyo.APIConnectionError),
        ("NOMYO_KEY_DIR", "/nowhere/keys", OSError),
        ("SSL_CERT_FILE", "/nowhere/ca.pem", nomyo.APIConnectionError),
    ],
)
def test_the_drop_in_client_obeys_the_environment(monkeypatch, base_url, ca_file, name, value, error):
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    monkeypatch.setenv(name, value)
    sdk = nomyo.SecureChatCompletion(base_url, max_retries=0)
    with pytest.raises(error) as caught:
        asyncio.run(sdk.create("echo", [{"role": "user", "content": "Hello"}]))
    assert isinstance(caught.value, nomyo.NomyoError) and caught.value.sent == "no"


# The C library reallocates the environment whenever it grows: who reads it at that moment reads freed memory.
RACE = """
import os, sys, threading
from nomyo_native import Client
environment = sys.argv[1] == "True"
sys.setswitchinterval(1e-6)
stop = threading.Event()
def change():
    n = 0
    while not stop.is_set():
        n += 1
        os.environ[f"VAR{n}"] = "x" * 50
        if n % 2000 == 0:
            for m in range(n - 1999, n + 1): del os.environ[f"VAR{m}"]
def make():
    for _ in range(4000):
        Client("https://127.0.0.1:1", "x", environment=environment).close()
    stop.set()
threads = [threading.Thread(target=target) for target in (change, make, make)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("alive")
"""


@pytest.mark.parametrize("environment", [True, False])
def test_clients_are_made_while_a_thread_changes_the_environment(environment):
    run = subprocess.run(
        [sys.executable, "-c", RACE, str(environment)],
        env={**os.environ, "PYTHONPATH": str(Path(nomyo.__file__).parents[1])}, capture_output=True, text=True,
    )  # fmt: skip
    assert (run.returncode, run.stdout) == (0, "alive\n"), run.stderr
