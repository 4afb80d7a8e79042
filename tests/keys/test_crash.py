"""At no instant is a private file readable by others or half-written, and a kill at any moment leaves a pair."""

import random
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import files
import pytest
import strace
from driver import KEY, KEYS, Driver, Word
from files import PASSWORD, PRIVATE, PUBLIC

CLIENT = (KEYS / "client_public.pem").read_text()
# The seed of the moments; they still are as random as the machine's load.
MOMENTS = 20_240_607


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return files.private_copy("client_private.pem", tmp_path / "key.pem")


@pytest.fixture(scope="session")
def traced() -> None:
    if not strace.available():
        pytest.skip("strace may not trace processes here")


def saving(key: Path, directory: Path) -> list[Word]:
    return ["load", key, "-", "-", "save", directory, "-"]


def rotating(directory: Path) -> list[Word]:
    return [f"dir={directory}", "public", "rotate"]


# --- what it asks the system for


def check_order(calls: list[strace.Call], directory: Path) -> None:
    """The whole of the file rules, in the order of the system calls."""
    opened: dict[str, str] = {}
    synced: set[str] = set()
    unsynced_renames: set[str] = set()
    for call in calls:
        names = re.findall(r'"([^"]*)"', call.arguments)
        if call.name in ("open", "openat", "creat") and call.result >= 0:
            name = Path(names[0]).name
            if name in (PRIVATE, PUBLIC):
                assert "O_RDONLY" in call.arguments and "O_NOFOLLOW" in call.arguments, call
            elif "O_CREAT" in call.arguments:
                assert "O_NOFOLLOW" in call.arguments, call
                mode = int(call.arguments.rsplit(" ", 1)[1], 8)
                assert mode == 0o600 or (PUBLIC in name and mode == 0o644), call
                opened[name] = call.arguments
        elif call.name in ("write", "writev", "pwrite64"):
            written = Path(re.findall(r"<([^>]*)>", call.arguments)[0])
            assert written.parent == directory and written.name not in (PRIVATE, PUBLIC), call
            assert "O_EXCL" in opened[written.name], call
            synced.discard(written.name)
        elif call.name in ("fsync", "fdatasync"):
            path = Path(re.findall(r"<([^>]*)>", call.arguments)[0])
            synced.add(path.name)
            if path == directory:
                unsynced_renames.clear()
        elif call.name in ("rename", "renameat", "renameat2"):
            source, target = (Path(name).name for name in names)
            assert source in synced, f"{call}: not yet on the disk"
            assert target in (PRIVATE, PUBLIC), call
            unsynced_renames.add(target)
        elif call.name.startswith("unlink"):
            assert Path(names[0]).name not in (PRIVATE, PUBLIC), call
        elif call.name.startswith("mkdir"):
            assert call.arguments.endswith(" 0700"), call
        else:
            assert call.name == "flock", call
    assert not unsynced_renames, "the directory is not synchronised after the last rename"


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("password", ["-", PASSWORD], ids=["plain", "password"])
def test_a_save_writes_beside_synchronises_and_renames(
    driver: Driver, tmp_path: Path, key: Path, password: str
) -> None:
    directory = tmp_path / "keys"
    calls = strace.calls(driver, directory, "load", key, "-", "-", "save", directory, password, umask=0)
    check_order(calls, directory)
    assert [call.name for call in calls].count("renameat") + [call.name for call in calls].count("rename") == 2


@pytest.mark.usefixtures("traced")
def test_generation_and_rotation_do_the_same(driver: Driver, tmp_path: Path) -> None:
    directory = tmp_path / "keys"
    calls = strace.calls(driver, directory, *rotating(directory), umask=0)
    check_order(calls, directory)
    renames = [call for call in calls if call.name.startswith("rename")]
    assert len(renames) == 4, "a generation, and a rotation"


# --- kill -9


def check_after_kill(driver: Driver, directory: Path, allowed: set[str] | None = None) -> str:
    """What is there loads: by its private file alone even before the library has looked, and as a pair after that."""
    private = directory / PRIVATE
    held = files.spki(files.private_key(private).public_key()) if private.exists() else None
    for path in directory.iterdir() if directory.exists() else ():
        assert files.mode(path) == 0o600 or "public" in path.name, path
    pem = driver.ok(f"dir={directory}", "public")
    assert held in (None, pem), "the pair that loads is not that of the private file that was there"
    assert files.pair_pem(directory) == pem
    assert allowed is None or pem in allowed
    assert set(files.listing(directory)) == {PRIVATE, PUBLIC}, "something stayed behind"
    return pem


@pytest.mark.usefixtures("traced")
def test_a_save_that_is_killed_at_any_system_call_leaves_no_pair_or_all_of_it(
    driver: Driver, tmp_path: Path, key: Path
) -> None:
    directory = tmp_path / "keys-00"
    calls = strace.calls(driver, directory, *saving(key, directory))
    assert len(calls) > 10
    outcomes = set()
    for number, call in enumerate(calls):
        directory = tmp_path / f"keys-{number + 1:02}"
        strace.killed_at(driver, call, *saving(key, directory))
        begun = directory.exists() and any((directory / name).exists() for name in (PRIVATE, PUBLIC))
        if not begun:
            # What was not begun can be done again, and was never more than rubbish beside.
            driver.ok(*saving(key, directory))
        outcomes.add(begun)
        check_after_kill(driver, directory, {CLIENT})
    assert outcomes == {False, True}


@pytest.mark.usefixtures("traced")
def test_a_rotation_that_is_killed_at_any_system_call_leaves_the_old_pair_or_the_new(
    driver: Driver, tmp_path: Path
) -> None:
    directory = files.pair_in(tmp_path / "keys-00", "client_private.pem")
    calls = strace.calls(driver, directory, *rotating(directory))
    renames = [number for number, call in enumerate(calls) if call.name.startswith("rename")]
    # From the first that writes: what comes before only reads.
    first = next(number for number, call in enumerate(calls) if "O_EXCL" in call.arguments)

    def kill(number: int) -> None:
        directory = files.pair_in(tmp_path / f"keys-{number + 1:02}", "client_private.pem")
        strace.killed_at(driver, calls[number], *rotating(directory))
        replaced = check_after_kill(driver, directory) != CLIENT
        assert replaced == (number > renames[0]), calls[number]

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(kill, range(first, len(calls))))


def kill_after(driver: Driver, trigger: Path | None, seconds: float, *words: Word) -> None:
    """Starts the steps and kills them `seconds` later, counted from when `trigger` appears if there is one."""
    with driver.start(*words) as process:
        until = time.monotonic() + 60
        while trigger is not None and not trigger.exists():
            assert process.poll() is None and time.monotonic() < until, f"{trigger} never appeared"
            time.sleep(0.0002)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL


def test_saves_that_are_killed_at_160_random_moments_leave_no_pair_or_all_of_it(
    driver: Driver, tmp_path: Path, key: Path
) -> None:
    moments = random.Random(MOMENTS)
    plans = [(tmp_path / f"{number:03}", moments.uniform(0, 0.02)) for number in range(160)]

    def kill(plan: tuple[Path, float]) -> bool:
        base, delay = plan
        base.mkdir()
        kill_after(driver, base / "0", delay, "load", key, "-", "-", "save-each", base)
        # The last is the one that was cut off; those before it are whole.
        *earlier, last = sorted(base.iterdir(), key=lambda path: int(path.name))
        for directory in earlier[-2:]:
            assert files.pair_pem(directory) == CLIENT
        begun = any((last / name).exists() for name in (PRIVATE, PUBLIC))
        if not begun:
            driver.ok(*saving(key, last))
        check_after_kill(driver, last, {CLIENT})
        return begun

    with ThreadPoolExecutor(2) as pool:
        assert True in set(pool.map(kill, plans))


def test_rotations_that_are_killed_at_40_random_moments_leave_a_pair(driver: Driver, tmp_path: Path) -> None:
    moments = random.Random(MOMENTS)
    # Every second one is aimed at the writing, which is short beside the generation.
    plans = [(number, moments.uniform(0, 0.01 if number % 2 else 1.2)) for number in range(40)]

    def kill(plan: tuple[int, float]) -> None:
        number, delay = plan
        directory = files.pair_in(tmp_path / f"{number:03}", "client_private.pem")
        trigger = directory / f".{PRIVATE}.new" if number % 2 else None
        kill_after(driver, trigger, delay, f"dir={directory}", "rotate-forever")
        check_after_kill(driver, directory)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(kill, plans))


@pytest.mark.parametrize("public", ["client_public.pem", "third", "none"])
def test_only_the_other_half_of_the_private_file_finishes_a_rotation_that_was_cut_off(
    driver: Driver, tmp_path: Path, public: str
) -> None:
    """A temporary file of another key may lie about, as after a restored backup; it is put in nobody's place."""
    directory = files.pair_in(tmp_path / "keys", "client_private.pem")
    (directory / f".{PUBLIC}.new").write_bytes((KEYS / "other_public.pem").read_bytes())
    if public == "third":
        (directory / PUBLIC).write_bytes((KEYS / "client2048_public.pem").read_bytes())
    elif public == "none":
        (directory / PUBLIC).unlink()
    before = files.listing(directory)
    if public == "client_public.pem":
        assert driver.ok(f"dir={directory}", "public") == CLIENT
    else:
        assert str(directory / PUBLIC) in driver.refused(KEY, f"dir={directory}", "public")
    assert {name: files.listing(directory).get(name) for name in (PRIVATE, PUBLIC)} == {
        name: before.get(name) for name in (PRIVATE, PUBLIC)
    }


def test_a_wrong_password_finishes_no_rotation_that_was_cut_off(driver: Driver, tmp_path: Path) -> None:
    directory = files.pair_in(tmp_path / "keys", public="other_public.pem")
    (directory / f".{PUBLIC}.new").write_text(CLIENT)
    before = files.listing(directory)
    driver.refused(KEY, f"dir={directory}", "password=incorrect horse", "public")
    assert files.listing(directory) == before
    assert driver.ok(f"dir={directory}", f"password={PASSWORD}", "public") == CLIENT
    assert files.pair_pem(directory, PASSWORD) == CLIENT and files.listing(directory).keys() == {PRIVATE, PUBLIC}
