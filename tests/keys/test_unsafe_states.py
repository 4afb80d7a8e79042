"""Files and directories that others can read or change are refused, with the command that repairs them.

Each case is set up, refused without any change on disk, repaired by the command that the message names, and accepted.
"""

import os
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import files
import pytest
import users
from driver import KEY, KEYS, PIN, Driver, Word
from endpoint import Endpoint, fingerprint
from files import PASSWORD, PRIVATE, PUBLIC
from users import STRANGER, USER, give

RIGHT = fingerprint(KEYS / "server_public.pem")
CLIENT = (KEYS / "client_public.pem").read_text()
COMMAND = re.compile(r"(?:run|use that): ((?:chmod|chown|mkdir) [^;]*'(?:[^']|'\\'')*')")
Make = Callable[[Path], object]


@dataclass(frozen=True)
class State:
    """An unsafe state of a scene: a pair in `keys`, an empty `own`, and `known` in `memory`."""

    make: Make
    # A part of the message. Each command that is tried begins with one of `repairs`.
    said: str
    repairs: tuple[str, ...] = ()
    # The file or directory that the message names.
    names: str = f"keys/{PRIVATE}"
    # Settings with which the state is not unsafe.
    settings: tuple[str, ...] = ()
    # Settings with which the state is unsafe.
    given: tuple[str, ...] = ()
    # The directory that is used after the repair.
    instead: str = ""
    status: str = KEY
    root: bool = False


def chmod(name: str, mode: int) -> Make:
    return lambda scene: (scene / name).chmod(mode)


def stranger(name: str, mode: int | None = None) -> Make:
    def make(scene: Path) -> None:
        os.chown(scene / name, STRANGER, STRANGER, follow_symlinks=False)
        if mode is not None:
            (scene / name).chmod(mode)

    return make


def roots(name: str, mode: int) -> Make:
    def make(scene: Path) -> None:
        os.chown(scene / name, 0, USER)
        (scene / name).chmod(mode)

    return make


def replaced(name: str, put: Make) -> Make:
    def make(scene: Path) -> None:
        (scene / name).unlink()
        put(scene / name)
        if os.geteuid() == 0:
            os.chown(scene / name, USER, USER, follow_symlinks=False)

    return make


def a_socket(path: Path) -> None:
    # The path of a socket has at most 107 bytes.
    with socket.socket(socket.AF_UNIX) as made:
        os.chdir(path.parent)
        made.bind(path.name)
        path.chmod(0o600)


def linked(name: str, through: str = "linked", setup: Make = lambda directory: None) -> Make:
    """Moves the file into another directory and puts a link to it in its place."""

    def make(scene: Path) -> None:
        (scene / through).mkdir(mode=0o755)
        (scene / name).rename(scene / through / "file")
        (scene / name).symlink_to(scene / through / "file")
        if os.geteuid() == 0:
            for made in (scene / name, scene / through):
                os.chown(made, USER, USER, follow_symlinks=False)
        setup(scene)

    return make


def a_link_to_the_directory(scene: Path) -> None:
    (scene / "keys").rename(scene / "real")
    (scene / "keys").symlink_to("real")


CHMOD, GO_W, CHOWN = ("chmod 600 ",), ("chmod go-w ",), ("chown ", "chmod 600 ")
PAIR = {
    "private file readable by the group": State(chmod(f"keys/{PRIVATE}", 0o640), "other users", CHMOD),
    "private file readable by all": State(chmod(f"keys/{PRIVATE}", 0o604), "other users", CHMOD),
    "private file writable by the group": State(chmod(f"keys/{PRIVATE}", 0o620), "other users", CHMOD),
    "private file writable by all": State(chmod(f"keys/{PRIVATE}", 0o602), "other users", CHMOD),
    "private file for the group": State(chmod(f"keys/{PRIVATE}", 0o660), "other users", CHMOD),
    "private file for all": State(chmod(f"keys/{PRIVATE}", 0o777), "other users", CHMOD),
    "private file of another user": State(stranger(f"keys/{PRIVATE}", 0o644), f"user {STRANGER}", CHOWN, root=True),
    "public file of another user": State(
        stranger(f"keys/{PUBLIC}"), f"user {STRANGER}", CHOWN, f"keys/{PUBLIC}", root=True
    ),
    "own file readable by the group, with the setting": State(
        chmod(f"keys/{PRIVATE}", 0o640), "other users", CHMOD, given=("group=1",)
    ),
    "mounted file readable by the group, without the setting": State(
        roots(f"keys/{PRIVATE}", 0o440), "key_group_read", settings=("group=1",), root=True
    ),
    "mounted file writable by the group, with the setting": State(
        roots(f"keys/{PRIVATE}", 0o660), "other users", given=("group=1",), root=True
    ),
    "mounted file readable by all, with the setting": State(
        roots(f"keys/{PRIVATE}", 0o444), "other users", given=("group=1",), root=True
    ),
    "directory writable by the group": State(chmod("keys", 0o770), "other users", GO_W, "keys"),
    "directory writable by all": State(chmod("keys", 0o707), "other users", GO_W, "keys"),
    "sticky directory writable by all": State(
        chmod("keys", 0o1777), "other users", ("mkdir -m 700 ",), "keys", instead="keys/nomyo"
    ),
    "directory of another user": State(stranger("keys", 0o755), f"user {STRANGER}", ("chown ",), "keys", root=True),
    "directory is a link": State(a_link_to_the_directory, "symbolic link", names="keys"),
    "link of another user": State(
        linked(f"keys/{PRIVATE}", setup=stranger(f"keys/{PRIVATE}")), f"user {STRANGER}", ("chown -h ",), root=True
    ),
    "link through a directory of another user": State(
        linked(f"keys/{PRIVATE}", setup=stranger("linked")), f"user {STRANGER}", ("chown ",), "linked", root=True
    ),
    "link through a directory that the group can write": State(
        linked(f"keys/{PRIVATE}", setup=chmod("linked", 0o775)), "other users", GO_W, "linked"
    ),
    "link to a file readable by all": State(
        linked(f"keys/{PRIVATE}", setup=chmod("linked/file", 0o644)), "other users", CHMOD, "linked/file"
    ),
    "link to nothing": State(
        replaced(f"keys/{PRIVATE}", lambda path: path.symlink_to("nowhere")), "not there", names="keys/nowhere"
    ),
    "link to itself": State(replaced(f"keys/{PRIVATE}", lambda path: path.symlink_to(path.name)), "links lead"),
    "pipe": State(replaced(f"keys/{PRIVATE}", lambda path: os.mkfifo(path, 0o600)), "not a regular file"),
    "directory in the file's place": State(
        replaced(f"keys/{PRIVATE}", lambda path: path.mkdir(mode=0o700)), "not a regular file"
    ),
    "socket": State(replaced(f"keys/{PRIVATE}", a_socket), "not a regular file"),
    "device": State(
        replaced(f"keys/{PRIVATE}", lambda path: os.mknod(path, 0o20600, os.makedev(1, 5))),
        "not a regular file",
        root=True,
    ),
    "more than 64 KiB": State(
        lambda scene: (scene / "keys" / PRIVATE).write_bytes(b"#" * 65537), "64 KiB", names=f"keys/{PRIVATE}"
    ),
    "a password for an unencrypted file": State(
        lambda scene: None, "not encrypted", given=(f"password={PASSWORD}",)
    ),
    "private file is missing": State(lambda scene: (scene / "keys" / PRIVATE).unlink(), "missing"),
    "public file is missing": State(
        lambda scene: (scene / "keys" / PUBLIC).unlink(), "missing", names=f"keys/{PUBLIC}"
    ),
    "another public file": State(
        lambda scene: (scene / "keys" / PUBLIC).write_bytes((KEYS / "other_public.pem").read_bytes()),
        "not the other half",
        names=f"keys/{PUBLIC}",
    ),
}
# By the paths of the files.
LOAD = {
    "readable by the group": State(chmod(f"keys/{PRIVATE}", 0o640), "other users", CHMOD),
    "readable by all": State(chmod(f"keys/{PRIVATE}", 0o604), "other users", CHMOD),
    "of another user": State(stranger(f"keys/{PRIVATE}", 0o644), f"user {STRANGER}", CHOWN, root=True),
    "public file of another user": State(
        stranger(f"keys/{PUBLIC}"), f"user {STRANGER}", CHOWN, f"keys/{PUBLIC}", root=True
    ),
    "directory writable by all": State(chmod("keys", 0o777), "other users", GO_W, "keys"),
    "directory of another user": State(stranger("keys", 0o755), f"user {STRANGER}", ("chown ",), "keys", root=True),
    "pipe": State(replaced(f"keys/{PRIVATE}", lambda path: os.mkfifo(path, 0o600)), "not a regular file"),
    "mounted, for its group, without the setting": State(
        roots(f"keys/{PRIVATE}", 0o440), "key_group_read", settings=("group=1",), root=True
    ),
}
KNOWN = "memory/known"
MEMORY = {
    "writable by all": State(chmod(KNOWN, 0o602), "other users", CHMOD, KNOWN, status=PIN),
    "writable by the group": State(chmod(KNOWN, 0o620), "other users", CHMOD, KNOWN, status=PIN),
    "of another user": State(stranger(KNOWN, 0o644), f"user {STRANGER}", CHOWN, KNOWN, status=PIN, root=True),
    "more than 64 KiB": State(
        lambda scene: (scene / KNOWN).write_bytes(b"#\n" * 32769), "64 KiB", names=KNOWN, status=PIN
    ),
    "pipe": State(
        replaced(KNOWN, lambda path: os.mkfifo(path, 0o600)), "not a regular file", names=KNOWN, status=PIN
    ),
    "directory writable by the group": State(chmod("memory", 0o775), "other users", GO_W, "memory"),
    "directory writable by all": State(chmod("memory", 0o757), "other users", GO_W, "memory"),
    "sticky directory": State(
        chmod("memory", 0o1777), "other users", ("mkdir -m 700 ",), "memory", instead="memory/nomyo"
    ),
    "directory of another user": State(
        stranger("memory", 0o755), f"user {STRANGER}", ("chown ",), "memory", root=True
    ),
}


def scene(place: Path) -> Path:
    """The scene, all of it the user's."""
    made = place / "scene"
    made.mkdir(mode=0o755)
    files.pair_in(made / "keys", "client_private.pem")
    (made / "memory").mkdir(mode=0o700)
    (made / KNOWN).write_text(f"https://example.com {RIGHT}\n")
    (made / KNOWN).chmod(0o600)
    if os.geteuid() == 0:
        give(made, USER)
    return made


def check(driver: Driver, place: Path, state: State, usual: str, words: Callable[[str], list[Word]]) -> None:
    """The whole way of a state. `words` gives the steps that use a directory, which is `usual` at first."""
    if state.root:
        users.need_root()
    made = scene(place)
    state.make(made)
    before = files.tree(made)
    said = driver.refused(state.status, *state.given, *words(usual), before=users.as_user(), timeout=60)
    assert state.said in said and str(made / state.names) in said, said
    assert files.tree(made) == before
    if state.settings:
        assert driver.run(*state.settings, *words(usual), before=users.as_user())[-1].status == "NOMYO_OK"
    if not state.repairs:
        return
    # A file of another user that all can read needs two commands, and each message names one.
    for _ in range(len(state.repairs)):
        command = COMMAND.search(said)
        assert command and command[1].startswith(state.repairs), said
        users.run_command(command[1])
        steps = driver.run(*state.given, *words(state.instead or usual), before=users.as_user(), timeout=60)
        if steps[-1].status == "NOMYO_OK":
            return
        said = steps[-1].text
    pytest.fail(f"not repaired: {said}")


@pytest.mark.parametrize("case", PAIR)
def test_an_unsafe_key_directory_is_refused_until_the_named_command_has_repaired_it(
    everyones_driver: Driver, place: Path, case: str
) -> None:
    check(everyones_driver, place, PAIR[case], "keys", lambda used: [f"dir={place / 'scene' / used}", "public"])


@pytest.mark.parametrize("case", PAIR)
def test_nothing_is_written_to_an_unsafe_key_directory(everyones_driver: Driver, place: Path, case: str) -> None:
    state = PAIR[case]
    if state.root:
        users.need_root()
    made = scene(place)
    state.make(made)
    before = files.tree(made)
    directory = made / "keys"
    for words in (["rotate"], ["generate", directory, "-"]):
        steps = everyones_driver.run(*state.given, f"dir={directory}", *words, before=users.as_user(), timeout=60)
        assert steps[-1].status == KEY, steps
        assert files.tree(made) == before, words


@pytest.mark.parametrize("case", LOAD)
def test_unsafe_files_are_not_loaded_until_the_named_command_has_repaired_them(
    everyones_driver: Driver, place: Path, case: str
) -> None:
    directory = place / "scene" / "keys"
    check(everyones_driver, place, LOAD[case], "keys", lambda _: ["load", directory / PRIVATE, directory / PUBLIC, "-"])


@pytest.mark.parametrize("case", MEMORY)
def test_an_unsafe_file_of_known_servers_is_refused_until_the_named_command_has_repaired_it(
    everyones_driver: Driver, endpoint: Endpoint, place: Path, case: str
) -> None:
    ca = place / "ca.pem"
    ca.write_bytes(endpoint.ca.read_bytes())
    ca.chmod(0o644)
    keys = place / "scene" / "keys"
    requests = endpoint.requests()

    def words(used: str) -> list[Word]:
        known = place / "scene" / used / "known"
        return [f"url={endpoint.url}", f"ca={ca}", f"dir={keys}", f"known={known}", "chat", "hello"]

    check(everyones_driver, place, MEMORY[case], "memory", words)
    assert endpoint.requests() - requests == bool(MEMORY[case].repairs)


def test_files_of_ours_in_a_sticky_directory_are_loaded_by_their_paths(everyones_driver: Driver, place: Path) -> None:
    made = scene(place) / "keys"
    made.chmod(0o1777)
    load: list[Word] = ["load", made / PRIVATE, made / PUBLIC, "-", "public"]
    assert everyones_driver.ok(*load, before=users.as_user()) == CLIENT


def test_files_of_root_that_all_may_read_but_nobody_change_are_accepted(everyones_driver: Driver, place: Path) -> None:
    users.need_root()
    made = scene(place) / "keys"
    give(made, 0)
    give(made / PRIVATE, USER)
    made.chmod(0o755)
    words = [f"dir={made}", "public"]
    assert everyones_driver.ok(*words, before=users.as_user()) == CLIENT


