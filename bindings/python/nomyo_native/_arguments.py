"""Python values as the library takes them. What ctypes would cut off or wrap around is refused here."""

import ctypes
import json
import math
import os
from collections.abc import Mapping
from typing import Any, TypeAlias

from ._errors import ArgumentError
from ._memory import SecureBuffer

Buffer: TypeAlias = bytes | bytearray | memoryview | SecureBuffer
Path: TypeAlias = str | os.PathLike[str]
_JSON = json.JSONEncoder(allow_nan=False, separators=(",", ":"))


def text(value: Path, name: str) -> bytes:
    """NUL-terminated UTF-8."""
    encoded = os.fsencode(value) if isinstance(value, os.PathLike) else value.encode()
    if b"\0" in encoded:
        raise ArgumentError(f"{name} must not contain a NUL character")
    return encoded


def integer(value: int, name: str, most: int) -> int:
    if not 0 <= value <= most:
        raise ArgumentError(f"{name} must be a number from 0 to {most}")
    return value


def milliseconds(seconds: float, name: str) -> int:
    """Rounded up, so that a short wait never becomes none."""
    if not 0 <= seconds < 1e12:
        raise ArgumentError(f"{name} must be a number of seconds, not {seconds}")
    return math.ceil(seconds * 1000)


def buffer(data: str | Buffer) -> tuple[Any, int]:
    """Bytes and their length. Nothing is copied that is bytes already or writable and in one piece."""
    if isinstance(data, str):
        data = data.encode()
    elif isinstance(data, SecureBuffer):
        data = data.data
    if isinstance(data, bytes):
        return data, len(data)
    view = memoryview(data)
    if view.readonly or not view.c_contiguous:
        copy = view.tobytes()
        return copy, len(copy)
    return (ctypes.c_char * view.nbytes).from_buffer(data), view.nbytes


def request_json(request: Mapping[str, Any] | Buffer | None, members: dict[str, Any]) -> Buffer:
    """The request as JSON, from either of the two ways to give it."""
    if request is None:
        request = members
    elif members:
        raise TypeError("create() takes a request or its members, not both")
    if isinstance(request, (bytes, bytearray, memoryview, SecureBuffer)):
        return request
    if not isinstance(request, Mapping):
        raise TypeError(f"a request is a dict or JSON in bytes, not {type(request).__name__}")
    return _JSON.encode(dict(request)).encode()
