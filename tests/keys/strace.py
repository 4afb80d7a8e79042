"""What a program asks the system for, and what becomes of it when it is killed, or refused, at one of these moments.

The program gets no second thread: then the library works on the calling thread, where strace counts every call.
"""

import re
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from driver import Driver, Word

# Everything that changes files or waits for the disk.
CHANGES = (
    "open,openat,openat2,creat,write,writev,pwrite64,pwritev,ftruncate,fallocate,fsync,fdatasync,rename,renameat,"
    "renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,mkdir,mkdirat,rmdir,chmod,fchmod,fchmodat,flock"
)
THREADS = "clone,clone3"
NO_THREAD = ["-e", f"inject={THREADS}:error=EAGAIN"]
_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+)(.*)")


@dataclass(frozen=True)
class Call:
    """A system call: `ordinal` counts the calls of its name in the process."""

    name: str
    ordinal: int
    arguments: str
    result: int

    def __str__(self) -> str:
        return f"{self.name}({self.arguments}) = {self.result}"


def calls(driver: Driver, directory: Path, *words: Word, umask: int = -1) -> list[Call]:
    """Those calls of the steps `words`, which must succeed, that name `directory` or something in it."""
    log = driver.work / "strace.log"
    before = ["strace", "-qq", "-y", "-s", "64", "-e", f"trace={CHANGES},{THREADS}", *NO_THREAD, "-o", log]
    driver.ok(*words, before=before, umask=umask)
    counts: Counter[str] = Counter()
    found = []
    for line in log.read_text().splitlines():
        match = _CALL.fullmatch(line)
        assert match, line
        name, arguments, result, _ = match.groups()
        counts[name] += 1
        if str(directory) in arguments:
            found.append(Call(name, counts[name], arguments, int(result)))
    return found


def killed_at(driver: Driver, call: Call, *words: Word) -> None:
    """Does the steps `words`, and kills the process when it enters the call, before that has an effect."""
    inject = f"inject={call.name}:signal=KILL:when={call.ordinal}"
    before = ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call.name},{THREADS}", *NO_THREAD, "-e", inject]
    with driver.start(*words, before=before) as process:
        process.communicate(timeout=60)
    assert process.returncode in (-9, 137), f"it was not killed at {call}"


def refused_at(call: Call, error: str) -> list[Word]:
    """What starts a program of which that call fails."""
    inject = f"inject={call.name}:error={error}:when={call.ordinal}"
    return ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call.name},{THREADS}", *NO_THREAD, "-e", inject]


def without_threads() -> list[Word]:
    """What starts a program that gets no second thread."""
    return ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={THREADS}", *NO_THREAD]


def available() -> bool:
    """Whether processes may be traced here."""
    return subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], check=False).returncode == 0
