"""A decrypted answer."""

import ctypes
import json
from collections.abc import Callable
from typing import Any

from . import _library as c
from ._handle import Handle


class Response:
    """A decrypted answer, in memory that close() wipes; so do the end of a `with`, and forgetting it.

    Any number of threads may read it at once; nothing here blocks. What is returned are copies, which Python cannot
    wipe. Every method raises ArgumentError once the answer is closed.
    """

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def __enter__(self) -> "Response":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Wipes and frees the answer. Closing twice does nothing."""
        self._handle.close()

    @property
    def raw(self) -> bytes:
        """The whole answer as JSON."""
        return self._bytes(c.nomyo_response_json) or b""

    def __len__(self) -> int:
        """The length of `raw`, in bytes."""
        length = ctypes.c_size_t()
        with self._handle as pointer:
            c.nomyo_response_json(pointer, ctypes.byref(length))
        return length.value

    def json(self) -> dict[str, Any]:
        """The whole answer, parsed."""
        answer: dict[str, Any] = json.loads(self.raw)
        return answer

    @property
    def choices(self) -> int:
        """How many choices the answer has."""
        with self._handle as pointer:
            count: int = c.nomyo_response_choices(pointer)
        return count

    def content(self, choice: int = 0) -> str | None:
        """The text of a choice. None with most tool calls. IndexError when there is no such choice."""
        return self._text(c.nomyo_response_content, choice)

    def reasoning(self, choice: int = 0) -> str | None:
        """What a thinking model thought. IndexError when there is no such choice."""
        return self._text(c.nomyo_response_reasoning, choice)

    def tool_calls(self, choice: int = 0) -> list[dict[str, Any]] | None:
        """The tool calls of a choice, parsed. IndexError when there is no such choice."""
        text = self._text(c.nomyo_response_tool_calls, choice)
        return None if text is None else json.loads(text)

    def finish_reason(self, choice: int = 0) -> str | None:
        """Why the choice ended: "stop", "length", "tool_calls". IndexError when there is no such choice."""
        return self._text(c.nomyo_response_finish_reason, choice)

    def pointer(self, rfc6901: str, default: Any = None) -> Any:
        """The value at a JSON Pointer such as "/usage/total_tokens", parsed; `default` when there is none."""
        encoded = rfc6901.encode()
        if b"\0" in encoded:  # it would end the C string early, and name something else
            return default
        text = self._bytes(c.nomyo_response_pointer, encoded)
        return default if text is None else json.loads(text)

    @property
    def payload_id(self) -> str:
        """The id that the request was sent under."""
        with self._handle as pointer:
            text: bytes = c.nomyo_response_payload_id(pointer)
        return text.decode()

    def _text(self, getter: Callable[..., Any], choice: int) -> str | None:
        with self._handle:
            if not 0 <= choice < self.choices:
                raise IndexError(f"the answer has no choice {choice}")
            found = self._bytes(getter, choice)
        return None if found is None else found.decode()

    def _bytes(self, getter: Callable[..., Any], *arguments: Any) -> bytes | None:
        length = ctypes.c_size_t()
        with self._handle as pointer:
            start = getter(pointer, *arguments, ctypes.byref(length))
            return ctypes.string_at(start, length.value) if start else None
