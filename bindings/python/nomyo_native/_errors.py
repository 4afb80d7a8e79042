"""One exception class for each status of the library, and the way from one to the other."""

import ctypes
from collections.abc import Callable
from typing import Any

from . import _library as c


class NomyoError(Exception):
    """A call failed. The text says what happened and what to do; it never holds prompts, keys or the server's words."""

    status: int = 0
    """The library's number, one of NOMYO_ERR_."""
    status_name: str = ""
    """The name of it, such as "NOMYO_ERR_PIN"."""
    http_status: int | None = None
    """The HTTP status of the server's answer, if there was one."""
    retry_after: float | None = None
    """How many seconds the server asked to wait, if it did."""
    retryable: bool = False
    """Whether the same call may succeed if it is repeated later."""
    attempts: int = 0
    """How many times the request was tried on the network."""
    details: bytes | None = None
    """The body of the server's error answer. UNTRUSTED: nobody has authenticated it."""


class ArgumentError(NomyoError, ValueError):
    """Something was passed that cannot be used, or a closed client or answer was used. Nothing was sent."""


class ForkedError(NomyoError):
    """A client was used in a forked child of the process that made it. Make another one there."""


class CancelledError(NomyoError):
    """The call was cancelled."""


class APIConnectionError(NomyoError):
    """No answer: DNS, TCP, TLS, a reset. The request may have reached the server."""


class APITimeoutError(APIConnectionError):
    """A timeout passed. The server may still be working on the request."""


class ProtocolError(APIConnectionError):
    """The server's key or answer is not what the protocol has."""


class APIError(NomyoError):
    """The server answered with an HTTP status other than 200."""


class InvalidRequestError(APIError):
    """HTTP 400."""


class AuthenticationError(APIError):
    """HTTP 401: missing or wrong API key."""


class ForbiddenError(APIError):
    """HTTP 403: not allowed at the requested security tier."""


class NotFoundError(APIError):
    """HTTP 404: no secure endpoint at the base URL."""


class RateLimitError(APIError):
    """HTTP 429: too many requests."""


class ServerError(APIError):
    """HTTP 500."""


class ServiceUnavailableError(APIError):
    """HTTP 503."""


class SecurityError(NomyoError):
    """Plain http, an answer that does not decrypt, belongs to another request or was made at a lower tier."""


class PinError(SecurityError):
    """The server's key is not the pinned one."""


class AttestationError(SecurityError):
    """The attestation policy requires more than the answer proves; the answer is withheld."""


class ClientKeyError(NomyoError, ValueError):
    """A client key is missing, unreadable, unsafe or too weak."""


class FileError(NomyoError, OSError):
    """A file could not be read or written."""


class OutOfMemoryError(NomyoError, MemoryError):
    """The library found no memory."""


class InternalError(NomyoError):
    """A bug in the library. The client that met it refuses to work from then on."""


CLASSES: dict[int, type[NomyoError]] = {
    1: ArgumentError,
    2: ForkedError,
    3: CancelledError,
    10: APIConnectionError,
    11: APITimeoutError,
    12: ProtocolError,
    20: InvalidRequestError,
    21: AuthenticationError,
    22: ForbiddenError,
    23: NotFoundError,
    24: RateLimitError,
    25: ServerError,
    26: ServiceUnavailableError,
    27: APIError,
    40: AttestationError,
    60: SecurityError,
    61: PinError,
    62: ClientKeyError,
    63: FileError,
    80: OutOfMemoryError,
    99: InternalError,
}
for _status, _class in CLASSES.items():  # on the classes, so that what Python itself refuses has them, too
    _class.status, _class.status_name = _status, c.nomyo_status_name(_status).decode()


def call(function: Callable[..., int], *arguments: Any) -> None:
    """Calls a function that ends with `nomyo_error **err`, and raises what it reports."""
    error = ctypes.POINTER(c.Error)()
    status = function(*arguments, ctypes.byref(error))
    del arguments  # a traceback keeps this frame, and must not keep the caller's bytearray from being resized
    if status:
        try:
            raise _read(status, error)
        finally:
            c.nomyo_error_free(error)


def _read(status: int, error: Any) -> NomyoError:
    message: bytes = c.nomyo_error_message(error)
    name = c.nomyo_status_name(status).decode()
    exception = CLASSES.get(status, NomyoError)(message.decode("utf-8", "replace") or name)
    exception.status, exception.status_name = status, name
    exception.http_status = c.nomyo_error_http_status(error) or None
    wait = c.nomyo_error_retry_after_ms(error)
    exception.retry_after = None if wait < 0 else wait / 1000
    exception.retryable = bool(c.nomyo_error_retryable(error))
    exception.attempts = c.nomyo_error_attempts(error)
    length = ctypes.c_size_t()
    details = c.nomyo_error_details(error, ctypes.byref(length))
    exception.details = ctypes.string_at(details, length.value) if details else None
    return exception
