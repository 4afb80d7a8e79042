"""Any number of processes share a directory, and there is one pair in it."""

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import files
from driver import KEYS, Driver
from files import PASSWORD, PRIVATE, PUBLIC

PROCESSES, STARTS, RACES, ROTATIONS = 8, 50, 4, 4


def test_eight_processes_with_fifty_starts_each_have_one_pair(driver: Driver, tmp_path: Path) -> None:
    directory = tmp_path / "keys"
    start = threading.Barrier(PROCESSES)

    def starts(_: int) -> set[str]:
        start.wait()
        return {driver.ok(f"dir={directory}", "public") for _ in range(STARTS)}

    with ThreadPoolExecutor(PROCESSES) as pool:
        pairs = set().union(*pool.map(starts, range(PROCESSES)))
    assert pairs == {files.pair_pem(directory)}
    assert files.listing(directory).keys() == {PRIVATE, PUBLIC}


def test_the_first_start_is_a_race_that_somebody_wins(driver: Driver, tmp_path: Path) -> None:
    """Again on directories that are empty, or not even there; with a password, which takes time."""
    for race in range(RACES):
        directory = tmp_path / f"keys-{race}"
        if race % 2:
            directory.mkdir()
        words = [f"dir={directory}", f"password={PASSWORD}", "public"]
        with ThreadPoolExecutor(PROCESSES) as pool:
            pairs = set(pool.map(lambda _: driver.ok(*words), range(PROCESSES)))
        assert pairs == {files.pair_pem(directory, PASSWORD)}


def test_who_is_killed_while_it_generates_holds_nobody_up(driver: Driver, tmp_path: Path) -> None:
    directory = tmp_path / "keys"
    with driver.start(f"dir={directory}", "public") as first:
        until = time.monotonic() + 60
        while not (directory.exists() and any(directory.iterdir())):
            assert time.monotonic() < until
            time.sleep(0.001)
        with ThreadPoolExecutor(4) as pool:
            others = [pool.submit(driver.ok, f"dir={directory}", "public", timeout=90) for _ in range(4)]
            time.sleep(0.05)
            first.send_signal(signal.SIGKILL)
            pairs = {other.result() for other in others}
    assert pairs == {files.pair_pem(directory)}


def test_starts_amid_rotations_find_a_pair_each_time(driver: Driver, tmp_path: Path) -> None:
    directory = files.pair_in(tmp_path / "keys", "client_private.pem")
    over = threading.Event()

    def rotations(_: int) -> list[str]:
        return [driver.ok(f"dir={directory}", "rotate", "public") for _ in range(ROTATIONS)]

    def starts(_: int) -> list[str]:
        found = []
        while not over.is_set():
            found.append(driver.ok(f"dir={directory}", "public"))
        return found

    with ThreadPoolExecutor(4) as pool:
        starting = [pool.submit(starts, number) for number in range(2)]
        try:
            made = {pem for rotated in pool.map(rotations, range(2)) for pem in rotated}
        finally:
            over.set()
        found = {pem for start in starting for pem in start.result()}
    assert len(made) == 2 * ROTATIONS
    assert found <= {*made, (KEYS / "client_public.pem").read_text()} and len(found) > 1
    assert files.pair_pem(directory) in made
