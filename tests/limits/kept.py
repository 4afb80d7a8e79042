"""A generation that outlives its call: the pair is kept for the next call, and no file is half-written."""

import time
from pathlib import Path

from calls import Cancel, Ended, Given
from checks import Checks
from measure import BOUND_MS
from scene import PASSWORD, Bench, Lane

SOON_MS, TRIES, LATER_MS = 50, 400, 60_000
DEADLINES_MS = (100, 700)
# After this a thread that goes on has written what it writes.
SETTLED_S = 1.0


def in_time(ended: Ended, deadline_ms: int) -> bool:
    return 1000 * ended.seconds - deadline_ms < BOUND_MS


def the_next_call_takes_the_pair(lane: Lane, checks: Checks) -> None:
    with lane.client() as client:
        alone = client.call("generate (memory)").seconds
    with lane.client(pair=False) as client:
        begun = time.monotonic()
        first = client.call("public_key", timeout_ms=SOON_MS)
        second = client.call("public_key", timeout_ms=LATER_MS)
        total = time.monotonic() - begun
        third = client.call("public_key")
    print(f"public_key twice, first with {SOON_MS} ms: {first.status}, {second.status}, {total:.2f} s in total; "
          f"another generation took {alone:.2f} s")
    checks.that(first.status == "TIMEOUT" and in_time(first, SOON_MS), f"the first call for the pair: {first}")
    checks.that(second.status == "OK" and second.text == third.text, f"the second call for the pair: {second}")


def many_short_calls_get_a_pair(lane: Lane, checks: Checks) -> None:
    """Deadlines of 50 ms are too short to generate a pair in, and long enough to take one that is there."""
    for function in ("public_key", "seal"):
        with lane.client(pair=False) as client:
            for tries in range(1, TRIES + 1):
                ended = client.call(function, timeout_ms=SOON_MS)
                if ended.status == "OK" or not in_time(ended, SOON_MS):
                    break
        print(f"{function} with {SOON_MS} ms, again and again: {ended.status} at call {tries}")
        name = f"{function} with {SOON_MS} ms, {tries} times"
        checks.that(ended.status == "OK" and in_time(ended, SOON_MS), f"{name}: {ended}")


def no_pair_or_a_whole_one(lane: Lane, checks: Checks) -> None:
    for function in ("generate (dir)", "public_key", "rotate_keys"):
        for number, deadline_ms in enumerate(DEADLINES_MS):
            uses_directory = function != "generate (dir)"
            made = lane.directory(with_pair=function == "rotate_keys" and number % 2 == 0)
            settings = {"pair": False, "key_dir": str(made)} if uses_directory else {}
            given = Given(directory=made, password="" if uses_directory else PASSWORD)
            with lane.client(**settings) as client:
                if number % 2:
                    ended = client.call(function, given, timeout_ms=deadline_ms)
                else:
                    cancel = Cancel(lane.bench.library)
                    cancelling = cancel.trigger_after(deadline_ms)
                    ended = client.call(function, given, cancel=cancel)
                    cancelling.join()
            name = f"{function} given up after {deadline_ms} ms ({ended.status})"
            allowed = ended.status in ("OK", "TIMEOUT", "CANCELLED")
            checks.that(allowed and in_time(ended, deadline_ms), f"{name}: {ended}")
            _whole(lane, made, given.password, name, checks)


def _whole(lane: Lane, made: Path, password: str, name: str, checks: Checks) -> None:
    """The directory can be used at once, and stays as the next client found it."""
    settings = {"key_password": password} if password else {}
    with lane.client(pair=False, key_dir=str(made), **settings) as client:
        there = {entry.name for entry in made.iterdir()} & {"private_key.pem", "public_key.pem"}
        found = client.call("public_key", timeout_ms=LATER_MS)
    checks.that(found.status == "OK", f"{name}: the next client of the directory: {found}, found {sorted(there)}")
    time.sleep(SETTLED_S / 10)
    public = (made / "public_key.pem").read_text()
    checks.that(public == found.text, f"{name}: the pair was replaced after the next client had loaded it")
    left = {entry.name for entry in made.iterdir()} - {"private_key.pem", "public_key.pem", ".nomyo.lock"}
    checks.that(not left, f"{name}: left behind: {sorted(left)}")


def run(bench: Bench, checks: Checks) -> None:
    lane = Lane(bench, "kept")
    try:
        the_next_call_takes_the_pair(lane, checks)
        many_short_calls_get_a_pair(lane, checks)
        no_pair_or_a_whole_one(lane, checks)
        time.sleep(SETTLED_S)
    finally:
        lane.close()
    late = lane.logged_after_free()
    checks.that(not late, f"the log function was called after its client was freed: {late[:3]}")
