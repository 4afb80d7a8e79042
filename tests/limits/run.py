"""Deadlines and cancel handles bound every call that can block, through the C ABI.

    tests/faults/namespace.sh python3 tests/limits/run.py --library libnomyo.so --endpoint BINARY --state DIR [PART...]

PYTHONPATH names tests/faults. Standard library only; Python 3.11. The parts are:

    waiting, working    the table in blocks.py
    together            calls that wait for each other
    handles             several handles of one client
    kept                pairs that are generated for a call that has ended
"""

import argparse
import faulthandler
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import blocks
import distribution
import handles
import kept
import measure
import processes
import together
from calls import Library
from checks import Checks
from scene import Bench

# For everything; far more than it takes.
LIMIT_S = 600
WAITING_LANES, WORKING_LANES = 4, 2


def give_up(number: int, _frame: object) -> None:
    """Ends without the threads, because they may hang."""
    print(f"run.py: ended by {signal.Signals(number).name}; where each thread was:", file=sys.stderr)
    faulthandler.dump_traceback()
    processes.stop_all()
    os._exit(1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=Path, required=True)
    parser.add_argument("--endpoint", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True, help="where endpoints keep their key and CA")
    parser.add_argument("--only", default="", help="rows of the table that have this in their name")
    parser.add_argument("parts", nargs="*")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
        signal.signal(number, give_up)
    signal.alarm(LIMIT_S)
    inside = os.environ.get("NOMYO_TEST_NAMESPACE", "run this through tests/faults/namespace.sh")
    checks, samples = Checks("limits"), []
    try:
        with tempfile.TemporaryDirectory(prefix="nomyo-limits-") as work:
            library = Library(options.library.resolve())
            bench = Bench(library, options.endpoint, options.state, Path(work), "" if inside == "yes" else inside)

            def table(part: str, rows: list[blocks.Row], lanes: int) -> None:
                samples.extend(measure.run(bench, part, rows, lanes, options.only, checks))

            for name, part in {
                "waiting": lambda: table("waiting", blocks.WAITING, WAITING_LANES),
                "together": lambda: together.run(bench, checks),
                "handles": lambda: handles.run(bench, checks),
                "kept": lambda: kept.run(bench, checks),
                "working": lambda: table("working", blocks.WORKING, WORKING_LANES),
            }.items():
                if options.parts and name not in options.parts:
                    continue
                begun = time.monotonic()
                part()
                print(f"{name}: {time.monotonic() - begun:.0f} s", flush=True)
    finally:
        processes.stop_all()
    distribution.print_cells(samples)
    distribution.print_distribution(samples)
    checks.summary()
    return 1 if checks.failed or not checks.passed else 0


if __name__ == "__main__":
    sys.exit(main())
