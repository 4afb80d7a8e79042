"""Importing the package loads no more than most programs use."""

import subprocess
import sys
from pathlib import Path

import pytest

import nomyo_native


def printed(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize(
    "module", ["asyncio", "concurrent.futures", "copy", "difflib", "importlib.metadata", "logging", "mmap", "pathlib", "trio"]
)
def test_importing_the_package_does_not_load(module):
    assert printed(f"import nomyo_native, sys; print({module!r} in sys.modules)") == "False\n"


@pytest.mark.parametrize("name", sorted(nomyo_native.__all__ + ["SecureMemory"]))
def test_every_public_name_is_there(name):
    assert name in dir(nomyo_native)
    assert getattr(nomyo_native, name) is not None


def test_a_module_of_the_sdk_is_loaded_when_it_is_used():
    program = "import nomyo_native; print(nomyo_native.SecureMemory.SecureMemory.__module__)"
    assert printed(program) == "nomyo_native.SecureMemory\n"


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nomyo_native.*no_such_name"):
        nomyo_native.no_such_name  # noqa: B018


def test_the_package_needs_less_than_eight_mebibytes():
    assert Path("/proc/self/statm").exists()
    resident = "import os; print(int(open('/proc/self/statm').read().split()[1]) * os.sysconf('SC_PAGESIZE'))"
    bare, loaded = (sorted(int(printed(first + resident)) for _ in range(5))[2] for first in ("", "import nomyo_native; "))
    assert (loaded - bare) / 2**20 < 8
