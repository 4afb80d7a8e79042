"""Native client for NOMYO's end-to-end-encrypted chat endpoint.

SecureChatCompletion takes the place of the official SDK's, protect_sdk() gives that real memory protection; Client is
the whole library.
"""

from . import _library
from ._attestation import Attestation, AttestationLevel, AttestationPolicy, verify_attestation
from ._client import Client, ServerKey
from ._errors import APIConnectionError, APIError, APITimeoutError, ArgumentError, AttestationError
from ._errors import AuthenticationError, CancelledError, ClientKeyError, FileError, ForbiddenError, ForkedError
from ._errors import InternalError, InvalidRequestError, NomyoError, OutOfMemoryError, PinError, ProtocolError
from ._errors import RateLimitError, SecurityError, ServerError, ServiceUnavailableError
from ._memory import SecureBuffer, disable_secure_memory, enable_secure_memory, get_memory_protection_info
from ._memory import secure_bytearray, secure_bytes
from ._protect import Protection, protect_sdk
from ._response import Response
from ._sdk import SecureChatCompletion, SecureCompletionClient
from ._sealed import Cancel, Sealed
from ._version import __version__

# fmt: off
__all__ = [
    "APIConnectionError", "APIError", "APITimeoutError", "ArgumentError", "Attestation", "AttestationError",
    "AttestationLevel", "AttestationPolicy", "AuthenticationError", "Cancel", "CancelledError", "Client",
    "ClientKeyError", "FileError", "ForbiddenError", "ForkedError", "InternalError", "InvalidRequestError",
    "NomyoError", "OutOfMemoryError", "PinError", "Protection", "ProtocolError", "RateLimitError", "Response", "Sealed",
    "SecureBuffer", "SecureChatCompletion", "SecureCompletionClient", "SecurityError", "ServerError", "ServerKey",
    "ServiceUnavailableError", "__version__", "disable_secure_memory", "enable_secure_memory",
    "get_memory_protection_info", "protect_sdk", "secure_bytearray", "secure_bytes", "verify_attestation", "version",
]
# fmt: on


def version() -> str:
    """The version of the C library that is loaded, such as "0.1.0"."""
    text: bytes = _library.lib.nomyo_version()
    return text.decode()
