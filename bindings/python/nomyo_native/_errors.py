"""The exceptions of the official SDK, those that it lacks, and the way to them from the library's statuses.

All attributes of the SDK's are here (`message`, `status_code`, `error_details`), and every class that the SDK raises is
a base of what is raised in its place.
"""

import ctypes
import json
from collections.abc import Callable
from typing import Any

from ._library import Error, lib


class NomyoError(Exception):
    """A call failed. The text says what happened and what to do; it never holds prompts, keys or the server's words."""

    message: str = ""
    """What str() shows."""
    status_code: int | None = None
    """The HTTP status of the server's answer, if there was one."""
    error_details: dict[str, Any] | None = None
    """The body of the server's error answer, if it is a JSON object. UNTRUSTED, like `details`."""
    details: bytes | None = None
    """The body of the server's error answer. UNTRUSTED: nobody has authenticated it."""
    status: int = 0
    """The library's number, one of NOMYO_ERR_."""
    retryable: bool = False
    """Whether the same call may succeed if it is repeated soon."""
    retry_after: float | None = None
    """How many seconds the server asked to wait, if it did."""
    attempts: int = 0
    """How many times the request was tried on the network."""

    def __init__(
        self, message: str = "", status_code: int | None = None, error_details: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        if status_code is not None:
            self.status_code = status_code
        self.error_details = error_details

    def __str__(self) -> str:
        return str(self.message)

    @property
    def status_name(self) -> str:
        """The name of the status, such as "NOMYO_ERR_PIN"."""
        name: bytes = lib.nomyo_status_name(self.status)
        return name.decode()


class ArgumentError(NomyoError, ValueError):
    """Something was passed that cannot be used, or a closed client or answer was used. Nothing was sent."""

    status = 1


class ForkedError(NomyoError):
    """A client was used in a forked child of the process that made it. Make another one there."""

    status = 2


class CancelledError(NomyoError):
    """The call was cancelled by its Cancel. (A cancelled task raises asyncio's, as always.)"""

    status = 3


class APIConnectionError(NomyoError, ConnectionError):
    """No answer: DNS, TCP, TLS, a reset. The request may have reached the server."""

    status = 10


class APITimeoutError(APIConnectionError, TimeoutError):
    """A timeout passed. The server may still be working on the request."""

    status = 11


class ProtocolError(APIConnectionError, ValueError):
    """The server's key or answer is not what the protocol has."""

    status = 12


class APIError(NomyoError):
    """The server answered with an HTTP status other than 200: `status_code`."""

    status = 27


class InvalidRequestError(APIError):
    """HTTP 400."""

    status, status_code = 20, 400


class AuthenticationError(APIError):
    """HTTP 401: missing or wrong API key."""

    status, status_code = 21, 401


class ForbiddenError(APIError):
    """HTTP 403: not allowed at the requested security tier."""

    status, status_code = 22, 403


class RateLimitError(APIError):
    """HTTP 429: too many requests."""

    status, status_code = 24, 429


class ServerError(APIError):
    """HTTP 500."""

    status, status_code = 25, 500


class ServiceUnavailableError(APIError):
    """HTTP 503."""

    status, status_code = 26, 503


class SecurityError(NomyoError):
    """Plain http, an answer that does not decrypt, belongs to another request or was made at a lower tier."""

    status = 60


class PinError(SecurityError):
    """The server's key is not the pinned one. The request did not leave."""

    status = 61


class AttestationError(SecurityError):
    """The attestation policy requires more than the answer proves; the answer is withheld."""

    status = 40


class ClientKeyError(NomyoError, ValueError):
    """A client key is missing, unreadable, unsafe or too weak."""

    status = 62


class FileError(NomyoError, OSError):
    """A file could not be read or written."""

    status = 63


class OutOfMemoryError(NomyoError, MemoryError):
    """The library found no memory."""

    status = 80


class InternalError(NomyoError):
    """A bug in the library. The client that met it refuses to work from then on."""

    status = 99


# The number for HTTP 404 has no class of its own, since the SDK has none.
CLASSES: dict[int, type[NomyoError]] = {23: APIError} | {
    kind.status: kind
    for kind in list(globals().values())
    if isinstance(kind, type) and issubclass(kind, NomyoError) and kind.status
}


def call(function: Callable[..., int], *arguments: Any) -> None:
    """Calls a function that ends with `nomyo_error **err`, and raises what it reports."""
    error = ctypes.POINTER(Error)()
    status = function(*arguments, ctypes.byref(error))
    del arguments  # a traceback keeps this frame, and must not keep the caller's bytearray from being resized
    if status:
        try:
            raise _read(status, error)
        finally:
            lib.nomyo_error_free(error)


def _read(status: int, error: Any) -> NomyoError:
    exception = CLASSES.get(status, NomyoError)(lib.nomyo_error_message(error).decode("utf-8", "replace"))
    exception.status = status
    exception.status_code = lib.nomyo_error_http_status(error) or None
    wait = lib.nomyo_error_retry_after_ms(error)
    exception.retry_after = None if wait < 0 else wait / 1000
    exception.retryable = bool(lib.nomyo_error_retryable(error))
    exception.attempts = lib.nomyo_error_attempts(error)
    length = ctypes.c_size_t()
    details = lib.nomyo_error_details(error, ctypes.byref(length))
    exception.details = ctypes.string_at(details, length.value) if details else None
    exception.error_details = _object(exception.details)
    return exception


def _object(body: bytes | None) -> dict[str, Any] | None:
    try:
        parsed = json.loads(body or b"")
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None
