"""The server's key is the one that was pinned or remembered, or the request never leaves."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from driver import ARGUMENT, KEYS, PIN, Driver
from endpoint import Endpoint, Interceptor, fingerprint

RIGHT, OTHER = fingerprint(KEYS / "server_public.pem"), fingerprint(KEYS / "other_public.pem")
THIRD = fingerprint(KEYS / "client_public.pem")
CHAT = ("chat", "the secret prompt")
NOT_SENT = "the request was not sent"


def in_base64(pin: str) -> str:
    return f"sha256/{base64.b64encode(bytes.fromhex(pin)).decode()}"


# --- pins


@pytest.mark.parametrize(
    "pins",
    [
        [RIGHT],
        [RIGHT.upper()],
        [in_base64(RIGHT)],
        [OTHER, RIGHT],
        [RIGHT, in_base64(OTHER)],
        [THIRD, in_base64(OTHER), in_base64(RIGHT)],
    ],
    ids=["hex", "upper-case hex", "base64", "the second", "the first", "the third"],
)
def test_a_request_to_a_pinned_key_is_answered(
    driver: Driver, endpoint: Endpoint, pair: Path, pins: list[str]
) -> None:
    settings = [f"pin={pin}" for pin in pins]
    assert driver.ok(*endpoint.asked(f"dir={pair}", *settings), *CHAT) == CHAT[1]
    assert driver.ok(*endpoint.asked(f"dir={pair}", *settings), "server") == RIGHT == endpoint.about["key_fingerprint"]


@pytest.mark.parametrize("pins", [[OTHER], [in_base64(OTHER)], [OTHER, THIRD]], ids=["hex", "base64", "several"])
def test_a_request_to_another_key_never_leaves(
    driver: Driver, endpoint: Endpoint, pair: Path, pins: list[str]
) -> None:
    before = endpoint.requests()
    words = endpoint.asked(f"dir={pair}", *[f"pin={pin}" for pin in pins])
    for step in (CHAT, ("warm",), ("server",)):
        said = driver.refused(PIN, *words, *step)
        assert RIGHT in said and OTHER in said and (NOT_SENT in said or step != CHAT)
        assert len(pins) == 1 or THIRD in said
    assert endpoint.requests() == before


@pytest.mark.parametrize(
    "pin",
    ["", RIGHT[:-1], RIGHT + "00", RIGHT.replace("a", "g"), in_base64(RIGHT)[:-1], in_base64(RIGHT)[7:], "sha1/AAAA"],
    ids=["empty", "short", "long", "not hex", "no padding", "no prefix", "SHA-1"],
)
def test_what_is_no_pin_is_refused_at_once(driver: Driver, pin: str) -> None:
    assert "sha256/" in driver.refused(ARGUMENT, f"pin={pin}", "public")


def test_the_environment_pins_too(driver: Driver, endpoint: Endpoint, pair: Path) -> None:
    before = endpoint.requests()
    words = [*endpoint.asked(f"dir={pair}"), "env=1", *CHAT]
    assert driver.ok(*words, env={"NOMYO_SERVER_KEY_PIN": RIGHT}) == CHAT[1]
    assert OTHER in driver.refused(PIN, *words, env={"NOMYO_SERVER_KEY_PIN": OTHER})
    driver.refused(ARGUMENT, *words, env={"NOMYO_SERVER_KEY_PIN": "0123"})
    assert endpoint.requests() == before + 1


# --- a key that changes


def changed_meanwhile(driver: Driver, served: Endpoint, *words: str) -> list[str]:
    """What two requests of one client say, the key being another one between them."""
    with driver.start(*words, "chat", "before", "pause", *CHAT) as process:
        assert process.stdin and process.stdout
        lines = [process.stdout.readline().decode(), process.stdout.readline().decode()]
        served.serve_key("other_private.pem")
        rest, _ = process.communicate(b"\n", timeout=60)
    return [lines[0].rstrip(), rest.decode().rstrip()]


def test_without_a_pin_a_key_that_changes_goes_unnoticed(driver: Driver, served: Endpoint, pair: Path) -> None:
    """What pins are for; and what makes the tests below prove something."""
    assert driver.ok(*served.asked(f"dir={pair}"), *CHAT) == CHAT[1]
    served.serve_key("other_private.pem")
    assert driver.ok(*served.asked(f"dir={pair}"), *CHAT) == CHAT[1]
    served.serve_key("server_private.pem")
    assert changed_meanwhile(driver, served, *served.asked(f"dir={pair}")) == [
        "chat NOMYO_OK before",
        "chat NOMYO_OK the secret prompt",
    ]


@pytest.mark.parametrize("how", ["pin", "known"])
def test_a_key_that_changes_between_two_processes_is_refused(
    driver: Driver, served: Endpoint, pair: Path, tmp_path: Path, how: str
) -> None:
    setting = f"pin={RIGHT}" if how == "pin" else f"known={tmp_path / 'known'}"
    words = [*served.asked(f"dir={pair}", setting), *CHAT]
    assert driver.ok(*words) == CHAT[1]
    before = served.requests()
    served.serve_key("other_private.pem")
    for _ in range(2):
        said = driver.refused(PIN, *words)
        assert RIGHT in said and OTHER in said and NOT_SENT in said
    assert served.requests() == before


@pytest.mark.parametrize("how", ["pin", "known"])
def test_a_key_that_changes_between_two_requests_is_never_sealed_for(
    driver: Driver, served: Endpoint, pair: Path, tmp_path: Path, how: str
) -> None:
    """The key is fetched again for the second request (`ttl` is 0), which then does not leave."""
    setting = f"pin={RIGHT}" if how == "pin" else f"known={tmp_path / 'known'}"
    before = served.requests()
    first, second = changed_meanwhile(driver, served, *served.asked(f"dir={pair}", setting, "ttl=0"))
    assert first == "chat NOMYO_OK before"
    assert second.startswith(f"chat {PIN} ") and RIGHT in second and OTHER in second
    assert served.requests() == before + 1


@pytest.mark.parametrize("how", ["pin", "known"])
def test_a_key_that_changes_behind_a_cached_one_is_never_sealed_for(
    driver: Driver, served: Endpoint, pair: Path, tmp_path: Path, how: str
) -> None:
    """The second request leaves once, sealed for the trusted key: the new one cannot read it, and gets no other."""
    setting = f"pin={RIGHT}" if how == "pin" else f"known={tmp_path / 'known'}"
    before = served.requests()
    first, second = changed_meanwhile(driver, served, *served.asked(f"dir={pair}", setting))
    assert first == "chat NOMYO_OK before"
    assert second.startswith(f"chat {PIN} ") and RIGHT in second and OTHER in second
    assert served.requests() == before + 2


# --- TLS in other hands


@pytest.fixture
def intercepted(driver: Driver, pair: Path, tmp_path: Path) -> Iterator[tuple[Interceptor, list[str], Path]]:
    """An interceptor in the place of an endpoint that the client knows; how to ask it; what the client remembers."""
    known = tmp_path / "known"
    with Endpoint(tmp_path / "state") as real:
        port = int(real.url.rsplit(":", 1)[1])
        assert driver.ok(*real.asked(f"dir={pair}", f"known={known}"), *CHAT) == CHAT[1]
        url = real.url
    with Endpoint(tmp_path / "state") as behind, Interceptor(tmp_path / "interceptor", port, behind) as interceptor:
        both = tmp_path / "authorities.pem"
        both.write_bytes(behind.ca.read_bytes() + interceptor.ca.read_bytes())
        yield interceptor, [f"url={url}", f"ca={both}", f"dir={pair}"], known


def test_without_a_pin_whoever_holds_a_trusted_certificate_reads_everything(
    driver: Driver, intercepted: tuple[Interceptor, list[str], Path]
) -> None:
    interceptor, words, _ = intercepted
    assert driver.ok(*words, *CHAT) == CHAT[1]
    assert interceptor.received == 1 and CHAT[1] in interceptor.read[0]


def test_at_the_first_use_known_servers_remember_an_interceptors_key(
    driver: Driver, intercepted: tuple[Interceptor, list[str], Path], tmp_path: Path
) -> None:
    interceptor, words, _ = intercepted
    first = tmp_path / "first use"
    assert driver.ok(*words, f"known={first}", *CHAT) == CHAT[1]
    assert interceptor.received == 1 and CHAT[1] in interceptor.read[0]
    assert first.read_text().split()[1] == OTHER


@pytest.mark.parametrize("how", ["pin", "known", "both"])
def test_with_a_pin_nothing_reaches_whoever_holds_a_trusted_certificate(
    driver: Driver, intercepted: tuple[Interceptor, list[str], Path], how: str
) -> None:
    interceptor, words, known = intercepted
    settings = {"pin": [f"pin={RIGHT}"], "known": [f"known={known}"]}
    settings["both"] = settings["pin"] + settings["known"]
    remembered = known.read_bytes()
    for step in (CHAT, ("warm",), ("server",)):
        said = driver.refused(PIN, *words, *settings[how], *step)
        assert RIGHT in said and OTHER in said
    assert interceptor.received == 0 and interceptor.read == []
    assert known.read_bytes() == remembered
