"""Trust at first use: the file of known servers is whole and its owner's, and what it does not say is not believed."""

import re
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import files
import pytest
import strace
from driver import IO, KEY, KEYS, PIN, Driver
from endpoint import Endpoint, fingerprint
from namespace import Namespace

RIGHT, OTHER = fingerprint(KEYS / "server_public.pem"), fingerprint(KEYS / "other_public.pem")
THIRD = fingerprint(KEYS / "client_public.pem")
CHAT = ("chat", "the secret prompt")


def remembered(known: Path) -> dict[str, str]:
    lines = known.read_text().splitlines()
    pairs = dict(line.split(" ") for line in lines)
    assert len(pairs) == len(lines), "a line is there twice"
    return pairs


def test_the_first_use_is_remembered_and_the_file_is_the_owners(
    driver: Driver, endpoint: Endpoint, pair: Path, tmp_path: Path
) -> None:
    known, plain = tmp_path / "known", endpoint.about["plain_base_url"]
    words = endpoint.asked(f"dir={pair}", f"known={known}")
    assert driver.ok(*words, "server", umask=0) == RIGHT
    assert not known.exists(), "looking is not trusting"
    assert driver.ok(*words, *CHAT, umask=0) == CHAT[1]
    assert remembered(known) == {endpoint.url: RIGHT}
    assert files.mode(known) == 0o600
    before = files.listing(tmp_path)["known"]
    assert driver.ok(*words, *CHAT) == CHAT[1]
    assert files.listing(tmp_path)["known"] == before, "written again"
    assert driver.ok(f"url={plain}", f"dir={pair}", f"known={known}", *CHAT) == CHAT[1]
    assert remembered(known) == {endpoint.url: RIGHT, plain: RIGHT}
    assert files.mode(known) == 0o600


def test_doing_what_the_error_says_admits_the_new_key(
    driver: Driver, served: Endpoint, pair: Path, tmp_path: Path
) -> None:
    known = tmp_path / "known"
    known.write_text(f"# mine\n\nhttps://example.com {THIRD}\n{served.url} {OTHER}\n")
    known.chmod(0o600)
    words = [*served.asked(f"dir={pair}", f"known={known}"), *CHAT]
    said = driver.refused(PIN, *words)
    assert str(known) in said and "remove" in said and RIGHT in said and OTHER in said
    known.write_text(f"# mine\n\nhttps://example.com {THIRD}\n")
    assert driver.ok(*words) == CHAT[1]
    assert known.read_text() == f"# mine\n\nhttps://example.com {THIRD}\n{served.url} {RIGHT}\n"


def test_eight_processes_at_first_use_leave_one_line_for_each_server(
    driver: Driver, endpoint: Endpoint, pair: Path, tmp_path: Path
) -> None:
    known, plain = tmp_path / "known", endpoint.about["plain_base_url"]
    words = [endpoint.asked(f"dir={pair}", f"known={known}"), [f"url={plain}", f"dir={pair}", f"known={known}"]]
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda number: driver.ok(*words[number % 2], *CHAT), range(16))) == {CHAT[1]}
    assert remembered(known) == {endpoint.url: RIGHT, plain: RIGHT}


UNUSABLE = {
    "garbage": ("\x00\x01\x02\n" * 100, 0o600),
    "a line without a fingerprint": (f"https://example.com {THIRD}\nURL\n", 0o600),
    "a fingerprint that is cut off": ("URL " + RIGHT[:60] + "\n", 0o600),
    "one server twice": (f"URL {RIGHT}\nURL {OTHER}\n", 0o600),
    "writable by others": (f"URL {RIGHT}\n", 0o666),
    "writable by the group": (f"URL {RIGHT}\n", 0o620),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_a_file_that_cannot_be_believed_stops_the_request(
    driver: Driver, endpoint: Endpoint, pair: Path, tmp_path: Path, case: str
) -> None:
    content, mode = UNUSABLE[case]
    known = tmp_path / "known"
    known.write_text(content.replace("URL", endpoint.url))
    known.chmod(mode)
    before, requests = files.listing(tmp_path)["known"], endpoint.requests()
    steps = driver.run(*endpoint.asked(f"dir={pair}", f"known={known}"), *CHAT)
    assert steps[-1].status in (PIN, KEY) and str(known) in steps[-1].text
    assert endpoint.requests() == requests and files.listing(tmp_path)["known"] == before


def test_a_link_a_pipe_and_a_missing_directory_stop_the_request(
    driver: Driver, endpoint: Endpoint, pair: Path, tmp_path: Path
) -> None:
    elsewhere, link, pipe = tmp_path / "elsewhere", tmp_path / "link", tmp_path / "pipe"
    elsewhere.write_text(f"{endpoint.url} {RIGHT}\n")
    elsewhere.chmod(0o600)
    link.symlink_to(elsewhere)
    subprocess.run(["mkfifo", "-m", "600", pipe], check=True)
    requests = endpoint.requests()
    for known, status in ((link, KEY), (pipe, KEY), (tmp_path / "missing" / "known", IO), (tmp_path, KEY)):
        said = driver.refused(status, *endpoint.asked(f"dir={pair}", f"known={known}"), *CHAT, timeout=90)
        assert str(known.parent) in said
    assert endpoint.requests() == requests and not (tmp_path / "missing").exists()
    assert link.is_symlink() and stat.S_ISFIFO(pipe.lstat().st_mode)


@pytest.mark.parametrize("how", ["read-only", "full"])
def test_a_key_that_cannot_be_remembered_is_not_used(
    driver: Driver, endpoint: Endpoint, pair: Path, tmp_path: Path, how: str
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    with Namespace() as namespace:
        namespace.mount("-t", "tmpfs", "-o", "size=4k", "tmpfs", disk)
        known = namespace.outside(disk) / "known"
        if how == "full":
            (namespace.outside(disk) / "filler").write_bytes(bytes(4096))
        else:
            namespace.mount("-o", "remount,ro", disk)
        requests = endpoint.requests()
        words = endpoint.asked(f"dir={pair}", f"known={disk / 'known'}")
        assert str(disk) in driver.refused(IO, *words, *CHAT, before=namespace.enter)
        assert endpoint.requests() == requests and not known.exists()
        if how == "read-only":
            namespace.mount("-o", "remount,rw", disk)
            known.write_text(f"{endpoint.url} {RIGHT}\n")
            known.chmod(0o600)
            namespace.mount("-o", "remount,ro", disk)
            assert driver.ok(*words, *CHAT, before=namespace.enter) == CHAT[1]


def test_a_first_use_that_is_killed_at_any_system_call_leaves_a_whole_file_or_none(
    driver: Driver, endpoint: Endpoint, pair: Path, tmp_path: Path
) -> None:
    if not strace.available():
        pytest.skip("strace may not trace processes here")

    def folder(number: int) -> Path:
        made = tmp_path / f"known-{number:02}"
        made.mkdir()
        (made / "known").write_text(f"https://example.com {THIRD}\n")
        (made / "known").chmod(0o600)
        return made

    def using(made: Path) -> list[str]:
        return [*endpoint.asked(f"dir={pair}", f"known={made / 'known'}"), *CHAT]

    made = folder(0)
    calls = strace.calls(driver, made, *using(made))
    names = [re.sub("at2?$", "", call.name) for call in calls]
    assert names.index("fsync") < names.index("rename") < len(names) - names[::-1].index("fsync") - 1
    first = next(number for number, call in enumerate(calls) if "O_EXCL" in call.arguments)
    for number in range(first, len(calls)):
        made = folder(number + 1)
        strace.killed_at(driver, calls[number], *using(made))
        left = remembered(made / "known")
        assert left in ({"https://example.com": THIRD}, {"https://example.com": THIRD, endpoint.url: RIGHT})
        assert driver.ok(*using(made)) == CHAT[1]
        assert remembered(made / "known") == {"https://example.com": THIRD, endpoint.url: RIGHT}
        assert files.listing(made).keys() == {"known"}, "something stayed behind"
