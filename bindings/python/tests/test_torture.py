"""Objects dropped in every order from every thread: torture.py, under the interpreter's own checks."""

import os
import subprocess
import sys
from pathlib import Path

import nomyo_native


def test_a_hundred_thousand_objects_dropped_in_every_order_leave_nothing(capsys):
    package = str(Path(nomyo_native.__file__).parents[1])
    run = subprocess.run(
        [sys.executable, "-X", "dev", "-X", "faulthandler", Path(__file__).with_name("torture.py"), "100000"],
        env={**os.environ, "PYTHONMALLOC": "debug", "PYTHONPATH": package}, capture_output=True, text=True,
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, ""), run.stdout + run.stderr
    with capsys.disabled():
        print(f"\n{run.stdout}", end="")
