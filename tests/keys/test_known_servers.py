"""Trust at first use: the file of known servers is whole and its owner's, and what it does not say is not believed."""

import base64
import re
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import files
import pytest
import strace
import users
from driver import IO, KEY, KEYS, PIN, Driver, Word
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


def test_a_pipe_a_directory_and_a_missing_directory_stop_the_request(
    driver: Driver, endpoint: Endpoint, pair: Path, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    subprocess.run(["mkfifo", "-m", "600", pipe], check=True)
    requests = endpoint.requests()
    for known, status in ((pipe, PIN), (tmp_path / "missing" / "known", IO), (tmp_path / "keys", PIN)):
        said = driver.refused(status, *endpoint.asked(f"dir={pair}", f"known={known}"), *CHAT, timeout=90)
        assert str(known.parent) in said
    assert endpoint.requests() == requests and not (tmp_path / "missing").exists()
    assert stat.S_ISFIFO(pipe.lstat().st_mode)


def test_a_link_of_ours_is_read_and_never_replaced(
    driver: Driver, endpoint: Endpoint, pair: Path, tmp_path: Path
) -> None:
    elsewhere, link = tmp_path / "elsewhere", tmp_path / "link"
    elsewhere.write_text(f"{endpoint.url} {RIGHT}\n")
    elsewhere.chmod(0o600)
    link.symlink_to(elsewhere)
    assert driver.ok(*endpoint.asked(f"dir={pair}", f"known={link}"), *CHAT) == CHAT[1]
    elsewhere.write_text(f"https://example.com {THIRD}\n")
    before, requests = files.tree(tmp_path), endpoint.requests()
    said = driver.run(*endpoint.asked(f"dir={pair}", f"known={link}"), *CHAT)[-1]
    assert said.status in (PIN, KEY, IO) and "link" in said.text and str(link) in said.text
    assert endpoint.requests() == requests and files.tree(tmp_path) == before


@pytest.mark.parametrize("how", ["read-only", "full"])
def test_a_key_that_cannot_be_remembered_is_not_used(
    driver: Driver, endpoint: Endpoint, pair: Path, tmp_path: Path, how: str
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    with Namespace() as namespace:
        namespace.mount("-t", "tmpfs", "-o", "size=4k,mode=700", "tmpfs", disk)
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


# --- spellings of one server


# Each is a way to write the server of the URL http://127.0.0.1:PORT.
RECOGNISED = {
    "slash at the end": "http://127.0.0.1:{port}/ {other}\n",
    "capital scheme": "HTTP://127.0.0.1:{port} {other}\n",
    "byte order mark": "\ufeffhttp://127.0.0.1:{port} {other}\n",
    "CR": "# mine\rhttp://127.0.0.1:{port} {other}\r",
    "CRLF": "# mine\r\nhttp://127.0.0.1:{port} {other}\r\n",
    "mixed line ends": "# mine\r\r\n\nhttp://127.0.0.1:{port} {other}\r# more\n",
    "tab": "http://127.0.0.1:{port}\t{other}\n",
    "several blanks": "  http://127.0.0.1:{port} \t  {other}  \n",
    "no line end": "http://127.0.0.1:{port} {other}",
    "capital fingerprint": "http://127.0.0.1:{port} {OTHER}\n",
    "fingerprint in base64": "http://127.0.0.1:{port} sha256/{base64}\n",
    "port with zeros": "http://127.0.0.1:0{port} {other}\n",
    "short address": "http://127.1:{port} {other}\n",
    "address as a number": "http://2130706433:{port} {other}\n",
    "address in hexadecimal": "http://0x7f.0.0.1:{port} {other}\n",
    "address in octal": "http://0177.0.0.01:{port} {other}\n",
    "wide digits": "http://１２７.0.0.1:{port} {other}\n",
}
# Each is no URL and fingerprint of any server.
UNREADABLE: dict[str, str | None] = {
    "no scheme": "127.0.0.1:{port} {other}\n",
    "another scheme": "ftp://127.0.0.1:{port} {other}\n",
    "sign before the port": "http://127.0.0.1:+{port} {other}\n",
    "port out of range": "http://127.0.0.1:65536 {other}\n",
    "text after an IPv6 address": "http://[::1]x:{port} {other}\n",
    "IPv6 address without an end": "http://[::1:{port} {other}\n",
    "no slashes": "http:127.0.0.1:{port} {other}\n",
    "backslashes": "http:\\\\127.0.0.1:{port} {other}\n",
    "user": "http://me@127.0.0.1:{port} {other}\n",
    "query": "http://127.0.0.1:{port}?a=b {other}\n",
    "blank in the URL": "http://127.0.0.1 :{port} {other}\n",
    "no blank": "http://127.0.0.1:{port}{other}\n",
    "three words": "http://127.0.0.1:{port} {other} yesterday\n",
    "fingerprint too short": "http://127.0.0.1:{port} {short}\n",
    "fingerprint of another hash": "http://127.0.0.1:{port} sha1/{base64}\n",
    "comment after the fingerprint": "http://127.0.0.1:{port} {other} # mine\n",
    "address out of range": "http://127.0.0.256:{port} {other}\n",
    "separate BOM line": "\ufeff\n\ufeffhttp://127.0.0.1:{port} {other}\n",
    "UTF-16": None,
    "Latin-1": None,
    "NUL": "http://127.0.0.1:{port}\0 {other}\n",
}


def written(known: Path, text: str | None, port: str, case: str) -> None:
    """The file with a key that the server does not have."""
    line = text or "# caf\u00e9\nhttp://127.0.0.1:{port} {other}\n"
    digest = base64.b64encode(bytes.fromhex(OTHER)).decode()
    line = line.format(port=port, other=OTHER, OTHER=OTHER.upper(), short=OTHER[:-2], base64=digest)
    known.write_bytes(line.encode({"UTF-16": "utf-16", "Latin-1": "latin-1"}.get(case, "utf-8")))
    known.chmod(0o600)


def refused_without_a_request(driver: Driver, endpoint: Endpoint, pair: Path, known: Path) -> str:
    """The message. The file is as it was, and no prompt was sent."""
    before, requests = known.read_bytes(), endpoint.requests()
    words = [f"url={endpoint.about['plain_base_url']}", f"dir={pair}", f"known={known}", *CHAT]
    said = driver.refused(PIN, *words)
    assert str(known) in said
    assert known.read_bytes() == before and endpoint.requests() == requests
    return said


@pytest.mark.parametrize("case", RECOGNISED)
def test_a_server_is_recognised_however_its_line_is_spelt(
    driver: Driver, endpoint: Endpoint, pair: Path, tmp_path: Path, case: str
) -> None:
    plain = endpoint.about["plain_base_url"]
    assert plain.startswith("http://127.0.0.1:")
    written(tmp_path / "known", RECOGNISED[case], plain.rsplit(":", 1)[1], case)
    said = refused_without_a_request(driver, endpoint, pair, tmp_path / "known")
    assert RIGHT in said and OTHER in said and "remembered" in said


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_line_that_cannot_be_read_is_an_error_that_names_it(
    driver: Driver, endpoint: Endpoint, pair: Path, tmp_path: Path, case: str
) -> None:
    port = endpoint.about["plain_base_url"].rsplit(":", 1)[1]
    written(tmp_path / "known", UNREADABLE[case], port, case)
    said = refused_without_a_request(driver, endpoint, pair, tmp_path / "known")
    assert re.search(r"line [12]\b|UTF-8", said), said


ONE_SERVER = {
    "default port": ("https://Example.com/", "https://example.com:443"),
    "default port with zeros": ("https://example.com:0443", "https://example.com"),
    "IDNA": ("https://BÜCHER.example", "https://xn--bcher-kva.example"),
    "IDNA in full width": ("https://ｅｘａｍｐｌｅ.com", "https://example.com"),
    "IPv6 in full": ("https://[0:0:0:0:0:0:0:1]", "https://[::1]"),
    "IPv6 with capitals": ("https://[2001:DB8::A]", "https://[2001:db8:0::a]"),
    "IPv4 in IPv6": ("https://[::ffff:127.0.0.1]", "https://[::FFFF:7f00:1]"),
    "IPv4 in short": ("https://127.1", "https://127.0.0.1"),
}


@pytest.mark.parametrize("case", ONE_SERVER)
def test_two_lines_about_one_server_are_refused(
    driver: Driver, endpoint: Endpoint, pair: Path, tmp_path: Path, case: str
) -> None:
    """Also if the two lines agree, or are about another server than the one of the request."""
    known = tmp_path / "known"
    first, second = ONE_SERVER[case]
    for key in (OTHER, THIRD):
        known.write_text(f"# mine\n{first} {OTHER}\n\n{second} {key}\n")
        known.chmod(0o600)
        assert "line 4" in refused_without_a_request(driver, endpoint, pair, known)


@pytest.mark.parametrize(
    "alias", ["http://127.1:{}", "http://127.0.0.1:0{}/", "http://2130706433:{}", "http://0X7F.1:{}"]
)
def test_a_base_url_is_the_same_server_in_every_spelling(
    driver: Driver, endpoint: Endpoint, pair: Path, tmp_path: Path, alias: str
) -> None:
    known, plain = tmp_path / "known", endpoint.about["plain_base_url"]
    words = [f"url={alias.format(plain.rsplit(':', 1)[1])}", f"dir={pair}", f"known={known}", *CHAT]
    assert driver.ok(*words) == CHAT[1]
    assert remembered(known) == {plain: RIGHT}, "the file has one form"
    known.write_text(f"{plain} {OTHER}\n")
    driver.refused(PIN, *words)


@pytest.mark.parametrize(
    "url",
    ["https://a:+443", "https://[::1]x", "https:example.com", "https:\\\\example.com", " https://a", "https://a b"],
)
def test_a_base_url_that_is_not_one_is_refused(driver: Driver, url: str) -> None:
    assert driver.refused("NOMYO_ERR_ARGUMENT", f"url={url}", "public")


# --- growth, current directory, seal, owners


def test_a_line_that_would_make_the_file_too_long_is_refused_before_it_is_written(
    driver: Driver, endpoint: Endpoint, pair: Path, tmp_path: Path
) -> None:
    known = tmp_path / "known"
    first = f"https://example.com {THIRD}\n"
    words = [*endpoint.asked(f"dir={pair}", f"known={known}"), *CHAT]
    line = f"{endpoint.url} {RIGHT}\n"
    for room in (len(line) - 1, 1, 0):
        known.write_text(first + "#" * (65536 - len(first) - room - 1) + "\n")
        known.chmod(0o600)
        before, requests = files.listing(tmp_path)["known"], endpoint.requests()
        assert len(known.read_bytes()) == 65536 - room
        said = driver.run(*words)[-1]
        assert said.status in (PIN, KEY, IO) and "64 KiB" in said.text and str(known) in said.text, said
        assert files.listing(tmp_path)["known"] == before and endpoint.requests() == requests
    known.write_text(first + "#" * (65536 - len(first) - len(line) - 1) + "\n")
    assert driver.ok(*words) == CHAT[1]
    assert len(known.read_bytes()) == 65536
    assert driver.ok(*words) == CHAT[1], "the file is still read"


def test_a_change_of_the_current_directory_changes_no_path(
    driver: Driver, served: Endpoint, pair: Path, tmp_path: Path
) -> None:
    """A relative path is the one that it was when the client was made."""
    first, second = tmp_path / "first", tmp_path / "second"
    for made in (first, second):
        made.mkdir(mode=0o700)
    inside: list[Word] = ["sh", "-c", 'cd "$0" && exec "$@"', first]
    files.pair_in(first / "pair", "client_private.pem")
    words = served.asked("ttl=0", "dir=pair", "known=known")
    with driver.start(*words, *CHAT, "chdir", second, "pause", *CHAT, "rotate", before=inside) as process:
        assert process.stdin and process.stdout
        assert b"NOMYO_OK" in process.stdout.readline()
        process.stdout.readline(), process.stdout.readline()
        served.serve_key("other_private.pem")
        rest, _ = process.communicate(b"\n", timeout=60)
    assert rest.decode().startswith(f"chat {PIN} ") and f"{first}/known" in rest.decode()
    assert "rotate NOMYO_OK" in rest.decode()
    assert remembered(first / "known") == {served.url: RIGHT} and not files.listing(second)
    assert files.pair_pem(first / "pair") != (KEYS / "client_public.pem").read_text()


def test_a_seal_for_another_key_than_the_remembered_one_is_refused(
    driver: Driver, endpoint: Endpoint, pair: Path, tmp_path: Path
) -> None:
    known = tmp_path / "known"
    words = endpoint.asked(f"dir={pair}", f"known={known}")
    right: list[Word] = ["seal", KEYS / "server_public.pem", "x"]
    other: list[Word] = ["seal", KEYS / "other_public.pem", "x"]
    driver.ok(*words, *other)
    assert not known.exists(), "a seal remembers nothing"
    known.write_text(f"{endpoint.url}/ {RIGHT}\n")
    known.chmod(0o600)
    before = files.listing(tmp_path)["known"]
    driver.ok(*words, *right)
    said = driver.refused(PIN, *words, *other)
    assert RIGHT in said and OTHER in said and str(known) in said
    known.chmod(0o622)
    driver.refused(PIN, *words, *right)
    known.chmod(0o600)
    assert files.listing(tmp_path)["known"][0] == before[0]


def test_another_users_file_in_a_sticky_directory_is_not_believed(
    everyones_driver: Driver, endpoint: Endpoint, place: Path
) -> None:
    users.need_root()
    ca, shared = place / "ca.pem", place / "shared"
    ca.write_bytes(endpoint.ca.read_bytes())
    ca.chmod(0o644)
    shared.mkdir()
    shared.chmod(0o1777)
    files.pair_in(place / "keys", "client_private.pem")
    users.give(place / "keys", users.USER)
    known, requests = shared / "known", endpoint.requests()
    words = [f"url={endpoint.url}", f"ca={ca}", f"dir={place / 'keys'}", f"known={known}", *CHAT]
    for key in (RIGHT, OTHER):
        write = f"printf '%s %s\\n' {endpoint.url} {key} > {known} && chmod 644 {known}"
        subprocess.run([*users.as_user(users.STRANGER), "sh", "-c", write], check=True)
        step = everyones_driver.run(*words, before=users.as_user())[-1]
        assert step.status in (PIN, KEY) and str(shared) in step.text
    shared.chmod(0o755)
    said = everyones_driver.refused(PIN, *words, before=users.as_user())
    assert f"user {users.STRANGER}" in said and str(known) in said
    assert endpoint.requests() == requests
