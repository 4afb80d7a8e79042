"""What a core file holds: one taken by gdb, one that the kernel writes at a crash."""

import resource
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import moments
from flow import Bench, Flow, marker
from scan import Secret, find_in_file
from story import Checks, Story

PATTERN = Path("/proc/sys/kernel/core_pattern")


@dataclass
class Core:
    name: str
    path: Path


class Canary:
    """A text that is no secret, in the program's ordinary memory: a core file without it would show nothing."""

    def __init__(self, flow: Flow) -> None:
        text = marker("Canary").encode()
        flow.slot("c", text)
        flow.ok(f"plant c malloc 0 {len(text)}")
        self.secret = Secret("canary", "canary", [text])


def gcore(flow: Flow, name: str) -> Core:
    path = flow.bench.work / f"{name.replace(' ', '-')}.core"
    quick = ["-nx", "-batch", "-iex", "set auto-load off", "-iex", "set auto-solib-add off"]
    command = ["gdb", *quick, "-p", str(flow.pid), "-ex", f"gcore {path}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert path.exists(), f"gdb wrote no core file: {done.stdout}{done.stderr}"
    return Core(f"gcore while {name}", path)


def judge(story: Story, core: Core, canary: Canary) -> None:
    size = core.path.stat().st_size
    checks = story.checks
    checks.that(bool(find_in_file(core.path, [canary.secret])), f"{core.name}: the core file holds ordinary memory")
    hits = find_in_file(core.path, story.secrets())
    checks.that(not hits, f"{core.name}: no secret is in the core file", hits)
    print(f"\n{core.name}: {len(hits)} copies of secrets in a core file of {size} bytes")


def why_no_crash() -> str:
    pattern = PATTERN.read_text().strip()
    if pattern.startswith("|") or "/" in pattern or "%" in pattern:
        return f"core_pattern is {pattern!r}"
    if resource.getrlimit(resource.RLIMIT_CORE)[1] != resource.RLIM_INFINITY:
        return "RLIMIT_CORE cannot be raised"
    return ""


def crash(bench: Bench, checks: Checks) -> None:
    """abort() while an answer is held."""
    if reason := why_no_crash():
        print(f"\ncrash: skipped, the kernel writes no core file here: {reason}")
        return
    directory = bench.work / "crash"
    directory.mkdir()
    with Flow(bench, core=True, cwd=directory) as flow:
        story = Story(flow, checks)
        canary = Canary(flow)
        moments.begin(story)
        moments.seal_and_open(story)

        def abort(name: str) -> None:
            if name == "answer held":
                flow.order("abort")
                flow.process.wait(60)
                raise Crashed

        try:
            moments.chat(story, abort)
        except Crashed:
            pass
        story.judge("crash")
        until = time.monotonic() + 10
        while not (files := list(directory.iterdir())) and time.monotonic() < until:
            time.sleep(0.1)
        assert files, "the kernel wrote no core file"
        judge(story, Core("crash while answer held", files[0]), canary)


class Crashed(Exception):
    """The program has ended, as it was told to."""
