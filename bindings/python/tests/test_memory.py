"""What stays in a Python process's memory, looked at from another: the scanner of tests/memory."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__)
sys.path.append(str(HERE.parents[3] / "tests" / "memory"))

import key_forms  # noqa: E402
from flow import Exchange, marker  # noqa: E402
from scan import Hit, Secret, Snapshot, find  # noqa: E402

PAIR = HERE.parents[3] / "tests" / "fixtures" / "protocol" / "keys" / "client_private.pem"
MOMENTS = [
    "key given", "key wiped", "request wiped, answer held", "answer viewed", "answer closed", "async answer closed",
    "answer copied", "pair loaded and exported", "texts wiped", "client closed",
]  # fmt: skip


class Child:
    def __init__(self, base_url: str, ca_file: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, HERE.with_name("memory_child.py"), base_url, ca_file],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
        )  # fmt: skip
        self.snapshots: dict[str, Snapshot] = {}
        self.full = False

    def give(self, secret: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(len(secret).to_bytes(8, "big"))
        self.process.stdin.write(secret)

    def look(self, moment: str) -> None:
        assert self.process.stdin and self.process.stdout
        said = self.process.stdout.readline().decode().strip()
        assert said.startswith(moment), said
        self.full |= said.endswith("full")
        self.snapshots[moment] = Snapshot(self.process.pid)
        self.process.stdin.write(b"\n")


@pytest.fixture(scope="module")
def story(base_url: str, ca_file: str) -> Iterator[tuple[Child, str, list[Exchange]]]:
    """All moments of one process; one exchange for each of its three requests."""
    child = Child(base_url, ca_file)
    key, exchanges = marker("Key"), [Exchange(), Exchange(), Exchange()]
    child.give(key.encode())
    for moment in MOMENTS:
        number = {"request wiped, answer held": 0, "async answer closed": 1, "answer copied": 2}.get(moment)
        if number is not None:
            child.give(exchanges[number].request())
        if moment == "pair loaded and exported":
            child.give(PAIR.read_bytes())
        child.look(moment)
    with child.process:
        assert child.process.wait(30) == 0
    yield child, key, exchanges


@pytest.fixture
def copies(story):
    def look(moment: str, secret: str) -> list[Hit]:
        child, key, exchanges = story
        if secret == "key":
            wanted = [Secret("key", "key", [key.encode()])]
        elif secret in ("private key", "PEM text"):
            wanted = [s for s in key_forms.pair("private key", PAIR.read_bytes()) if s.group == secret]
        else:
            name, number = secret.split()
            wanted = [s for s in exchanges[int(number)].secrets() if s.group == name]
        assert wanted
        return find(child.snapshots[moment], wanted)

    return look


def outside(child: Child, hits: list[Hit]) -> list[str]:
    return [str(hit) for hit in hits if not (hit.protected if child.full else hit.mapping.undumpable)]


def test_the_key_from_a_secure_buffer_is_only_in_the_vault(story, copies):
    given = copies("key given", "key")
    assert len([hit for hit in given if not hit.mapping.undumpable]) == 1, "the buffer itself, which the scanner finds"
    for moment in MOMENTS[1:-1]:
        assert copies(moment, "key"), "the scanner finds the client's"
        assert outside(story[0], copies(moment, "key")) == [], moment


def test_no_key_stays_when_the_client_is_closed(copies):
    assert copies("client closed", "key") == []


def test_an_answer_that_is_viewed_is_only_in_the_vault(story, copies):
    for moment in ("request wiped, answer held", "answer viewed"):
        assert copies(moment, "answer 0"), "the scanner finds the answer"
        assert outside(story[0], copies(moment, "answer 0")) == [], moment


@pytest.mark.parametrize(("moment", "number"), [("answer closed", 0), ("async answer closed", 1), ("client closed", 0)])
def test_no_copy_stays_of_an_answer_that_was_only_viewed(copies, moment, number):
    assert copies(moment, f"answer {number}") == []


@pytest.mark.parametrize("number", [0, 1, 2])
def test_no_copy_stays_of_a_request_from_a_secure_buffer(copies, number):
    after = ["request wiped, answer held", "async answer closed", "answer copied"][number]
    assert copies("client closed", f"prompt {number}") == []
    # The echoed prompt is in no answer here: each says its own text.
    assert copies(after, f"prompt {number}") == []


def test_what_was_made_a_python_object_stays_and_the_scanner_sees_it(copies):
    assert copies("client closed", "answer 2")


def test_the_text_of_a_private_key_is_only_in_the_caller_s_buffer_and_in_the_vault(story, copies):
    while_exported = copies("pair loaded and exported", "PEM text")
    assert len([hit for hit in while_exported if not hit.mapping.undumpable]) == 1, "the buffer itself"
    assert [hit for hit in while_exported if hit.mapping.undumpable], "the scanner finds the exported text"
    assert copies("texts wiped", "PEM text") == []


def test_a_pair_from_memory_is_only_in_the_vault_and_gone_with_the_client(story, copies):
    assert copies("texts wiped", "private key"), "the scanner finds the pair"
    assert outside(story[0], copies("texts wiped", "private key")) == []
    assert copies("client closed", "private key") == []
