"""A key directory: both files are loaded, neither is generated, and anything else is an error that touches nothing."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import files
import pytest
from driver import IO, KEY, KEYS, Driver
from files import PASSWORD, PRIVATE, PUBLIC

CLIENT = (KEYS / "client_public.pem").read_text()


def key_dir(directory: Path, password: str = PASSWORD) -> list[str]:
    return [f"dir={directory}", f"password={password}"]


def test_neither_file_is_generated_and_saved_and_loaded_from_then_on(driver: Driver, tmp_path: Path) -> None:
    directory = tmp_path / "keys"
    pem = driver.ok(*key_dir(directory), "public", umask=0)
    assert files.pair_pem(directory, PASSWORD) == pem
    assert [files.mode(path) for path in (directory, directory / PRIVATE)] == [0o700, 0o600]
    before = files.listing(directory)
    assert before.keys() == {PRIVATE, PUBLIC}
    for umask in (0, 0o077):
        assert driver.ok(*key_dir(directory), "public", umask=umask) == pem
    assert files.listing(directory) == before


def test_a_directory_that_is_there_keeps_its_mode_and_what_else_is_in_it(driver: Driver, tmp_path: Path) -> None:
    directory = tmp_path / "keys"
    directory.mkdir(mode=0o755)
    (directory / "notes.txt").write_text("mine")
    pem = driver.ok(f"dir={directory}", "public")
    assert files.pair_pem(directory) == pem
    assert files.mode(directory) == 0o755 and (directory / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("form", ["py_password", "js_password", "openssl_scrypt"])
def test_a_pair_of_another_program_is_loaded_and_left_as_it_is(driver: Driver, tmp_path: Path, form: str) -> None:
    directory = files.pair_in(tmp_path / "keys", f"client_private_{form}.pem")
    before = files.listing(directory)
    assert driver.ok(*key_dir(directory), "public") == CLIENT
    assert files.listing(directory) == before


def test_the_environment_names_the_directory_and_the_password(driver: Driver, tmp_path: Path) -> None:
    environment = {"NOMYO_KEY_DIR": str(files.pair_in(tmp_path / "keys")), "NOMYO_KEY_PASSWORD": PASSWORD}
    assert driver.ok("env=1", "public", env=environment) == CLIENT
    driver.refused(KEY, "env=1", "public", env={**environment, "NOMYO_KEY_PASSWORD": "incorrect horse"})


# --- what is not a pair


def without(name: str) -> Callable[[Path], object]:
    return lambda directory: (directory / name).unlink()


def instead(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda directory: (directory / name).write_bytes(content)


def another(name: str, fixture: str) -> Callable[[Path], object]:
    return lambda directory: shutil.copyfile(KEYS / fixture, directory / name)


def fifo(name: str) -> Callable[[Path], object]:
    def replace(directory: Path) -> None:
        (directory / name).unlink()
        os.mkfifo(directory / name, 0o600)

    return replace


def folder(name: str) -> Callable[[Path], object]:
    def replace(directory: Path) -> None:
        (directory / name).unlink()
        (directory / name).mkdir(mode=0o700)

    return replace


def permissive(mode: int) -> Callable[[Path], object]:
    return lambda directory: (directory / PRIVATE).chmod(mode)


WHOLE = (KEYS / "client_private_py_password.pem").read_bytes()
NO_PAIR: dict[str, tuple[str, str, Callable[[Path], object]]] = {
    "private missing": (PRIVATE, "missing", without(PRIVATE)),
    "public missing": (PUBLIC, "missing", without(PUBLIC)),
    "private empty": (PRIVATE, "empty", instead(PRIVATE, b"")),
    "public empty": (PUBLIC, "", instead(PUBLIC, b"")),
    "private truncated": (PRIVATE, "", instead(PRIVATE, WHOLE[:1723])),
    "private without its last line": (PRIVATE, "", instead(PRIVATE, WHOLE[: WHOLE.rindex(b"-----END")])),
    "public truncated": (PUBLIC, "", instead(PUBLIC, CLIENT.encode()[:400])),
    "private garbage": (PRIVATE, "", instead(PRIVATE, os.urandom(1 << 20))),
    "public garbage": (PUBLIC, "", instead(PUBLIC, os.urandom(1 << 20))),
    "private zeros": (PRIVATE, "", instead(PRIVATE, bytes(len(WHOLE)))),
    "another public key": (PUBLIC, PRIVATE, another(PUBLIC, "other_public.pem")),
    "another private key": (PRIVATE, "", another(PRIVATE, "other_private.pem")),
    "private key as the public one": (PUBLIC, "private", another(PUBLIC, "client_private.pem")),
    "public key as the private one": (PRIVATE, "public", another(PRIVATE, "client_public.pem")),
    "elliptic curve": (PRIVATE, "", another(PRIVATE, "ec_private.pem")),
    "private is a pipe": (PRIVATE, "regular", fifo(PRIVATE)),
    "public is a pipe": (PUBLIC, "regular", fifo(PUBLIC)),
    "private is a directory": (PRIVATE, "regular", folder(PRIVATE)),
    "public is a directory": (PUBLIC, "regular", folder(PUBLIC)),
    "readable by the group": (PRIVATE, "chmod 600", permissive(0o640)),
    "readable by all": (PRIVATE, "chmod 600", permissive(0o644)),
    "writable by all": (PRIVATE, "chmod 600", permissive(0o602)),
}


@pytest.mark.parametrize("case", NO_PAIR)
def test_what_is_no_pair_is_an_error_that_names_the_file_and_touches_nothing(
    driver: Driver, tmp_path: Path, case: str
) -> None:
    name, why, spoil = NO_PAIR[case]
    directory = files.pair_in(tmp_path / "keys")
    spoil(directory)
    before, beside = files.listing(directory), files.listing(tmp_path)
    said = driver.refused(KEY, *key_dir(directory), "public", timeout=90)
    assert str(directory / name) in said and why in said
    # However often it is tried, and by whichever way.
    driver.refused(KEY, *key_dir(directory), "rotate", timeout=90)
    driver.refused(KEY, "generate", directory, PASSWORD, timeout=90)
    assert files.listing(directory) == before
    assert {name: kept for name, kept in files.listing(tmp_path).items() if name != "keys"} == {
        name: kept for name, kept in beside.items() if name != "keys"
    }


@pytest.mark.parametrize("names", [[PRIVATE], [PUBLIC], [PRIVATE, PUBLIC]], ids=["private", "public", "both"])
def test_files_that_are_links_of_ours_are_loaded_and_never_replaced(
    driver: Driver, tmp_path: Path, names: list[str]
) -> None:
    directory, elsewhere = files.pair_in(tmp_path / "keys"), tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    for name in names:
        (directory / name).rename(elsewhere / name)
        (directory / name).symlink_to(f"../elsewhere/{name}")
    before = files.tree(tmp_path)
    assert driver.ok(*key_dir(directory), "public") == CLIENT
    said = driver.refused(KEY, *key_dir(directory), "rotate")
    assert "link" in said and str(directory) in said
    driver.refused(KEY, "generate", directory, PASSWORD)
    assert files.tree(tmp_path) == before


@pytest.mark.parametrize("password", ["incorrect horse", "-"], ids=["wrong", "none"])
def test_without_the_right_password_nothing_is_replaced(driver: Driver, tmp_path: Path, password: str) -> None:
    directory = files.pair_in(tmp_path / "keys")
    before = files.listing(directory)
    for step in ("public", "rotate"):
        assert "password" in driver.refused(KEY, *key_dir(directory, password), step)
    assert files.listing(directory) == before


def test_a_plain_pair_is_refused_when_a_password_is_given(driver: Driver, tmp_path: Path) -> None:
    directory = files.pair_in(tmp_path / "keys", "client_private.pem")
    before = files.listing(directory)
    said = driver.refused(KEY, *key_dir(directory), "public")
    assert "not encrypted" in said and str(directory / PRIVATE) in said
    assert files.listing(directory) == before


def test_a_directory_that_is_none_or_a_link_or_without_a_parent_is_refused(driver: Driver, tmp_path: Path) -> None:
    real, there = files.pair_in(tmp_path / "real"), tmp_path / "file"
    there.write_text("mine")
    before = files.listing(real)
    linked, missing = tmp_path / "linked", tmp_path / "missing" / "keys"
    linked.symlink_to(real)
    for directory, status in ((there, KEY), (linked, KEY), (f"{linked}/", KEY), (missing, IO)):
        said = driver.refused(status, *key_dir(directory), "public")
        assert str(directory).rstrip("/") in said
        driver.refused(status, *key_dir(directory), "rotate")
        driver.refused(status, "generate", directory, PASSWORD)
    assert files.listing(real) == before and there.read_text() == "mine" and not missing.parent.exists()


# --- what is asked for by name


def test_generating_and_saving_never_replace_a_pair(driver: Driver, tmp_path: Path) -> None:
    directory = files.pair_in(tmp_path / "keys")
    before = files.listing(directory)
    key = files.private_copy("other_private.pem", tmp_path / "key.pem")
    assert str(directory / PRIVATE) in driver.refused(KEY, "generate", directory, PASSWORD)
    assert str(directory / PRIVATE) in driver.refused(KEY, "load", key, "-", "-", "save", directory, PASSWORD)
    assert files.listing(directory) == before


def test_a_rotation_replaces_both_files_and_who_started_before_keeps_the_old_pair(
    driver: Driver, tmp_path: Path
) -> None:
    directory = files.pair_in(tmp_path / "keys")
    with driver.start(*key_dir(directory), "public", "pause", "public") as before:
        assert before.stdout and before.stdin
        before.stdout.readline(), before.stdout.readline()
        new = driver.ok(*key_dir(directory), "rotate", "public", umask=0)
        before.stdin.write(b"\n")
        before.stdin.close()
        assert before.stdout.readline().decode().split(" ", 2)[2].replace("|", "\n").strip() == CLIENT.strip()
    assert new != CLIENT
    assert files.pair_pem(directory, PASSWORD) == new == driver.ok(*key_dir(directory), "public")
    assert files.listing(directory).keys() == {PRIVATE, PUBLIC}
    assert files.mode(directory / PRIVATE) == 0o600


def test_a_rotation_of_keys_that_are_in_memory_or_loaded_touches_no_file(driver: Driver, tmp_path: Path) -> None:
    directory = files.pair_in(tmp_path / "keys")
    before = files.listing(directory)
    loads = ["load", directory / PRIVATE, directory / PUBLIC, PASSWORD]
    assert driver.ok(*loads, "rotate", "public") != CLIENT
    assert files.listing(directory) == before
