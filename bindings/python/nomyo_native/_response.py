"""A decrypted answer."""

import ctypes
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from ctypes import POINTER, byref, c_char, c_char_p, c_size_t, c_ssize_t
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from weakref import WeakValueDictionary, finalize

from ._errors import ArgumentError, ProtocolError
from ._handle import Handle
from ._library import AttestationStruct, UsageStruct, lib

if TYPE_CHECKING:
    from ._attestation import Attestation

_MEMBERS = {
    "content": lib.nomyo_response_content,
    "reasoning": lib.nomyo_response_reasoning,
    "tool_calls": lib.nomyo_response_tool_calls,
    "finish_reason": lib.nomyo_response_finish_reason,
}
_Place: TypeAlias = tuple[Any, int]
_decoded: Any = ctypes.pythonapi.PyUnicode_DecodeUTF8
_decoded.argtypes, _decoded.restype = [POINTER(c_char), c_ssize_t, c_char_p], ctypes.py_object


class Usage(NamedTuple):
    """How many tokens the request and its answer took."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    # Of the prompt, in the server's cache. None if the answer does not have the number.
    cached_tokens: int | None = None
    # Of a reasoning model's thoughts. None if the answer does not have the number.
    reasoning_tokens: int | None = None


class Response(Mapping[str, Any]):
    """A decrypted answer, in memory that close() wipes; so do the end of a `with`, and forgetting it.

    As a mapping it is the answer's JSON object, parsed when first read: `answer["choices"][0]["message"]["content"]`.
    That and what the methods return are Python objects, copies that nobody can wipe; only view() copies nothing.

    Any number of threads may read it at once; nothing here blocks. Everything raises ArgumentError once it is closed.
    """

    _parsed: dict[str, Any] | None = None
    _views: "_Views | None" = None  # most answers never have one

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

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
            sliced = self._views.release() if self._views else []
            if sliced:
                sliced.append(_memory(_located(lib.nomyo_response_json, pointer)))
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
        """The whole answer, parsed again into a dict of your own. ProtocolError for numbers too long for Python."""
        with self._handle:
            text = self._text("") or ""
            try:
                answer: dict[str, Any] = json.loads(text)
            except ValueError as e:
                error = ProtocolError(f"Python does not parse the answer: {e}")
                error.sent, error.payload_id, error.attempts = "yes", self.payload_id, self.attempts
                error.request_id, error.headers = self.request_id, self.headers
                raise error from None
        return answer

    def model_dump(self) -> dict[str, Any]:
        """The same as json(), by the name that it has in OpenAI's client."""
        return self.json()

    @property
    def usage(self) -> Usage | None:
        """The tokens of this request. None if the answer does not have all three numbers; `get("usage")` is what it has."""
        said = UsageStruct()
        with self._handle as pointer:
            lib.nomyo_response_usage(pointer, byref(said), ctypes.sizeof(said))
        prompt, completion, total = said.prompt_tokens, said.completion_tokens, said.total_tokens
        if min(prompt, completion, total) < 0:
            return None
        cached, reasoning = (None if count < 0 else count for count in (said.cached_tokens, said.reasoning_tokens))
        return Usage(prompt, completion, total, cached, reasoning)

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
    def request_id(self) -> str | None:
        """The X-Request-ID of the HTTP response, for a gateway's log; None if it had none. Nobody has authenticated it."""
        with self._handle as pointer:
            text: bytes | None = lib.nomyo_response_request_id(pointer)
        return text.decode() if text else None

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the HTTP response, their names in small letters. Nobody has authenticated them.

        Values of the same name are one, with ", " between them. Empty for an answer of Client.open().
        """
        length = c_size_t()
        with self._handle as pointer:
            text = lib.nomyo_response_headers(pointer, byref(length))
            headers: dict[str, str] = json.loads(ctypes.string_at(text, length.value)) if text else {}
        return headers

    @property
    def attempts(self) -> int:
        """How many times the request was sent. 0 for an answer of Client.open()."""
        with self._handle as pointer:
            count: int = lib.nomyo_response_attempts(pointer)
        return count

    @property
    def attestation(self) -> "Attestation":
        """What the TPM quote in the answer proves."""
        from ._attestation import verdict_of  # seldom needed

        verdict = AttestationStruct()
        with self._handle as pointer:
            lib.nomyo_response_attestation(pointer, byref(verdict), ctypes.sizeof(verdict))
        return verdict_of(verdict)

    @property
    def attestation_report(self) -> dict[str, Any]:
        """The verdict with every check: `number`, `name`, `result` and `detail`, none of it quoted from the answer."""
        with self._handle as pointer:
            report: dict[str, Any] = json.loads(_text_of(_located(lib.nomyo_response_attestation_report, pointer)) or "")
        return report

    def view(self, what: str = "", choice: int = 0) -> memoryview | None:
        """The bytes themselves, UTF-8, in the library's own memory: read-only, dead after close().

        what: "content", "reasoning", "tool_calls" or "finish_reason" of a choice; or a JSON Pointer, for the JSON of
        a value: "/usage", or "" for the whole answer. None when absent. IndexError when there is no such choice.
        """
        with self._handle as pointer:
            try:
                found = self._find(pointer, what, choice)
            finally:
                self._check_open()
            if found is None:
                return None
            if not found[1]:
                return memoryview(b"")
            memory = _memory(found)
            view = memoryview(memory).cast("B").toreadonly()
            views: _Views = vars(self).setdefault("_views", _Views())  # one step, so that two threads get the same
            views.add(view, memory)
            # A use of the handle, for as long as a view or a slice of one lives. Who closes it from now on sees the view.
            self._handle.__enter__()
            finalize(memory, self._handle.__exit__).atexit = False  # type: ignore[misc]
        return view

    def _find(self, pointer: Any, what: str, choice: int) -> "_Place | None":
        """What view() takes, where it lies; None when absent."""
        member = _MEMBERS.get(what)
        if member is not None:
            found = None if choice else _located(member, pointer, 0)
            if found is None and not 0 <= choice < lib.nomyo_response_choices(pointer):
                raise IndexError(f"the answer has no choice {choice}")
            return _located(member, pointer, choice) if choice else found
        if not what:
            return _located(lib.nomyo_response_json, pointer)
        if "\0" in what:  # it would end the C string early, and name something else
            return None
        return _located(lib.nomyo_response_pointer, pointer, what.encode())

    def _text(self, what: str, choice: int = 0) -> str | None:
        with self._handle as pointer:
            try:
                return _text_of(self._find(pointer, what, choice))
            finally:
                self._check_open()

    def _check_open(self) -> None:
        """What was read while another thread's close() wiped the answer is not the answer."""
        if self._handle.closed:
            raise ArgumentError("this answer is closed")


class _Views:
    """The views of one answer, and their memory, which may have slices."""

    def __init__(self) -> None:
        self.views: WeakValueDictionary[int, memoryview] = WeakValueDictionary()
        self.memory: WeakValueDictionary[int, Any] = WeakValueDictionary()

    def add(self, view: memoryview, memory: Any) -> None:
        self.memory[id(memory)], self.views[id(view)] = memory, view

    def release(self) -> list[Any]:
        """Releases the views. Returns the memory that slices still have."""
        for reference in self.views.valuerefs():
            if (view := reference()) is not None:
                with suppress(BufferError):  # somebody holds a buffer of it
                    view.release()
            del view
        return [memory for reference in self.memory.valuerefs() if (memory := reference()) is not None]


def _located(getter: Any, *arguments: Any) -> "_Place | None":
    """The place of a getter's text. None if the text is absent."""
    length = c_size_t()
    start = getter(*arguments, byref(length))
    return (start, length.value) if start else None


def _text_of(found: "_Place | None") -> str | None:
    """The text that lies there. Nothing else is a copy of it."""
    return None if found is None else _decoded(*found, None)


def _memory(found: "_Place | None") -> Any:
    """The bytes of a place, as an array of c_char."""
    assert found is not None
    return (ctypes.c_char * found[1]).from_address(ctypes.addressof(found[0].contents))
