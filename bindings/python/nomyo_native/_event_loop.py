"""The event loop that a coroutine runs on: asyncio's or trio's. anyio runs on either of the two."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ._errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any, TypeAlias

    Waiting: TypeAlias = tuple[Callable[[], None], Callable[[], Awaitable[Any]]]


def waiting() -> Waiting:
    """Two functions: one that any thread may call to wake the task that is running, and one whose result the task awaits."""
    if "trio" in sys.modules and _in_trio():
        return _in_trio_s_loop()
    import asyncio  # programs without an event loop need not load asyncio

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        raise ArgumentError(
            "a coroutine of this client was awaited outside of asyncio and trio, which it needs; call it from asyncio.run() or "
            "trio.run(), or use the methods of Client, which need no event loop; nothing was sent"
        ) from None
    future = loop.create_future()

    def wake() -> None:
        try:
            loop.call_soon_threadsafe(_settle, future)
        except RuntimeError:
            pass  # the loop is closed, so no task of it waits

    return wake, lambda: future


def _settle(future: Any) -> None:
    if not future.done():
        future.set_result(None)


def _in_trio() -> bool:
    """Whether a task of trio's is running. sniffio knows best, since either loop can run inside of the other."""
    sniffio = sys.modules.get("sniffio")
    if sniffio is not None:
        try:
            return bool(sniffio.current_async_library() == "trio")
        except sniffio.AsyncLibraryNotFoundError:
            pass
    try:
        sys.modules["trio"].lowlevel.current_task()
    except RuntimeError:
        return False
    return True


def _in_trio_s_loop() -> Waiting:
    trio: Any = sys.modules["trio"]
    token, ended = trio.lowlevel.current_trio_token(), trio.Event()

    def wake() -> None:
        try:
            token.run_sync_soon(ended.set)
        except trio.RunFinishedError:
            pass  # no task waits

    return wake, ended.wait
