"""Whatever holds the keys up, a call ends at its deadline, says what it waited for, and changes nothing afterwards."""

import contextlib
import fcntl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import files
import pytest
import strace
from driver import KEYS, TIMEOUT, Driver
from files import PASSWORD

CLIENT = (KEYS / "client_public.pem").read_text()
# A generous bound for a busy machine; the minute of the old patience is far beyond it.
LATE = 10


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[Path]:
    path = directory / ".nomyo.lock"
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield path


@pytest.mark.parametrize("step", ["public", "warm", "rotate", "generate"])
def test_a_lock_file_that_another_process_holds_ends_the_call_at_its_deadline_and_is_named(
    driver: Driver, tmp_path: Path, step: str
) -> None:
    directory = tmp_path / "keys"
    if step == "rotate":
        files.pair_in(directory, "client_private.pem")
    else:
        # There is no pair to load, so one is generated.
        directory.mkdir(mode=0o700)
    before = files.listing(directory)
    words = [step, directory, "-"] if step == "generate" else [step]
    with locked(directory) as path:
        begun = time.monotonic()
        told = driver.refused(TIMEOUT, f"dir={directory}", "timeout=300", *words)
        assert time.monotonic() - begun < LATE
        assert f"another process, or another client of this process, held the lock file {path}" in told
    time.sleep(0.1)
    assert files.listing(directory) == before


def test_a_lock_file_ends_the_call_at_its_deadline_also_where_no_thread_can_be_started(
    driver: Driver, tmp_path: Path
) -> None:
    if not strace.available():
        pytest.skip("strace may not trace processes here")
    directory = files.pair_in(tmp_path / "keys", "client_private.pem")
    words = [f"dir={directory}", "timeout=300"]
    with locked(directory) as path:
        begun = time.monotonic()
        told = driver.refused(TIMEOUT, *words, "rotate", before=strace.without_threads())
        assert time.monotonic() - begun < LATE
        assert f"held the lock file {path}" in told and "stay as they are" in told
    assert driver.ok(*words, "public", before=strace.without_threads()) == CLIENT


def test_a_due_pair_that_cannot_be_replaced_in_time_is_used(driver: Driver, tmp_path: Path) -> None:
    directory = files.pair_in(tmp_path / "keys", "client_private.pem")
    words = [f"dir={directory}", "rotation=1", "timeout=3000", "public", "pause", "public"]
    with driver.start(*words) as process:
        assert process.stdin and process.stdout
        process.stdout.readline(), process.stdout.readline()
        with locked(directory):
            rest, _ = process.communicate(b"\n", timeout=60)
    assert rest.decode().splitlines()[-1] == "public NOMYO_OK " + CLIENT.replace("\n", "|")


def test_a_password_that_takes_seconds_to_try_ends_the_call_at_its_deadline(driver: Driver, tmp_path: Path) -> None:
    slow = tmp_path / "slow.pem"
    plain = files.private_copy("client_private.pem", tmp_path / "plain.pem")
    convert = ["openssl", "pkcs8", "-topk8", "-in", plain, "-out", slow, "-v2", "aes-256-cbc", "-iter", "10000000"]
    subprocess.run([*convert, "-passout", f"pass:{PASSWORD}"], check=True)
    slow.chmod(0o600)
    told = driver.refused(TIMEOUT, "timeout=200", "load", slow, "-", PASSWORD)
    assert "while the key files were read and decrypted" in told and "stay as they are" in told


def test_a_pair_that_took_too_long_is_there_for_the_next_call(driver: Driver, tmp_path: Path) -> None:
    """Without that, calls with a short timeout would never have a pair."""
    steps = driver.run("timeout=50", *["public"] * 400)
    assert steps[-1].status == "NOMYO_OK" and len({step.text for step in steps if step.status == "NOMYO_OK"}) == 1
    assert all(step.status in ("NOMYO_OK", TIMEOUT) for step in steps)


def test_a_rotation_that_was_given_up_leaves_the_files_as_they_are(driver: Driver, tmp_path: Path) -> None:
    directory = files.pair_in(tmp_path / "keys", "client_private.pem")
    before = files.listing(directory)
    with driver.start(f"dir={directory}", "timeout=50", "rotate", "pause") as process:
        assert process.stdin and process.stdout
        told = process.stdout.readline().decode()
        process.stdout.readline()
        time.sleep(3)
        after = files.listing(directory)
        process.communicate(b"\n", timeout=60)
    if "had begun" not in told and "NOMYO_OK" not in told:
        assert TIMEOUT in told and "stay as they are" in told
        assert after == before
