"""Log lines reach Python's logging under the name nomyo_native, without an option of the client."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

import nomyo_native as nomyo
from nomyo_native._log import FIELDS

NAME = "nomyo_native"
PROGRAM = """
import logging, sys
if sys.argv[1] != "nothing":
    logging.basicConfig(level=sys.argv[1], format="%(levelname)s %(name)s %(message)s")
from nomyo_native import Client, NomyoError
try:
    Client("https://127.0.0.1:1", environment=False, max_retries=0).server_key()
except NomyoError:
    pass
"""


def said(level: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, level], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(nomyo.__file__).parents[1])},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return run.stderr


def test_a_program_that_configures_logging_sees_the_lines():
    assert "ERROR nomyo_native " in said("WARNING")
    assert "INFO nomyo_native GET https://127.0.0.1:1/" in said("INFO")


def test_a_program_that_does_not_configure_logging_sees_nothing():
    assert said("nothing") == ""


def test_a_record_has_the_facts_of_an_attempt_as_attributes(make_client, chat, caplog):
    with caplog.at_level(logging.INFO, NAME), make_client(max_retries=1) as client:
        failing_once = {"status": 500, "times": 1, "headers": {"Retry-After-Ms": "1"}}
        with client.create(chat(test=failing_once)) as answer:
            payload_id = answer.payload_id
    assert {record.name for record in caplog.records} == {NAME}
    facts = [{name: getattr(record, name) for name in FIELDS} for record in caplog.records]
    posts = [fact for fact in facts if fact["payload_id"]]
    seen = [(fact["payload_id"], fact["attempt"], fact["status"]) for fact in posts]
    assert seen == [(payload_id, 1, 500), (payload_id, 2, 200)]
    assert all(fact["sent"] > 1000 and fact["received"] > 0 and fact["ms"] >= 0 for fact in posts)
    assert (posts[0]["error"], posts[1]["error"], posts[1]["connection"]) == ("Server", None, "reused")
    (warning,) = (fact for fact, record in zip(facts, caplog.records) if record.levelno == logging.WARNING)
    assert set(warning.values()) == {None}, "every record has every attribute"


def test_the_level_of_the_logger_decides(make_client, chat, caplog):
    with caplog.at_level(logging.WARNING, NAME), make_client() as client:
        client.create(chat()).close()
    assert caplog.records == []
    with caplog.at_level(logging.CRITICAL, NAME), make_client(max_retries=0) as client, pytest.raises(nomyo.ServerError):
        client.create(chat(test={"status": 500}))
    assert caplog.records == []


def test_a_logger_of_the_caller_s_replaces_it(make_client, chat, caplog):
    log = logging.getLogger("another")
    with caplog.at_level(logging.INFO), make_client(log=log) as client:
        client.create(chat()).close()
    assert {record.name for record in caplog.records} == {"another"}


def test_no_line_holds_the_prompt_or_the_api_key(make_client, chat, caplog):
    with caplog.at_level(logging.DEBUG, NAME), make_client(api_key="hunter2") as client:
        client.create(chat("my prompt")).close()
    assert len(caplog.records) > 3
    assert not [line for line in caplog.messages if "hunter2" in line or "my prompt" in line]
