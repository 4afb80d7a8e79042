"""Native client for NOMYO's end-to-end-encrypted chat endpoint."""

__version__ = "0.1.0"

from ._client import Client
from ._errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    ArgumentError,
    AttestationError,
    AuthenticationError,
    CancelledError,
    ClientKeyError,
    FileError,
    ForbiddenError,
    ForkedError,
    InternalError,
    InvalidRequestError,
    NomyoError,
    NotFoundError,
    OutOfMemoryError,
    PinError,
    ProtocolError,
    RateLimitError,
    SecurityError,
    ServerError,
    ServiceUnavailableError,
)
from ._library import nomyo_version as _nomyo_version
from ._response import Response


def version() -> str:
    """The version of the C library that is loaded, such as "0.1.0"."""
    text: bytes = _nomyo_version()
    return text.decode()


__all__ = [
    "APIConnectionError",
    "APIError",
    "APITimeoutError",
    "ArgumentError",
    "AttestationError",
    "AuthenticationError",
    "CancelledError",
    "Client",
    "ClientKeyError",
    "FileError",
    "ForbiddenError",
    "ForkedError",
    "InternalError",
    "InvalidRequestError",
    "NomyoError",
    "NotFoundError",
    "OutOfMemoryError",
    "PinError",
    "ProtocolError",
    "RateLimitError",
    "Response",
    "SecurityError",
    "ServerError",
    "ServiceUnavailableError",
    "version",
]
