"""Measures Python and Node: a small request beside C, the event loop, and the start."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from functools import partial
from statistics import median
from typing import Any

from programs import BENCHES, RELEASE, ROOT, Figures, in_turns, last_line, linked, output
from report import HEAD, Targets, ms, spread, table

MIB = 2**20
# By the way to ask: title, baseline, target in microseconds, and the reason why the target may be missed.
PYTHON = {
    "thread": ("Client, on a worker thread", "ctypes_thread", 100, "the JSON, the handles and the answer's objects"),
    "main": ("Client, on the main thread", "ctypes", 150, "the thread for each call, so that Ctrl-C ends the call"),
    "asyncio": ("AsyncClient, under asyncio", "ctypes", 250, "the thread for each call, and the turn of the loop"),
    "drop_in": ("SecureChatCompletion, under asyncio", "ctypes", 250, "the thread for each call, and parsing the answer into a dict"),
}
NODE = {
    "client_us": "Client",
    "drop_in_us": "SecureChatCompletion",
}
NODE_TARGET = 150
CALLS, PYTHON_BLOCK, NODE_BLOCK = 200, 20_000, 10_000
IMPORT_TIME, IMPORT_MEMORY, REQUIRE_TIME = 25_000, 8 * MIB, 8_000
STARTS = 5
IMPORT = "import nomyo_native"
PEAK = "print('{\"peak_kb\":', next(l.split()[1] for l in open('/proc/self/status') if l.startswith('VmHWM')), '}')"


def more(values: list[float], baseline: list[float]) -> list[float]:
    return [value - base for value, base in zip(values, baseline, strict=True)]


def plus_ms(microseconds: float) -> str:
    return f"{microseconds / 1000:+.2f} ms"


def node_missing() -> str | None:
    """The reason why Node cannot be measured."""
    if shutil.which("node") is None:
        return "Node is not measured, because it is not installed."
    program = f"new (require({json.dumps(str(ROOT / 'bindings' / 'node'))}).Client)()"
    tried = subprocess.run(["node", "-e", program], env=dict(os.environ, NOMYO_API_KEY="x"), capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        reason = next((line for line in tried.stderr.splitlines() if re.match(r"\w*Error: ", line)), "no reason given")
        return f"Node is not measured, because the package cannot be loaded: {reason.replace(f'{ROOT}/', '')}"
    return None


def python_request(rounds: int, requests: int, targets: Targets) -> str:
    results = in_turns({"python": lambda: last_line(sys.executable, BENCHES / "binding.py", requests)}, rounds, "Python")
    rows = []
    for way, (title, baseline, target, waits) in PYTHON.items():
        values, base = ([result["python"][name] for result in results] for name in (way, baseline))
        rows.append([title, ms(median(base)), ms(median(values)),
                     *targets.cells(f"Python, {title}, more than C", more(values, base), target, plus_ms, waits)])
    return table(["small request from Python, CPU", "the C calls by ctypes", "this way", "more", *HEAD[1:]], rows)


def node_request(rounds: int, requests: int, targets: Targets) -> str:
    request = linked("request")
    results = in_turns({
        "c": lambda: last_line(request, requests),
        "node": lambda: last_line("node", BENCHES / "binding.js", "request", requests),
    }, rounds, "Node")
    rows, base = [], [result["c"]["cpu_us"] for result in results]
    for way, title in NODE.items():
        values = [result["node"][way] for result in results]
        rows.append([title, ms(median(base)), ms(median(values)), *targets.cells(
            f"Node, {title}, more than C", more(values, base), NODE_TARGET, plus_ms, "the thread for each call, and the promise")])
    return table(["small request from Node, CPU", "a program in C", "this way", "more", *HEAD[1:]], rows)


def event_loops(rounds: int, with_node: bool, targets: Targets) -> str:
    programs: dict[str, list[Any]] = {"Python": [sys.executable, BENCHES / "event_loop.py", CALLS]}
    if with_node:
        programs["Node"] = ["node", BENCHES / "binding.js", "block", CALLS]
    results = in_turns({name: partial(last_line, *command) for name, command in programs.items()}, rounds, "event loop")
    rows = []
    for name in programs:
        idle, begin = ([result[name][figure] for result in results] for figure in ("idle_us", "begin_us"))
        waits = f"the turn in which the calls begin ({ms(median(begin))} of CPU), and threads that compete with the loop"
        rows.append([name, ms(median(idle)), ms(median(begin)), *targets.cells(
            f"{name}, longest block of the event loop", [result[name]["block_us"] for result in results],
            PYTHON_BLOCK if name == "Python" else NODE_BLOCK, ms, waits)])
    return table([f"event loop, {CALLS} calls begin in one turn", "longest block without a call", "CPU of their turn", "longest block", *HEAD[1:]], rows)


def started(program: str) -> Figures:
    """The wall time of a Python that runs this program, and the peak of its resident memory."""
    environment = dict(os.environ, PYTHONPATH=str(ROOT / "bindings" / "python"), NOMYO_LIBRARY=str(RELEASE / "libnomyo.so"))
    times: list[float] = []
    for _ in range(STARTS):
        begun = time.monotonic()
        peak = output(sys.executable, "-c", f"{program}\n{PEAK}", env=environment)
        times.append((time.monotonic() - begun) * 1e6)
    return {"us": median(times), "bytes": json.loads(peak)["peak_kb"] * 1024}


def starts(rounds: int, with_node: bool, targets: Targets) -> str:
    started(IMPORT)  # Python writes its compiled files.
    ways = {"bare": lambda: started("pass"), "import": lambda: started(IMPORT)}
    if with_node:
        ways["require"] = lambda: last_line("node", BENCHES / "binding.js", "require")
    results = in_turns(ways, rounds, "start")

    def beyond(figure: str) -> list[float]:
        return more([result["import"][figure] for result in results], [result["bare"][figure] for result in results])

    waits = "the modules that the package imports, and the loading of libnomyo.so"
    name = f"`{IMPORT}`, more than bare Python"
    rows = [
        [f"{name}, wall", *targets.cells(f"{name}, wall", beyond("us"), IMPORT_TIME, ms, waits)],
        [f"{name}, peak of resident memory", *targets.cells(f"{name}, memory", beyond("bytes"), IMPORT_MEMORY,
                                                            lambda size: f"{size / MIB:.1f} MiB", waits)],
    ]
    if with_node:
        name = "`require('nomyo-native')`, wall"
        rows.append([name, *targets.cells(name, [result["require"]["require_us"] for result in results], REQUIRE_TIME, ms,
                                          "the modules of the package, and the loading of the addon")])
    return table(["start", *HEAD], rows)


def section(rounds: int, requests: int, targets: Targets) -> str:
    missing = node_missing()
    if missing:
        targets.not_measured.append(missing)
    return "\n\n".join([
        python_request(rounds, requests, targets),
        missing or node_request(rounds, requests, targets),
        event_loops(rounds, missing is None, targets),
        starts(rounds, missing is None, targets),
    ])
