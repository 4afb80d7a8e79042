"""A sealed request, for callers with an HTTP stack of their own."""

import ctypes
import json

from ._handle import Handle
from ._library import lib


class Sealed:
    """An encrypted request: the POST to /v1/chat/secure_completion, and what its answer must fit. Holds no plaintext."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    @property
    def body(self) -> bytes:
        """The HTTP body. It may be sent any number of times."""
        length = ctypes.c_size_t()
        with self._handle as sealed:
            return ctypes.string_at(lib.nomyo_sealed_body(sealed, ctypes.byref(length)), length.value)

    @property
    def headers(self) -> dict[str, str]:
        """The HTTP headers to send with it. The API key is not among them: add `Authorization: Bearer ...`."""
        length = ctypes.c_size_t()
        with self._handle as sealed:
            text = ctypes.string_at(lib.nomyo_sealed_headers(sealed, ctypes.byref(length)), length.value)
        headers: dict[str, str] = json.loads(text)
        return headers

    def close(self) -> None:
        """Frees it, with the key pair that it may be the last to use."""
        self._handle.close()
