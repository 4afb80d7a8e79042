"""The generation of a pair ends at a deadline and at a cancellation.

The tests of this file run in a process that takes no pair of tests/fixtures/pairs: with such a pair a call can end before its
deadline.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import nomyo_native as nomyo

SERVER_PEM = (Path(__file__).parents[3] / "tests/fixtures/protocol/keys/server_public.pem").read_bytes()
REQUEST = {"model": "echo", "messages": [{"role": "user", "content": "Hello"}]}
LATE = 5.0  # how late a loaded machine may end the two calls

GENERATING: dict[str, Callable[..., Any]] = {
    "generate_keys": lambda client, **limits: client.generate_keys(**limits),
    "rotate_keys": lambda client, **limits: client.rotate_keys(**limits),
    "public_key": lambda client, **limits: client.public_key(**limits),
    "seal": lambda client, **limits: client.seal(SERVER_PEM, REQUEST, **limits),
}


@pytest.mark.parametrize("method", GENERATING)
def test_key_generation_is_bounded(method):
    assert not os.environ.get("NOMYO_TEST_PAIRS"), "this file is about pairs that are generated"
    with nomyo.Client(environment=False) as client:
        begun = time.monotonic()
        with pytest.raises(nomyo.APITimeoutError):
            GENERATING[method](client, timeout=0.001)
        cancel = nomyo.Cancel()
        cancel.trigger()
        with pytest.raises(nomyo.CancelledError):
            GENERATING[method](client, cancel=cancel)
        assert time.monotonic() - begun < LATE
