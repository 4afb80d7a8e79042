"""Native client for NOMYO's end-to-end-encrypted chat endpoint.

SecureChatCompletion takes the place of the official SDK's, protect_sdk() gives that real memory protection; Client is
the whole library.
"""

from typing import TYPE_CHECKING

from . import SecureCompletionClient as _module
from . import _library, _sdk, nomyo
from ._async_client import AsyncClient
from ._calls import Cancel, SecurityTier
from ._client import Client, ServerKey, TLSCertificate
from ._configuration import MemoryPolicy
from ._errors import APIConnectionError, APIError, APITimeoutError, ArgumentError, ArgumentTypeError
from ._errors import AttestationError, AuthenticationError, CancelledError, ClientKeyError, FileError
from ._errors import ForbiddenError, ForkedError, InternalError, InvalidRequestError, NomyoError, OutOfMemoryError
from ._errors import PinError, ProtocolError, RateLimitError, SecurityError, ServerError, ServiceUnavailableError
from ._memory import SecureBuffer, disable_secure_memory, enable_secure_memory, get_memory_protection_info
from ._memory import secure_bytearray, secure_bytes
from ._private_key import PrivateKeyPem
from ._response import Response, Usage
from ._sdk import SecureChatCompletion, SecureCompletionClient
from ._sealed import Sealed
from ._version import __version__

if TYPE_CHECKING:
    from . import SecureMemory
    from ._attestation import Attestation, AttestationLevel, AttestationPolicy, verify_attestation
    from ._protect import Protection, protect_sdk
    from .SecureMemory import MemoryProtectionLevel

# fmt: off
__all__ = [
    "APIConnectionError", "APIError", "APITimeoutError", "ArgumentError", "ArgumentTypeError", "AsyncClient",
    "Attestation", "AttestationError", "AttestationLevel", "AttestationPolicy", "AuthenticationError", "Cancel",
    "CancelledError", "Client", "ClientKeyError", "FileError", "ForbiddenError", "ForkedError", "InternalError",
    "InvalidRequestError", "MemoryPolicy", "MemoryProtectionLevel", "NomyoError", "OutOfMemoryError", "PinError", "PrivateKeyPem",
    "Protection", "ProtocolError", "RateLimitError", "Response", "Sealed", "SecureBuffer", "SecureChatCompletion",
    "SecureCompletionClient", "SecurityError", "SecurityTier", "ServerError", "ServerKey", "ServiceUnavailableError",
    "TLSCertificate", "Usage", "__version__", "disable_secure_memory", "enable_secure_memory",
    "get_memory_protection_info", "protect_sdk", "secure_bytearray", "secure_bytes", "verify_attestation", "version",
]
# fmt: on


__author__ = "NOMYO AI"
__license__ = "Apache-2.0"

# In the SDK nomyo.SecureCompletionClient is a module. In this package the name is the class, which has the module's names,
# so that nomyo_native.SecureCompletionClient.SecureCompletionClient(...) works, too.
SecureCompletionClient = _sdk.SecureCompletionClient  # type: ignore[misc]  # importing the module has replaced it
for _name in _module.__all__:
    setattr(SecureCompletionClient, _name, getattr(_module, _name))

# Names that most programs never use, and their modules, which are imported when a name of them is first used.
_LATER = {
    "Attestation": "_attestation",
    "AttestationLevel": "_attestation",
    "AttestationPolicy": "_attestation",
    "verify_attestation": "_attestation",
    "Protection": "_protect",
    "protect_sdk": "_protect",
    "MemoryProtectionLevel": "SecureMemory",
    "SecureMemory": "",
}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module = import_module(f".{_LATER[name] or name}", __name__)
    value = globals()[name] = getattr(module, name) if _LATER[name] else module
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})


def version() -> str:
    """The version of the C library that is loaded, such as "0.1.0"."""
    text: bytes = _library.lib.nomyo_version()
    return text.decode()
