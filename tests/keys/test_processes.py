"""Any number of processes share a directory, and there is one pair in it."""

import fcntl
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import files
import pytest
import strace
from driver import KEYS, Driver, Word
from files import PASSWORD, PRIVATE, PUBLIC
from namespace import Namespace

PROCESSES, STARTS, RACES, ROTATIONS = 8, 50, 4, 4
LOADS, REPLACEMENTS = 50, 40  # loads of a process in a round, replacements in all rounds


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


# --- a load takes no lock


def test_a_load_makes_no_file_and_takes_no_lock(driver: Driver, tmp_path: Path) -> None:
    if not strace.available():
        pytest.skip("strace may not trace processes here")
    directory = files.pair_in(tmp_path / "keys", "client_private.pem")
    calls = strace.calls(driver, directory, f"dir={directory}", "public")
    assert calls
    for call in calls:
        # The directory is made unless it is there.
        assert call.result < 0 or "O_RDONLY" in call.arguments and "O_CREAT" not in call.arguments, call
    assert {path.name for path in directory.iterdir()} == {PRIVATE, PUBLIC}


def test_a_load_beside_rotating_processes_never_waits(driver: Driver, tmp_path: Path) -> None:
    """It would end at its deadline, because the lock is held from outside for the whole time."""
    directory = files.pair_in(tmp_path / "keys", "client_private.pem")
    with (directory / ".nomyo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert int(driver.ok(f"dir={directory}", "timeout=10000", "starts", "20")) == 20


def held(log: Path) -> list[float]:
    """For how many seconds each lock was held, from the log of strace with times."""
    times, taken = [], 0.0
    for line in log.read_text().splitlines():
        time_, call = line.split(" ", 1)
        if "LOCK_EX" in call and call.endswith("= 0"):
            taken = float(time_)
        elif "LOCK_UN" in call:
            times.append(float(time_) - taken)
    return times


@pytest.mark.parametrize("step", ["generation", "rotation", "slow password"])
def test_the_lock_is_not_held_while_a_pair_is_generated_or_a_password_derived(
    driver: Driver, tmp_path: Path, step: str
) -> None:
    if not strace.available():
        pytest.skip("strace may not trace processes here")
    directory, log = tmp_path / "keys", tmp_path / "log"
    before = ["strace", "-ttt", "-qq", "-o", log, "-e", "trace=flock,clone,clone3", *strace.NO_THREAD]
    words = [f"dir={directory}", "public"]
    if step != "generation":
        files.pair_in(directory, "client_private.pem")
        words = [f"dir={directory}", "rotate"]
    if step == "slow password":
        plain = files.private_copy("client_private.pem", tmp_path / "plain.pem")
        convert: list[Word] = ["openssl", "pkcs8", "-topk8", "-in", plain, "-out", directory / PRIVATE]
        subprocess.run([*convert, "-v2", "aes-256-cbc", "-iter", "2000000", "-passout", f"pass:{PASSWORD}"], check=True)
        words.insert(1, f"password={PASSWORD}")
    begun = time.monotonic()
    driver.ok(*words, before=before)
    took = time.monotonic() - begun
    locks = held(log)
    # Both times grow on a busy machine. The generation or the derivation is nearly all of the whole.
    assert locks and sum(locks) < took / 2, f"held for {locks} s of {took:.2f} s"


def test_no_load_from_a_read_only_mount_fails_beside_rotations(driver: Driver, tmp_path: Path) -> None:
    directory, point = files.pair_in(tmp_path / "keys", "client_private.pem"), tmp_path / "point"
    point.mkdir()
    with Namespace() as namespace:
        namespace.mount("--bind", directory, point)
        namespace.mount("-o", "remount,ro,bind", point)
        with driver.start(f"dir={directory}", "rotate-forever") as rotating:
            try:
                words = [f"dir={point}", "starts", str(LOADS)]
                seen = {(KEYS / "client_public.pem").read_text()}
                while len(seen) < 4:
                    with ThreadPoolExecutor(2) as pool:
                        starting = [pool.submit(driver.ok, *words, before=namespace.enter) for _ in range(2)]
                        assert [int(start.result()) for start in starting] == [LOADS, LOADS]
                    assert rotating.poll() is None
                    seen.add((directory / PUBLIC).read_text())
            finally:
                rotating.kill()
                rotating.communicate()


def test_no_load_fails_while_another_program_replaces_the_two_files(driver: Driver, tmp_path: Path) -> None:
    """Between its two renames the files are halves of two pairs, for longer than between those of the library."""
    directory, over = files.pair_in(tmp_path / "keys", "client_private.pem"), threading.Event()
    enough = threading.Event()

    def replacements() -> None:
        count = 0
        while not over.wait(0.02):
            key = "other" if count % 2 == 0 else "client"
            for name, half in ((PRIVATE, "private"), (PUBLIC, "public")):
                files.private_copy(f"{key}_{half}.pem", tmp_path / name).rename(directory / name)
                time.sleep(0.001)
            count += 1
            if count == REPLACEMENTS:
                enough.set()

    with ThreadPoolExecutor(2) as pool:
        replacing = pool.submit(replacements)
        try:
            while not enough.is_set() and not replacing.done():
                assert int(driver.ok(f"dir={directory}", "starts", str(LOADS))) == LOADS
        finally:
            over.set()
        replacing.result()
