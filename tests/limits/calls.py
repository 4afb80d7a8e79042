"""Every function of the library that can block, called by its name with a deadline or a cancel handle of its own."""

import json
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import POINTER, byref, c_char_p, c_int32, c_size_t, c_void_p, string_at
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import abi

SENT = {0: "no", 1: "maybe", 2: "yes"}
SERVER_PEM = (abi.KEYS / "server_public.pem").read_bytes()
HANDLE, OUT, ERR = c_void_p, POINTER(c_void_p), POINTER(c_void_p)
SIGNATURES = {
    "nomyo_error_sent": (c_int32, HANDLE),
    "nomyo_error_payload_id": (c_char_p, HANDLE),
    "nomyo_call_options_set_cancel": (c_int32, HANDLE, HANDLE, ERR),
    "nomyo_cancel_new": (HANDLE,),
    "nomyo_cancel_trigger": (None, HANDLE),
    "nomyo_cancel_free": (None, HANDLE),
    "nomyo_text_data": (HANDLE, HANDLE, POINTER(c_size_t)),
    "nomyo_text_free": (None, HANDLE),
    "nomyo_sealed_free": (None, HANDLE),
    "nomyo_client_with_options": (c_int32, HANDLE, HANDLE, OUT, ERR),
    "nomyo_client_warm_up": (c_int32, HANDLE, ERR),
    "nomyo_client_server_key": (c_int32, HANDLE, OUT, OUT, ERR),
    "nomyo_client_tls_chain": (c_int32, HANDLE, OUT, ERR),
    "nomyo_client_public_key": (c_int32, HANDLE, OUT, ERR),
    "nomyo_client_generate_keys": (c_int32, HANDLE, c_char_p, c_char_p, c_size_t, ERR),
    "nomyo_client_load_keys_pem": (c_int32, HANDLE, *3 * (c_char_p, c_size_t), ERR),
    "nomyo_client_private_key_pem": (c_int32, HANDLE, c_char_p, c_size_t, OUT, POINTER(c_size_t), ERR),
    "nomyo_secret_free": (None, HANDLE),
    "nomyo_client_save_keys": (c_int32, HANDLE, c_char_p, c_char_p, c_size_t, ERR),
    "nomyo_client_rotate_keys": (c_int32, HANDLE, ERR),
    "nomyo_seal": (c_int32, HANDLE, c_char_p, c_size_t, c_char_p, c_size_t, HANDLE, OUT, ERR),
}


@dataclass(frozen=True)
class Ended(abi.Outcome):
    """How a call ended. `begun` and `ended` are monotonic times of the C function alone."""

    sent: str = "no"
    payload_id: str | None = None
    begun: float = 0.0
    ended: float = 0.0
    text: str = ""


class Library(abi.Library):
    """libnomyo.so with the functions that these tests call beside those of the fault tests."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        for name, (result, *arguments) in SIGNATURES.items():
            function = getattr(self.dll, name)
            function.restype, function.argtypes = result, arguments

    def outcome(self, status: int, err: c_void_p, seconds: float) -> Ended:
        """Takes the error over."""
        sent = SENT.get(self.dll.nomyo_error_sent(err), "not a number of the header")
        payload_id = self.dll.nomyo_error_payload_id(err)
        about = vars(super().outcome(status, err, seconds))
        return Ended(**{**about, "sent": sent, "payload_id": payload_id and payload_id.decode()})


@dataclass(frozen=True)
class Given:
    """Arguments of a call. Each function takes those that it has."""

    content: str = "x"
    test: dict[str, Any] | None = None
    directory: Path | None = None
    private: Path | None = None
    password: str = ""

    def body(self) -> list[Any]:
        request: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": self.content}]}
        if self.test:
            request["nomyo_test"] = self.test
        return counted(json.dumps(request).encode())

    def kept(self) -> list[Any]:
        return [bytes(self.directory) if self.directory else None, *counted(self.password.encode())]

    def loaded(self) -> list[Any]:
        return [bytes(self.private) if self.private else None, None, *counted(self.password.encode())]

    def from_memory(self) -> list[Any]:
        text = self.private.read_bytes() if self.private else b""
        return [*counted(text), None, 0, *counted(self.password.encode())]

    def exported(self) -> list[Any]:
        return counted(self.password.encode())


def counted(text: bytes) -> list[Any]:
    return [text, len(text)]


@dataclass(frozen=True)
class Function:
    """One function: its arguments between the client and the outputs, and the kind of each output."""

    symbol: str
    arguments: Callable[[Given], list[Any]] = lambda _: []
    outputs: tuple[str, ...] = ()
    takes_options: bool = False


FUNCTIONS = {
    "create": Function("nomyo_create", Given.body, ("response",), True),
    "warm_up": Function("nomyo_client_warm_up"),
    "server_key": Function("nomyo_client_server_key", outputs=("text", "text")),
    "tls_chain": Function("nomyo_client_tls_chain", outputs=("text",)),
    "public_key": Function("nomyo_client_public_key", outputs=("text",)),
    "generate (memory)": Function("nomyo_client_generate_keys", lambda _: [None, None, 0]),
    "generate (dir)": Function("nomyo_client_generate_keys", Given.kept),
    "load_keys": Function("nomyo_client_load_keys", Given.loaded),
    "load_keys_pem": Function("nomyo_client_load_keys_pem", Given.from_memory),
    "private_key_pem": Function("nomyo_client_private_key_pem", Given.exported, ("secret", "length")),
    "save_keys": Function("nomyo_client_save_keys", Given.kept),
    "rotate_keys": Function("nomyo_client_rotate_keys"),
    "seal": Function("nomyo_seal", lambda given: [*counted(SERVER_PEM), *given.body()], ("sealed",), True),
}


class Cancel:
    """A cancel handle. It is never freed, because a call may still have it when a test gives up."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.handle = c_void_p(library.dll.nomyo_cancel_new())

        # The monotonic time at which it was triggered.
        self.triggered = math.inf

    def trigger(self) -> None:
        self.triggered = time.monotonic()
        self.library.dll.nomyo_cancel_trigger(self.handle)

    def trigger_after(self, delay_ms: int) -> threading.Timer:
        timer = threading.Timer(delay_ms / 1000, self.trigger)
        timer.start()
        return timer


class Client(abi.Client):
    """A client whose functions take a deadline and a cancel handle: create and seal as options of the call, the others
    through a handle made by nomyo_client_with_options()."""

    library: Library

    @contextmanager
    def options(self, timeout_ms: int, cancel: Cancel | None) -> Iterator[c_void_p]:
        dll = self.library.dll
        options = c_void_p(dll.nomyo_call_options_new())
        if timeout_ms:
            self._must(dll.nomyo_call_options_set_timeout_ms, options, timeout_ms)
        if cancel:
            self._must(dll.nomyo_call_options_set_cancel, options, cancel.handle)
        try:
            yield options
        finally:
            dll.nomyo_call_options_free(options)

    @contextmanager
    def with_options(self, options: c_void_p | None) -> Iterator[c_void_p]:
        """Another handle of this client."""
        handle = c_void_p()
        self._must(self.library.dll.nomyo_client_with_options, self._client, options, byref(handle))
        try:
            yield handle
        finally:
            self.library.dll.nomyo_client_free(handle)

    def call(
        self,
        name: str,
        given: Given = Given(),
        timeout_ms: int = 0,
        cancel: Cancel | None = None,
    ) -> Ended:
        """Calls the function `name`. Without a timeout and a cancel handle those of the client count."""
        with self.options(timeout_ms, cancel) as options:
            if FUNCTIONS[name].takes_options:
                return self.call_by(self._client, name, given, options)
            with self.with_options(options) as handle:
                return self.call_by(handle, name, given)

    def call_by(
        self, handle: c_void_p, name: str, given: Given = Given(), options: c_void_p | None = None
    ) -> Ended:
        """Calls the function `name` with `handle`, which is this client or another handle of it."""
        function, dll = FUNCTIONS[name], self.library.dll
        outputs = [c_size_t() if kind == "length" else c_void_p() for kind in function.outputs]
        err = c_void_p()
        between = [*function.arguments(given), *([options] if function.takes_options else [])]
        arguments = [handle, *between, *map(byref, outputs), byref(err)]
        called = getattr(dll, function.symbol)
        begun = time.monotonic()
        status = called(*arguments)
        ended = time.monotonic()
        if status:
            about = vars(self.library.outcome(status, err, ended - begun))
            return Ended(**{**about, "begun": begun, "ended": ended})
        text = ""
        for kind, output in zip(function.outputs, outputs):
            if kind == "text":
                text = text or string_at(dll.nomyo_text_data(output, None)).decode()
            if kind == "length":
                continue
            getattr(dll, f"nomyo_{kind}_free")(output)
        return Ended("OK", ended - begun, begun=begun, ended=ended, text=text)
