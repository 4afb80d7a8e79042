"""The official SDK protected for a test: before and after it is as it was. For the test_protect_ files."""

import gc
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nomyo import SecureBuffer
from nomyo.SecureMemory import SecureMemory
from sdk_memory import is_locked, locked_bytes, unlock_leftovers

import nomyo_native
from nomyo_native import protect_sdk

PACKAGE = str(Path(nomyo_native.__file__).parents[1])


def methods() -> list[dict[str, Any]]:
    return [dict(vars(kind)) for kind in (SecureMemory, SecureBuffer)]


THEIRS = methods()


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    """Each test begins and ends with the SDK as it was, and no lock."""
    gc.collect()
    unlock_leftovers()
    assert (methods(), locked_bytes()) == (THEIRS, 0)
    yield
    gc.collect()
    assert (methods(), locked_bytes()) == (THEIRS, 0)


@pytest.fixture
def protected() -> Iterator[None]:
    with protect_sdk():
        yield


def neighbours() -> tuple[SecureBuffer, SecureBuffer]:
    """Two buffers on one page that nothing has locked."""
    pages: dict[int, SecureBuffer] = {}
    for number in range(1000):
        buffer = SecureMemory().create_secure_buffer(b"%08d" % number)
        other = pages.setdefault(buffer.address // 4096, buffer)
        if other is not buffer and not is_locked(buffer.address):
            return other, buffer
    raise AssertionError("no two buffers are on one page")


def run(body: str) -> str:
    """What a program prints."""
    imports = """
        import gc, os, sys
        import nomyo
        from nomyo import SecureBuffer
        from nomyo.SecureMemory import SecureMemory
        from nomyo_native import protect_sdk
        from sdk_memory import CASES, address, differences, is_locked, limited_to, locked_bytes, outcome
    """
    result = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(imports) + textwrap.dedent(body)],
        env={**os.environ, "PYTHONPATH": f"{PACKAGE}{os.pathsep}{Path(__file__).parent}"},
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout
