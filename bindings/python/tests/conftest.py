"""What the tests share: the endpoint that tests/with_endpoint.sh started, and one client of it."""

import json
import os
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from nomyo_native import Client


def _environment(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        pytest.exit(f"{name} is not set: run this through tests/with_endpoint.sh", returncode=2)
    return value


@pytest.fixture(scope="session")
def base_url() -> str:
    return _environment("NOMYO_TEST_BASE_URL")


@pytest.fixture(scope="session")
def plain_base_url() -> str:
    return _environment("NOMYO_TEST_PLAIN_BASE_URL")


@pytest.fixture(scope="session")
def ca_file() -> str:
    return _environment("NOMYO_TEST_CA_FILE")


@pytest.fixture(scope="session", autouse=True)
def no_configuration_from_outside() -> None:
    names = ["API_KEY", "BASE_URL", "SERVER_KEY_PIN", "TLS_PIN", "KEY_DIR", "KEY_PASSWORD", "KEY_GROUP_READ"]
    proxies = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"]
    for name in (*(f"NOMYO_{name}" for name in names), *proxies, *map(str.upper, proxies), "REQUESTS_CA_BUNDLE"):
        os.environ.pop(name, None)


@pytest.fixture(scope="session")
def make_client(base_url: str, ca_file: str) -> Callable[..., Client]:
    def make(**options: Any) -> Client:
        return Client(base_url, ca_file=ca_file, **options)

    return make


@pytest.fixture(scope="session")
def client(base_url: str, ca_file: str) -> Iterator[Client]:
    """Made once: a key pair takes most of a second. It does not repeat what fails."""
    with Client(base_url, api_key="test", ca_file=ca_file, timeout=60, max_retries=0) as client:
        yield client


@pytest.fixture
def chat() -> Callable[..., dict[str, Any]]:
    """A chat request with one message and what else it is given; `test` is what the endpoint is to do with it."""

    def request(content: str = "Hello", test: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
        made = {"model": "echo", "messages": [{"role": "user", "content": content}], **members}
        return made if test is None else {**made, "nomyo_test": test}

    return request


@pytest.fixture
def faults(plain_base_url: str) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Sets the server's faults, and clears them after the test."""

    def set_faults(wanted: dict[str, Any]) -> None:
        urllib.request.urlopen(f"{plain_base_url}/control/faults", json.dumps(wanted).encode()).close()

    yield set_faults
    set_faults({})


@contextmanager
def _endpoint(ca_file: str, ready: Path, *options: str) -> Iterator[str]:
    """Another endpoint, while the context lasts. Yields its base URL."""
    program = os.environ.get("NOMYO_TEST_ENDPOINT", "target/debug/endpoint")
    command = [program, *options, "--state-dir", Path(ca_file).parent, "--ready-file", ready]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            for _ in range(600):
                if ready.exists():
                    break
                assert process.poll() is None, "the endpoint did not start"
                time.sleep(0.1)
            yield json.loads(ready.read_text())["base_url"]
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def tpm_url(ca_file: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A second endpoint, which attests with a software TPM."""
    with _endpoint(ca_file, tmp_path_factory.mktemp("tpm") / "ready.json", "--tpm", "swtpm") as url:
        yield url


@pytest.fixture(scope="session")
def in_front_of(ca_file: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., AbstractContextManager[str]]:
    """Starts an endpoint in front of an upstream that answers as a handler does."""

    @contextmanager
    def start(handler: type[BaseHTTPRequestHandler], *options: str) -> Iterator[str]:
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever).start()
            upstream = f"http://127.0.0.1:{server.server_port}"
            ready = tmp_path_factory.mktemp("upstream") / "ready.json"
            try:
                with _endpoint(ca_file, ready, "--upstream", upstream, *options) as url:
                    yield url
            finally:
                server.shutdown()

    return start
