"""Calls that a file blocks: locks that another process holds, a FIFO in a file's place, a directory that hangs."""

import ctypes
import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import processes
from calls import Given
from scene import Lane, Scene

LIBC = ctypes.CDLL(None, use_errno=True)
MNT_DETACH = 2


def is_free(lock: Path) -> bool:
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            return False


class Holder:
    """Another process, which holds the lock of a directory and does nothing."""

    def __init__(self, directory: Path) -> None:
        lock = directory / ".nomyo.lock"
        lock.touch(0o600)
        command = ["flock", "--no-fork", lock, "sleep", "600"]
        self.process = processes.start(command, lambda: not is_free(lock))
        self._turn, self._ended = threading.Lock(), False

    def end(self) -> None:
        """Any thread, any number of times."""
        with self._turn:
            if not self._ended:
                self._ended = True
                processes.stop(self.process)


@contextmanager
def _held(lane: Lane, directory: Path, given: Given = Given(), **settings: Any) -> Iterator[Scene]:
    holder = Holder(directory)
    try:
        with lane.client(**settings) as client:
            yield Scene(client, given, release=holder.end)
    finally:
        holder.end()


def lock_of_pair(lane: Lane) -> AbstractContextManager[Scene]:
    """The key directory has a pair, and is locked."""
    made = lane.directory(with_pair=True)
    return _held(lane, made, pair=False, key_dir=str(made))


def lock_of_empty(lane: Lane) -> AbstractContextManager[Scene]:
    """The key directory is empty, and is locked."""
    made = lane.directory()
    return _held(lane, made, pair=False, key_dir=str(made))


def lock_of_target(lane: Lane) -> AbstractContextManager[Scene]:
    """The directory to write a pair to is locked."""
    made = lane.directory()
    return _held(lane, made, Given(directory=made))


def lock_of_known(lane: Lane) -> AbstractContextManager[Scene]:
    """The directory of the known servers is locked."""
    made = lane.directory()
    return _held(lane, made, known_servers=str(made / "known"))


@contextmanager
def lock_of_due(lane: Lane) -> Iterator[Scene]:
    """The pair is due, and its directory is locked."""
    made = lane.directory(with_pair=True)
    with lane.client(pair=False, key_dir=str(made), key_rotation_ms=1) as client:
        client.call("public_key")
        holder = Holder(made)
        try:
            yield Scene(client, release=holder.end)
        finally:
            holder.end()


@contextmanager
def fifo_as_key(lane: Lane) -> Iterator[Scene]:
    """The private file is a FIFO that nobody writes to."""
    fifo = lane.directory() / "private.pem"
    os.mkfifo(fifo, 0o600)
    with lane.client() as client:
        yield Scene(client, Given(private=fifo), usable=False)


@contextmanager
def fifo_as_known(lane: Lane) -> Iterator[Scene]:
    """The file of known servers is a FIFO that nobody writes to."""
    fifo = lane.directory() / "known"
    os.mkfifo(fifo, 0o600)
    with lane.client(known_servers=str(fifo)) as client:
        yield Scene(client, usable=False)


@contextmanager
def fifo_in_directory(lane: Lane) -> Iterator[Scene]:
    """The private file of the key directory is a FIFO that nobody writes to."""
    made = lane.directory(with_pair=True)
    (made / "private_key.pem").unlink()
    os.mkfifo(made / "private_key.pem", 0o600)
    with lane.client(pair=False, key_dir=str(made)) as client:
        yield Scene(client, usable=False)


@contextmanager
def fifo_as_lock(lane: Lane) -> Iterator[Scene]:
    """The lock file is a FIFO that nobody writes to."""
    made = lane.directory(with_pair=True)
    os.mkfifo(made / ".nomyo.lock", 0o600)
    with lane.client(pair=False, key_dir=str(made)) as client:
        yield Scene(client, usable=False)


class Hanging:
    """A file system mounted on `directory` that answers nothing, like a network file system without its server."""

    def __init__(self, directory: Path) -> None:
        self._directory, self._device = directory, os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={self._device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}"
        if LIBC.mount(b"fuse", bytes(directory), b"fuse", 0, options.encode()):
            os.close(self._device)
            raise OSError(ctypes.get_errno(), "mount of a file system that hangs")
        self._turn, self._ended = threading.Lock(), False

    def end(self) -> None:
        """Everything that waits for it fails, and the directory under it is there again. As Holder.end()."""
        with self._turn:
            if not self._ended:
                self._ended = True
                os.close(self._device)
                LIBC.umount2(bytes(self._directory), MNT_DETACH)


def no_hanging(lane: Lane) -> str:
    """Why there can be no directory that hangs, or nothing if there can."""
    if lane.bench.no_namespace:
        return lane.bench.no_namespace
    try:
        Hanging(lane.directory()).end()
    except OSError as error:
        return f"this system allows no {error.strerror or 'FUSE'}"
    return ""


@contextmanager
def _hanging(lane: Lane, directory: Path, given: Given = Given(), **settings: Any) -> Iterator[Scene]:
    with lane.client(**settings) as client:
        hanging = Hanging(directory)
        try:
            yield Scene(client, given, release=hanging.end)
        finally:
            hanging.end()


def hanging_keys(lane: Lane) -> AbstractContextManager[Scene]:
    """The key directory hangs."""
    made = lane.directory(with_pair=True)
    return _hanging(lane, made, pair=False, key_dir=str(made))


def hanging_target(lane: Lane) -> AbstractContextManager[Scene]:
    """The directory to write a pair to hangs."""
    made = lane.directory()
    return _hanging(lane, made, Given(directory=made))


def hanging_private(lane: Lane) -> AbstractContextManager[Scene]:
    """The directory of the file to load hangs."""
    made = lane.directory(with_pair=True)
    return _hanging(lane, made, Given(private=made / "private_key.pem"))


def hanging_known(lane: Lane) -> AbstractContextManager[Scene]:
    """The directory of the known servers hangs."""
    made = lane.directory()
    return _hanging(lane, made, known_servers=str(made / "known"))
