"""The same on Windows: the memory of a client, read by ReadProcessMemory.

    tests/with_endpoint.sh --api-key KEY --reveal-keys -- python3 tests/memory/windows.py --library-dir DIR --api-key KEY

Runs under Wine, with WINEPREFIX set. DIR has nomyo.dll, libnomyo.dll.a, and beside them each DLL that Wine lacks. Copies may be in
memory that is guarded and locked, and nowhere else. Windows tells what is guarded: reserved pages lie on both sides. The kernel
below Wine tells what is locked, because a process of Wine is one of the kernel's, with the same addresses.
"""

import argparse
import os
import secrets
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import moments
from flow import HERE, Bench, Flow
from scan import Mapping, Run, Snapshot, mappings
from story import Checks, Story

CROSS = HERE.parent / "cross" / "windows"
# Long enough for many snapshots, each of which takes a fraction of a second.
STALL_MS = 6000
_RECORD = struct.Struct("<cQQ")
_FACTS = struct.Struct("<QQ")


@dataclass
class Region(Mapping):
    """Memory of one state and protection."""

    guarded: bool = False
    is_locked: bool = False

    @property
    def undumpable(self) -> bool:
        return self.guarded

    @property
    def locked(self) -> bool:
        return self.is_locked

    def __str__(self) -> str:
        facts = f"{'' if self.guarded else 'not '}guarded, {'' if self.is_locked else 'not '}locked"
        return f"{self.start:x}-{self.end:x} protection {self.perms}, {facts}"


class Reader:
    """The program that reads another process."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen(["wine", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def read(self, pid: int, locked: Iterable[Mapping]) -> "WindowsSnapshot":
        self._process.stdin.write(b"%d\n" % pid)
        self._process.stdin.flush()
        return WindowsSnapshot(self._process.stdout, list(locked))


class WindowsSnapshot(Snapshot):
    """A process's memory at one moment, out of a reader's records."""

    def __init__(self, records: BinaryIO, locked: list[Mapping]) -> None:
        self.mappings: list[Mapping] = []
        self.runs: list[Run] = []
        self.unreadable = 0
        self.bytes = 0
        while True:
            kind, first, second = _RECORD.unpack(records.read(_RECORD.size))
            if kind == b"E":
                break
            if kind == b"R":
                protection, guarded = _FACTS.unpack(records.read(_FACTS.size))
                is_locked = any(m.start <= first and second <= m.end for m in locked)
                region = Region(first, second, f"{protection:#x}", "", guarded=bool(guarded), is_locked=is_locked)
                self.mappings.append(region)
            elif kind == b"D":
                self.runs.append(Run(self.mappings[-1], first, records.read(second)))
                self.bytes += second
            else:
                assert kind == b"U", f"the reader wrote {kind!r}"
                self.unreadable += 1


class WindowsBench(Bench):
    """The programs for Windows, and the libraries beside them."""

    def build(self) -> None:
        compiler = os.environ.get("CC", "x86_64-w64-mingw32-gcc")
        flags = ["-std=c11", "-D_GNU_SOURCE", "-D__USE_MINGW_ANSI_STDIO=1", "-O1", "-Wall", "-Wextra", "-Werror"]
        paths = [f"-I{CROSS / 'posix'}", "-iquote", HERE.parent / "c", "-iquote", CROSS, f"-I{HERE.parents[1] / 'include'}"]
        self.program, self.reader = self.work / "flow.exe", self.work / "read_process.exe"
        flow = ["-include", CROSS / "posix.h", HERE / "flow.c", CROSS / "flow_windows.c", self.library_dir / "libnomyo.dll.a"]
        subprocess.run([compiler, *flags, *paths, *flow, "-lws2_32", "-lpthread", "-o", self.program], check=True)
        subprocess.run([compiler, *flags, CROSS / "read_process.c", "-o", self.reader], check=True)
        for library in self.library_dir.glob("*.dll"):
            shutil.copy(library, self.work)
        # Debug sections are mapped, too, and would be read at each moment.
        strip = compiler.replace("gcc", "strip")
        subprocess.run([strip, "--strip-debug", self.work / "nomyo.dll", self.program], check=True)


class WindowsFlow(Flow):
    """The program, running under Wine, and the one that reads it."""

    def __init__(self, bench: WindowsBench) -> None:
        self.bench = bench
        self.owned = {}
        self.process = subprocess.Popen(
            ["wine", bench.program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=bench.work, bufsize=0
        )
        # Of the kernel. Wine replaces itself by the program.
        self.pid = self.process.pid
        self.windows_pid = int(self.ask("pid"))
        assert any(m.path.endswith("/flow.exe") for m in mappings(self.pid)), "Wine runs the program in another process"
        self._reader = Reader(bench.reader)

    def __exit__(self, *arguments: object) -> None:
        self._reader.close()
        super().__exit__(*arguments)

    def slot(self, name: str, payload: bytes) -> None:
        """As on Linux, with another read behind it. Wine's part of the kernel lies in the process and keeps some of the bytes that
        the program has read, until it has read others."""
        super().slot(name, payload)
        self.ask(f"slot z {len(payload)}", secrets.token_bytes(len(payload)))
        self.ok("forget z")

    def protects(self) -> bool:
        return self.memory()["refused"] == 0

    def snapshot(self) -> Snapshot:
        return self._reader.read(self.windows_pid, [m for m in mappings(self.pid) if "lo" in m.flags])


class WindowsStory(Story):
    """A story whose protected memory is guarded and locked."""

    @property
    def place(self) -> str:
        return "locked, guarded"


def self_test(bench: WindowsBench, checks: Checks) -> None:
    with WindowsFlow(bench) as flow:
        begun = time.monotonic()
        snapshot = flow.snapshot()
        guarded = [m for m in snapshot.mappings if m.undumpable]
        print(
            f"a snapshot has {len(snapshot.mappings)} regions, {len(guarded)} of them guarded, and {snapshot.bytes} bytes "
            f"that are not zero; it took {time.monotonic() - begun:.2f} s"
        )
        checks.that(snapshot.bytes > 1 << 20, "self-test: a snapshot has more than 1 MiB")
        moments.self_test(WindowsStory(flow, checks))


def whole_story(bench: WindowsBench, checks: Checks) -> None:
    """All moments, and a failure of each kind. Windows has no fork."""
    with WindowsFlow(bench) as flow:
        story = WindowsStory(flow, checks)
        moments.begin(story)
        moments.seal_and_open(story)
        moments.chat(story, stall_ms=STALL_MS)
        delay = {"delay_before_headers_ms": STALL_MS}
        malformed = "plaintext_trailing_garbage"
        moments.fail(story, f"malformed answer {malformed}", "malformed answer", malformed=malformed, **delay)
        moments.fail(story, "timeout", "timeout", timeout_ms=STALL_MS, delay_before_headers_ms=60_000)
        moments.fail(story, "cancel", "cancel", cancel_ms=STALL_MS, delay_before_headers_ms=60_000)
        moments.fail(story, "HTTP 500", "HTTP 500", status=500, **delay)
        moments.fail(story, "truncated answer", "truncated answer", truncate=100, **delay)
        moments.end(story)
        story.judge("whole story")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library-dir", type=Path, required=True, help="where nomyo.dll is")
    parser.add_argument("--api-key", required=True, help="the one that the endpoint requires")
    options = parser.parse_args()
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="nomyo-memory-") as work:
        bench = WindowsBench(Path(work), options.library_dir.resolve(), options.api_key)
        for name, part in {"self-test": self_test, "whole story": whole_story}.items():
            begun = time.monotonic()
            part(bench, checks)
            print(f"\n[{name}: {time.monotonic() - begun:.1f} s]", flush=True)
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 0 if checks.failed == 0 and checks.passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
