"""What cannot be written is an error that says so, and the files that were there are byte for byte as they were."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import files
import pytest
import strace
from driver import IO, KEYS, Driver
from files import PRIVATE, PUBLIC
from namespace import Namespace

CLIENT = (KEYS / "client_public.pem").read_text()
PAGE = 4096


def small(namespace: Namespace, tmp_path: Path, options: str, pair: bool) -> Path:
    """A file system with little room; the directory in it, with or without a pair of two pages."""
    disk = tmp_path / "disk"
    disk.mkdir()
    namespace.mount("-t", "tmpfs", "-o", options, "tmpfs", disk)
    directory = disk / "keys"
    if pair:
        files.pair_in(namespace.outside(directory), "client_private.pem")
    return directory


@pytest.mark.parametrize("free", [0, 1], ids=["no page", "one page"])
def test_a_full_disk_fails_a_rotation_and_changes_nothing(driver: Driver, tmp_path: Path, free: int) -> None:
    with Namespace() as namespace:
        directory = small(namespace, tmp_path, f"size={(3 + free) * PAGE}", pair=True)
        filler = namespace.outside(directory.parent / "filler")
        filler.write_bytes(bytes(PAGE))
        before = files.listing(namespace.outside(directory))
        words = [f"dir={directory}", "public", "rotate", "public", "pause", "rotate", "public"]
        with driver.start(*words, before=namespace.enter) as process:
            assert process.stdin and process.stdout
            said = [process.stdout.readline().decode() for _ in range(4)]
            assert said[1].startswith(f"rotate {IO} ") and str(directory) in said[1]
            assert said[0] == said[2], "the client does not go on with its pair"
            assert files.listing(namespace.outside(directory)) == before
            filler.unlink()
            namespace.mount("-o", f"remount,size={8 * PAGE}", directory.parent)
            rest, _ = process.communicate(b"\n", timeout=60)
        new = rest.decode().splitlines()[-1].split(" ", 2)[2].replace("|", "\n")
        assert rest.decode().startswith("rotate NOMYO_OK") and new != CLIENT
        assert files.pair_pem(namespace.outside(directory)) == new


@pytest.mark.parametrize("pages", [1, 2], ids=["one page", "two pages"])
def test_a_disk_that_is_too_small_for_a_pair_gets_none(driver: Driver, tmp_path: Path, pages: int) -> None:
    with Namespace() as namespace:
        directory = small(namespace, tmp_path, f"size={pages * PAGE}", pair=False)
        (namespace.outside(directory.parent) / "filler").write_bytes(bytes((pages - 1) * PAGE))
        key = files.private_copy("client_private.pem", tmp_path / "key.pem")
        for words in (["load", key, "-", "-", "save", directory, "-"], [f"dir={directory}", "public"]):
            assert str(directory) in driver.refused(IO, *words, before=namespace.enter)
            assert not files.listing(namespace.outside(directory))


def test_a_disk_without_room_for_a_name_still_gives_the_pair_that_it_has(driver: Driver, tmp_path: Path) -> None:
    with Namespace() as namespace:
        directory = small(namespace, tmp_path, "size=1m,nr_inodes=4", pair=True)  # root, directory, two files
        before = files.listing(namespace.outside(directory))
        assert driver.ok(f"dir={directory}", "public", before=namespace.enter) == CLIENT
        said = driver.refused(IO, f"dir={directory}", "public", "rotate", before=namespace.enter)
        assert str(directory) in said
        assert files.listing(namespace.outside(directory)) == before


def test_a_read_only_directory_gives_the_pair_that_it_has_and_takes_none(driver: Driver, tmp_path: Path) -> None:
    with Namespace() as namespace:
        directory = small(namespace, tmp_path, "size=1m", pair=True)
        empty = directory.parent / "empty"
        namespace.outside(empty).mkdir(mode=0o700)
        namespace.mount("-o", "remount,ro", directory.parent)
        before = files.listing(namespace.outside(directory))
        words = [f"dir={directory}", "public", "rotate", "public"]
        steps = driver.run(*words, before=namespace.enter)
        assert [step.status for step in steps] == ["NOMYO_OK", IO, "NOMYO_OK"]
        assert steps[0].text == steps[2].text == CLIENT and str(directory) in steps[1].text
        key = files.private_copy("client_private.pem", tmp_path / "key.pem")
        for there in (empty, directory.parent / "new"):
            assert str(there) in driver.refused(IO, f"dir={there}", "public", before=namespace.enter)
            words = ["load", key, "-", "-", "save", there, "-"]
            assert str(there) in driver.refused(IO, *words, before=namespace.enter)
        assert files.listing(namespace.outside(directory)) == before


def rotating(directory: Path) -> list[str]:
    return [f"dir={directory}", "public", "rotate"]


def test_whatever_system_call_of_a_rotation_fails_a_pair_is_left(driver: Driver, tmp_path: Path) -> None:
    if not strace.available():
        pytest.skip("strace may not trace processes here")
    directory = files.pair_in(tmp_path / "keys", "client_private.pem")
    calls = strace.calls(driver, directory, *rotating(directory))
    first = next(number for number, call in enumerate(calls) if "O_EXCL" in call.arguments)

    def fail(number: int) -> str:
        call = calls[number]
        directory = files.pair_in(tmp_path / f"keys-{number:02}", "client_private.pem")
        before = {name: kept[0] for name, kept in files.listing(directory).items()}
        error = "ENOSPC" if call.name.startswith("write") else "EIO"
        steps = driver.run(*rotating(directory), before=strace.refused_at(call, error))
        assert steps[1].status in ("NOMYO_OK", IO), call
        after = {name: kept[0] for name, kept in files.listing(directory).items()}
        for name in before:
            if f"{directory / name} could not be replaced, and is as it was" in steps[1].text:
                assert after[name] == before[name], call
        if "what was there before is as it was" in steps[1].text:
            assert after == before, call
        pem = driver.ok(f"dir={directory}", "public")
        assert files.pair_pem(directory) == pem and files.listing(directory).keys() == {PRIVATE, PUBLIC}, call
        assert steps[1].status == IO or pem != CLIENT, f"{call} failed, and nothing was said of it"
        return steps[1].status

    with ThreadPoolExecutor(2) as pool:
        assert IO in set(pool.map(fail, range(first, len(calls))))
