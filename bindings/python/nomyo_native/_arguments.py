"""Python values as the library takes them. ctypes would cut off or wrap around some of them; those are refused here.

Each function takes the name of the argument, which its error names.
"""

import ctypes
import json
import math
import os
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from ._errors import ArgumentError, ArgumentTypeError
from ._memory import SecureBuffer

Buffer: TypeAlias = bytes | bytearray | memoryview | SecureBuffer
Path: TypeAlias = str | os.PathLike[str]
_JSON = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":"))


def wrong_type(name: str, wanted: str, value: object) -> ArgumentTypeError:
    """The error of an argument of a wrong type. It names the type and not the value, which may be a secret."""
    return ArgumentTypeError(f"{name} must be {wanted}, not {type(value).__name__}")


def text(value: str, name: str) -> bytes:
    """NUL-terminated UTF-8."""
    if not isinstance(value, str):
        raise wrong_type(name, "a str", value)
    encoded = _utf_8(value, name)
    if b"\0" in encoded:
        raise ArgumentError(f"{name} must not contain a NUL character")
    return encoded


def path(value: Path, name: str) -> bytes:
    """A path, which the library takes as text, too."""
    if not isinstance(value, (str, os.PathLike)):
        raise wrong_type(name, "a path: a str or an os.PathLike", value)
    return text(os.fsdecode(value), name)


def integer(value: int, name: str, most: int) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise wrong_type(name, "an int", value)
    if not 0 <= value <= most:
        raise ArgumentError(f"{name} must be a number from 0 to {most}")
    return int(value)


def number(value: float, name: str, what: str = "a number") -> float:
    if type(value) not in (float, int):
        from numbers import Number  # seldom needed

        if isinstance(value, (bool, complex)) or not isinstance(value, Number):
            raise wrong_type(name, what, value)
    return float(value)


def milliseconds(seconds: float, name: str) -> int:
    """Rounded up, so that a short wait never becomes none."""
    if not 0 <= number(seconds, name, "a number of seconds") < 1e12:
        raise ArgumentError(f"{name} must be a number of seconds, not {seconds}")
    return math.ceil(seconds * 1000)


def truth(value: bool, name: str) -> bool:
    """True or False alone: the truth of a text such as "no" is not the one that it says."""
    if not isinstance(value, bool):
        raise wrong_type(name, "True or False", value)
    return value


def texts(values: str | Iterable[str], name: str) -> list[bytes]:
    """One text, or several."""
    if isinstance(values, str):
        return [text(values, name)]
    if isinstance(values, (bytes, bytearray, memoryview)) or not isinstance(values, Iterable):
        raise wrong_type(name, "a str, or several", values)
    return [text(value, name) for value in values]


def buffer(data: str | Buffer, name: str) -> tuple[Any, int]:
    """Bytes and their length. Nothing is copied that is bytes already or writable and in one piece."""
    if isinstance(data, str):
        data = _utf_8(data, name)
    elif isinstance(data, SecureBuffer):
        data = data.data
    if isinstance(data, bytes):
        return data, len(data)
    try:
        view = memoryview(data)
    except TypeError:
        raise wrong_type(name, "a str, bytes, a bytearray, a memoryview or a SecureBuffer", data) from None
    if view.readonly or not view.c_contiguous:
        copy = view.tobytes()
        return copy, len(copy)
    return (ctypes.c_char * view.nbytes).from_buffer(data), view.nbytes


def request_json(request: Mapping[str, Any] | Buffer | None, members: dict[str, Any]) -> Buffer:
    """The request as JSON, from either of the two ways to give it.

    A dict becomes UTF-8, not ASCII: escapes make text up to six times longer, and the server limits the size of a request.
    A lone surrogate has no UTF-8. It becomes the escape that json.dumps(), and so the SDK, has for it.
    """
    if request is None:
        request = members
    elif members:
        raise ArgumentTypeError("create() takes a request or its members, not both")
    if type(request) is not dict:
        if isinstance(request, (bytes, bytearray, memoryview, SecureBuffer)):
            return request
        if not isinstance(request, Mapping):
            raise ArgumentTypeError(f"a request is a dict or JSON in bytes, not {type(request).__name__}")
        request = dict(request)
    return _JSON.encode(request).encode("utf-8", "backslashreplace")


def _utf_8(value: str, name: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError:
        pass  # it has the text, which may be a secret, so it must not be the context of the error
    raise ArgumentError(f"{name} has a lone surrogate, which UTF-8 cannot hold; correct how the text was decoded")
