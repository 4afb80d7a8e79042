"""The library as C sees it: one client, one call, and everything that the call's end says about itself."""

import ctypes
import json
import tempfile
import time
from collections.abc import Callable
from ctypes import byref, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from dataclasses import dataclass
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
    "nomyo_error_details": (c_void_p, c_void_p, c_void_p),
    "nomyo_error_free": (None, c_void_p),
    "nomyo_config_new": (c_void_p,),
    "nomyo_config_free": (None, c_void_p),
    "nomyo_client_new": (c_int32, c_void_p, c_void_p, c_void_p),
    "nomyo_client_free": (None, c_void_p),
    "nomyo_request_new": (c_void_p,),
    "nomyo_request_free": (None, c_void_p),
    "nomyo_request_set_timeout_ms": (c_int32, c_void_p, c_uint64, c_void_p),
    "nomyo_create": (c_int32, c_void_p, c_char_p, c_size_t, c_void_p, c_void_p, c_void_p),
    "nomyo_response_content": (c_void_p, c_void_p, c_size_t, c_void_p),
    "nomyo_response_free": (None, c_void_p),
    "nomyo_client_load_keys": (c_int32, c_void_p, c_char_p, c_char_p, c_char_p, c_size_t, c_void_p),
}
# Of nomyo_config_set_X(config, ..., err): what stands between.
SETTERS = {
    "base_url": (c_char_p,),
    "ca_file": (c_char_p,),
    "proxy": (c_char_p,),
    "api_key": (c_char_p, c_size_t),
    "allow_http": (c_int32,),
    "max_retries": (c_uint32,),
    "timeout_ms": (c_uint64,),
    "connect_timeout_ms": (c_uint64,),
    "response_limit": (c_uint64,),
}


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


class Library:
    """libnomyo.so, loaded, its functions declared."""

    def __init__(self, path: Path) -> None:
        self.dll = ctypes.CDLL(str(path))
        for name, (result, *arguments) in SIGNATURES.items():
            function = getattr(self.dll, name)
            function.restype, function.argtypes = result, arguments
        for name, between in SETTERS.items():
            setter = getattr(self.dll, f"nomyo_config_set_{name}")
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
        )
        dll.nomyo_error_free(err)
        return made


class Client:
    """A nomyo_client; any number of threads may call it. `settings` are the names of SETTERS.

    Its pair is a fixture: making one takes most of a second, and is no part of what is measured.
    """

    def __init__(self, library: Library, **settings: Any) -> None:
        self.library = library
        self.log: list[str] = []
        # The library calls it as long as the client lives.
        self._heard = LogFunction(lambda _data, _level, line, n: self.log.append(ctypes.string_at(line, n).decode()))
        dll = library.dll
        config = c_void_p(dll.nomyo_config_new())
        self._must(dll.nomyo_config_set_log, config, LOG_DEBUG, self._heard, None)
        for name, value in settings.items():
            value = value.encode() if isinstance(value, str) else value
            length = [len(value)] if name == "api_key" else []
            self._must(getattr(dll, f"nomyo_config_set_{name}"), config, value, *length)
        self._client = c_void_p()
        self._must(dll.nomyo_client_new, config, byref(self._client))
        dll.nomyo_config_free(config)
        with tempfile.NamedTemporaryFile() as private:  # which only its owner may read
            private.write((KEYS / "client_private.pem").read_bytes())
            private.flush()
            names = private.name.encode(), str(KEYS / "client_public.pem").encode()
            self._must(dll.nomyo_client_load_keys, self._client, *names, None, 0)

    def _must(self, function: Callable[..., int], *arguments: Any) -> None:
        err = c_void_p()
        if status := function(*arguments, byref(err)):
            raise RuntimeError(f"{function.__name__}: {self.library.outcome(status, err, 0)}")

    def create(self, content: str, test: dict[str, Any] | None = None, timeout_ms: int = 0) -> Outcome:
        """One chat. `test` is what the endpoint is to do with it; without a timeout the client's own counts."""
        dll = self.library.dll
        request: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": content}]}
        if test:
            request["nomyo_test"] = test
        body = json.dumps(request).encode()
        options, response, err = c_void_p(dll.nomyo_request_new()), c_void_p(), c_void_p()
        if timeout_ms:
            self._must(dll.nomyo_request_set_timeout_ms, options, timeout_ms)
        begun = time.monotonic()
        status = dll.nomyo_create(self._client, body, len(body), options, byref(response), byref(err))
        seconds = time.monotonic() - begun
        dll.nomyo_request_free(options)
        if status:
            return self.library.outcome(status, err, seconds)
        length = c_size_t()
        text = dll.nomyo_response_content(response, 0, byref(length))
        answer = ctypes.string_at(text, length.value).decode() if text else None
        dll.nomyo_response_free(response)
        return Outcome("OK", seconds, content=answer)

    def close(self) -> None:
        self.library.dll.nomyo_client_free(self._client)
        self._client = c_void_p()
