"""A mount namespace: file systems that are full or read-only, and gone with the test. Root heeds no permission bits."""

import os
import subprocess
from pathlib import Path
from typing import Self

import pytest
from driver import Word


class Namespace:
    """Holds one open; skips the test where none may be made."""

    def __enter__(self) -> Self:
        own = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]
        self.holder = subprocess.Popen(
            [*own, "sh", "-c", "echo ready; read line"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self.holder.stdout
        if self.holder.stdout.readline() != b"ready\n":
            self.__exit__()
            pytest.skip("this system lets us make no mount namespace, and so no file system that is full or read-only")
        return self

    def __exit__(self, *_: object) -> None:
        self.holder.communicate()

    @property
    def enter(self) -> list[Word]:
        """What starts a program in it."""
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        return ["nsenter", "--target", str(self.holder.pid), "--mount", *user]

    def mount(self, *arguments: Word) -> None:
        subprocess.run([*self.enter, "mount", *arguments], check=True)

    def outside(self, path: Path) -> Path:
        """Where a path of it is for us."""
        return Path(f"/proc/{self.holder.pid}/root{path}")
