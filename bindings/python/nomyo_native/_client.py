"""A client of one server."""

import ctypes
import logging
import os
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from . import __version__
from . import _library as c
from ._arguments import Buffer, buffer, count, milliseconds, request_json, text
from ._errors import OutOfMemoryError, call
from ._handle import Handle
from ._response import Response

_LEVELS = {1: logging.ERROR, 2: logging.WARNING, 3: logging.INFO, 4: logging.DEBUG}


class Client:
    """A client of one server. Any number of threads may use it at once.

    Calls block and release the GIL; the interpreter runs signal handlers when they are over, so Ctrl-C waits for the
    call to end: set timeouts. In asyncio use `await asyncio.to_thread(client.create, request)`.

    In a forked child it raises ForkedError: make another one there.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | Buffer | None = None,
        *,
        allow_http: bool = False,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_retries: int | None = None,
        ca_file: str | os.PathLike[str] | None = None,
        log: logging.Logger | None = None,
    ) -> None:
        """Blocks on nothing but reading `ca_file`; keys are made and connections opened when first needed.

        What is None comes from the environment (NOMYO_BASE_URL, NOMYO_API_KEY), else from the library's defaults.

        base_url: such as "https://api.nomyo.ai".
        api_key: sent as a bearer token; "" sends none. Copied: a bytearray may be wiped afterwards.
        allow_http: allows http:// for a server on the same machine. Without TLS the encryption can be subverted.
        timeout: seconds that a whole call may take; 900 by default.
        connect_timeout: seconds until a connection must be there; 10 by default.
        max_retries: how many failed attempts of a call are repeated, 0 to 10; 2 by default.
        ca_file: PEM file of the certificate authorities to believe instead of the platform's.
        log: receives log lines, on whatever thread calls; its level when the client is made decides which.

        Raises ArgumentError (a value cannot be used), SecurityError (http:// that is not allowed), FileError.
        """
        written = _log_function(log) if log is not None else None
        self._handle = Handle(ctypes.POINTER(c.Client)(), c.nomyo_client_free, "client", keeps=written)
        new = _owned(c.nomyo_config_new(), c.nomyo_config_free, "configuration")
        with closing(new), new as config, self._handle as client:
            call(c.nomyo_config_load_env, config)
            call(c.nomyo_config_set_binding, config, text(f"python/{__version__}", "binding"))
            if base_url is not None:
                call(c.nomyo_config_set_base_url, config, text(base_url, "base_url"))
            if api_key is not None:
                call(c.nomyo_config_set_api_key, config, *buffer(api_key))
            if allow_http:
                call(c.nomyo_config_set_allow_http, config, 1)
            if timeout is not None:
                call(c.nomyo_config_set_timeout_ms, config, milliseconds(timeout, "timeout"))
            if connect_timeout is not None:
                call(c.nomyo_config_set_connect_timeout_ms, config, milliseconds(connect_timeout, "connect_timeout"))
            if max_retries is not None:
                call(c.nomyo_config_set_max_retries, config, count(max_retries, "max_retries"))
            if ca_file is not None:
                call(c.nomyo_config_set_ca_file, config, text(ca_file, "ca_file"))
            if log is not None:
                call(c.nomyo_config_set_log, config, _log_level(log), written, None)
            call(c.nomyo_client_new, config, ctypes.byref(client))

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Wipes the keys and closes the connections, at once or when the calls under way have ended.

        Does not wait for them. Closing twice does nothing; using the client afterwards raises ArgumentError.
        """
        self._handle.close()

    def warm_up(self) -> None:
        """Makes the keys (0.7 s on average, several at worst), connects and fetches the server's key, now.

        Blocks at most for the keys and the client's timeout. Raises NomyoError.
        """
        with self._handle as client:
            call(c.nomyo_client_warm_up, client)

    def create(
        self,
        request: Mapping[str, Any] | Buffer | None = None,
        /,
        *,
        security_tier: str | None = None,
        api_key: str | Buffer | None = None,
        timeout: float | None = None,
        **members: Any,
    ) -> Response:
        """Sends one chat request, encrypted, and waits for the whole answer.

        request: an OpenAI-style request, as a dict or as JSON in bytes; or give its members as keywords:
            create(model=..., messages=[...]). A bytearray is read in place and may be wiped afterwards.
        security_tier: "standard", "high" or "maximum"; None leaves it to the server.
        api_key, timeout: for this call, instead of the client's.

        Blocks at most for the timeout, and the first time also for the making of keys. Any thread, several at once.
        Raises NomyoError (see its subclasses), and TypeError or ValueError for what JSON cannot hold.
        """
        response = Handle(ctypes.POINTER(c.Response)(), c.nomyo_response_free, "answer")
        options = _owned(c.nomyo_request_new(), c.nomyo_request_free, "request")
        data, length = buffer(request_json(request, members))
        try:
            with closing(options), options as chosen, self._handle as client, response as out:
                if security_tier is not None:
                    call(c.nomyo_request_set_security_tier, chosen, text(security_tier, "security_tier"))
                if api_key is not None:
                    call(c.nomyo_request_set_api_key, chosen, *buffer(api_key))
                if timeout is not None:
                    call(c.nomyo_request_set_timeout_ms, chosen, milliseconds(timeout, "timeout"))
                call(c.nomyo_create, client, data, length, chosen, ctypes.byref(out))
        finally:
            del data  # see call()
        return Response(response)


def _owned(pointer: Any, free: Any, what: str) -> Handle:
    if not pointer:
        raise OutOfMemoryError(f"no memory for a {what}")
    return Handle(pointer, free, what)


def _log_level(log: logging.Logger) -> int:
    return max((level for level, python in _LEVELS.items() if log.isEnabledFor(python)), default=1)


def _log_function(log: logging.Logger) -> Any:
    def write(_data: Any, level: int, line: Any, length: int) -> None:
        log.log(_LEVELS.get(level, logging.INFO), "%s", ctypes.string_at(line, length).decode("utf-8", "replace"))

    return c.LogFunction(write)
