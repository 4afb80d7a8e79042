"""The table: each function that can block, and each thing that can block it.

`sent`, `attempts`, `http` and `sealed` are what the error must say. `None` stands for anything.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import held
import network
import work
from scene import Stage


@dataclass(frozen=True)
class Row:
    blocker: str
    stage: Stage
    function: str
    sent: tuple[str, ...] = ("no",)
    attempts: int | None = 0
    http: int = 0
    # Whether the error names a payload id.
    sealed: bool | None = False
    # Statuses of a call that meets its deadline, and of one that is cancelled.
    deadline: tuple[str, ...] = ("TIMEOUT",)
    cancelled: tuple[str, ...] = ("CANCELLED",)
    # Whether the call may end before its deadline or its cancel.
    early: bool = False
    # The deadline, or the time until the cancel. The next one is taken if the machine was too busy for this one.
    delays_ms: tuple[int, ...] = (300, 900, 2700)
    needs: str = ""


def rows(blocker: str, stage: Stage, functions: str, **about: Any) -> Iterator[Row]:
    for function in functions.split(", "):
        yield Row(blocker, stage, function, **about)


FETCHING = "create, warm_up, server_key"
CONNECTING = f"{FETCHING}, tls_chain"
USING_A_PAIR = "create, warm_up, public_key, private_key_pem, seal"
LEFT = {"sent": ("maybe",), "attempts": 1, "sealed": True}
REFUSED = {"attempts": 1, "http": 429, "deadline": ("RATE_LIMIT",), "early": True}
ANYTHING = ("OK", "KEY", "IO", "TIMEOUT", "CANCELLED")
# A pair of 4096 bits is hardly ever there so soon. If it is, the call succeeds.
LUCKY = {"delays_ms": (60,), "deadline": ("TIMEOUT", "OK"), "cancelled": ("CANCELLED", "OK"), "early": True}

WAITING = [
    *rows("name lookup", network.name_lookup, CONNECTING, attempts=1, needs="namespace"),
    *rows("connect", network.connect, CONNECTING, attempts=1),
    *rows("TLS handshake", network.handshake, CONNECTING, attempts=1),
    *rows("proxy's CONNECT", network.proxy_connect, CONNECTING, attempts=1),
    *rows("key fetch, head", network.key_fetch, FETCHING, attempts=1),
    *rows("key fetch, body", network.key_fetch_body, FETCHING, attempts=1, http=200),
    *rows("key fetch, retry wait", network.key_fetch_retry, FETCHING, **REFUSED),
    *rows("another's key fetch", network.others_key_fetch, FETCHING, attempts=None),
    *rows("own rate limit", network.rate_limit, FETCHING, early=True),
    *rows("POST, TLS handshake", network.post_handshake, "create", attempts=1, sealed=True),
    *rows("POST, upload", network.upload, "create", **LEFT),
    *rows("POST, head", network.post_head, "create", **LEFT),
    *rows("POST, body", network.post_body, "create", **{**LEFT, "sent": ("maybe", "yes"), "http": 200}),
    *rows("POST, retry wait", network.post_retry, "create", **{**LEFT, **REFUSED, "sent": ("yes",)}),
    *rows("pair's lock", held.lock_of_pair, "rotate_keys"),
    *rows("empty key directory's lock", held.lock_of_empty, USING_A_PAIR),
    *rows("target's lock", held.lock_of_target, "generate (dir), save_keys"),
    *rows("due pair's lock", held.lock_of_due, USING_A_PAIR, deadline=("TIMEOUT", "OK"), cancelled=("CANCELLED", "OK"),
          early=True, attempts=None),
    *rows("known servers' lock", held.lock_of_known, "create", attempts=None),
    *rows("FIFO as private file", held.fifo_as_key, "load_keys", deadline=("KEY",), cancelled=("KEY",), early=True),
    *rows("FIFO in key directory", held.fifo_in_directory, USING_A_PAIR, deadline=("KEY",), cancelled=("KEY",),
          early=True),
    *rows("FIFO as known servers", held.fifo_as_known, "create", deadline=("PIN",), cancelled=("PIN",), early=True,
          attempts=None),
    *rows("FIFO as lock file", held.fifo_as_lock, "public_key, rotate_keys", deadline=ANYTHING, cancelled=ANYTHING,
          early=True),
    *rows("key directory hangs", held.hanging_keys, f"{USING_A_PAIR}, rotate_keys", needs="FUSE"),
    *rows("target hangs", held.hanging_target, "generate (dir), save_keys", needs="FUSE"),
    *rows("private file hangs", held.hanging_private, "load_keys", needs="FUSE"),
    *rows("known servers hang", held.hanging_known, "create, seal", attempts=None, needs="FUSE"),
]

WORKING = [
    *rows("first pair", work.first_pair, f"{USING_A_PAIR}, generate (memory), generate (dir), save_keys, rotate_keys",
          **LUCKY),
    *rows("first pair, in directory", work.first_pair_in_directory, f"{USING_A_PAIR}, rotate_keys", **LUCKY),
    *rows("next pair", work.next_pair, "generate (memory), generate (dir), rotate_keys", **LUCKY),
    *rows("another's first pair", work.others_first_pair,
          f"{USING_A_PAIR}, generate (memory), generate (dir), load_keys, load_keys_pem, save_keys, rotate_keys", **LUCKY),
    *rows("derivation", work.derivation_to_load, "load_keys, load_keys_pem"),
    *rows("derivation, in directory", work.derivation_in_directory, f"{USING_A_PAIR}, rotate_keys"),
    *rows("derivation, to export", work.derivation_to_save, "private_key_pem", delays_ms=(30,), early=True),
    *rows("derivation, to write", work.derivation_to_save, "save_keys", delays_ms=(30,), cancelled=("CANCELLED", "KEY"),
          early=True),
]
