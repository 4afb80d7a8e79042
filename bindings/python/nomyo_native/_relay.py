"""Work that a greenlet waits for: it runs on a real thread, and its log lines are written by the greenlet.

The locks of logging's handlers are greenlets' locks in such a process. A real thread that
waited for such a lock might never continue.
"""

from __future__ import annotations

import _socket
import _thread
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

_NOW = getattr(_socket, "MSG_DONTWAIT", 0) | getattr(_socket, "MSG_NOSIGNAL", 0)
_relays: dict[int, Relay] = {}  # by the thread that does the work


class Relay:
    """Brings what happens on the thread to the greenlet: log lines, and the result."""

    def __init__(self) -> None:
        self._reader, self._writer = _socket.socketpair()
        self._lines: deque[Callable[[], None]] = deque()
        self._outcome: list[tuple[Any, BaseException | None]] = []

    def run(self, work: Callable[[], Any]) -> None:
        """Does the work, on this thread."""
        thread = _thread.get_native_id()
        _relays[thread] = self
        try:
            self.end(work())
        except BaseException as e:
            self.end(None, e)
        finally:
            del _relays[thread], work

    def end(self, result: Any, error: BaseException | None = None) -> None:
        self._outcome.append((result, error))
        self._wake()
        self._writer.close()

    def say(self, line: Callable[[], None]) -> None:
        self._lines.append(line)
        self._wake()

    def wait(self, readable: Callable[[int], None]) -> Any:
        """Waits for the end of the work, and returns or raises what it did. `readable` lets other greenlets run."""
        try:
            while not self._outcome:
                readable(self._reader.fileno())
                with suppress(BlockingIOError):
                    self._reader.recv(4096, _NOW)
                self._write()
            self._write()  # the lines before the end
        finally:
            self._reader.close()
        result, error = self._outcome.pop()
        try:
            if error is not None:
                raise error
            return result
        finally:
            del error  # its traceback has this frame

    def _write(self) -> None:
        while self._lines:
            self._lines.popleft()()

    def _wake(self) -> None:
        with suppress(OSError):  # it is awake already, or waits no more
            self._writer.send(b"\0", _NOW)


def written(line: Callable[[], None]) -> None:
    """Calls `line`, which writes a log line, here or where the work of this thread is waited for."""
    relay = _relays.get(_thread.get_native_id())
    if relay is None:
        line()
    else:
        relay.say(line)


def drop_relays() -> None:
    """Drops the relays in a forked child, because the child has none of their threads."""
    _relays.clear()
