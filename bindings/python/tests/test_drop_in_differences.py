"""The page lists where SecureChatCompletion differs from the official SDK: the list is complete enough, and true."""

import asyncio
import json
import re
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import nomyo
import nomyo.SecureCompletionClient as their_module
import pytest

import nomyo_native as ours

PAGE = (Path(__file__).parents[1] / "README.md").read_text()
KEYS = Path(__file__).parents[3] / "tests" / "fixtures" / "protocol" / "keys"
USER = [{"role": "user", "content": "Hello"}]


@pytest.fixture(scope="module", autouse=True)
def trust(ca_file: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", ca_file)
        patch.setenv("NO_PROXY", "*")
        yield


@pytest.fixture(scope="module")
def clients(base_url: str, trust: None) -> dict[ModuleType, Any]:
    """One of each: they make RSA-4096 pairs."""
    return {
        module: module.SecureChatCompletion(base_url, api_key="test", max_retries=0)  # type: ignore[attr-defined]
        for module in (nomyo, ours)
    }


class Case:
    """What a refusal is tried with."""

    def __init__(self, module: ModuleType, client: Any, base_url: str, where: Path) -> None:
        self.client, self.base_url, self.where = client, base_url, where
        self.low = their_module.SecureCompletionClient if module is nomyo else ours.SecureCompletionClient

    def create(self, **members: Any) -> Any:
        return asyncio.run(self.client.create(**{"model": "echo", "messages": USER, **members}))

    def key(self, name: str, mode: int = 0o600) -> str:
        copy = self.where / name
        shutil.copy(KEYS / name, copy)
        copy.chmod(mode)
        return str(copy)

    def generate(self, directory: str, **options: Any) -> Any:
        return self.low(self.base_url).generate_keys(save_to_file=True, key_dir=str(self.where / directory), **options)


MANY = {"choices": [{"index": n, "message": {"role": "assistant", "content": ""}} for n in range(1025)]}
# By what the page says: how it is tried, and what ours raises. The SDK does all of it.
REFUSED: dict[str, tuple[Callable[[Case], Any], Any]] = {
    "an API key with a space or another character that is not visible ASCII": (
        lambda case: case.create(api_key="a b"), ValueError,
    ),
    "a password of less than 8 characters for a new key file": (
        lambda case: case.generate("short", password="short"), ValueError,
    ),
    "an API key that is neither text nor bytes": (lambda case: case.create(api_key=5), TypeError),
    "a key directory that holds a pair, for a new pair": (
        lambda case: [case.generate("twice"), case.generate("twice")], ValueError,
    ),
    "a private key file that other users can read": (
        lambda case: case.low(case.base_url).load_keys(case.key("client_private.pem", 0o644)), ValueError,
    ),
    "a private and a public key file that are not one pair": (
        lambda case: case.low(case.base_url).load_keys(case.key("client_private.pem"), case.key("other_public.pem")),
        ValueError,
    ),
    "an RSA key of the server below 3072 bits": (
        lambda case: asyncio.run(case.low(case.base_url).encrypt_payload({"model": "m", "messages": USER})), ValueError,
    ),
    "an answer to another request": (lambda case: case.create(nomyo_test={"payload_id": "another"}), ours.SecurityError),
    "an answer at a lower security tier": (
        lambda case: case.create(security_tier="high", nomyo_test={"tier": "standard"}), ours.SecurityError,
    ),
    "a keyword of `create()` that was meant as an option: a misspelt `security_tier`, `extra_headers`, `extra_body`,"
    " `max_retries`": (lambda case: case.create(extra_headers={}), TypeError),
    "an answer with more than 1024 choices": (lambda case: case.create(nomyo_test={"answer": MANY}), ValueError),
}  # fmt: skip


@pytest.fixture
def small_key(request: pytest.FixtureRequest, faults: Callable[[dict[str, Any]], None]) -> None:
    if "3072" in request.node.callspec.params["refused"]:
        faults({"key_fetch": {"key_pem": (KEYS / "client2048_public.pem").read_text()}})


@pytest.mark.parametrize("refused", REFUSED)
def test_the_page_says_truly_what_is_refused(clients, base_url, tmp_path, small_key, refused):
    attempt, error = REFUSED[refused]
    for module, client in clients.items():
        where = tmp_path / module.__name__
        where.mkdir()
        case = Case(module, client, base_url, where)
        if module is nomyo:
            attempt(case)
            continue
        with pytest.raises(error):
            attempt(case)


def test_the_page_lists_no_refusal_that_is_not_tried_here():
    section = PAGE.split("These are refused")[1].split("\n\n")[1]
    listed = [re.sub(r"\s+", " ", item).strip().rstrip(".") for item in re.split(r"(?m)^- ", section)[1:]]
    others = {item for item in listed if item.startswith(("`stream=True`", "`NaN`"))}  # test_drop_in.py tries these
    assert len(others) == 2
    assert set(listed) - others == set(REFUSED)


@pytest.mark.parametrize(
    ("module", "connections", "fetches"), [(ours, 1, 1), (nomyo, 6, 3)], ids=["nomyo_native", "nomyo"]
)
def test_three_requests_take_as_many_connections_and_key_fetches_as_the_page_says(
    base_url, plain_base_url, module, connections, fetches
):
    def stats() -> dict[str, int]:
        with urllib.request.urlopen(f"{plain_base_url}/control/stats") as answer:
            return json.load(answer)

    async def three() -> None:
        client = module.SecureChatCompletion(base_url, api_key="test")
        for _ in range(3):
            await client.create("echo", USER)

    before = stats()
    asyncio.run(three())
    after = stats()
    seen = {name: after[name] - before[name] for name in ("requests", "connections", "key_fetches")}
    assert seen == {"requests": 3, "connections": connections, "key_fetches": fetches}
