"""The driver of the scenarios passes what holds, and fails what does not hold or is misspelt."""

import json
import os
import subprocess
import sys
from pathlib import Path

DRIVER = Path(__file__).with_name("scenarios.py")
GOOD = {"name": "good", "request": {"model": "m", "messages": [{"role": "user", "content": "hello"}]}}


def test_the_driver_tells_good_from_bad_and_misspelt(tmp_path):
    table = [
        {**GOOD, "expect": {"status": "NOMYO_OK", "content": "hello", "pointers": {"/none": None}}},
        {**GOOD, "name": "text", "expect": {"status": "NOMYO_OK", "content": "other"}},
        {**GOOD, "name": "status", "expect": {"status": "NOMYO_ERR_PIN"}},
        {**GOOD, "name": "no-error", "options": {"security_tier": "top"}, "expect": {"status": "NOMYO_OK"}},
        {**GOOD, "name": "misspelt", "expect": {"status": "NOMYO_OK", "contents": "hello"}},
        {**GOOD, "name": "misspelt-option", "options": {"tier": "high"}, "expect": {"status": "NOMYO_OK"}},
        {**GOOD, "name": "misspelt-member", "expects": {}, "expect": {"status": "NOMYO_OK"}},
        {**GOOD, "name": "misspelt-config", "config": {"pin": []}, "expect": {"status": "NOMYO_OK"}},
    ]
    (tmp_path / "table.json").write_text(json.dumps(table))
    run = subprocess.run(
        [sys.executable, DRIVER, tmp_path / "table.json"], env=os.environ, capture_output=True, text=True
    )
    *lines, last = run.stdout.splitlines()
    assert last == "scenarios-python: 1 passed, 7 failed" and run.returncode == 1, run.stdout + run.stderr
    assert lines[0] == "scenario good ok"
    assert [line.split()[1] for line in lines if " FAILED: " in line] == [entry["name"] for entry in table[1:]]
