"""The module nomyo.SecureCompletionClient of the official SDK, for programs that import from it."""

from ._errors import APIConnectionError, APIError, AuthenticationError, ForbiddenError, InvalidRequestError
from ._errors import RateLimitError, SecurityError, ServerError, ServiceUnavailableError
from ._memory import secure_bytearray
from ._sdk import SecureCompletionClient

# fmt: off
__all__ = [
    "APIConnectionError", "APIError", "AuthenticationError", "ForbiddenError", "InvalidRequestError", "RateLimitError",
    "SecureCompletionClient", "SecurityError", "ServerError", "ServiceUnavailableError", "secure_bytearray",
]
# fmt: on
