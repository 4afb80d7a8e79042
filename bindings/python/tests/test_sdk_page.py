"""The programs on the official SDK's own page run with another import and another server, and nothing else."""

import os
import re
import subprocess
import sys
from importlib.metadata import metadata
from pathlib import Path

import pytest

import nomyo_native

PAGE = str(metadata("nomyo").get_payload())
PROGRAMS = [block for block in re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE) if "import" in block]
# Maps a text in a program to its output; the server echoes the last message.
PRINTED = {
    "Hello! How are you today?": "Hello! How are you today?\n",
    "What is the capital of France?": "What is the capital of France?\n",
    "acreate": "Hello!\n",
}


def ours(program: str, base_url: str) -> str:
    changed = re.sub(r"^from nomyo\b", "from nomyo_native", program, flags=re.MULTILINE)
    assert changed != program
    return changed.replace("https://api.nomyo.ai", base_url)


def run(program: str, base_url: str, ca_file: str, where: Path) -> str:
    result = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", ours(program, base_url)],
        env={**os.environ, "SSL_CERT_FILE": ca_file, "PYTHONPATH": str(Path(nomyo_native.__file__).parents[1])},
        cwd=where, capture_output=True, text=True,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_page_has_the_programs_that_are_known():
    assert len(PROGRAMS) == 9
    assert all(any(known in program for program in PROGRAMS) for known in PRINTED)


@pytest.mark.parametrize("number", [n for n, program in enumerate(PROGRAMS) if "keys(" not in program])
def test_a_program_runs(base_url, ca_file, tmp_path, number):
    program = PROGRAMS[number]
    printed = run(program, base_url, ca_file, tmp_path)
    known = [text for sign, text in PRINTED.items() if sign in program]
    if known:
        assert [printed] == known
    assert bool(printed) == ("print(" in program)


def test_the_program_that_makes_keys_and_the_one_that_loads_them_run(base_url, ca_file, tmp_path):
    generate, load = (program for program in PROGRAMS if "keys(" in program)
    run(generate, base_url, ca_file, tmp_path)
    assert sorted(path.name for path in (tmp_path / "client_keys").glob("*.pem")) == ["private_key.pem", "public_key.pem"]
    run(load, base_url, ca_file, tmp_path)
    wrong = load.replace("your-password", "another-password")
    with pytest.raises(AssertionError, match="ClientKeyError"):
        run(wrong, base_url, ca_file, tmp_path)
