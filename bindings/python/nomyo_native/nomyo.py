"""The module nomyo.nomyo of the official SDK, for programs that import from it."""

from ._sdk import SecureChatCompletion, SecureCompletionClient

__all__ = ["SecureChatCompletion", "SecureCompletionClient"]
