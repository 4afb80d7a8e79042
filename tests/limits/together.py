"""Calls that wait for each other: each has a deadline of its own, and none fails or waits because of another's."""

import threading
from collections.abc import Callable
from typing import Any

from calls import Cancel, Client, Ended, Given
from checks import Checks
from held import Holder
from measure import BOUND_MS, said_wrongly
from scene import Bench, Lane

SHORT_MS, LONG_MS = 700, 30_000
FETCH_MS, CALLS = 500, 8
QUEUE, QUEUE_MS = 3, 1000


def at_once(calls: list[Callable[[], Ended]]) -> list[Ended]:
    """How these calls ended, each on a thread of its own."""
    ended: list[Ended] = [Ended("did not return", 0.0)] * len(calls)

    def one(number: int) -> None:
        ended[number] = calls[number]()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ended


def each(ended: list[Ended]) -> str:
    return ", ".join(f"{one.status} after {one.seconds:.2f} s" for one in ended)


def a_short_deadline_beside_a_long_one(lane: Lane, checks: Checks) -> None:
    """The first key fetch fails in a way that a retry helps against, and the fetching call has no time for a retry."""
    failures: dict[str, dict[str, Any]] = {
        "429 with Retry-After": {"status": 429, "headers": {"Retry-After": "2"}},
        "closed without an answer": {"close": True},
        "no answer": {"delay_before_headers_ms": 60_000},
    }
    for failure, fault in failures.items():
        for function in ("create", "server_key"):
            with lane.client() as client:
                slow = {"delay_before_headers_ms": FETCH_MS, **fault, "times": 1}
                lane.endpoint.set_faults({"key_fetch": slow})
                short_is_fetching = threading.Event()

                def short() -> Ended:
                    threading.Timer(0.15, short_is_fetching.set).start()
                    return client.call(function, timeout_ms=SHORT_MS)

                def long() -> Ended:
                    short_is_fetching.wait()
                    return client.call(function, timeout_ms=LONG_MS)

                ended = at_once([short, long])
                lane.endpoint.set_faults({})
            name = f"{function}, a short deadline beside a long one, key fetch: {failure}"
            print(f"{name}: {each(ended)}")
            checks.that(ended[0].status != "OK" and ended[0].seconds < (SHORT_MS + BOUND_MS) / 1000,
                        f"{name}: the short one: {ended[0]}")
            checks.that(ended[1].status == "OK", f"{name}: the long one: {ended[1]}")


def a_cancelled_fetch_beside_another(lane: Lane, checks: Checks) -> None:
    """The fetching call is cancelled. The waiting call fetches the key itself."""
    for function in ("create", "server_key"):
        cancel = Cancel(lane.bench.library)
        with lane.client() as client:
            lane.endpoint.set_faults({"key_fetch": {"delay_before_headers_ms": 60_000, "times": 1}})
            cancel.trigger_after(500)
            waiting = threading.Event()
            threading.Timer(0.2, waiting.set).start()

            def other() -> Ended:
                waiting.wait()
                return client.call(function, timeout_ms=LONG_MS)

            ended = at_once([lambda: client.call(function, cancel=cancel), other])
            lane.endpoint.set_faults({})
        name = f"{function}, a cancelled key fetch beside another call"
        print(f"{name}: {each(ended)}")
        checks.that([one.status for one in ended] == ["CANCELLED", "OK"], f"{name}: {ended}")


def calls_without_a_cached_key(lane: Lane, checks: Checks) -> None:
    """server_key_ttl_ms = 0: calls at once share fetches that began after them."""
    with lane.client(server_key_ttl_ms=0) as client:
        lane.endpoint.set_faults({"key_fetch": {"delay_before_headers_ms": FETCH_MS}})
        before = lane.endpoint.stats()["key_fetches"]
        ended = at_once([lambda: client.call("create", timeout_ms=10_000)] * CALLS)
        fetches = lane.endpoint.stats()["key_fetches"] - before
        lane.endpoint.set_faults({})
    longest = max(one.seconds for one in ended)
    name = f"{CALLS} calls at once without a cached key, a fetch of {FETCH_MS} ms"
    print(f"{name}: longest {longest:.2f} s, {fetches} fetches")
    checks.that(all(one.status == "OK" for one in ended), f"{name}: {each(ended)}")
    checks.that(longest < (2 * FETCH_MS + BOUND_MS) / 1000, f"{name}: {each(ended)}")


def threads_behind_a_lock(lane: Lane, checks: Checks) -> None:
    """The first thread waits for another process, and the others for the first. All end at their own deadlines."""

    def queue(name: str, client: Client, functions: list[str]) -> None:
        ended = at_once([lambda f=f: client.call(f, timeout_ms=QUEUE_MS) for f in functions])
        print(f"{name}: {each(ended)}")
        for one in ended:
            late_ms = 1000 * one.seconds - QUEUE_MS
            checks.that(one.status == "TIMEOUT" and late_ms < BOUND_MS, f"{name}: {one}")

    made = lane.directory()
    with lane.client(known_servers=str(made / "known")) as client:
        holder = Holder(made)
        queue("threads behind the known servers' lock", client, ["create"] * QUEUE)
        holder.end()
        checks.that(client.call("create").status == "OK", "after the known servers' lock")
    made = lane.directory()
    with lane.client(pair=False, key_dir=str(made)) as client:
        holder = Holder(made)
        queue("threads behind the key directory's lock", client, ["create", "public_key", "seal", "rotate_keys"])
        holder.end()
        checks.that(client.call("create").status == "OK", "after the key directory's lock")


def a_cancel_while_the_key_is_fetched_again(lane: Lane, checks: Checks) -> None:
    """Two calls are refused because of the server's key. The first one fetches the key again, and the second one waits
    for that. One of them is cancelled. The request of either was answered."""

    def refused_after(delay_ms: int) -> Given:
        test = {"status": 400, "body": '{"detail":"could not decrypt"}', "delay_before_headers_ms": delay_ms}
        return Given(test=test)

    for number, which in enumerate(("fetching", "waiting")):
        cancel = Cancel(lane.bench.library)
        cancels = [cancel if number == 0 else None, cancel if number == 1 else None]
        with lane.client(max_retries=0) as client:
            client.call("warm_up")
            lane.endpoint.set_faults({"key_fetch": {"delay_before_headers_ms": 3000}})
            cancel.trigger_after(1500)

            def call(i: int) -> Ended:
                return client.call("create", refused_after(300 + 400 * i), cancel=cancels[i])

            ended = at_once([lambda: call(0), lambda: call(1)])[number]
            lane.endpoint.set_faults({})
        name = f"a cancel of the call that is {which}, when the key is fetched again"
        print(f"{name}: {ended.status}, sent {ended.sent}: {ended.message}")
        told = ended.status, ended.sent, ended.attempts
        checks.that(told == ("CANCELLED", "yes", 1) and ended.seconds < (1500 + BOUND_MS) / 1000, f"{name}: {ended}")
        wrong = said_wrongly("create", ended)
        checks.that(not wrong, f"{name}: {wrong}: {ended.message}")


def run(bench: Bench, checks: Checks) -> None:
    lane = Lane(bench, "together")
    try:
        a_short_deadline_beside_a_long_one(lane, checks)
        a_cancelled_fetch_beside_another(lane, checks)
        calls_without_a_cached_key(lane, checks)
        threads_behind_a_lock(lane, checks)
        a_cancel_while_the_key_is_fetched_again(lane, checks)
    finally:
        lane.close()
