"""A program that uses the package is clean under mypy --strict, and mistakes in it are found there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import nomyo_native

USES = """
from typing import TypedDict
from nomyo_native import (
    AsyncClient, Client, MemoryPolicy, NomyoError, Response, SecureChatCompletion, SecurityTier, Usage, secure_bytearray,
)
from nomyo_native import SecureCompletionClient
from nomyo_native.SecureCompletionClient import APIError
from nomyo_native.SecureMemory import MemoryProtectionLevel

low: SecureCompletionClient = SecureCompletionClient("https://x")
level: tuple[type[APIError], MemoryProtectionLevel] = APIError, MemoryProtectionLevel.FULL

class Message(TypedDict):
    role: str
    content: str

messages: list[Message] = [{"role": "user", "content": "Hello"}]
tier: SecurityTier = "high"
policy: MemoryPolicy = "require"

def ask() -> str | None:
    with Client("https://x", memory=policy, tls_pins=["0"], rate_limit=(2.0, 4), key_dir="keys") as client:
        client.warm_up(timeout=5)
        with client.create(model="m", messages=messages, security_tier=tier, temperature=0.5) as answer:
            usage: Usage | None = answer.usage
            print(usage.total_tokens if usage else 0, answer["choices"], answer.model_dump())
        with secure_bytearray(b"{}") as request, client.create(request, timeout=1.5) as answer:
            return answer.content()

async def ask_async() -> Response:
    async with AsyncClient(api_key=b"k", environment=False) as client:
        await client.generate_keys("keys", password="long enough")
        return await client.create({"model": "m", "messages": messages}, security_tier="maximum")

async def ask_as_the_sdk() -> str:
    try:
        answer = await SecureChatCompletion(api_key="k").create("m", messages, temperature=0.5, security_tier="high")
    except NomyoError as e:
        return f"{e.sent} {e.payload_id} {e.retry_after}"
    return str(answer["choices"][0])
"""
MISTAKES = [
    'Client(memory="always")',
    'Client(timeout="3")',
    'Client(key_dirr="keys")',
    'AsyncClient(timeuot=3)',
    'Client().create(model="m", security_tier="High")',
    'Client().create(model="m", timeout="soon")',
    'AsyncClient().create(model="m", security_tier="High")',
    'AsyncClient().warm_up(timeuot=3)',
    'Client().acreate(model="m", timeout="soon")',
    "Client().generate_keys(5)",
]


def errors(program: str, where: Path) -> dict[int, str]:
    """The errors of mypy, by line."""
    file = where / "program.py"
    file.write_text(program)
    command = [sys.executable, "-m", "mypy", "--strict", "--python-version", "3.10", "--cache-dir", where / "cache", file]
    package = Path(nomyo_native.__file__).parents[1]
    run = subprocess.run(
        command, env={**os.environ, "MYPYPATH": str(package)}, cwd=where, capture_output=True, text=True
    )  # fmt: skip
    assert run.returncode in (0, 1), run.stdout + run.stderr
    return {int(line): text for line, text in re.findall(r"(?m)^program\.py:(\d+): error: (.*)", run.stdout)}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[int, str]:
    mistakes = "\n".join(f"_{n} = {mistake}" for n, mistake in enumerate(MISTAKES))
    return errors(f"{USES}\n{mistakes}\n", tmp_path_factory.mktemp("typing"))


def test_a_program_that_uses_the_package_is_clean_under_mypy_strict(found):
    lines = len(USES.splitlines())
    assert {line: text for line, text in found.items() if line <= lines} == {}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_program_is_found_by_mypy(found, mistake):
    assert found.get(len(USES.splitlines()) + 2 + MISTAKES.index(mistake))
