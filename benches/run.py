"""Measures this library beside its peers and the limits, and names each target that is missed.

    NOMYO_TEST_ENDPOINT=target/release/endpoint tests/with_endpoint.sh target/venv/bin/python benches/run.py

All programs of a section take turns in each round, so that other work on the machine disturbs each alike. A figure is the median
over the rounds, with the smallest and the largest. A ratio is the median of the rounds' own ratios. Prints the report and writes it
to benches/RESULTS.md. --no-write only prints it. --only runs some sections, and only prints them. A missed target is no failure of
this program.
"""

import argparse
import datetime
import os
import platform
import re
from collections.abc import Callable
from pathlib import Path

import bindings
import library_size
import memory_needs
import payloads
import small_request
from programs import BENCHES, RELEASE, linked, output, stripped
from report import HEAD, Targets, table

COMMAND = "make bench"
LIBRARY_MB = 5.0


def request(rounds: int, requests: int, targets: Targets) -> str:
    results = small_request.measured(rounds, requests)
    return f"""A small request over loopback TLS, warm and sequential, beside the official SDK and the limit: {rounds} rounds of
{requests} requests (or decryptions) each, after one that is not measured but is among the connections and fetches.
Wall time includes the endpoint's work, above all its own RSA decryption in pure Rust; the limit has no network in it.

{small_request.figures(results)}

{small_request.ratios(results, targets)}"""


def threads(rounds: int, requests: int, targets: Targets) -> str:
    return small_request.threads(rounds, max(requests // 2, 5), targets)


def payload(rounds: int, requests: int, targets: Targets) -> str:
    return f"""Other libraries encrypt the bytes as they are. Seal and open also read the JSON, write base64 and use RSA, because the protocol
requires it. Each round is the median of {payloads.INNER_ROUNDS}; 1 MB is 1 000 000 bytes.

{payloads.section(rounds, targets)}"""


def allocator(rounds: int, requests: int, targets: Targets) -> str:
    return f"""{small_request.blocks()}

The vault wipes each block and serves it from locked pages."""


def memory(rounds: int, requests: int, targets: Targets) -> str:
    return f"""{memory_needs.locked(rounds)}

A call that does not fit is refused with NOMYO_ERR_SECURITY.

{memory_needs.in_flight(rounds, targets)}"""


def signals(rounds: int, requests: int, targets: Targets) -> str:
    return small_request.signals(rounds, targets)


def quotes(rounds: int, requests: int, targets: Targets) -> str:
    return small_request.quotes(targets)


def languages(rounds: int, requests: int, targets: Targets) -> str:
    return f"""{bindings.section(rounds, 2 * requests, targets)}

On the main thread a call of Python's Client runs on another thread, so that Ctrl-C ends it."""


def size(rounds: int, requests: int, targets: Targets) -> str:
    linked("request")
    name = "libnomyo.so, stripped"
    row = [name, *targets.cells(name, [stripped().stat().st_size / 1e6], LIBRARY_MB, "{:.2f} MB".format, "the parts in the tables below")]
    return f"{table(['size', *HEAD], [row])}\n\n{library_size.tables(RELEASE / 'libnomyo.so')}"


SECTIONS: dict[str, Callable[[int, int, Targets], str]] = {
    section.__name__: section for section in (request, threads, payload, allocator, memory, signals, quotes, languages, size)
}


def machine() -> str:
    model = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    kernel = ".".join(platform.release().split(".")[:2])
    return f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores, Linux {kernel}"


def commit() -> str:
    # The file that this program writes is no change of what it measures.
    changed = output("git", "status", "--porcelain", "--", ".", ":!benches/RESULTS.md")
    return output("git", "rev-parse", "--short", "HEAD") + ("+changes" if changed else "")


def load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures libnomyo beside its peers and the limits.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=50, help="in each round, for each program")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, metavar="SECTION", help=f"some of: {', '.join(SECTIONS)}")
    parser.add_argument("--no-write", action="store_true", help="leave benches/RESULTS.md as it is")
    options = parser.parse_args()
    if "NOMYO_TEST_PLAIN_BASE_URL" not in os.environ:
        parser.error("run this through tests/with_endpoint.sh")

    targets, before, begun = Targets(), load(), datetime.datetime.now()
    parts = [SECTIONS[name](options.rounds, options.requests, targets) for name in options.only or SECTIONS]
    minutes = (datetime.datetime.now() - begun).total_seconds() / 60
    text = "\n\n".join(["# Results", *parts, targets.summary()]) + f"""

- machine: {machine()}; load average before the first round {before}, after the last {load()}
- date: {datetime.date.today().isoformat()}, {minutes:.0f} minutes
- commit: {commit()}
- command: `{COMMAND}` (`benches/run.py --rounds {options.rounds} --requests {options.requests}`)
"""
    print(text)
    if not options.no_write and not options.only:
        (BENCHES / "RESULTS.md").write_text(text)


if __name__ == "__main__":
    main()
