"""Programs of other languages under the signals that their own runtimes send: Go with a CPU profile, Python with an alarm."""

import dataclasses
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import aes
import key_forms
from flow import HERE, Bench, random_text
from key_files import FIXTURES
from scan import Hit, Pieces, Secret, Snapshot, find
from storm import PLAIN, WITHOUT_SCOPE, Files
from story import Checks, print_table

PROMPT, ANSWER = 3000, 500
RATES = (100, 1000, 10_000)
CALLS, CLOSED = "10", "client closed"
# Only remains of a thread's last signals can be found. The first process shows them in most cases.
PROCESSES = 20


class Talk:
    """One prompt, and the answer that comes to it in each call."""

    def __init__(self, bench: Bench) -> None:
        self.prompt, self.answer = random_text(PROMPT), random_text(ANSWER)
        escaped = "".join(f"\\u{ord(c):04x}" for c in self.answer)
        message = f'{{"role":"user","content":"{self.prompt}"}}'
        self.request = f'{{"model":"echo","messages":[{message}],"nomyo_test":{{"reply":"{escaped}"}}}}'.encode()
        pair = key_forms.pair("private key", (FIXTURES / PLAIN).read_bytes())
        key = Secret("API key", "API key", [bench.api_key.encode()])
        texts = [Secret(name, name, [text.encode()]) for name, text in (("prompt", self.prompt), ("answer", self.answer))]
        self.secrets = [*texts, key, *pair]

    def pieces(self, bench: Bench, payload_id: str) -> Pieces:
        keys = bench.keys(payload_id)
        found = [Secret(name, name, [aes.schedule(bytes.fromhex(key))]) for name, key in keys.items()]
        assert found, "the endpoint does not know the request"
        return Pieces([dataclasses.replace(secret, step=1) for secret in [*self.secrets, *found]])


@dataclass
class Program:
    name: str
    # The beginning of its command line. All programs take the same arguments behind it.
    command: list[str | Path]
    env: dict[str, str]


def programs(bench: Bench, go: bool, python: Path | None) -> list[Program]:
    found = []
    if go:
        profiled = bench.work / "profiled"
        subprocess.run(["go", "-C", HERE / "go", "build", "-o", profiled, "./profiled"], check=True)
        found.append(Program("Go, CPU profile", [profiled], {}))
    if python:
        package = HERE.parents[1] / "bindings" / "python"
        env = {"NOMYO_LIBRARY": str(bench.work / "lib" / "libnomyo.so"), "PYTHONPATH": str(package)}
        for where in ("main", "thread"):
            found.append(Program(f"Python, {where}", [python, HERE / "storm_child.py", where], env))
    return found


def judge(bench: Bench, checks: Checks, go: bool, python: Path | None) -> None:
    """Runs each program at each rate. First checks that secrets are found without the scope."""
    files = [str(Files(bench, "languages").path / PLAIN), str(bench.server_pem)]
    cells = [["signal storm", "rate", "calls", CLOSED]]
    for program in programs(bench, go, python):

        def seen(rate: int, env: dict[str, str], program: Program = program) -> dict[str, list[Hit]]:
            command = [*program.command, bench.url, bench.ca, *files, str(rate), CALLS]
            return look(bench, command, {**program.env, **env})

        found = any(seen(RATES[-1], WITHOUT_SCOPE)["calls"] for _ in range(PROCESSES))
        checks.that(found, f"signal storm, {program.name}: without the scope secrets are found")
        for rate in RATES:
            moments = seen(rate, {})
            for name, hits in moments.items():
                where = "anywhere" if name == CLOSED else "outside locked undumpable memory"
                checks.that(not hits, f"signal storm, {program.name}, {rate} Hz: after {name}: no secret is {where}", hits)
            cells.append([program.name, f"{rate} Hz", *(str(len(hits)) for hits in moments.values())])
    print("\nsignal storm in other languages: copies outside locked undumpable memory")
    print_table(cells)


def look(bench: Bench, command: Sequence[str | Path], env: dict[str, str]) -> dict[str, list[Hit]]:
    """The copies outside the vault after the calls, and the copies anywhere after the client is closed."""
    talk = Talk(bench)
    given = [str(len(bench.api_key)), str(len(talk.request))]
    with subprocess.Popen(
        [*command, *given], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env=env
    ) as child:
        child.stdin.write(bench.api_key.encode() + talk.request)
        payload_id = child.stdout.readline().decode().strip()
        assert payload_id, f"the program ended: {child.wait()}"
        calls = Snapshot(child.pid)
        child.stdin.write(b"\n")
        assert child.stdout.readline(), f"the program ended: {child.wait()}"
        closed = Snapshot(child.pid)
        child.stdin.write(b"\n")
    assert child.returncode == 0
    pieces = talk.pieces(bench, payload_id)
    return {
        "calls": [hit for hit in find(calls, pieces) if not hit.protected],
        CLOSED: find(closed, pieces),
    }
