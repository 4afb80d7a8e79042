"""A small request: libnomyo beside the official SDK and the limit. And the parts of its cost."""

import sys
from functools import partial
from statistics import median

from programs import BENCHES, OUT, SYSTEM, Figures, bench, control, in_turns, last_line, linked
from report import HEAD, Targets, ms, spread, table

NAMES = {
    "ours": "libnomyo, C ABI",
    "system": "the same over the system's allocator",
    "sdk": "Python SDK 0.2.9",
    "limit": "one RSA-4096 decrypt",
}
# Figure, divisor, target.
RATIOS = [
    ("CPU", "cpu_us", "limit", 1.12),
    ("CPU", "cpu_us", "system", 1.05),
    ("CPU", "cpu_us", "sdk", 0.30),
    ("wall", "wall_us", "sdk", 0.50),
]
THREADS, SHARE = 16, 0.90


def measured(rounds: int, requests: int) -> list[dict[str, Figures]]:
    programs: dict[str, list[object]] = {
        "limit": [bench("decrypt")],
        "ours": [linked("request")],
        "system": [linked("request", SYSTEM / "libnomyo.so", OUT / "system")],
        "sdk": [sys.executable, BENCHES / "sdk.py"],
    }

    def run(command: list[object]) -> Figures:
        control("POST", "/control/reset")
        figures = last_line(*command, requests)
        return figures | control("GET", "/control/stats")

    return in_turns({name: partial(run, command) for name, command in programs.items()}, rounds, "request")


def figures(results: list[dict[str, Figures]]) -> str:
    def middle(name: str, figure: str) -> float:
        return float(median(result[name][figure] for result in results))

    rows = []
    for name, title in NAMES.items():
        asks = name != "limit"
        rows.append([
            title,
            ms(middle(name, "wall_us")),
            ms(middle(name, "cpu_us")),
            f"{middle(name, 'connections'):.0f}" if asks else "-",
            f"{middle(name, 'key_fetches'):.0f}" if asks else "-",
            f"{middle(name, 'peak_kb') / 1024:.1f} MiB",
        ])
    return table(["", "wall each", "client CPU each", "connections", "key fetches", "peak resident"], rows)


def ratios(results: list[dict[str, Figures]], targets: Targets) -> str:
    beside = median(result["ours"]["cpu_us"] - result["limit"]["cpu_us"] for result in results)
    waits = {
        "limit": f"{ms(beside)} of CPU beside the decryption: RSA encryption, TLS, JSON, system calls, other threads",
        "system": "the vault's allocator and its wiping",
        "sdk": "the endpoint's own RSA decryption, for the wall time; otherwise the same as the first ratio",
    }
    rows = []
    for title, figure, base, target in RATIOS:
        each = [result["ours"][figure] / result[base][figure] for result in results]
        name = f"{title}, ours / {NAMES[base]}"
        rows.append([name, *targets.cells(name, each, target, "{:.3f}".format, waits[base])])
    return table(["small request", *HEAD], rows)


def threads(rounds: int, count: int, targets: Targets) -> str:
    """Seal and open on 16 threads, beside bare decryptions on as many."""
    ours, limit = linked("threads"), bench("decrypt")
    results = in_turns({
        "ours": lambda: last_line(ours, count, THREADS),
        "limit": lambda: last_line(limit, count, THREADS),
    }, rounds, "threads")
    by_cpu = median(result["limit"]["cpu_us"] / result["ours"]["cpu_us"] for result in results)
    waits = (f"the work beside the decryption: decryption is {by_cpu:.0%} of the CPU time" if by_cpu < SHARE
             else f"threads that wait for each other: decryption is {by_cpu:.0%} of the CPU time")
    rows = [[title, *(f"{median(result[name][figure] for result in results) / 1000:.2f} ms "
                      f"({spread([result[name][figure] for result in results], ms)})" for figure in ("wall_us", "cpu_us"))]
            for name, title in (("ours", "nomyo_seal() and nomyo_open()"), ("limit", NAMES["limit"]))]
    name = f"{THREADS} threads, seal and open: rate / rate of bare RSA decryptions"
    share = [result["limit"]["wall_us"] / result["ours"]["wall_us"] for result in results]
    return (table([f"{THREADS} threads without a network", "wall of all / number (rounds)", "CPU each (rounds)"], rows) + "\n\n"
            + table(["share", *HEAD], [[name, *targets.cells(name, share, SHARE, "{:.0%}".format, waits, at_least=True)]]))


def blocks() -> str:
    """The cost of the allocator by itself."""
    ns = last_line(bench("allocator"), "--bench")
    rows = [[f"{n} thread{'s' if n > 1 else ''}", f"{ns[f'vault_{n}_ns']} ns", f"{ns[f'system_{n}_ns']} ns"] for n in (1, 16)]
    return table(["one block of 16 to 4096 bytes, allocated and freed", "the vault", "the system's"], rows)


def quotes(targets: Targets) -> str:
    """The cost of attestation for an answer that has a quote."""
    us = last_line(bench("attestation"), "2000")
    rows = []
    for name, each in us.items():
        cells = targets.cells(f"TPM quote, {name}", [each], 500, "{:.0f} µs".format, "the check of the signature")
        rows.append([name, cells[0], *cells[2:]])
    return table(["the verdict on one TPM quote, with its report", "CPU", *HEAD[2:]], rows)


def signals(rounds: int, targets: Targets) -> str:
    """For how long calls keep signals from their thread."""
    program = linked("signals")
    results = [last_line(program) for _ in range(rounds)]
    rows = []
    for name in results[0]:
        values = [result[name] for result in results]
        if name == "no call":  # The machine itself: nothing to judge.
            rows.append([name, ms(median(values)), spread(values, ms), "", ""])
        else:
            rows.append([name, *targets.cells(f"signals, {name}", values, 10_000, ms, "a computation that blocks signals")])
    return table(["longest time between two signals of a timer of 0.5 ms", *HEAD], rows)
