"""Handles of one client: each has a timeout and a cancel of its own, and all share what the client has."""

from calls import Cancel, Ended, Given
from checks import Checks
from network import HANGS
from measure import BOUND_MS
from scene import Bench, Lane

SHORT_MS = 300


def ends_in_time(ended: Ended, timeout_ms: int) -> bool:
    return ended.status == "TIMEOUT" and 0 <= 1000 * ended.seconds - timeout_ms < BOUND_MS


def defaults_of_a_handle(lane: Lane, checks: Checks) -> None:
    with lane.client() as client:
        client.call("warm_up")
        with client.options(SHORT_MS, None) as short, client.options(3 * SHORT_MS, None) as longer:
            with client.with_options(short) as handle:
                ended = client.call_by(handle, "create", Given(test=HANGS))
                checks.that(ends_in_time(ended, SHORT_MS), f"create obeys the handle's timeout: {ended}")
                ended = client.call_by(handle, "create", Given(test=HANGS), longer)
                checks.that(ends_in_time(ended, 3 * SHORT_MS), f"options of the call win over the handle's: {ended}")
        cancel = Cancel(lane.bench.library)
        with client.options(0, cancel) as cancelled, client.with_options(cancelled) as handle:
            ended = client.call_by(handle, "create")
            checks.that(ended.status == "OK", f"create with a cancel that is not triggered: {ended}")
            cancel.trigger()
            for function in ("create", "seal", "warm_up", "server_key", "public_key", "rotate_keys"):
                ended = client.call_by(handle, function)
                told = ended.status, ended.sent, ended.attempts
                checks.that(told == ("CANCELLED", "no", 0), f"{function} obeys the handle's triggered cancel: {ended}")
        checks.that(client.call("create").status == "OK", "the client itself is not cancelled")


def what_handles_share(lane: Lane, checks: Checks) -> None:
    with lane.client(pair=False) as client:
        with client.with_options(None) as one, client.with_options(None) as two:
            before = lane.endpoint.stats()
            pairs = {client.call_by(handle, "public_key").text for handle in (one, two)}
            checks.that(len(pairs) == 1 and "PUBLIC KEY" in pairs.pop(), "handles share the pair")
            statuses = [client.call_by(handle, "create").status for handle in (one, two)]
            after = lane.endpoint.stats()
        checks.that(statuses == ["OK", "OK"], f"handles made without options: {statuses}")
        for counter in ("key_fetches", "connections"):
            new = after[counter] - before[counter]
            checks.that(new == 1, f"handles share: {new} {counter}")


def the_last_handle(lane: Lane, checks: Checks) -> None:
    """A handle lives longer than the client that it was made from."""
    with lane.client() as client:
        with client.with_options(None) as handle:
            client.close()
            ended = client.call_by(handle, "create")
            checks.that(ended.status == "OK", f"a handle whose client is freed: {ended}")


def run(bench: Bench, checks: Checks) -> None:
    lane = Lane(bench, "handles")
    try:
        defaults_of_a_handle(lane, checks)
        what_handles_share(lane, checks)
        the_last_handle(lane, checks)
    finally:
        lane.close()
