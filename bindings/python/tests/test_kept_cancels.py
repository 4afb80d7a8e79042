"""A cancel of the library's is kept for later calls. A call that has ended cannot end a later one."""

import asyncio
import threading

import pytest

import nomyo_native as nomyo
from nomyo_native import _calls, _ending
from nomyo_native._calls import Call

HELLO = b'{"model":"echo","messages":[{"role":"user","content":"Hello"}]}'

def ending(one: Call) -> _ending.Ending:
    """The cancel that a call has while its work is done."""
    found = one.run(lambda: one._ending)
    assert found is not None
    return found


def test_calls_in_a_row_share_a_cancel():
    assert ending(Call()) is ending(Call())


def test_two_calls_at_once_have_two_cancels():
    outer = Call()
    assert outer.run(lambda: ending(Call()) is not outer._ending)


def test_a_call_that_has_ended_does_not_end_the_next_one(client):
    one, two = Call(), Call()
    kept = ending(one)

    def work() -> nomyo.Response:
        assert two._ending is kept
        one.trigger()
        return client._answer(two, HELLO)

    with two.run(work) as answer:
        assert answer.content() == "Hello"


@pytest.mark.parametrize("when", ["before the work", "during the work"])
def test_a_cancel_that_was_triggered_is_not_kept(client, chat, when):
    one = Call()
    if when == "before the work":
        one.trigger()

    def work() -> nomyo.Response:
        one.trigger()
        return client._answer(one, HELLO)

    with pytest.raises(nomyo.CancelledError):
        one.run(work)
    assert one._ending not in _ending._kept
    client.create(chat()).close()


def test_the_options_of_a_call_do_not_reach_the_next_one(client, chat):
    with pytest.raises(nomyo.APITimeoutError):
        client.create(chat(test={"delay_before_headers_ms": 60_000}), timeout=0.2)
    with client.create(chat(test={"delay_before_headers_ms": 600})) as answer:
        assert answer.content() == "Hello"


def test_a_cancel_that_was_triggered_before_the_call_ends_it(client, chat):
    cancel = nomyo.Cancel()
    cancel.trigger()
    for _ in range(2):
        with pytest.raises(nomyo.CancelledError):
            client.create(chat(), cancel=cancel)
    assert not cancel._followers


def test_an_event_loop_takes_no_cancel(client, chat, monkeypatch):
    """It would wait for the GIL after each call into the library."""
    where: list[int] = []
    monkeypatch.setattr(_calls, "taken", lambda: (where.append(threading.get_ident()), _ending.taken())[1])
    asyncio.run(client.acreate(chat())).close()
    assert where and threading.get_ident() not in where
