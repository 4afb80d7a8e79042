"""File systems as they are: without modes, without locks, in layers, and with calls that fail."""

import subprocess
from pathlib import Path

import files
import pytest
import strace
import users
from driver import IO, KEY, KEYS, PIN, Driver, Word
from endpoint import Endpoint, fingerprint
from files import PRIVATE, PUBLIC
from namespace import Namespace

CLIENT = (KEYS / "client_public.pem").read_text()
RIGHT = fingerprint(KEYS / "server_public.pem")
NO_LOCKS = ["ENOSYS", "ENOLCK", "EOPNOTSUPP", "EINVAL"]


@pytest.fixture
def traced() -> None:
    if not strace.available():
        pytest.skip("strace may not trace processes here")


def two(tmp_path: Path) -> tuple[Path, Path]:
    """A directory, and an empty mount point."""
    under, point = tmp_path / "under", tmp_path / "point"
    under.mkdir(mode=0o755)
    point.mkdir(mode=0o755)
    return under, point


def saving(tmp_path: Path, directory: Path) -> list[Word]:
    key = tmp_path / "key.pem"
    if not key.exists():
        files.private_copy("client_private.pem", key)
    return ["load", key, "-", "-", "save", directory, "-"]


# --- without owners and modes

# The options of bindfs, and a part of the message. The directory itself looks safe, except in the last two.
BOUND = {
    "new files have the mode 0666": (["--perms=fa=rwX:da=rx:du+w"], "mode 0666"),
    "new files are for the group": (["--perms=fug=rw:fo=:da=rx:du+w"], "mode 0660"),
    "new files belong to another user": ([f"--create-for-user={users.STRANGER}"], f"owner {users.STRANGER}"),
    "everything is for all": (["--perms=a=rwX"], "other users may write"),
    "everything belongs to another user": ([f"--force-user={users.STRANGER}"], f"user {users.STRANGER}"),
}


def no_byte_is_written(driver: Driver, namespace: Namespace, log: Path, disk: Path, status: str, *words: Word) -> str:
    """The message of a step that is refused. No write() names a file of the disk, not even for a moment."""
    trace = ["strace", "-f", "-qq", "-y", "-o", log, "-e", "trace=write,writev,pwrite64,pwritev"]
    said = driver.refused(status, *words, before=[*namespace.enter, *trace])
    written = [line for line in log.read_text().splitlines() if f"<{disk}/" in line]
    assert not written, written
    return said


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("case", BOUND)
def test_a_file_system_without_owners_and_modes_gets_no_byte(
    driver: Driver, endpoint: Endpoint, pair: Path, tmp_path: Path, case: str
) -> None:
    users.need_root()
    options, why = BOUND[case]
    under, point = two(tmp_path)
    with Namespace() as namespace:
        namespace.serve(point, "bindfs", "-f", *options, under, point)
        first_use = [*endpoint.asked(f"dir={pair}", f"known={point / 'known'}"), "chat", "hello"]
        requests = endpoint.requests()
        generating: list[Word] = ["generate", point, files.PASSWORD]
        for words in (saving(tmp_path, point), [f"dir={point}", "public"], generating, first_use):
            said = no_byte_is_written(driver, namespace, tmp_path / "log", point, KEY, *words)
            assert why in said and str(point) in said, said
            assert not files.listing(under), words
        assert endpoint.requests() == requests


@pytest.mark.usefixtures("traced")
def test_a_pair_that_is_for_all_on_such_a_file_system_is_neither_loaded_nor_replaced(
    driver: Driver, tmp_path: Path
) -> None:
    users.need_root()
    _, point = two(tmp_path)
    keys = files.pair_in(tmp_path / "keys", "client_private.pem")
    before = files.tree(keys)
    with Namespace() as namespace:
        namespace.serve(point, "bindfs", "-f", *BOUND["new files have the mode 0666"][0], keys, point)
        for step in ("public", "rotate"):
            words = [f"dir={point}", step]
            assert "other users" in no_byte_is_written(driver, namespace, tmp_path / "log", point, KEY, *words)
    assert files.tree(keys) == before


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("kind", ["ntfs-3g", "vfat"])
def test_a_disk_of_another_system_gets_no_byte(driver: Driver, tmp_path: Path, kind: str) -> None:
    users.need_root()
    image, (_, point) = tmp_path / "image", two(tmp_path)
    image.write_bytes(b"")
    with image.open("r+b") as file:
        file.truncate(8 << 20)
    with Namespace() as namespace:
        if kind == "ntfs-3g":
            subprocess.run(["mkntfs", "-q", "-Q", "-F", image], check=True, capture_output=True)
            options = "no_detach,dmask=022,fmask=0"
            namespace.serve(point, "ntfs-3g", "-o", options, image, point)
        else:
            subprocess.run(["mkfs.vfat", image], check=True, capture_output=True)
            namespace.try_mount("-t", "vfat", "-o", "loop,dmask=022,fmask=0", image, point)
        for words in (saving(tmp_path, point), [f"dir={point / 'keys'}", "public"]):
            said = no_byte_is_written(driver, namespace, tmp_path / "log", point, KEY, *words)
            assert "0777" in said and "file system" in said
        there = [path for path in namespace.outside(point).rglob("*") if path.is_file()]
        assert all(path.stat().st_size == 0 for path in there), there


# --- in layers


def test_a_pair_in_the_lower_layer_is_loaded_and_its_rotation_is_in_the_upper_layer(
    driver: Driver, tmp_path: Path
) -> None:
    lower, upper, work, point = (tmp_path / name for name in ("lower", "upper", "work", "point"))
    for made in (lower, work, point, upper):
        made.mkdir(mode=0o755)
    before = files.tree(files.pair_in(lower / "keys", "client_private.pem"))
    disk = tmp_path / "disk"
    disk.mkdir()
    with Namespace() as namespace:
        # The upper layer of a container is not itself an overlay.
        namespace.mount("-t", "tmpfs", "tmpfs", disk)
        for name in ("upper", "work"):
            namespace.outside(disk / name).mkdir(mode=0o755)
        layers = f"lowerdir={lower},upperdir={disk / 'upper'},workdir={disk / 'work'}"
        namespace.try_mount("-t", "overlay", "-o", layers, "overlay", point)
        directory = point / "keys"
        assert driver.ok(f"dir={directory}", "public", before=namespace.enter) == CLIENT
        new = driver.ok(f"dir={directory}", "rotate", "public", before=namespace.enter)
        assert new != CLIENT
        assert driver.ok(f"dir={directory}", "public", before=namespace.enter) == new
        assert files.pair_pem(namespace.outside(directory)) == new
        assert driver.ok(f"dir={point / 'other'}", "public", before=namespace.enter) not in (new, CLIENT)
    assert files.tree(lower / "keys") == before


# --- without locks


def failing(name: str, error: str, when: str = "1+") -> list[Word]:
    """The command that starts a program whose calls of that name fail."""
    inject = f"inject={name}:error={error}:when={when}"
    return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={name}", "-e", inject]


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("error", NO_LOCKS)
def test_without_locks_a_pair_is_read_and_the_error_of_a_change_says_what_is_missing(
    driver: Driver, tmp_path: Path, error: str
) -> None:
    directory = files.pair_in(tmp_path / "keys", "client_private.pem")
    before = files.tree(directory)
    assert driver.ok(f"dir={directory}", "public", before=failing("flock", error)) == CLIENT
    empty = tmp_path / "empty"
    empty.mkdir(mode=0o700)
    for place, words in (
        (directory, [f"dir={directory}", "public", "rotate"]),
        (empty, [f"dir={empty}", "public"]),
        (empty, saving(tmp_path, empty)),
    ):
        said = driver.refused(IO, *words, before=failing("flock", error))
        assert str(place) in said and "file system" in said and "lock" in said, said
        assert "another process" not in said and "another client" not in said, said
    assert files.tree(directory) == before and not files.listing(empty)


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("error", NO_LOCKS)
def test_without_locks_a_known_server_is_checked_and_a_new_one_is_not_used(
    driver: Driver, endpoint: Endpoint, pair: Path, tmp_path: Path, error: str
) -> None:
    (tmp_path / "memory").mkdir(mode=0o700)
    known = tmp_path / "memory" / "known"
    words = [*endpoint.asked(f"dir={pair}", f"known={known}"), "chat", "hello"]
    requests = endpoint.requests()
    said = driver.refused(IO, *words, before=failing("flock", error))
    assert "lock" in said and "file system" in said and endpoint.requests() == requests and not known.exists()
    known.write_text(f"{endpoint.url} {RIGHT}\n")
    known.chmod(0o600)
    assert driver.ok(*words, before=failing("flock", error)) == "hello"
    known.write_text(f"{endpoint.url} {'ab' * 32}\n")
    driver.refused(PIN, *words, before=failing("flock", error))


# --- calls that fail


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("error", ["EINVAL", "ENOSYS", "EOPNOTSUPP"])
def test_a_directory_that_cannot_be_synchronised_is_still_written_to(
    driver: Driver, tmp_path: Path, error: str
) -> None:
    calls = strace.calls(driver, tmp_path / "first", *saving(tmp_path, tmp_path / "first"))
    syncs = [call for call in calls if call.name == "fsync" and call.arguments.endswith(f"<{tmp_path / 'first'}>")]
    assert syncs
    for number, call in enumerate(syncs):
        directory = tmp_path / f"keys-{number}"
        driver.ok(*saving(tmp_path, directory), before=strace.refused_at(call, error))
        assert files.pair_pem(directory) == CLIENT
        assert files.listing(directory).keys() == {PRIVATE, PUBLIC}


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("error", ["EIO", "EINVAL", "EACCES"])
def test_a_file_that_cannot_be_synchronised_or_a_failing_disk_is_an_error(
    driver: Driver, tmp_path: Path, error: str
) -> None:
    calls = strace.calls(driver, tmp_path / "first", *saving(tmp_path, tmp_path / "first"))
    file_sync = next(call for call in calls if call.name == "fsync" and "first/." in call.arguments)
    directory = tmp_path / "keys"
    said = driver.refused(IO, *saving(tmp_path, directory), before=strace.refused_at(file_sync, error))
    assert str(directory) in said and not files.listing(directory)


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("error", ["EIO", "EACCES", "ENOSPC"])
def test_when_only_the_second_rename_fails_the_error_names_the_pair_in_force(
    driver: Driver, tmp_path: Path, error: str
) -> None:
    words = ["public", "rotate", "public"]
    traced = files.pair_in(tmp_path / "traced", "client_private.pem")
    calls = strace.calls(driver, traced, f"dir={traced}", *words)
    renames = [call for call in calls if call.name.startswith("rename")]
    assert len(renames) == 2 and renames[1].arguments.count(PUBLIC)
    directory = files.pair_in(tmp_path / "keys", "client_private.pem")
    steps = driver.run(f"dir={directory}", *words, before=strace.refused_at(renames[1], error))
    assert [step.status for step in steps] == ["NOMYO_OK", IO, "NOMYO_OK"]
    said = steps[1].text
    assert "new pair" in said and str(directory) in said and "old" in said, said
    assert "as it was" not in said, said
    assert steps[2].text == steps[0].text == CLIENT, "this client goes on with the old pair"
    new = files.spki(files.private_key(directory / PRIVATE).public_key())
    assert new != CLIENT, "the new private file is in the directory"
    assert driver.ok(f"dir={directory}", "public") == new
    assert files.pair_pem(directory) == new and files.listing(directory).keys() == {PRIVATE, PUBLIC}
