"""Looks for secrets in the memory of a process that uses the library, from outside.

    tests/with_endpoint.sh --api-key KEY --reveal-keys -- python3 tests/memory/run.py --library-dir DIR --api-key KEY

Prints tables, each broken promise, and at the end how many were kept. Needs gdb and, to see what happens without
CAP_IPC_LOCK, nothing when run as an ordinary user, root otherwise.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import cores
import golang
import key_files
import limits
import moments
import sdk
import storm
import storm_languages
from flow import Bench, Flow
from story import Checks, Story


def whole_story(bench: Bench, checks: Checks) -> None:
    """All moments, with core files taken on the way, a fork, and every failure."""
    with Flow(bench) as flow:
        story = Story(flow, checks)
        canary = cores.Canary(flow)
        moments.begin(story)
        limits.judge_report(story, "no limit", "keys generated")
        moments.seal_and_open(story)
        taken: list[cores.Core] = []
        moments.chat(story, lambda name: taken.append(cores.gcore(flow, name)))
        seen = moments.fork_view(story)
        moments.failures(story)
        limits.judge_report(story, "no limit", "after failures")
        moments.end(story)
        story.judge("whole story")
        moments.judge_fork_view(story, seen)
        for core in taken:
            cores.judge(story, core, canary)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library-dir", type=Path, required=True, help="where libnomyo.so is")
    parser.add_argument("--api-key", required=True, help="the one that the endpoint requires")
    parser.add_argument("--go", action="store_true", help="a Go program as well, which bindings/go/lib has a library for")
    parser.add_argument("--sdk-python", type=Path, help="a Python with nomyo==0.2.9, to compare with")
    options = parser.parse_args()
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="nomyo-memory-") as work:
        bench = Bench(Path(work), options.library_dir.resolve(), options.api_key)
        for name, part in {
            "self-test": lambda: limits.self_test(bench, checks),
            "whole story": lambda: whole_story(bench, checks),
            "crash": lambda: cores.crash(bench, checks),
            "limits": lambda: limits.all_limits(bench, checks),
            "required and refused": lambda: limits.required(bench, checks),
            "key files": lambda: key_files.all_files(bench, checks),
            "signal storm": lambda: storm.all_storms(bench, checks),
            "signal storm in other languages": lambda: storm_languages.judge(bench, checks, options.go, options.sdk_python),
            "Go": lambda: golang.judge(bench, checks) if options.go else None,
            "the Python SDK": lambda: sdk.compare(bench, checks, options.sdk_python),
        }.items():
            begun = time.monotonic()
            part()
            print(f"\n[{name}: {time.monotonic() - begun:.1f} s]", flush=True)
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 0 if checks.failed == 0 and checks.passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
