"""The library as C sees it: one client, one call, and everything that the call's end says about itself."""

import ctypes
import json
import tempfile
import time
from collections.abc import Callable
from ctypes import byref, c_char_p, c_double, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

KEYS = Path(__file__).parents[1] / "fixtures" / "protocol" / "keys"
LOG_DEBUG = 4
LogFunction = ctypes.CFUNCTYPE(None, c_void_p, c_int32, c_void_p, c_size_t)
SIGNATURES = {
    "nomyo_status_name": (c_char_p, c_int32),
    "nomyo_error_status": (c_int32, c_void_p),
    "nomyo_error_message": (c_char_p, c_void_p),
    "nomyo_error_http_status": (c_int32, c_void_p),
    "nomyo_error_retry_after_ms": (c_int64, c_void_p),
    "nomyo_error_retryable": (c_int32, c_void_p),
    "nomyo_error_attempts": (c_uint32, c_void_p),
    "nomyo_error_sent": (c_int32, c_void_p),
    "nomyo_error_payload_id": (c_char_p, c_void_p),
    "nomyo_error_details": (c_void_p, c_void_p, c_void_p),
    "nomyo_error_free": (None, c_void_p),
    "nomyo_config_new": (c_void_p,),
    "nomyo_config_free": (None, c_void_p),
    "nomyo_config_load_env": (c_int32, c_void_p, c_void_p),
    "nomyo_config_add_tls_pin": (c_int32, c_void_p, c_char_p, c_void_p),
    "nomyo_client_new": (c_int32, c_void_p, c_void_p, c_void_p),
    "nomyo_client_free": (None, c_void_p),
    "nomyo_client_warm_up": (c_int32, c_void_p, c_void_p),
    "nomyo_call_options_new": (c_void_p,),
    "nomyo_call_options_free": (None, c_void_p),
    "nomyo_call_options_set_timeout_ms": (c_int32, c_void_p, c_uint64, c_void_p),
    "nomyo_call_options_set_cancel": (c_int32, c_void_p, c_void_p, c_void_p),
    "nomyo_cancel_new": (c_void_p,),
    "nomyo_cancel_trigger": (None, c_void_p),
    "nomyo_cancel_free": (None, c_void_p),
    "nomyo_create": (c_int32, c_void_p, c_char_p, c_size_t, c_void_p, c_void_p, c_void_p),
    "nomyo_response_content": (c_void_p, c_void_p, c_size_t, c_void_p),
    "nomyo_response_attempts": (c_uint32, c_void_p),
    "nomyo_response_free": (None, c_void_p),
    "nomyo_client_load_keys": (c_int32, c_void_p, c_char_p, c_char_p, c_char_p, c_size_t, c_void_p),
}
# Of a setting's function (setter_of()): what stands between the configuration and the error.
SETTERS = {
    "base_url": (c_char_p,),
    "ca_file": (c_char_p,),
    "ca_pem": (c_char_p, c_size_t),
    "client_certificate": (c_char_p, c_char_p),
    "client_certificate_pem": (c_char_p, c_size_t, c_char_p, c_size_t),
    "proxy": (c_char_p,),
    "api_key": (c_char_p, c_size_t),
    "allow_http": (c_int32,),
    "max_retries": (c_uint32,),
    "timeout_ms": (c_uint64,),
    "connect_timeout_ms": (c_uint64,),
    "response_limit": (c_uint64,),
    "key_dir": (c_char_p,),
    "key_password": (c_char_p, c_size_t),
    "key_rotation_ms": (c_uint64,),
    "server_key_pin": (c_char_p,),
    "known_servers": (c_char_p,),
    "server_key_ttl_ms": (c_uint64,),
    "rate_limit": (c_double, c_uint32),
    "post_quantum": (c_int32,),
}
# Settings that are added to what is there.
ADDED = ("ca_pem", "server_key_pin")
# Settings whose text is followed by its length.
WITH_LENGTH = ("api_key", "key_password")
# The values of nomyo_error_sent().
SENT = ["no", "maybe", "yes"]
# A message says this if nothing left, and never otherwise.
NOT_SENT = "the request was not sent"


def setter_of(setting: str) -> str:
    """The function of a setting."""
    return f"nomyo_config_{'add' if setting in ADDED else 'set'}_{setting}"


@dataclass(frozen=True)
class Outcome:
    """How a call ended. `status` is OK, or a status name without NOMYO_ERR_."""

    status: str
    seconds: float
    content: str | None = None
    message: str = ""
    http: int = 0
    attempts: int = 0
    retry_after_ms: int = -1
    retryable: bool = False
    details: bytes = b""
    # Only errors have these two.
    sent: str = ""
    payload_id: str | None = None
    # Processor time of the calling thread.
    cpu_seconds: float = 0.0


class Library:
    """libnomyo.so, loaded, its functions declared."""

    def __init__(self, path: Path) -> None:
        self.dll = ctypes.CDLL(str(path))
        for name, (result, *arguments) in SIGNATURES.items():
            function = getattr(self.dll, name)
            function.restype, function.argtypes = result, arguments
        for name, between in SETTERS.items():
            setter = getattr(self.dll, setter_of(name))
            setter.restype, setter.argtypes = c_int32, [c_void_p, *between, c_void_p]
        self.dll.nomyo_config_set_log.restype = c_int32
        self.dll.nomyo_config_set_log.argtypes = [c_void_p, c_int32, LogFunction, c_void_p, c_void_p]

    def outcome(self, status: int, err: c_void_p, seconds: float) -> Outcome:
        """Takes the error over."""
        dll, length = self.dll, c_size_t()
        details = dll.nomyo_error_details(err, byref(length))
        made = Outcome(
            status=dll.nomyo_status_name(status).decode().removeprefix("NOMYO_").removeprefix("ERR_"),
            seconds=seconds,
            message=(dll.nomyo_error_message(err) or b"").decode(),
            http=dll.nomyo_error_http_status(err),
            attempts=dll.nomyo_error_attempts(err),
            retry_after_ms=dll.nomyo_error_retry_after_ms(err),
            retryable=bool(dll.nomyo_error_retryable(err)),
            details=ctypes.string_at(details, length.value) if details else b"",
            sent=SENT[dll.nomyo_error_sent(err)],
            payload_id=(dll.nomyo_error_payload_id(err) or b"").decode() or None,
        )
        dll.nomyo_error_free(err)
        return made


class Refused(Exception):
    """A setting or a client that the library refuses. `outcome` is the error."""

    def __init__(self, function: str, outcome: Outcome) -> None:
        super().__init__(f"{function}: {outcome}")
        self.outcome = outcome


class Cancel:
    """A nomyo_cancel."""

    def __init__(self, library: Library) -> None:
        self.dll = library.dll
        self.handle = c_void_p(library.dll.nomyo_cancel_new())

    def trigger(self) -> None:
        self.dll.nomyo_cancel_trigger(self.handle)

    def close(self) -> None:
        self.dll.nomyo_cancel_free(self.handle)


class Client:
    """A nomyo_client; any number of threads may call it. `settings` are the names of SETTERS.

    `environment` reads the environment first. `tls_pins` are pins of certificates. The client's pair is a fixture,
    because generating one takes most of a second and is not measured here. Without `pair` the client has none yet.
    """

    def __init__(
        self,
        library: Library,
        pair: bool = True,
        environment: bool = False,
        tls_pins: tuple[str, ...] = (),
        **settings: Any,
    ) -> None:
        self.library = library
        self.log: list[str] = []
        # The library calls it as long as the client lives.
        self._heard = LogFunction(lambda _data, _level, line, n: self.log.append(ctypes.string_at(line, n).decode()))
        dll = library.dll
        config = c_void_p(dll.nomyo_config_new())
        self._must(dll.nomyo_config_set_log, config, LOG_DEBUG, self._heard, None)
        if environment:
            self._must(dll.nomyo_config_load_env, config)
        for pin in tls_pins:
            self._must(dll.nomyo_config_add_tls_pin, config, pin.encode())
        for name, value in settings.items():
            value = value.encode() if isinstance(value, str) else value
            values = value if isinstance(value, tuple) else (value,)
            length = [len(value)] if name in WITH_LENGTH else []
            self._must(getattr(dll, setter_of(name)), config, *values, *length)
        self._client = c_void_p()
        self._must(dll.nomyo_client_new, config, byref(self._client))
        dll.nomyo_config_free(config)
        if pair:
            self._load_fixture()

    def _load_fixture(self) -> None:
        with tempfile.NamedTemporaryFile() as private:  # which only its owner may read
            private.write((KEYS / "client_private.pem").read_bytes())
            private.flush()
            names = private.name.encode(), str(KEYS / "client_public.pem").encode()
            self._must(self.library.dll.nomyo_client_load_keys, self._client, *names, None, 0)

    def _must(self, function: Callable[..., int], *arguments: Any) -> None:
        err = c_void_p()
        if status := function(*arguments, byref(err)):
            raise Refused(function.__name__, self.library.outcome(status, err, 0))

    def create(
        self, content: str, test: dict[str, Any] | None = None, timeout_ms: int = 0, cancel: Cancel | None = None
    ) -> Outcome:
        """One chat. `test` is what the endpoint is to do with it; without a timeout the client's own counts."""
        dll = self.library.dll
        request: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": content}]}
        if test:
            request["nomyo_test"] = test
        body = json.dumps(request).encode()
        options, response, err = c_void_p(dll.nomyo_call_options_new()), c_void_p(), c_void_p()
        if timeout_ms:
            self._must(dll.nomyo_call_options_set_timeout_ms, options, timeout_ms)
        if cancel:
            self._must(dll.nomyo_call_options_set_cancel, options, cancel.handle)
        begun, used = time.monotonic(), time.thread_time()
        status = dll.nomyo_create(self._client, body, len(body), options, byref(response), byref(err))
        seconds, used = time.monotonic() - begun, time.thread_time() - used
        dll.nomyo_call_options_free(options)
        if status:
            return replace(self.library.outcome(status, err, seconds), cpu_seconds=used)
        length = c_size_t()
        text = dll.nomyo_response_content(response, 0, byref(length))
        answer = ctypes.string_at(text, length.value).decode() if text else None
        attempts = dll.nomyo_response_attempts(response)
        dll.nomyo_response_free(response)
        return Outcome("OK", seconds, content=answer, attempts=attempts, cpu_seconds=used)

    def warm_up(self) -> Outcome:
        """Fetches the server's key and opens a connection, without a prompt."""
        err, begun = c_void_p(), time.monotonic()
        status = self.library.dll.nomyo_client_warm_up(self._client, byref(err))
        return self.library.outcome(status, err, time.monotonic() - begun)

    def close(self) -> None:
        self.library.dll.nomyo_client_free(self._client)
        self._client = c_void_p()
