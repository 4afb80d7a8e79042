"""Builds and runs the programs that measure."""

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BENCHES = ROOT / "benches"
RELEASE = ROOT / "target" / "release"
# The same source, built with the cfg that leaves the vault out.
SYSTEM = ROOT / "target" / "bench-system" / "release"
OUT = ROOT / "target" / "bench"
FIXTURE_KEY = ROOT / "tests" / "fixtures" / "protocol" / "keys" / "client_private.pem"

Figures = dict[str, Any]


def output(*command: object, **options: Any) -> str:
    result = subprocess.run([str(word) for word in command], cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE, **options)
    return str(result.stdout).strip()


def last_line(*command: object) -> Figures:
    """The JSON object that a program prints at the end. The drop-in classes and the SDK trust SSL_CERT_FILE."""
    environment = dict(os.environ, SSL_CERT_FILE=os.environ["NOMYO_TEST_CA_FILE"], NOMYO_LIBRARY=str(RELEASE / "libnomyo.so"))
    figures: Figures = json.loads(output(*command, env=environment).splitlines()[-1])
    return figures


def stripped() -> Path:
    """The library as it is installed."""
    return OUT / "libnomyo.so.0"


def linked(name: str, library: Path = RELEASE / "libnomyo.so", out: Path = OUT) -> Path:
    """One of the C programs beside a stripped copy of a library."""
    out.mkdir(parents=True, exist_ok=True)
    copy, program = out / "libnomyo.so.0", out / name
    shutil.copy(library, copy)
    output("strip", copy)
    output("cc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-pthread", f"-I{ROOT / 'include'}", "-o",
           program, BENCHES / f"{name}.c", copy, f"-Wl,-rpath,{out}")
    return program


def bench(name: str) -> Path:
    """One of the programs that cargo builds."""
    messages = output("cargo", "bench", "--bench", name, "--no-run", "--message-format=json")
    artifacts = [json.loads(line) for line in messages.splitlines()]
    return next(Path(a["executable"]) for a in artifacts if a.get("executable") and a["target"]["name"] == name)


def control(method: str, path: str) -> Figures:
    url = os.environ["NOMYO_TEST_PLAIN_BASE_URL"] + path
    with urllib.request.urlopen(urllib.request.Request(url, method=method, data=b"" if method == "POST" else None)) as r:
        figures: Figures = json.loads(r.read() or b"{}")
        return figures


def in_turns(ways: dict[str, Callable[[], Figures]], rounds: int, what: str) -> list[dict[str, Figures]]:
    """Runs all in each round, in rotating order, so that other work on the machine disturbs each alike."""
    order, results = list(ways), []
    for number in range(rounds):
        print(f"{what}: round {number + 1} of {rounds}", file=sys.stderr)
        results.append({name: ways[name]() for name in order})
        order = order[1:] + order[:1]
    return results
