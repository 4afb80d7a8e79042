"""A call that blocks: its time limit, its Cancel, and the thread that it runs on."""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias, TypeVar

from . import _library as c
from ._arguments import Buffer, buffer, milliseconds, text, wrong_type
from ._ending import Ending, keep, new_options, taken
from ._errors import call
from ._event_loop import waiting
from ._handle import Handle, Temporary
from ._library import lib
from ._threads import NoThread, interruptible, on_this_thread, start

_T = TypeVar("_T")
SecurityTier: TypeAlias = Literal["standard", "high", "maximum"]


class Cancel:
    """Cancels the calls that it is given to, from any thread. One Cancel serves any number of calls, and stays triggered."""

    def __init__(self) -> None:
        self._triggered = False
        self._followers: set[Callable[[], None]] = set()

    def trigger(self) -> None:
        """Ends the calls with CancelledError, whatever they wait for, within a tenth of a second. Blocks on nothing."""
        self._triggered = True
        for follower in list(self._followers):
            follower()

    @contextmanager
    def _followed(self, follower: Callable[[], None]) -> Iterator[None]:
        """Meanwhile trigger() calls `follower`, too."""
        self._followers.add(follower)
        try:
            if self._triggered:
                follower()
            yield
        finally:
            self._followers.discard(follower)


class Call:
    """One call that blocks, with its options and a cancel of its own, which the caller's Cancel triggers, too.

    One work is done with it, once.
    """

    def __init__(
        self,
        timeout: float | None = None,
        cancel: Cancel | None = None,
        *,
        security_tier: str | None = None,
        api_key: str | Buffer | None = None,
    ) -> None:
        if cancel is not None and not isinstance(cancel, Cancel):
            raise wrong_type("cancel", "a Cancel", cancel)
        self._timeout, self._given = timeout, cancel
        self._security_tier, self._api_key = security_tier, api_key
        self._ending: Ending | None = None
        self._own_options: Any = None
        # Holds `_ending` while the work is done. The end of the work and trigger() both take it out, and one of them succeeds: a
        # cancel that was triggered must not be kept for another call, and a cancel that is kept must not be triggered.
        self._live: list[Ending] = []
        self._triggered = False

    def options(self) -> Any:
        """The options as nomyo_call_options, for the functions that take one. They live until the work has ended."""
        ending = self._ending
        assert ending is not None
        if self._timeout is None and self._security_tier is None and self._api_key is None:
            return ending.options
        self._own_options = options = new_options(ending.cancel)
        if self._timeout is not None:
            call(lib.nomyo_call_options_set_timeout_ms, options, milliseconds(self._timeout, "timeout"))
        if self._security_tier is not None:
            call(lib.nomyo_call_options_set_security_tier, options, text(self._security_tier, "security_tier"))
        if self._api_key is not None:
            call(lib.nomyo_call_options_set_api_key, options, *buffer(self._api_key, "api_key"))
        return options

    @contextmanager
    def client(self, handle: Handle) -> Iterator[Any]:
        """The client of `handle` with these options as its defaults, for the functions that take none."""
        own = Temporary(ctypes.POINTER(c.Client)(), lib.nomyo_client_free, "client")
        with handle as client, own as limited:
            call(lib.nomyo_client_with_options, client, self.options(), ctypes.byref(limited))
            yield limited

    def trigger(self) -> None:
        """Ends the call, now or when it begins. Does nothing if it has ended."""
        self._triggered = True
        try:
            ending = self._live.pop()
        except IndexError:
            return
        lib.nomyo_cancel_trigger(ending.cancel)

    def run(self, work: Callable[[], _T]) -> _T:
        """Runs `work`, which makes the call, and waits. A signal handler that raises, as Ctrl-C's does, cancels the call."""
        if self._given is None:
            return interruptible(lambda: self._do(work), self.trigger)
        with self._given._followed(self.trigger):
            return interruptible(lambda: self._do(work), self.trigger)

    async def run_off_loop(self, work: Callable[[], _T]) -> _T:
        """run(), off the event loop. Cancelling the task cancels the call."""
        if self._given is None:
            return await off_loop(lambda: self._do(work), self.trigger)
        with self._given._followed(self.trigger):
            return await off_loop(lambda: self._do(work), self.trigger)

    def _do(self, work: Callable[[], _T]) -> _T:
        # Taken here and not on an event loop, which may wait for the GIL after each call into the library.
        self._ending = ending = taken()
        self._live.append(ending)
        if self._triggered:
            self.trigger()
        try:
            return work()
        finally:
            del work, ending  # see call()
            options, self._own_options = self._own_options, None
            if options is not None:
                lib.nomyo_call_options_free(options)
            try:
                keep(self._live.pop())
            except IndexError:
                pass


async def awaited(method: Callable[..., _T], *arguments: Any, cancel: Cancel | None = None, **options: Any) -> _T:
    """Runs a method that blocks on a thread, off the event loop. Cancelling the task cancels the call."""
    own = Cancel()
    if cancel is None:
        return await off_loop(lambda: method(*arguments, cancel=own, **options), own.trigger)
    if not isinstance(cancel, Cancel):
        raise wrong_type("cancel", "a Cancel", cancel)
    with cancel._followed(own.trigger):
        return await off_loop(lambda: method(*arguments, cancel=own, **options), own.trigger)


async def off_loop(work: Callable[[], _T], abandon: Callable[[], None] | None = None) -> _T:
    """Runs `work` on a thread. If the task is cancelled, `abandon` is called, and nobody waits for `work`. If the system has
    no thread, `work` runs on the event loop's thread, and the loop waits for it."""
    wake, wait = waiting()
    job = start(work, wake, abandon)
    try:
        await wait()
        result: _T = job.result()
        return result
    except NoThread:
        pass
    except BaseException:  # the task was cancelled, or the work failed
        if abandon and not job.ended:
            abandon()
        raise
    finally:
        del job
    return on_this_thread(work, abandon)
