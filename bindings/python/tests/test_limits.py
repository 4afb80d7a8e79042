"""Every method that can block ends at its timeout, its Cancel, a signal handler that raises, and the end of its task."""

import asyncio
import fcntl
import inspect
import shutil
import signal
import socket
import textwrap
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import nomyo_native as nomyo
from nomyo_native import _threads

KEYS = Path(__file__).parents[3] / "tests" / "fixtures" / "protocol" / "keys"
SERVER_PEM = (KEYS / "server_public.pem").read_bytes()
REQUEST = {"model": "echo", "messages": [{"role": "user", "content": "Hello"}]}
# Methods that block on nothing: they take no timeout.
IMMEDIATE = {"close", "open"}
LATE = 5.0  # how late a loaded machine may end a call; without the limit they last seconds, a minute, or never end
late: list[float] = []

Start = Callable[..., Any]


@pytest.fixture(scope="module")
def silent_port() -> Iterator[int]:
    """A server that accepts connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as server:
        yield server.getsockname()[1]


@pytest.fixture
def private_key(tmp_path: Path) -> Path:
    copy = tmp_path / "private.pem"
    shutil.copy(KEYS / "client_private.pem", copy)
    copy.chmod(0o600)
    return copy


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """A key directory that somebody else works in, for as long as the test lasts."""
    directory.mkdir(mode=0o700, exist_ok=True)
    with (directory / ".nomyo.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


# By name: what blocks, the method, its arguments.
BLOCKED: dict[str, tuple[str, str, Callable[[Path], tuple[Any, ...]]]] = {
    "create, silent server": ("server", "create", lambda _: (REQUEST,)),
    "warm_up, silent server": ("server", "warm_up", lambda _: ()),
    "server_key, silent server": ("server", "server_key", lambda _: ()),
    "tls_chain, silent server": ("tls", "tls_chain", lambda _: ()),
    "create, locked key directory": ("lock", "create", lambda _: (REQUEST,)),
    "warm_up, locked key directory": ("lock", "warm_up", lambda _: ()),
    "public_key, locked key directory": ("lock", "public_key", lambda _: ()),
    "rotate_keys, locked key directory": ("lock", "rotate_keys", lambda _: ()),
    "seal, locked key directory": ("lock", "seal", lambda _: (SERVER_PEM, REQUEST)),
    "generate_keys, locked directory": ("lock of another", "generate_keys", lambda keys: (keys,)),
    "save_keys, locked directory": ("lock of another", "save_keys", lambda keys: (keys,)),
    "private_key_pem, locked key directory": ("lock", "private_key_pem", lambda _: ()),
    "load_keys_pem, slow password": (
        "password", "load_keys_pem", lambda keys: ((keys / "slow.pem").read_bytes(), b"", b"a password"),
    ),
    "load_keys, slow password": ("password", "load_keys", lambda keys: (keys / "slow.pem", None, b"a password")),
}


@pytest.fixture(params=BLOCKED)
def blocked(
    request: pytest.FixtureRequest, silent_port: int, private_key: Path, tmp_path: Path
) -> Iterator[tuple[Callable[..., nomyo.Client], str, tuple[Any, ...]]]:
    """How to make a client whose method blocks, the method's name, and its arguments."""
    by, method, arguments = BLOCKED[request.param]
    keys = tmp_path / "keys"

    def make(**options: Any) -> nomyo.Client:
        url = f"{'https' if by == 'tls' else 'http'}://127.0.0.1:{silent_port}"
        if by == "lock":
            options["key_dir"] = keys
        client = nomyo.Client(url, allow_http=True, environment=False, connect_timeout=60, **options)
        if by != "lock":
            client.load_keys(private_key, timeout=60)
        return client

    if by == "password":
        keys.mkdir(mode=0o700)
        slow(keys / "slow.pem")
    with locked(keys):
        yield make, method, arguments(keys)


def slow(to: Path) -> None:
    """A private key whose password takes seconds to try: PBKDF2 with 8 million iterations, in the place of 600 000."""
    der = b64decode("".join((KEYS / "client_private_openssl_600k.pem").read_text().splitlines()[1:-1]))
    few, many = bytes.fromhex("02030927c0"), bytes.fromhex("02037a1200")
    assert der.count(few) == 1
    body = "\n".join(textwrap.wrap(b64encode(der.replace(few, many)).decode(), 64))
    to.write_text(f"-----BEGIN ENCRYPTED PRIVATE KEY-----\n{body}\n-----END ENCRYPTED PRIVATE KEY-----\n")
    to.chmod(0o600)


def ended(begun: float) -> None:
    """The call that began then was to end 0.2 s later."""
    late.append(time.monotonic() - begun - 0.2)
    assert -0.05 < late[-1] < LATE


@pytest.fixture(scope="module", autouse=True)
def distribution(pytestconfig: pytest.Config) -> Iterator[None]:
    """Shows how late the calls of this module ended."""
    yield
    milliseconds = sorted(round(seconds * 1000) for seconds in late)
    if milliseconds:
        some = {share: milliseconds[int(share / 100 * (len(late) - 1))] for share in (50, 90, 99, 100)}
        with pytestconfig.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
            print(f"\nlimits from Python, {len(late)} calls: ms late, by percentile: {some}")


def until_idle() -> None:
    """The call itself has ended, not only the waiting for it."""
    end = time.monotonic() + LATE
    while busy() and time.monotonic() < end:
        time.sleep(0.01)
    assert not busy(), "nobody waits for the call, but it goes on"


def busy() -> int:
    threads = [thread for thread in threading.enumerate() if thread.name == "nomyo"]
    return len(threads) - len(_threads._workers.idle)


def test_a_timeout_ends_it(blocked):
    make, method, arguments = blocked
    with make() as client:
        begun = time.monotonic()
        with pytest.raises(nomyo.APITimeoutError):
            getattr(client, method)(*arguments, timeout=0.2)
        ended(begun)


def test_the_client_s_timeout_ends_it(blocked):
    make, method, arguments = blocked
    with make(timeout=0.2) as client:
        begun = time.monotonic()
        with pytest.raises(nomyo.APITimeoutError):
            getattr(client, method)(*arguments)
        ended(begun)


def test_a_cancel_from_another_thread_ends_it(blocked):
    make, method, arguments = blocked
    cancel = nomyo.Cancel()
    timer = threading.Timer(0.2, cancel.trigger)
    with make() as client:
        timer.start()
        begun = time.monotonic()
        with pytest.raises(nomyo.CancelledError):
            getattr(client, method)(*arguments, cancel=cancel)
        ended(begun)
    timer.join()


def test_a_call_on_another_thread_ends_too(blocked):
    make, method, arguments = blocked
    ended: list[type] = []
    with make() as client:

        def run() -> None:
            try:
                getattr(client, method)(*arguments, timeout=0.2)
            except nomyo.NomyoError as e:
                ended.append(type(e))

        thread = threading.Thread(target=run)
        thread.start()
        thread.join(0.2 + LATE)
    assert ended == [nomyo.APITimeoutError]


def test_a_signal_handler_that_raises_ends_it(blocked):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    make, method, arguments = blocked
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with make() as client:
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            begun = time.monotonic()
            with pytest.raises(KeyboardInterrupt):
                getattr(client, method)(*arguments)
            ended(begun)
            until_idle()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_the_end_of_its_task_ends_it(blocked):
    make, method, arguments = blocked

    async def hurried(client: nomyo.Client) -> None:
        await asyncio.wait_for(getattr(client, f"a{method}")(*arguments), 0.2)

    with make() as client:
        begun = time.monotonic()
        with pytest.raises(asyncio.TimeoutError):
            asyncio.run(hurried(client))
        ended(begun)
        until_idle()


@pytest.mark.parametrize("method", ["fetch_server_public_key", "encrypt_payload", "send_secure_request"])
def test_the_drop_in_client_s_calls_end_with_their_task(silent_port, private_key, method):
    with pytest.warns(UserWarning):
        client = nomyo.SecureCompletionClient(f"http://127.0.0.1:{silent_port}", allow_http=True)
    client.load_keys(str(private_key))
    arguments = {"encrypt_payload": (REQUEST,), "send_secure_request": (REQUEST, "")}.get(method, ())

    async def hurried() -> None:
        await asyncio.wait_for(getattr(client, method)(*arguments), 0.2)

    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(hurried())
    until_idle()


def methods() -> list[str]:
    return [name for name, _ in inspect.getmembers(nomyo.Client, inspect.isfunction) if not name.startswith("_")]


def test_every_method_that_can_block_takes_a_timeout_and_a_cancel():
    blocking = [name for name in methods() if not inspect.iscoroutinefunction(getattr(nomyo.Client, name))]
    assert len(blocking) > 10
    for name in set(blocking) - IMMEDIATE:
        parameters = inspect.signature(getattr(nomyo.Client, name)).parameters
        assert {"timeout", "cancel"} <= set(parameters), name
        assert any(method == name for _, method, _ in BLOCKED.values()), f"{name} is tested by nobody here"


def test_every_method_that_can_block_has_a_coroutine_with_its_signature():
    waiting = {name for name in methods() if inspect.iscoroutinefunction(getattr(nomyo.Client, name))}
    blocking = set(methods()) - waiting - IMMEDIATE
    assert waiting == {f"a{name}" for name in blocking}
    for name in blocking:
        assert inspect.signature(getattr(nomyo.Client, name)) == inspect.signature(getattr(nomyo.Client, f"a{name}"))
