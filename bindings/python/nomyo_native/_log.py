"""The library's log lines as records of Python's logging."""

import ctypes
import logging
import re
from typing import Any

from . import _library as c
from ._arguments import wrong_type
from ._relay import written

LOGGER = logging.getLogger(__package__)
LOGGER.addHandler(logging.NullHandler())  # silent, unless the program configures logging
_LEVELS = {1: logging.ERROR, 2: logging.WARNING, 3: logging.INFO, 4: logging.DEBUG}
_NUMBERS = ("attempt", "status", "sent", "received", "ms")
FIELDS = (*_NUMBERS, "payload_id", "connection", "error")
"""The names of the `name=value` that a line about an attempt has. Each record has an attribute for each name."""
_ATTEMPT = re.compile("GET |POST ")
_FIELD = re.compile(f" ({'|'.join(FIELDS)})=([^ ]+)")


def checked(log: object) -> logging.Logger:
    """The logger of a client that was given `log`."""
    if log is None:
        return LOGGER
    if not isinstance(log, (logging.Logger, logging.LoggerAdapter)):
        raise wrong_type("log", "a logging.Logger", log)
    return log  # type: ignore[return-value]  # an adapter has the two methods that are used


def level_of(log: logging.Logger) -> int | None:
    """The least important level that `log` takes, as the library's number. None if it takes none."""
    return max((level for level, python in _LEVELS.items() if log.isEnabledFor(python)), default=None)


def function_of(log: logging.Logger) -> Any:
    """The function that the library calls with each line, on the thread that makes the call. A greenlet's thread hands the
    line to the greenlet."""

    def write(_data: Any, level: int, start: Any, length: int) -> None:
        line = ctypes.string_at(start, length).decode("utf-8", "replace")
        number = _LEVELS.get(level, logging.INFO)
        written(lambda: log.log(number, "%s", line, extra=_fields(line)))

    return c.LogFunction(write)


def _fields(line: str) -> dict[str, Any]:
    said = dict(_FIELD.findall(line)) if _ATTEMPT.match(line) else {}
    return {name: int(said[name]) if name in _NUMBERS and name in said else said.get(name) for name in FIELDS}
