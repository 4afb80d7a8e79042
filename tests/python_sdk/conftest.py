"""The official Python SDK, nomyo 0.2.9, as a client of the local endpoint.

The endpoint is written by the same people as the library; here somebody else's client judges it. Run through
tests/with_endpoint.sh, with a Python that has pytest and nomyo==0.2.9.
"""

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from nomyo import SecureChatCompletion

FIXTURES = Path(__file__).parents[1] / "fixtures" / "protocol"


def _environment(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        pytest.exit(f"{name} is not set: run this through tests/with_endpoint.sh", returncode=2)
    return value


@pytest.fixture(scope="session", autouse=True)
def trust() -> None:
    """The SDK has no option for a CA; its HTTP client believes SSL_CERT_FILE. No proxy stands between us."""
    os.environ["SSL_CERT_FILE"] = _environment("NOMYO_TEST_CA_FILE")
    os.environ["NO_PROXY"] = "*"


@pytest.fixture(scope="session")
def base_url() -> str:
    return _environment("NOMYO_TEST_BASE_URL")


@pytest.fixture(scope="session")
def sdk(base_url: str) -> SecureChatCompletion:
    """One for all: each makes an RSA-4096 pair. It does not retry, since it would sleep for seconds."""
    return SecureChatCompletion(base_url=base_url, api_key="test", max_retries=0)


@pytest.fixture(scope="session")
def ask(sdk: SecureChatCompletion) -> Callable[..., dict[str, Any]]:
    """Calls create() with one message and what else it is given; `test` is what the endpoint is to do with it."""

    def create(content: str = "Hello", test: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
        members.setdefault("messages", [{"role": "user", "content": content}])
        if test is not None:
            members["nomyo_test"] = test
        return asyncio.run(sdk.create(model="echo", **members))

    return create


@pytest.fixture
def faults(base_url: str) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Sets the server's faults, and clears them after the test."""

    def set_faults(wanted: dict[str, Any]) -> None:
        httpx.post(f"{base_url}/control/faults", json=wanted).raise_for_status()

    yield set_faults
    set_faults({})


@pytest.fixture(scope="session")
def strict_url(trust: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A second endpoint, which wants the API key `right` and allows no tier above standard."""
    endpoint = os.environ.get("NOMYO_TEST_ENDPOINT", "target/debug/endpoint")
    state = Path(os.environ["NOMYO_TEST_CA_FILE"]).parent
    ready = tmp_path_factory.mktemp("strict") / "ready.json"
    process = subprocess.Popen(
        [endpoint, "--api-key", "right", "--tier-policy", "standard", "--state-dir", state, "--ready-file", ready]
    )
    try:
        for _ in range(100):
            if ready.exists():
                break
            assert process.poll() is None, "the endpoint did not start"
            time.sleep(0.1)
        yield json.loads(ready.read_text())["base_url"]
    finally:
        process.terminate()
        process.wait()
