"""The programs to copy do what they say, and so does the page of documentation."""

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import nomyo_native

PACKAGE = Path(nomyo_native.__file__).parents[1]
EXAMPLES = PACKAGE.parents[1] / "examples" / "python"


@pytest.fixture
def example(base_url, ca_file):
    def run(name: str, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
        flags = () if name in ("drop_in", "protect_sdk") else ("--url", base_url, "--ca", ca_file)
        done = subprocess.run(
            [sys.executable, "-W", "error", EXAMPLES / f"{name}.py", *flags, *arguments],
            env={**os.environ, "PYTHONPATH": str(PACKAGE), "NOMYO_API_KEY": "test", "SSL_CERT_FILE": ca_file},
            input=stdin, capture_output=True, text=True,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    return run


def test_chat(example):
    assert example("chat", stdin="What is a lion?") == (0, "What is a lion?\n", "")


def test_tools_sends_the_function_s_result_back(example):
    assert example("tools", "Paris") == (0, "Paris: sun, 21 degrees\n", "")


def test_key_pin_knows_the_server_again_and_refuses_another(example):
    status, shown, _ = example("key_pin")
    assert status == 0 and re.fullmatch(r"[0-9a-f]{64}\n", shown)
    assert example("key_pin", "--pin", "0" * 64, "--pin", shown.strip()) == (0, "Is it you?\n", "")
    status, _, said = example("key_pin", "--pin", "0" * 64)
    assert status == 1 and "not the server that you know" in said


def test_tls_pin_knows_the_chain_again_and_refuses_another(example):
    status, shown, _ = example("tls_pin")
    assert status == 0
    (leaf, *_, root) = (line.split() for line in shown.splitlines())
    assert (leaf[0], root[0]) == ("leaf", "root")
    assert example("tls_pin", "--pin", "0" * 64, "--pin", root[1]) == (0, "Is it you?\n", "")
    status, _, said = example("tls_pin", "--pin", "0" * 64)
    assert status == 1 and "somebody else" in said and leaf[1] in said


def test_attestation_takes_no_answer_without_a_quote(example, tpm_url):
    status, shown, _ = example("attestation", "--url", tpm_url)
    assert status == 0 and shown.startswith("Who are you?\nCONSISTENT: ")
    status, shown, said = example("attestation")
    assert (status, shown) == (1, "") and "withheld" in said
    status, shown, said = example("attestation", "--url", tpm_url, "--pcr", f"7={'00' * 32}")
    assert (status, shown) == (1, "") and "withheld" in said


def test_many_keeps_the_order(example):
    questions = "".join(f"question {n}\n" for n in range(40))
    assert example("many", "--at-once", "8", stdin=questions) == (0, questions, "")


def test_drop_in(example, base_url):
    assert example("drop_in", base_url) == (0, "What is the capital of France?\n", "")


def test_protect_sdk(example, base_url):
    status, shown, said = example("protect_sdk", base_url)
    assert (status, shown) == (0, "What is the capital of France?\n")
    assert said.startswith("memory protection: ")


def test_every_example_is_run_here():
    tested = "".join(name for name in globals() if name.startswith("test_"))
    assert {path.stem for path in EXAMPLES.glob("*.py") if f"test_{path.stem}" not in tested} == set()


def test_the_page_of_documentation_says_the_truth(base_url, ca_file, monkeypatch, tmp_path):
    for name, value in {"NOMYO_BASE_URL": base_url, "NOMYO_API_KEY": "test", "SSL_CERT_FILE": ca_file}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    page = (PACKAGE / "README.md").read_text()
    sessions = re.findall(r"```python\n(>>> .*?)```", page, re.DOTALL)
    assert len(sessions) > 5
    text = "\n".join(sessions)
    test = doctest.DocTestParser().get_doctest(text, {"BASE_URL": base_url}, "README.md", "README.md", 0)
    report: list[str] = []
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=report.append)
    assert result.failed == 0 and result.attempted > 20, "".join(report)
