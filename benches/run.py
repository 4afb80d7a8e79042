"""Compares this library, the official Python SDK and the limit, a bare RSA-4096 decryption, side by side.

    NOMYO_TEST_ENDPOINT=target/release/endpoint tests/with_endpoint.sh target/venv/bin/python benches/run.py

Each round runs all three, in rotating order, so that what else the machine does meets all of them. Figures are medians
over the rounds; a ratio is the median of the rounds' own ratios. Prints a table, writes it to benches/RESULTS.md, and
judges no time: `over` in the table is for the reader.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import urllib.request
from statistics import median

ROOT = pathlib.Path(__file__).resolve().parent.parent
RELEASE = ROOT / "target" / "release"
OUT = ROOT / "target" / "bench"
COMMAND = "make bench"
NAMES = {"ours": "libnomyo, C ABI", "system": "the same over the system's allocator", "sdk": "Python SDK 0.2.9", "limit": "one RSA-4096 decrypt"}
# The same source, built with the cfg that leaves the vault out.
SYSTEM = ROOT / "target" / "bench-system" / "release"
# Figure, what it is divided by, target of the budget.
RATIOS = [
    ("CPU", "cpu_us", "limit", 1.25),
    ("CPU", "cpu_us", "system", 1.05),
    ("CPU", "cpu_us", "sdk", 0.30),
    ("wall", "wall_us", "sdk", 0.50),
]


def output(*command: object, **options: object) -> str:
    return subprocess.run([str(word) for word in command], cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE,
                          **options).stdout.strip()


def linked(library: pathlib.Path, out: pathlib.Path) -> list[str]:
    """The request program beside a stripped copy of a library."""
    out.mkdir(parents=True, exist_ok=True)
    copy, request = out / "libnomyo.so.0", out / "request"
    shutil.copy(library, copy)
    output("strip", copy)
    output("cc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", f"-I{ROOT / 'include'}", "-o",
           request, ROOT / "benches" / "request.c", copy, f"-Wl,-rpath,{out}")
    return [str(request)]


def bench(name: str) -> list[str]:
    messages = output("cargo", "bench", "--bench", name, "--no-run", "--message-format=json")
    artifacts = [json.loads(line) for line in messages.splitlines()]
    return [a["executable"] for a in artifacts if a.get("executable") and a["target"]["name"] == name][:1]


def built() -> dict[str, list[str]]:
    """The programs, each as the command that takes a count."""
    return {
        "limit": bench("decrypt"),
        "ours": linked(RELEASE / "libnomyo.so", OUT),
        "system": linked(SYSTEM / "libnomyo.so", OUT / "system"),
        "sdk": [sys.executable, str(ROOT / "benches" / "sdk.py")],
    }


def control(method: str, path: str) -> dict:
    url = os.environ["NOMYO_TEST_PLAIN_BASE_URL"] + path
    with urllib.request.urlopen(urllib.request.Request(url, method=method, data=b"" if method == "POST" else None)) as r:
        return json.loads(r.read() or b"{}")


def run(command: list[str], count: int) -> dict:
    """One program's figures, with what the endpoint saw of it."""
    control("POST", "/control/reset")
    environment = dict(os.environ, SSL_CERT_FILE=os.environ["NOMYO_TEST_CA_FILE"])
    figures = json.loads(output(*command, count, env=environment).splitlines()[-1])
    return figures | control("GET", "/control/stats")


def rounds(programs: dict[str, list[str]], count: int, requests: int) -> list[dict[str, dict]]:
    order, results = list(programs), []
    for number in range(count):
        results.append({name: run(programs[name], requests) for name in order})
        print(f"round {number + 1} of {count}: " + ", ".join(
            f"{name} {results[-1][name]['cpu_us'] / 1000:.2f} ms CPU" for name in programs), file=sys.stderr)
        order = order[1:] + order[:1]
    return results


def table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def figures(results: list[dict[str, dict]]) -> str:
    def middle(name: str, figure: str) -> float:
        return median(result[name][figure] for result in results)

    rows = []
    for name, title in NAMES.items():
        asks = name != "limit"
        rows.append([
            title,
            f"{middle(name, 'wall_us') / 1000:.2f} ms",
            f"{middle(name, 'cpu_us') / 1000:.2f} ms",
            f"{middle(name, 'connections'):.0f}" if asks else "-",
            f"{middle(name, 'key_fetches'):.0f}" if asks else "-",
            f"{middle(name, 'peak_kb') / 1024:.1f} MiB",
        ])
    return table(["", "wall each", "client CPU each", "connections", "key fetches", "peak resident"], rows)


def ratios(results: list[dict[str, dict]]) -> str:
    rows = []
    for title, figure, base, target in RATIOS:
        each = [result["ours"][figure] / result[base][figure] for result in results]
        rows.append([
            f"{title}, ours / {NAMES[base]}",
            f"{median(each):.3f}",
            f"{min(each):.2f} to {max(each):.2f}",
            f"{target:.2f}",
            "within" if median(each) <= target else "over",
        ])
    return table(["ratio", "median", "rounds", "target at most", ""], rows)


def blocks() -> str:
    """What the allocator costs by itself."""
    ns = json.loads(output(*bench("allocator"), "--bench"))
    rows = [[f"{n} thread{'s' if n > 1 else ''}", f"{ns[f'vault_{n}_ns']} ns", f"{ns[f'system_{n}_ns']} ns"] for n in (1, 16)]
    return table(["one block of 16 to 4096 bytes, taken and given back", "the vault", "the system's"], rows)


def quotes() -> str:
    """What attestation adds to an answer that has a quote."""
    us = json.loads(output(*bench("attestation"), "2000"))
    return table(["the verdict on one TPM quote, with its report", "CPU", "target at most", ""],
                 [[name, f"{each / 1000:.3f} ms", "0.5 ms", "within" if each <= 500 else "over"] for name, each in us.items()])


def binding(count: int, requests: int) -> str:
    """What Python adds to the C calls."""
    environment = dict(os.environ, NOMYO_LIBRARY=str(RELEASE / "libnomyo.so"))
    program = sys.executable, ROOT / "benches" / "binding.py", requests
    results = [json.loads(output(*program, env=environment)) for _ in range(count)]
    each = [result["client_us"] / result["ctypes_us"] for result in results]
    return table(
        ["CPU of a small request from Python, median", "the C calls, by ctypes", "Client.create()", "ratio", "rounds", "target at most", ""],
        [["one thread, the main one", *(f"{median(r[name] for r in results) / 1000:.2f} ms" for name in ("ctypes_us", "client_us")),
          f"{median(each):.3f}", f"{min(each):.2f} to {max(each):.2f}", "1.05", "within" if median(each) <= 1.05 else "over"]])


def machine() -> str:
    model = re.search(r"^model name\s*:\s*(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    kernel = ".".join(platform.release().split(".")[:2])
    return f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores, Linux {kernel}"


def commit() -> str:
    # What this program writes is no change of what it measured.
    changed = output("git", "status", "--porcelain", "--", ".", ":!benches/RESULTS.md")
    return output("git", "rev-parse", "--short", "HEAD") + ("+changes" if changed else "")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures a small request beside the SDK's and a bare decryption.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=50, help="in each round, for each program")
    options = parser.parse_args()
    if "NOMYO_TEST_PLAIN_BASE_URL" not in os.environ:
        parser.error("run this through tests/with_endpoint.sh")

    programs = built()
    load = os.getloadavg()[0]
    results = rounds(programs, options.rounds, options.requests)
    size = (OUT / "libnomyo.so.0").stat().st_size / 2**20
    text = f"""# Results

A small request over loopback TLS, warm and sequential, beside the official SDK and the limit: {options.rounds} rounds of
{options.requests} requests (or decryptions) each, after one that is not measured but is among the connections and fetches.
Wall time includes the endpoint's work, above all its own RSA decryption in pure Rust; the limit has no network in it.

{figures(results)}

{ratios(results)}

{blocks()}

The vault wipes each block and serves it from locked pages by four arenas of each kind. With one arena 16 threads took
401 to 427 ns a block, with two 80 to 93 ns, with four 46 to 54 ns (measured once, on this machine, by changing
`PER_KIND` in src/memory/arena.rs).

{quotes()}

{binding(options.rounds, 4 * options.requests)}

On the main thread a call runs on another one, so that Ctrl-C ends it.

libnomyo.so, stripped: {size:.2f} MiB.

- machine: {machine()}; load average before the first round {load:.1f}
- date: {datetime.date.today().isoformat()}
- commit: {commit()}
- command: `{COMMAND}` (`benches/run.py --rounds {options.rounds} --requests {options.requests}`)
"""
    print(text)
    (ROOT / "benches" / "RESULTS.md").write_text(text)


if __name__ == "__main__":
    main()
