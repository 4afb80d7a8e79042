"""A decrypted answer."""

import ctypes
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from weakref import WeakValueDictionary, finalize

from ._attestation import Attestation, verdict_of
from ._errors import ArgumentError, ProtocolError
from ._handle import Handle
from ._library import AttestationStruct, lib

_MEMBERS = {
    "content": lib.nomyo_response_content,
    "reasoning": lib.nomyo_response_reasoning,
    "tool_calls": lib.nomyo_response_tool_calls,
    "finish_reason": lib.nomyo_response_finish_reason,
}


class Response(Mapping[str, Any]):
    """A decrypted answer, in memory that close() wipes; so do the end of a `with`, and forgetting it.

    As a mapping it is the answer's JSON object, parsed when first read: `answer["choices"][0]["message"]["content"]`.
    That and what the methods return are Python objects, copies that nobody can wipe; only view() copies nothing.

    Any number of threads may read it at once; nothing here blocks. Everything raises ArgumentError once it is closed.
    """

    _parsed: dict[str, Any] | None = None

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._views: WeakValueDictionary[int, memoryview] = WeakValueDictionary()
        self._viewed: WeakValueDictionary[int, Any] = WeakValueDictionary()

    def __enter__(self) -> "Response":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Wipes and frees the answer, and releases its views. Closing twice does nothing.

        Slices of views cannot be released: they read zeros from now on, and their memory is freed when they are gone.
        """
        with suppress(ArgumentError), self._handle as pointer:  # another thread's close() may be faster
            self._handle.close()  # when this use ends; what looks whether it is closed does so after it left something
            for reference in self._views.valuerefs():
                if (view := reference()) is not None:
                    with suppress(BufferError):  # somebody holds a buffer of it
                        view.release()
                del view
            sliced = [memory for reference in self._viewed.valuerefs() if (memory := reference()) is not None]
            if sliced:
                sliced.append(_memory(lib.nomyo_response_json, pointer))
            for memory in sliced:
                lib.nomyo_wipe(memory, len(memory))
            self._parsed = None

    def __getitem__(self, key: str) -> Any:
        return self._object()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._object())

    def __len__(self) -> int:
        return len(self._object())

    def _object(self) -> dict[str, Any]:
        with self._handle:
            parsed = self._parsed
            if parsed is None:
                self._parsed = parsed = self.json()
                if self._handle.closed:  # meanwhile, and it found nothing to forget
                    self._parsed = None
            return parsed

    def json(self) -> dict[str, Any]:
        """The whole answer as a dict of your own, parsed anew. ProtocolError for numbers too long for Python."""
        text = self._text("") or ""
        try:
            answer: dict[str, Any] = json.loads(text)
        except ValueError as e:
            raise ProtocolError(f"Python does not parse the answer: {e}") from None
        return answer

    @property
    def choice_count(self) -> int:
        """How many choices the answer has."""
        with self._handle as pointer:
            count: int = lib.nomyo_response_choices(pointer)
        return count

    def content(self, choice: int = 0) -> str | None:
        """The text of a choice. None with most tool calls. IndexError when there is no such choice."""
        return self._text("content", choice)

    def reasoning(self, choice: int = 0) -> str | None:
        """What a thinking model thought. IndexError when there is no such choice."""
        return self._text("reasoning", choice)

    def tool_calls(self, choice: int = 0) -> list[dict[str, Any]] | None:
        """The tool calls of a choice, parsed. IndexError when there is no such choice."""
        text = self._text("tool_calls", choice)
        return None if text is None else json.loads(text)

    def finish_reason(self, choice: int = 0) -> str | None:
        """Why the choice ended: "stop", "length", "tool_calls". IndexError when there is no such choice."""
        return self._text("finish_reason", choice)

    def pointer(self, rfc6901: str, default: Any = None) -> Any:
        """The value at a JSON Pointer such as "/usage/total_tokens", parsed; `default` when there is none."""
        text = self._text(rfc6901)
        return default if text is None else json.loads(text)

    @property
    def payload_id(self) -> str:
        """The id that the request was sent under."""
        with self._handle as pointer:
            text: bytes = lib.nomyo_response_payload_id(pointer)
        return text.decode()

    @property
    def attestation(self) -> Attestation:
        """What the TPM quote in the answer proves."""
        verdict = AttestationStruct()
        with self._handle as pointer:
            lib.nomyo_response_attestation(pointer, ctypes.byref(verdict), ctypes.sizeof(verdict))
        return verdict_of(verdict)

    @property
    def attestation_report(self) -> dict[str, Any]:
        """The verdict with every check: `number`, `name`, `result` and `detail`, none of it quoted from the answer."""
        with self._handle as pointer:
            report: dict[str, Any] = json.loads(bytes(_memory(lib.nomyo_response_attestation_report, pointer)))
        return report

    def view(self, what: str = "", choice: int = 0) -> memoryview | None:
        """The bytes themselves, UTF-8, in the library's own memory: read-only, dead after close().

        what: "content", "reasoning", "tool_calls" or "finish_reason" of a choice; or a JSON Pointer, for the JSON of
        a value: "/usage", or "" for the whole answer. None when absent. IndexError when there is no such choice.
        """
        with self._handle as pointer:
            memory = self._find(pointer, what, choice)
            if not memory:
                return None if memory is None else memoryview(b"")
            view = memoryview(memory).cast("B").toreadonly()
            self._viewed[id(memory)], self._views[id(view)] = memory, view
            # A use of the handle, for as long as a view or a slice of one lives. Who closes it from now on sees the view.
            self._handle.__enter__()
            finalize(memory, self._handle.__exit__).atexit = False  # type: ignore[misc]
        return view

    def _find(self, pointer: Any, what: str, choice: int) -> Any:
        """What view() takes, where it lies; None when absent."""
        if what in _MEMBERS:
            if not 0 <= choice < lib.nomyo_response_choices(pointer):
                raise IndexError(f"the answer has no choice {choice}")
            return _memory(_MEMBERS[what], pointer, choice)
        if not what:
            return _memory(lib.nomyo_response_json, pointer)
        if "\0" in what:  # it would end the C string early, and name something else
            return None
        return _memory(lib.nomyo_response_pointer, pointer, what.encode())

    def _text(self, what: str, choice: int = 0) -> str | None:
        with self._handle as pointer:
            memory = self._find(pointer, what, choice)
            return None if memory is None else str(memory, "utf-8")


def _memory(getter: Any, *arguments: Any) -> Any:
    """Where what a getter returns lies, as an array of c_char; None when absent."""
    length = ctypes.c_size_t()
    start = getter(*arguments, ctypes.byref(length))
    return (ctypes.c_char * length.value).from_address(ctypes.addressof(start.contents)) if start else None
