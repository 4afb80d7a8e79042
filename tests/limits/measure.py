"""Runs the rows of the table, once with a deadline and once with a cancel, and measures how late each call returned."""

import queue
import threading
from dataclasses import dataclass

from blocks import Row
from calls import Cancel, Ended, Given
from checks import Checks
from held import no_hanging
from scene import Bench, Lane, Scene

# The target, which is printed, and the bound, which is asserted: the machine may be busy.
TARGET_MS, BOUND_MS = 100.0, 1000.0
# Clocks of the library and of this process are read at different moments.
TOLERANCE_MS = 5.0
# A call that is not over by then is helped along, so that the others have their turn.
PATIENCE_S = 4.0
LATER_MS = 60_000
NOT_SENT = ("nothing was sent", "was not sent")
DEADLINE, CANCEL = "deadline", "cancel"


@dataclass(frozen=True)
class Sample:
    """How one call ended. `late_ms` is negative if it ended before its deadline or its cancel."""

    row: Row
    how: str
    ended: Ended
    late_ms: float
    helped: bool


def measured(row: Row, how: str, scene: Scene, delay_ms: int) -> Sample:
    helped = threading.Event()

    def help_along() -> None:
        helped.set()
        scene.release()

    watchdog = threading.Timer(delay_ms / 1000 + PATIENCE_S, help_along)
    watchdog.start()
    try:
        if how == DEADLINE:
            ended = scene.client.call(row.function, scene.given, timeout_ms=delay_ms)
            return Sample(row, how, ended, 1000 * ended.seconds - delay_ms, helped.is_set())
        cancel = Cancel(scene.client.library)
        timer = cancel.trigger_after(delay_ms)
        ended = scene.client.call(row.function, scene.given, cancel=cancel)
        timer.join()
        return Sample(row, how, ended, 1000 * (ended.ended - cancel.triggered), helped.is_set())
    finally:
        watchdog.cancel()


def differences(sample: Sample) -> list[str]:
    """What the call's end has that the row does not allow."""
    row, ended = sample.row, sample.ended
    wrong = []

    def same(what: str, got: object, wanted: object) -> None:
        if got != wanted:
            wrong.append(f"{what} is {got}, not {wanted}")

    if sample.late_ms > BOUND_MS:
        wrong.append(f"{sample.late_ms:.0f} ms late" + (" (helped along)" if sample.helped else ""))
    if sample.late_ms < -TOLERANCE_MS and not row.early:
        wrong.append(f"{-sample.late_ms:.0f} ms early")
    allowed = row.deadline if sample.how == DEADLINE else row.cancelled
    if ended.status not in allowed:
        wrong.append(f"status is {ended.status}, not {' or '.join(allowed)}")
    if ended.status == "OK":
        return wrong
    if ended.sent not in row.sent:
        wrong.append(f"sent is {ended.sent}, not {' or '.join(row.sent)}")
    if row.attempts is not None:
        same("attempts", ended.attempts, row.attempts)
    if ended.status != "CANCELLED":
        same("HTTP", ended.http, row.http)
    if row.sealed is not None:
        same("payload id", len(ended.payload_id or ""), 36 if row.sealed else 0)
    return wrong + said_wrongly(row.function, ended)


def said_wrongly(function: str, ended: Ended) -> list[str]:
    """Whether the message says anything else about sending than the error knows."""
    says_not_sent = any(words in ended.message for words in NOT_SENT)
    if says_not_sent and ended.sent != "no":
        return [f"the message denies sending, and sent is {ended.sent}"]
    if function == "create" and ended.sent == "no" and not says_not_sent:
        return ["the message does not say that the request was not sent"]
    if ended.sent == "maybe" and "may have received" not in ended.message:
        return ["the message does not say that the server may have received the request"]
    return []


def later(row: Row, scene: Scene) -> Ended:
    """The next call of the same function on the same client, when nothing blocks it."""
    given = Given(directory=scene.given.directory, private=scene.given.private, password=scene.given.password)
    return scene.client.call(row.function, given, timeout_ms=LATER_MS)


def written_whole(scene: Scene, ended: Ended) -> bool:
    """Whether a call that had been given up wrote its pair nevertheless, whole."""
    directory = scene.given.directory
    if ended.status != "KEY" or directory is None:
        return False
    given = Given(private=directory / "private_key.pem", password=scene.given.password)
    return scene.client.call("load_keys", given).status == "OK"


def run_row(lane: Lane, row: Row, checks: Checks) -> list[Sample]:
    """One call with a deadline and one with a cancel. Then nothing blocks a third one."""
    samples = []
    with row.stage(lane) as scene:
        for how in (DEADLINE, CANCEL):
            for delay_ms in row.delays_ms:
                before = scene.arrivals()
                sample = measured(row, how, scene, delay_ms)
                if scene.arrivals() > before or sample.late_ms > BOUND_MS:
                    break
            samples.append(sample)
            wrong = differences(sample)
            said = f"{'; '.join(wrong)}: {sample.ended.message}"
            checks.that(not wrong, f"{row.function} x {row.blocker}, {how}: {said}")
            if sample.helped:
                break  # nothing blocks any more
        scene.release()
        if scene.usable:
            ended = later(row, scene)
            if "hang" in row.blocker and ended.status == "IO":
                # It joined the work of the call before, which has just failed.
                ended = later(row, scene)
            usable = ended.status == "OK" or written_whole(scene, ended)
            checks.that(usable, f"{row.function} x {row.blocker}: the next call: {ended.status}, {ended.message}")
    return samples


def run(bench: Bench, part: str, rows: list[Row], lanes: int, only: str, checks: Checks) -> list[Sample]:
    """All rows, a few at once, because most of them wait."""
    waiting: queue.SimpleQueue[Row] = queue.SimpleQueue()
    samples: list[Sample] = []
    missing: dict[str, str] = {"": "", "namespace": bench.no_namespace}
    probe = Lane(bench, f"{part}-probe")
    missing["FUSE"] = no_hanging(probe)
    probe.close()
    for row in rows:
        if only not in f"{row.function} x {row.blocker}":
            continue
        if missing[row.needs]:
            checks.skip(f"{row.function} x {row.blocker}: {missing[row.needs]}")
            continue
        waiting.put(row)

    def work(number: int) -> None:
        lane = Lane(bench, f"{part}-{number}")
        try:
            while True:
                samples.extend(run_row(lane, waiting.get_nowait(), checks))
        except queue.Empty:
            pass
        except Exception as error:
            checks.that(False, f"a lane ended: {error!r}")
            raise
        finally:
            lane.close()
        late = lane.logged_after_free()
        checks.that(not late, f"the log function was called after its client was freed: {late[:3]}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(lanes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return samples
