"""Other users than the one who runs the tests. Only root can start programs as another user."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest
from driver import Word

ORDINARY, STRANGER = 1001, 1234
# An ordinary user where we can be one, because root heeds no permission bits.
USER = ORDINARY if os.geteuid() == 0 else os.geteuid()


def need_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files to other users and run programs as they")


def as_user(uid: int = USER, *groups: int) -> list[Word]:
    """The command that starts a program as the user."""
    if uid == os.geteuid():
        return []
    supplementary = [f"--groups={','.join(map(str, groups))}"] if groups else ["--clear-groups"]
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", *supplementary]


def give(path: Path, uid: int, gid: int | None = None) -> None:
    """Makes the user the owner of the file, or of the directory and all in it."""
    for each in [path, *(path.rglob("*") if path.is_dir() and not path.is_symlink() else [])]:
        os.chown(each, uid, uid if gid is None else gid, follow_symlinks=False)


def run_command(command: str) -> None:
    """Runs a command of an error message in a shell: chown as root, everything else as the user."""
    start = [] if shlex.split(command)[0] == "chown" else as_user()
    subprocess.run([*start, "sh", "-c", command], check=True)
