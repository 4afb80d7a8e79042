"""Faults of every kind, through the C ABI against local endpoints and other real peers.

    tests/faults/namespace.sh python3 tests/faults/run.py --library libnomyo.so --endpoint BINARY --state DIR [PART...]

Each part prints its results and how many promises were kept:

    table        the rows of rows.py
    matrix       the errors of the HTTP statuses
    early        answers that come before the request was read
    connections  connections that are used again, and what is known to have been sent
    addresses    names with several addresses, of which one is dead
    blackhole    connections whose packets vanish
    settings     proxies, trust stores and ClientHellos: refusals and the words of their errors
    peers        nginx and other people's proxies
    link         a bad network

Standard library only; Python 3.11. The server hypercorn runs in an interpreter of its own, `--python`.
"""

import argparse
import faulthandler
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import addresses
import blackhole
import connections
import early
import link
import matrix
import mutual_tls
import processes
import real_peers
import settings
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
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="an interpreter that has hypercorn")
    parser.add_argument("--only", default="", help="rows of the table that have this in their name")
    parser.add_argument("parts", nargs="*")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
        signal.signal(number, give_up)
    signal.alarm(LIMIT_S)
    # The machine's own proxy and trust store take no part.
    for name in [name for name in os.environ if name.lower().endswith("_proxy") or name.startswith("SSL_CERT_")]:
        del os.environ[name]
    inside = os.environ.get("NOMYO_TEST_NAMESPACE", "run this through tests/faults/namespace.sh")
    failed = 0
    try:
        with tempfile.TemporaryDirectory(prefix="nomyo-faults-") as work:
            library = Library(options.library.resolve())
            bench = table.Bench(
                library, options.endpoint, options.state, Path(work), "" if inside == "yes" else inside, options.python
            )
            for name, part in {
                "table": lambda: table.run(bench, options.only),
                "matrix": lambda: matrix.run(bench),
                "early": lambda: early.run(bench),
                "connections": lambda: connections.run(bench),
                "addresses": lambda: addresses.run(bench),
                "blackhole": lambda: blackhole.run(bench),
                "settings": lambda: settings.run(bench),
                "peers": lambda: real_peers.run(bench),
                "mutual_tls": lambda: mutual_tls.run(bench),
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
