"""What a caller with an HTTP stack of its own sends, and what cancels a call."""

import ctypes
import json

from ._handle import Handle
from ._library import lib


class Cancel:
    """Cancels the calls that it is given to, from any thread. It stays triggered."""

    def __init__(self) -> None:
        self._handle = Handle.made(lib.nomyo_cancel_new(), lib.nomyo_cancel_free, "cancel")

    def trigger(self) -> None:
        """Ends the calls with CancelledError: what generates keys, when that is over; whatever else they wait for, at once
        or within a twentieth of a second. Blocks on nothing."""
        with self._handle as cancel:
            lib.nomyo_cancel_trigger(cancel)


class Sealed:
    """An encrypted request: what to POST to /v1/chat/secure_completion, and what its answer must fit. No plaintext."""

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
