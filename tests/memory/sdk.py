"""The same scanner on the official Python SDK, to compare. Measured, not judged: it is not ours."""

import json
import subprocess
from pathlib import Path

import rsa
from flow import HERE, Bench, Exchange
from scan import Secret, Snapshot, find
from story import GROUPS, Checks, print_table


def compare(bench: Bench, checks: Checks, python: Path | None) -> None:
    """Answer and request deleted, garbage collected; then the client, with its key, as well."""
    if python is None:
        print("\nthe Python SDK: skipped, --sdk-python is not given")
        return
    exchange = Exchange()
    order = {"url": bench.url, "ca": str(bench.ca), "api_key": bench.api_key, "request": exchange.request().decode()}
    with subprocess.Popen(
        [python, HERE / "sdk_child.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as child:
        child.stdin.write(json.dumps(order).encode() + b"\n")
        n = int(child.stdout.readline())
        deleted = Snapshot(child.pid)
        child.stdin.write(b"\n")
        child.stdout.readline()
        freed = Snapshot(child.pid)
        child.stdin.close()
    prime = rsa.find_prime(deleted, n)
    checks.that(prime is not None, "the Python SDK: the scanner finds the prime of a live client there, too")
    secrets = [*exchange.secrets(), Secret("API key", "API key", [bench.api_key.encode()])]
    if prime is not None:
        secrets += rsa.private_numbers(n, prime)
    print("\nthe Python SDK nomyo 0.2.9: copies in memory that is neither locked nor undumpable")
    cells = [["moment", *GROUPS]]
    for name, snapshot in (("answer deleted, gc.collect()", deleted), ("client deleted, gc.collect()", freed)):
        hits = {g: find(snapshot, [s for s in secrets if s.group == g]) for g in GROUPS}
        known = {s.group for s in secrets}
        counts = [str(sum(not h.protected for h in hits[g])) if g in known else "not known" for g in GROUPS]
        cells.append([name, *counts])
    print_table(cells)
