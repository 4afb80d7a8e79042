"""The exceptions of the official SDK, those that it lacks, and the way to them from the library's statuses.

All attributes of the SDK's are here (`message`, `status_code`, `error_details`), and every class that the SDK raises is
a base of what is raised in its place.
"""

import ctypes
import json
from collections.abc import Callable
from ctypes import POINTER, byref
from typing import Any, Literal, TypeAlias

from ._library import Error, lib

_NoError = POINTER(Error)  # called, it is a NULL
Sent: TypeAlias = Literal["no", "maybe", "yes"]
_SENT: tuple[Sent, ...] = ("no", "maybe", "yes")  # by the numbers NOMYO_SENT_


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
    sent: Sent = "no"
    """Whether the request reached the server. Look here before you repeat it.

    "no"     No byte of the request left this process, in any attempt.
    "maybe"  Bytes left in an attempt that was not answered. The server may have received and processed the request.
    "yes"    Every attempt that left was answered. The error is about the answer.
    """
    payload_id: str | None = None
    """The id of the failed request, the X-Payload-ID in the server's log. None if no request was encrypted."""
    request_id: str | None = None
    """The X-Request-ID of the last HTTP response, for a gateway's log. None if it had none. Nobody has authenticated it."""
    headers: dict[str, str]
    """The headers of the last HTTP response, their names in small letters. Empty without a response. UNTRUSTED, like `details`."""
    retryable: bool = False
    """Whether the same call may succeed if it is repeated within two minutes."""
    retry_after: float | None = None
    """How many seconds the server asked to wait, if it did."""
    attempts: int = 0
    """How many times the request was sent, or the server's key fetched if it came to no request."""

    def __init__(
        self, message: str = "", status_code: int | None = None, error_details: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        if status_code is not None:
            self.status_code = status_code
        self.error_details = error_details
        self.headers = {}

    def __str__(self) -> str:
        return str(self.message)

    @property
    def status_name(self) -> str:
        """The name of the status, such as "NOMYO_ERR_PIN"."""
        name: bytes = lib.nomyo_status_name(self.status)
        return name.decode()


class ArgumentError(NomyoError, ValueError):
    """An argument cannot be used, or a closed client or answer was used."""

    status = 1


class ArgumentTypeError(ArgumentError, TypeError):
    """An argument has a wrong type, or there is no argument of that name."""


class ForkedError(NomyoError):
    """A client was used in a forked child of the process that made it. Make another one there."""

    status = 2


class CancelledError(NomyoError):
    """The call was cancelled by its Cancel. A cancelled task raises asyncio.CancelledError instead."""

    status = 3


class APIConnectionError(NomyoError, ConnectionError):
    """No answer: DNS, TCP, TLS, a reset. `sent` says whether the request may have reached the server."""

    status = 10

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(str(Exception(*args, **kwargs)))
        self.args = args


class APITimeoutError(APIConnectionError, TimeoutError):
    """A timeout passed. If `sent` is "maybe", the server may still be working on the request."""

    status = 11


class ProtocolError(APIConnectionError, ValueError):
    """The server's key or answer is not what the protocol has."""

    status = 12


class APIError(NomyoError):
    """The server answered with an HTTP status other than 200: `status_code`."""

    status = 27

    def __init__(
        self, message: str, status_code: int | None = None, error_details: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message, status_code, error_details)


class InvalidRequestError(APIError):
    """HTTP 400."""

    status, status_code = 20, 400

    def __init__(self, message: str, status_code: int = 400, error_details: dict[str, Any] | None = None) -> None:
        super().__init__(message, status_code, error_details)


class AuthenticationError(APIError):
    """HTTP 401: missing or wrong API key."""

    status, status_code = 21, 401

    def __init__(self, message: str, status_code: int = 401, error_details: dict[str, Any] | None = None) -> None:
        super().__init__(message, status_code, error_details)


class ForbiddenError(APIError):
    """HTTP 403: not allowed at the requested security tier."""

    status, status_code = 22, 403

    def __init__(self, message: str, status_code: int = 403, error_details: dict[str, Any] | None = None) -> None:
        super().__init__(message, status_code, error_details)


class RateLimitError(APIError):
    """HTTP 429: too many requests."""

    status, status_code = 24, 429

    def __init__(self, message: str, status_code: int = 429, error_details: dict[str, Any] | None = None) -> None:
        super().__init__(message, status_code, error_details)


class ServerError(APIError):
    """HTTP 500."""

    status, status_code = 25, 500

    def __init__(self, message: str, status_code: int = 500, error_details: dict[str, Any] | None = None) -> None:
        super().__init__(message, status_code, error_details)


class ServiceUnavailableError(APIError):
    """HTTP 503."""

    status, status_code = 26, 503

    def __init__(self, message: str, status_code: int = 503, error_details: dict[str, Any] | None = None) -> None:
        super().__init__(message, status_code, error_details)


class SecurityError(NomyoError):
    """Plain http, an answer that does not decrypt, belongs to another request or was made at a lower tier."""

    status = 60

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(str(Exception(*args, **kwargs)))
        self.args = args


class PinError(SecurityError):
    """The server's key or its TLS certificates are not the pinned ones. That server did not get the request."""

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
    if isinstance(kind, type) and issubclass(kind, NomyoError) and vars(kind).get("status")
}


def call(function: Callable[..., int], *arguments: Any) -> None:
    """Calls a function that ends with `nomyo_error **err`, and raises what it reports."""
    error = _NoError()
    status = function(*arguments, byref(error))
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
    exception.sent = _SENT[lib.nomyo_error_sent(error)]
    payload_id = lib.nomyo_error_payload_id(error)
    exception.payload_id = payload_id.decode() if payload_id else None
    request_id = lib.nomyo_error_request_id(error)
    exception.request_id = request_id.decode() if request_id else None
    length = ctypes.c_size_t()
    headers = lib.nomyo_error_headers(error, ctypes.byref(length))
    exception.headers = json.loads(ctypes.string_at(headers, length.value)) if headers else {}
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
