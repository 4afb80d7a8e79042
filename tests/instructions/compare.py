"""Counts the instructions of seal, open and one getter, and compares the counts with counts.txt.

    compare.py PROGRAM PROFILE OUT [--renew] [--rounds N]

PROGRAM is operations.c, linked with the library of PROFILE (`debug` or `release`). OUT receives callgrind's dumps. A count is
the median of the rounds. The check fails if a count is more than 10 % above the one in counts.txt. --renew writes the
counts of PROFILE into the file instead.
"""

import argparse
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import NamedTuple

FILE = Path(__file__).resolve().parent / "counts.txt"
MAY_GROW = 1.10
# AWS-LC's functions, and the labels of its assembly code that have no prefix.
AWS_LC = re.compile(r"aws_lc_|(__|_)?(bn|mulx?4x|sqrx?8x|aesni|sha256|sha512|gcm|ghash)_")


class Count(NamedTuple):
    """Instructions of one operation."""

    all: int
    outside_aws_lc: int


def read_dump(path: Path) -> tuple[str, Count] | None:
    """The operation's name and its count; None for the dump that callgrind writes when the program ends."""
    names: dict[str, str] = {}
    operation, function, inclusive, total, outside = "", "", False, 0, 0
    for line in path.read_text(errors="replace").splitlines():
        if named := re.match(r"desc: Trigger: Client Request: (.*)", line):
            operation = named[1].strip()
        elif named := re.match(r"(c?)fn=\((\d+)\)(?: (.*))?", line):
            names.setdefault(named[2], named[3] or "")
            function = function if named[1] else names[named[2]]
        elif line.startswith("calls="):
            inclusive = True  # The next line repeats the cost of the called function.
        elif cost := re.match(r"[-+*\d]\S* (\d+)$", line):
            if not inclusive:
                total += int(cost[1])
                outside += 0 if AWS_LC.match(function) else int(cost[1])
            inclusive = False
    return (operation, Count(total, outside)) if operation else None


def measured(program: Path, out: Path, rounds: int) -> dict[str, Count]:
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    log = out / "log"
    with log.open("w") as stream:
        status = subprocess.run(
            ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={out / 'dump'}", program, str(rounds)],
            stdout=stream, stderr=stream, check=False).returncode
    if status != 0:
        sys.exit(f"failed: {program} under callgrind\n{log.read_text()}")
    counts: dict[str, list[Count]] = {}
    for path in sorted(out.glob("dump.*"), key=lambda path: int(path.suffix[1:])):
        if dump := read_dump(path):
            counts.setdefault(dump[0], []).append(dump[1])
    return {name: Count(*(int(median(figures)) for figures in zip(*each, strict=True))) for name, each in counts.items()}


def recorded(profile: str) -> dict[str, Count]:
    rows = [line.split() for line in FILE.read_text().splitlines() if line and not line.startswith("#")]
    return {f"{row[1]} {row[2]}": Count(int(row[3]), int(row[4])) for row in rows if row[0] == profile}


def renew(profile: str, counts: dict[str, Count]) -> None:
    lines = [line for line in FILE.read_text().splitlines() if not line.startswith(f"{profile} ")]
    for name, count in counts.items():
        operation, size = name.split()
        lines.append(f"{profile:8} {operation:8} {size:6} {count.all:12} {count.outside_aws_lc:14}")
    comments = [line for line in lines if line.startswith("#")]
    rows = sorted((line for line in lines if not line.startswith("#")), key=lambda line: line.split()[0])
    FILE.write_text("\n".join(comments + rows) + "\n")
    print(f"written: the {profile} counts of {FILE.name}")


def compare(profile: str, counts: dict[str, Count], before: dict[str, Count]) -> bool:
    passed = failed = improved = 0
    for name in sorted(counts.keys() | before.keys()):
        if name not in counts or name not in before:
            print(f"not ok: {name}: {'not measured' if name not in counts else f'not in {FILE.name}'}")
            failed += 1
            continue
        for part, now, then in zip(("all", "outside AWS-LC"), counts[name], before[name], strict=True):
            holds = now <= then * MAY_GROW
            passed, failed, improved = passed + holds, failed + (not holds), improved + (now * MAY_GROW < then)
            print(f"{'ok' if holds else 'not ok'}: {name:14} {part:14} {now:12} instructions, {then:12} recorded, "
                  f"{100 * (now / then - 1):+.1f} %")
    if failed:
        print("A count grew by more than 10 %. Find the cause first. If the growth is intended, renew the file and say why.")
    elif improved:
        print("A count fell by more than 9 %. Renew the file, so that the gain cannot be lost unnoticed.")
    if failed or improved:
        print(f"Renew the file with: make test-instructions PROFILE={profile} RENEW=--renew")
    print(f"instructions: {passed} passed, {failed} failed")
    return failed == 0 and passed > 0


def main() -> None:
    parser = argparse.ArgumentParser(description="Compares counts of instructions with counts.txt.")
    parser.add_argument("program", type=Path)
    parser.add_argument("profile", choices=["debug", "release"])
    parser.add_argument("out", type=Path)
    parser.add_argument("--renew", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if platform.machine() != "x86_64":
        print(f"not compared: {FILE.name} holds for x86_64\ninstructions: 0 passed, 0 failed")
        return
    counts = measured(options.program.resolve(), options.out, options.rounds)
    if options.renew:
        renew(options.profile, counts)
    if not compare(options.profile, counts, recorded(options.profile)):
        sys.exit(1)


if __name__ == "__main__":
    main()
