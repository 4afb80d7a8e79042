"""A mount namespace: file systems that are full or read-only, and gone with the test. Root heeds no permission bits."""

import os
import subprocess
import time
from pathlib import Path
from typing import Self

import pytest
from driver import Word


class Namespace:
    """Holds one open; skips the test where none may be made."""

    def __enter__(self) -> Self:
        self.served: list[subprocess.Popen[bytes]] = []
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
        for server in self.served:
            server.terminate()
            server.wait()
        self.holder.communicate()

    @property
    def enter(self) -> list[Word]:
        """What starts a program in it."""
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        return ["nsenter", "--target", str(self.holder.pid), "--mount", *user]

    def mount(self, *arguments: Word) -> None:
        subprocess.run([*self.enter, "mount", *arguments], check=True)

    def try_mount(self, *arguments: Word) -> None:
        """Skips the test if this kernel cannot mount that."""
        done = subprocess.run([*self.enter, "mount", *arguments], capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip(f"this system cannot mount that: {done.stderr.strip()}")

    def serve(self, point: Path, *command: Word) -> None:
        """Starts the server of a FUSE file system in the foreground, and waits until the mount point is there."""
        if not os.access("/dev/fuse", os.R_OK | os.W_OK):
            pytest.skip("this system has no /dev/fuse")
        server = subprocess.Popen([*self.enter, *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        mounts = Path(f"/proc/{self.holder.pid}/mountinfo")
        until = time.monotonic() + 20
        while f" {point} " not in mounts.read_text():
            if server.poll() is not None:
                assert server.stderr
                pytest.skip(f"this system cannot mount that: {server.stderr.read().decode().strip()}")
            assert time.monotonic() < until, f"{point} was not mounted"
            time.sleep(0.01)
        self.served.append(server)

    def outside(self, path: Path) -> Path:
        """Where a path of it is for us."""
        return Path(f"/proc/{self.holder.pid}/root{path}")
