"""Secrets as Kubernetes and Docker mount them: read-only files, for root or for a group, behind links."""

import contextlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import files
import pytest
import users
from driver import IO, KEY, KEYS, Driver, Word
from files import PRIVATE, PUBLIC
from namespace import Namespace

CLIENT, OTHER = ((KEYS / f"{name}_public.pem").read_text() for name in ("client", "other"))
POD, FS_GROUP = 1000, 2000
SETTING = "group=1"
LOADS, SWAPS = 30, 50  # of each process in a round, and in all rounds


def version(volume: Path, number: int, key: str, mode: int, group: int) -> None:
    """Puts the pair `key` in force as kubelet does: a new directory, and one rename of the link to it."""
    real = volume / f"..2026_11_28_{number}"
    real.mkdir(mode=0o755)
    for name, half in ((PRIVATE, "private"), (PUBLIC, "public")):
        file = real / name
        file.write_bytes((KEYS / f"{key}_{half}.pem").read_bytes())
        file.chmod(mode)
        os.chown(file, 0, group)
    link = volume / "..data_tmp"
    link.symlink_to(real.name)
    link.rename(volume / "..data")


@dataclass(frozen=True)
class Secret:
    """A Secret volume in a pod: kubelet writes to `source`, and `point` in the pod is a read-only mount of it."""

    source: Path
    point: Path
    namespace: Namespace

    def pod(self, uid: int) -> list[Word]:
        """The command that starts a program in the pod."""
        return [*self.namespace.enter, *users.as_user(uid, FS_GROUP)]


@contextlib.contextmanager
def volume(place: Path, mode: int, group: int) -> Iterator[Secret]:
    """A Secret volume with the pair of the client."""
    users.need_root()
    kubelet = place / "kubelet"
    kubelet.mkdir(mode=0o700)
    source, point = kubelet / "secret", place / "secret"
    for made in (source, point):
        made.mkdir()
    # The root of a tmpfs is sticky and writable by all. With fsGroup kubelet adds the setgid bit.
    source.chmod(0o3777 if group else 0o1777)
    version(source, 1, "client", mode, group)
    for name in (PRIVATE, PUBLIC):
        (source / name).symlink_to(f"..data/{name}")
    with Namespace() as namespace:
        namespace.mount("--bind", source, point)
        namespace.mount("-o", "remount,ro,bind", point)
        yield Secret(source, point, namespace)


def ways(made: Path) -> list[list[Word]]:
    """Every way to the pair."""
    return [
        [f"dir={made}", "public"],
        ["load", made / PRIVATE, made / PUBLIC, "-", "public"],
        ["load", made / PRIVATE, "-", "-", "public"],
        ["load", made / "..data" / PRIVATE, made / "..data" / PUBLIC, "-", "public"],
    ]


@pytest.mark.parametrize("setting", [[], [SETTING]], ids=["strict", "group read"])
def test_root_loads_a_secret_that_is_for_root_alone(everyones_driver: Driver, place: Path, setting: list[Word]) -> None:
    with volume(place, 0o400, 0) as secret:
        made = secret.point
        for words in ways(made):
            assert everyones_driver.ok(*setting, *words, before=secret.pod(0)) == CLIENT


@pytest.mark.parametrize("uid", [0, POD], ids=["root", "pod"])
@pytest.mark.parametrize("mode", [0o440, 0o640])
def test_a_secret_for_a_group_is_loaded_with_the_setting_only(
    everyones_driver: Driver, place: Path, uid: int, mode: int
) -> None:
    with volume(place, mode, FS_GROUP) as secret:
        made = secret.point
        before = files.tree(secret.source)
        for words in ways(made):
            said = everyones_driver.refused(KEY, *words[:-1] if words[0] == "load" else words, before=secret.pod(uid))
            assert "key_group_read" in said and str(made) in said, said
            assert everyones_driver.ok(SETTING, *words, before=secret.pod(uid)) == CLIENT
        environment = {"NOMYO_KEY_DIR": str(made), "NOMYO_KEY_GROUP_READ": "true"}
        assert everyones_driver.ok("env=1", "public", env=environment, before=secret.pod(uid)) == CLIENT
        assert files.tree(secret.source) == before


@pytest.mark.parametrize("mode", [0o444, 0o460, 0o464, 0o442, 0o660])
def test_the_setting_admits_neither_others_nor_writing(everyones_driver: Driver, place: Path, mode: int) -> None:
    with volume(place, mode, FS_GROUP) as secret:
        made = secret.point
        for words in (["load", made / PRIVATE, made / PUBLIC, "-"], [f"dir={made}", "public"]):
            assert "other users" in everyones_driver.refused(KEY, SETTING, *words, before=secret.pod(POD))


def test_a_secret_is_never_rotated_or_generated(everyones_driver: Driver, place: Path) -> None:
    with volume(place, 0o400, 0) as secret:
        made = secret.point
        before = files.tree(secret.source)
        key = files.private_copy("client_private.pem", place / "key.pem")
        for words in (
            [f"dir={made}", "public", "rotate"],
            ["generate", made, "-"],
            ["load", key, "-", "-", "save", made, "-"],
        ):
            said = everyones_driver.run(*words, before=secret.pod(0))[-1]
            assert said.status in (KEY, IO) and str(made) in said.text, said
            assert files.tree(secret.source) == before, words
        assert everyones_driver.ok(f"dir={made}", "public", before=secret.pod(0)) == CLIENT


def test_a_due_pair_in_a_secret_stays_in_use(everyones_driver: Driver, place: Path) -> None:
    with volume(place, 0o440, FS_GROUP) as secret:
        made = secret.point
        words = [SETTING, f"dir={made}", "rotation=1", "public", "chdir", "/", "public"]
        assert everyones_driver.ok(*words, before=secret.pod(POD)) == CLIENT


def test_a_new_secret_is_loaded_by_the_next_client(everyones_driver: Driver, place: Path) -> None:
    with volume(place, 0o440, FS_GROUP) as secret:
        made = secret.point
        words = [SETTING, f"dir={made}", "public"]
        with everyones_driver.start(*words, "pause", "public", before=secret.pod(POD)) as running:
            assert running.stdin and running.stdout
            running.stdout.readline(), running.stdout.readline()
            version(secret.source, 2, "other", 0o440, FS_GROUP)
            assert everyones_driver.ok(*words, before=secret.pod(POD)) == OTHER
            rest, _ = running.communicate(b"\n", timeout=60)
        kept = f"public NOMYO_OK {CLIENT}".replace("\n", "|") + "\n"
        assert rest.decode() == kept, "a client that runs keeps its pair"


def test_no_load_fails_while_the_secret_is_replaced(everyones_driver: Driver, place: Path) -> None:
    with volume(place, 0o440, FS_GROUP) as secret:
        made = secret.point
        over, enough = threading.Event(), threading.Event()

        def swaps() -> None:
            number = 1
            while not over.wait(0.005):
                number += 1
                version(secret.source, number, "other" if number % 2 == 0 else "client", 0o440, FS_GROUP)
                # kubelet removes the old version right after the rename.
                for file in (secret.source / f"..2026_11_28_{number - 1}").iterdir():
                    file.unlink()
                (secret.source / f"..2026_11_28_{number - 1}").rmdir()
                if number == SWAPS:
                    enough.set()

        with ThreadPoolExecutor(3) as pool:
            swapping = pool.submit(swaps)
            try:
                words = [SETTING, f"dir={made}", "starts", str(LOADS)]
                while not enough.is_set() and not swapping.done():
                    starting = [pool.submit(everyones_driver.ok, *words, before=secret.pod(POD)) for _ in range(2)]
                    assert [int(start.result()) for start in starting] == [LOADS, LOADS]
            finally:
                over.set()
            swapping.result()


@pytest.mark.parametrize("how", ["another user's volume", "another user's link", "a volume that others can write"])
def test_a_chain_that_somebody_else_can_change_is_refused(everyones_driver: Driver, place: Path, how: str) -> None:
    with volume(place, 0o440, FS_GROUP) as secret:
        made = secret.point
        if how == "another user's volume":
            os.chown(secret.source, users.STRANGER, users.STRANGER)
        elif how == "another user's link":
            os.chown(secret.source / "..data", users.STRANGER, users.STRANGER, follow_symlinks=False)
        else:
            (secret.source / "..2026_11_28_1").chmod(0o775)
        for words in ([f"dir={made}", "public"], ["load", made / PRIVATE, "-", "-"]):
            said = everyones_driver.refused(KEY, SETTING, *words, before=secret.pod(POD))
            assert str(made) in said and "run: ch" in said, said


@pytest.mark.parametrize("uid", [0, POD], ids=["root", "user"])
def test_a_docker_secret_is_loaded_by_its_path(everyones_driver: Driver, place: Path, uid: int) -> None:
    """Docker mounts each secret as a regular file in a directory of root, with the requested uid and mode."""
    users.need_root()
    secrets = place / "secrets"
    secrets.mkdir(mode=0o755)
    key = secrets / "nomyo_key"
    key.write_bytes((KEYS / "client_private.pem").read_bytes())
    os.chown(key, uid, uid)
    key.chmod(0o400)
    assert everyones_driver.ok("load", key, "-", "-", "public", before=users.as_user(uid)) == CLIENT
    # Without a request its mode is 0444.
    key.chmod(0o444)
    said = everyones_driver.refused(KEY, "load", key, "-", "-", before=users.as_user(uid))
    assert f"chmod 600 '{key}'" in said
