"""Seal and open of large payloads, beside other libraries and bare AES-256-GCM."""

import sys
from statistics import median

from programs import BENCHES, ROOT, Figures, bench, in_turns, last_line, linked
from report import HEAD, Targets, ms, spread, table

MIB = 2**20
SIZES = [MIB, 10 * MIB]
INNER_ROUNDS = 7
VENV_PYTHON = ROOT / "target" / "bench-venv" / "bin" / "python"
TITLES = {
    "ours": "libnomyo, C ABI",
    "age": "age (rage, by pyrage)",
    "libsodium": "libsodium secretstream (by PyNaCl)",
    "tink": "Tink AEAD, AES-256-GCM",
    "aes_gcm": "limit: bare AES-256-GCM (by cryptography)",
}
AHEAD_OF = ["age", "libsodium", "tink"]
RATE, PEAK = 2000, 1.5
WAITS = {
    "seal": "passes over the JSON, base64, and page faults of new memory",
    "open": "one RSA-4096 decryption, passes over the JSON, base64, and page faults of new memory",
}


def megabytes_per_second(rate: float) -> str:
    return f"{rate:.0f} MB/s"


def times(rounds: int, size: int) -> list[dict[str, Figures]]:
    """Of each library the median times of each round."""
    ours, limit = linked("sealed"), bench("decrypt")
    python = VENV_PYTHON if VENV_PYTHON.exists() else sys.executable  # Peers that are not installed are named in the table.
    results = in_turns({
        "ours": lambda: last_line(ours, size, INNER_ROUNDS),
        "peers": lambda: last_line(python, BENCHES / "peers.py", size, INNER_ROUNDS),
        "rsa": lambda: last_line(limit, 20),
    }, rounds, f"payload of {size // MIB} MiB")
    rows = []
    for result in results:
        each = {"ours": result["ours"], **result["peers"]}
        row: dict[str, Figures] = {"rsa": result["rsa"]}
        for name, found in each.items():
            row[name] = {key: median(value) if isinstance(value, list) else value for key, value in found.items()}
        rows.append(row)
    return rows


def rates(results: list[dict[str, Figures]], size: int) -> str:
    def cells(values: list[float]) -> list[str]:
        return [f"{ms(median(values))} ({spread(values, ms)})", megabytes_per_second(size / median(values))]

    rows = []
    for name, title in TITLES.items():
        if "missing" in results[0][name]:
            rows.append([title, f"not measured: {results[0][name]['missing']}", "", "", ""])
        else:
            rows.append([title, *(cell for way in ("seal", "open") for cell in cells([result[name][f"{way}_us"] for result in results]))])
    if "missing" not in results[0]["aes_gcm"]:
        both = [result["aes_gcm"]["open_us"] + result["rsa"]["cpu_us"] for result in results]
        rows.append(["limit: AES-256-GCM and one RSA-4096 decrypt", "-", "-", *cells(both)])
    head = [f"payload of {size // MIB} MiB", "seal, CPU (rounds)", "seal", "open, CPU (rounds)", "open"]
    return table(head, rows)


def verdicts(results: list[dict[str, Figures]], size: int, targets: Targets) -> list[list[str]]:
    rows = []
    for way in ("seal", "open"):
        ours = [result["ours"][f"{way}_us"] for result in results]
        waits = f"{WAITS[way]} (the kernel's share is {median(result['ours'][f'{way}_system'] for result in results):.0%}"
        if way == "open":
            waits += f", the decryption alone is {ms(median(result['rsa']['cpu_us'] for result in results))}"
        waits += ")"
        name = f"{way} of {size // MIB} MiB"
        rows.append([name, *targets.cells(name, [size / each for each in ours], RATE, megabytes_per_second, waits, at_least=True)])
        for peer in AHEAD_OF:
            if "missing" not in results[0][peer]:
                against = f"{name}, rate / rate of {peer}"
                ratio = [result[peer][f"{way}_us"] / each for result, each in zip(results, ours, strict=True)]
                rows.append([against, *targets.cells(against, ratio, 1, "{:.2f}".format, waits, at_least=True)])
        name = f"{way} of {size // MIB} MiB, peak of extra memory / payload"
        peak = [result["ours"][f"{way}_bytes"] / size for result in results]
        rows.append([name, *targets.cells(name, peak, PEAK, "{:.2f}".format, "the copies of the payload that exist at once")])
    return rows


def section(rounds: int, targets: Targets) -> str:
    by_size = {size: times(rounds, size) for size in SIZES}
    found = by_size[SIZES[0]][0]
    targets.not_measured += [f"{TITLES[peer]} is not measured: {found[peer]['missing']}" for peer in AHEAD_OF if "missing" in found[peer]]
    rows = [row for size, results in by_size.items() for row in verdicts(results, size, targets)]
    return "\n\n".join([*(rates(results, size) for size, results in by_size.items()), table(["seal and open", *HEAD], rows)])
