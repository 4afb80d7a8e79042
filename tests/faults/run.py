"""Faults of every kind, through the C ABI against local endpoints and other real peers.

    tests/faults/namespace.sh python3 tests/faults/run.py --library libnomyo.so --endpoint BINARY --state DIR [PART...]

Parts: table (rows.py), matrix (what HTTP statuses become), peers (nginx and proxies), link (a bad network). Each prints
what it saw and how many promises were kept. Standard library only; Python 3.11.
"""

import argparse
import faulthandler
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import link
import matrix
import processes
import real_peers
import table
from abi import Library


# Of everything; far beyond what it takes.
LIMIT_S = 900


def give_up(number: int, _frame: object) -> None:
    """At a signal, or when the time is up: threads may hang, so nobody is waited for but our processes."""
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
    # No proxy of the machine's own stands between us.
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    inside = os.environ.get("NOMYO_TEST_NAMESPACE", "run this through tests/faults/namespace.sh")
    failed = 0
    try:
        with tempfile.TemporaryDirectory(prefix="nomyo-faults-") as work:
            library = Library(options.library.resolve())
            bench = table.Bench(library, options.endpoint, options.state, Path(work), "" if inside == "yes" else inside)
            for name, part in {
                "table": lambda: table.run(bench, options.only),
                "matrix": lambda: matrix.run(bench),
                "peers": lambda: real_peers.run(bench),
                "link": lambda: link.run(bench),
            }.items():
                if options.parts and name not in options.parts:
                    continue
                begun = time.monotonic()
                checks = part()
                print(f"{name}: {time.monotonic() - begun:.0f} s", flush=True)
                failed += checks.failed + (checks.passed + checks.skipped == 0)
    finally:
        processes.stop_all()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
