"""Keys are replaced when they are due or by force, never under a request in flight, and gone when nobody needs them."""

import os
import subprocess
import sys
import time
from pathlib import Path

import files
import pytest
from driver import HERE, KEYS, ROOT, Driver
from endpoint import Endpoint
from files import PRIVATE, PUBLIC

sys.path.append(str(ROOT / "tests" / "memory"))
from scan import Snapshot  # noqa: E402

CLIENT = (KEYS / "client_public.pem").read_text()
SECONDS = int(os.environ.get("NOMYO_TEST_ROTATION_SECONDS", "30"))


def test_rotations_under_eight_threads_fail_no_request(driver: Driver, endpoint: Endpoint, tmp_path: Path) -> None:
    directory = files.pair_in(tmp_path / "keys", "client_private.pem")
    about = {"NOMYO_TEST_BASE_URL": endpoint.url, "NOMYO_TEST_CA_FILE": str(endpoint.ca)}
    program = subprocess.Popen(
        [driver.build(HERE / "rotation.c"), str(SECONDS), directory], env=about, stdout=subprocess.PIPE, text=True
    )
    seen = set()
    while program.poll() is None:
        text = (directory / PRIVATE).read_text()
        assert text.startswith("-----BEGIN PRIVATE KEY-----\n") and text.endswith("\n-----END PRIVATE KEY-----\n")
        assert files.mode(directory / PRIVATE) == 0o600
        seen.add(text)
        time.sleep(0.002)
    assert program.stdout
    print(program.stdout.read())
    assert program.returncode == 0
    assert len(seen) > 2, "the files were not replaced"
    assert driver.ok(f"dir={directory}", "public") == files.pair_pem(directory) != CLIENT
    assert files.listing(directory).keys() == {PRIVATE, PUBLIC}


def test_due_keys_are_replaced_at_the_start_of_a_request(driver: Driver, endpoint: Endpoint, tmp_path: Path) -> None:
    directory = files.pair_in(tmp_path / "keys", "client_private.pem")
    words = [*endpoint.asked(f"dir={directory}", "rotation=500"), "chat", "early", "pause", "chat", "late", "public"]
    with driver.start(*words) as process:
        assert process.stdin and process.stdout
        assert process.stdout.readline() == b"chat NOMYO_OK early\n"
        process.stdout.readline()
        assert files.pair_pem(directory) == CLIENT, "replaced before it was due"
        time.sleep(0.6)
        assert files.pair_pem(directory) == CLIENT, "replaced without a request"
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"chat NOMYO_OK late\n"
        process.communicate(timeout=60)
    assert driver.ok(f"dir={directory}", "public") == files.pair_pem(directory) != CLIENT


@pytest.mark.parametrize("how", ["never", "loaded"])
def test_keys_that_are_never_due_stay(driver: Driver, endpoint: Endpoint, tmp_path: Path, how: str) -> None:
    directory = files.pair_in(tmp_path / "keys", "client_private.pem")
    before = files.listing(directory)
    keys = [f"dir={directory}", "rotation=0"] if how == "never" else ["rotation=1"]
    load = [] if how == "never" else ["load", directory / PRIVATE, directory / PUBLIC, "-"]
    assert driver.ok(*endpoint.asked(*keys), *load, "chat", "one", "chat", "two", "public") == CLIENT
    assert files.listing(directory) == before


def test_due_keys_that_another_process_has_replaced_are_taken_over(
    driver: Driver, endpoint: Endpoint, tmp_path: Path
) -> None:
    directory = files.pair_in(tmp_path / "keys", "client_private.pem")
    words = [*endpoint.asked(f"dir={directory}", "rotation=100"), "public", "pause", "chat", "hello", "public"]
    with driver.start(*words) as process:
        assert process.stdin and process.stdout
        process.stdout.readline(), process.stdout.readline()
        new = driver.ok(f"dir={directory}", "rotate", "public")
        rest, _ = process.communicate(b"\n", timeout=60)
    assert rest.decode().splitlines()[-2] == "chat NOMYO_OK hello"
    assert files.pair_pem(directory) == new


def test_a_pair_that_was_replaced_is_gone_from_memory(driver: Driver, tmp_path: Path) -> None:
    numbers = files.private_key(KEYS / "client_private.pem").private_numbers()
    primes = [prime.to_bytes(256, order) for prime in (numbers.p, numbers.q) for order in ("little", "big")]
    directory = files.pair_in(tmp_path / "keys", "client_private.pem")
    with driver.start(f"dir={directory}", "public", "pause", "rotate", "pause") as process:
        assert process.stdin and process.stdout

        def found() -> int:
            runs = Snapshot(process.pid).runs
            return sum(run.data.count(prime[at : at + 32]) for run in runs for prime in primes for at in (0, 128))

        process.stdout.readline(), process.stdout.readline()
        assert found() > 0, "the search does not find what is there"
        process.stdin.write(b"\n")
        process.stdin.flush()
        process.stdout.readline(), process.stdout.readline()
        assert found() == 0
        process.communicate(b"\n", timeout=60)
