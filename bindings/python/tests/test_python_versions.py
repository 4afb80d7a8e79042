"""Python 3.10 and every later one that this machine has can chat; mypy checks the types of 3.10 besides (pyproject.toml)."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import build_backend
import nomyo_native

PACKAGE = Path(nomyo_native.__file__).parent
PROGRAM = """
import asyncio, os, sys
from nomyo_native import Client, APITimeoutError
with Client(os.environ["NOMYO_TEST_BASE_URL"], ca_file=os.environ["NOMYO_TEST_CA_FILE"], environment=False) as client:
    request = {"model": "echo", "messages": [{"role": "user", "content": "%d.%d" % sys.version_info[:2]}]}
    with asyncio.run(client.acreate(request)) as answer:
        print(answer.content(), bytes(answer.view("content")).decode(), answer.attempts)
    try:
        client.create({**request, "nomyo_test": {"delay_before_headers_ms": 60000}}, timeout=0.5)
    except APITimeoutError as e:
        print(e.sent)
"""


def interpreters() -> list[str]:
    """This interpreter, and the others whose commands work. A command of a version manager may be an empty shell."""
    found = {sys.version_info.minor: sys.executable}
    for minor in range(10, 30):
        path = shutil.which(f"python3.{minor}")
        if path and subprocess.run([path, "-c", ""], capture_output=True).returncode == 0:
            found.setdefault(minor, path)
    return list(found.values())


@pytest.mark.parametrize("python", interpreters())
def test_every_python_here_can_chat(python):
    run = subprocess.run(
        [python, "-X", "dev", "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)}, capture_output=True, text=True,
    )  # fmt: skip
    version, again, attempts, sent = run.stdout.split()
    assert (version, attempts, sent) == (again, "1", "maybe")
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize("source", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.name)
def test_the_sources_have_the_grammar_of_python_3_10(source):
    ast.parse(source.read_text(), feature_version=(3, 10))


def test_the_wheel_requires_python_3_10():
    assert "Requires-Python: >=3.10\n" in build_backend.METADATA
