"""gevent and eventlet: a call that blocks does not stop the other greenlets. Each program patches a process of its own."""

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import nomyo_native

KEY = Path(__file__).parents[3] / "tests/fixtures/protocol/keys/client_private.pem"
PATCH = {
    "gevent": """
from gevent import monkey; monkey.patch_all()
import gevent
from gevent import sleep, spawn, Timeout
def result(greenlet): return greenlet.get()
def kill(greenlet): greenlet.kill(block=False)
""",
    "eventlet": """
import eventlet; eventlet.monkey_patch()
from eventlet import sleep, spawn, Timeout
def result(greenlet): return greenlet.wait()
def kill(greenlet): greenlet.kill()
""",
}
SETUP = """
import asyncio, logging, os, signal, sys, threading
import nomyo_native as nomyo
from nomyo_native import _threads
def made(**options):
    client = nomyo.Client(os.environ["NOMYO_TEST_BASE_URL"], ca_file=os.environ["NOMYO_TEST_CA_FILE"], max_retries=0, **options)
    client.load_keys(os.environ["TEST_KEY"])  # sooner than a pair is generated
    client.warm_up()
    return client
client = made()
def request(content="Hello", **test):
    return {"model": "echo", "messages": [{"role": "user", "content": content}], "nomyo_test": test}
SLOW = request(delay_before_headers_ms=60_000)
def ask(*arguments, **options):
    with client.create(request(*arguments, **options)) as answer:
        return answer.content()
def until(condition):
    for _ in range(2000):
        if condition():
            return True
        sleep(0.01)
"""


@pytest.fixture(autouse=True)
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", shutil.copy(KEY, tmp_path))
    (tmp_path / KEY.name).chmod(0o600)


def run(first: str, body: str, ca_file: str) -> list[str]:
    result = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "ignore", "-c", first + SETUP + textwrap.dedent(body)],
        env={**os.environ, "SSL_CERT_FILE": ca_file, "PYTHONPATH": str(Path(nomyo_native.__file__).parents[1])},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


@pytest.fixture(params=sorted(PATCH))
def patch(request: pytest.FixtureRequest) -> str:
    return PATCH[request.param]


def test_a_greenlet_that_waits_for_an_answer_lets_the_others_run(ca_file, patch):
    body = """
    order = []
    def call():
        ask(delay_before_headers_ms=1500)
        order.append("answer")
    def beat():
        for _ in range(10):
            sleep(0.05)
            order.append("beat")
    greenlets = [spawn(call), spawn(beat)]
    for greenlet in greenlets: result(greenlet)
    print(order == ["beat"] * 10 + ["answer"])
    """
    assert run(patch, body, ca_file) == ["True"]


def test_thirty_greenlets_wait_at_once(ca_file, patch):
    """More than gevent's thread pool (10) and eventlet's (20) have threads."""
    body = """
    def call(n):
        return ask(str(n), delay_before_headers_ms=2000)
    greenlets = [spawn(call, n) for n in range(30)]
    print(until(lambda: len(_threads._under_way) == 30))
    print([result(greenlet) for greenlet in greenlets] == [str(n) for n in range(30)])
    print(until(lambda: not _threads._under_way))
    """
    assert run(patch, body, ca_file) == ["True"] * 3


def test_a_greenlet_that_is_killed_ends_its_call(ca_file, patch):
    body = """
    greenlet = spawn(client.create, SLOW)
    print(until(lambda: _threads._under_way))
    kill(greenlet)
    print(until(lambda: not _threads._under_way), ask())
    """
    assert run(patch, body, ca_file) == ["True", "True Hello"]


def test_a_timeout_of_the_framework_ends_a_call(ca_file, patch):
    body = """
    try:
        with Timeout(0.5):
            client.create(SLOW)
    except Timeout:
        print(until(lambda: not _threads._under_way), ask())
    """
    assert run(patch, body, ca_file) == ["True Hello"]


def test_the_timeout_and_the_cancel_of_a_call_work(ca_file, patch):
    body = """
    def caught(error, **options):
        try:
            client.create(SLOW, **options)
        except error as e:
            return type(e).__name__, e.sent
    print(caught(nomyo.APITimeoutError, timeout=3))
    cancel = nomyo.Cancel()
    greenlet = spawn(caught, nomyo.CancelledError, cancel=cancel)
    print(until(lambda: _threads._under_way))
    sleep(2)  # long enough for the request to leave
    cancel.trigger()
    print(result(greenlet))
    """
    assert run(patch, body, ca_file) == ["('APITimeoutError', 'maybe')", "True", "('CancelledError', 'maybe')"]


def test_log_lines_are_written_by_the_greenlet_that_waits(ca_file, patch):
    """A real thread that waits for the lock of a handler, which is a greenlets' lock, might never continue."""
    body = """
    import _thread
    main, written = _thread.get_native_id(), []
    class Handler(logging.Handler):
        def emit(self, record):
            sleep(0.01)
            written.append((record.status, _thread.get_native_id() == main))
    log = logging.getLogger("calls"); log.setLevel("INFO"); log.addHandler(Handler())
    log.propagate = False
    client = made(log=log)
    written.clear()
    for greenlet in [spawn(ask) for _ in range(20)]: result(greenlet)
    print(written == [(200, True)] * 20, len(written))
    """
    assert run(patch, body, ca_file) == ["True 20"]


def test_ctrl_c_ends_a_call(ca_file, patch):
    body = """
    import subprocess
    signal.signal(signal.SIGINT, signal.default_int_handler)
    killer = subprocess.Popen(["sh", "-c", f"sleep 1; kill -INT {os.getpid()}"])
    try:
        client.create(SLOW)
    except KeyboardInterrupt:
        print("interrupted", until(lambda: not _threads._under_way))
    killer.wait()
    """
    assert run(patch, body, ca_file) == ["interrupted True"]


def test_a_forked_child_makes_a_client_of_its_own(ca_file, patch):
    body = """
    greenlet = spawn(ask, delay_before_headers_ms=1000)
    until(lambda: _threads._under_way)
    child = os.fork()
    if child == 0:
        try:
            client.create(request())
        except nomyo.ForkedError:
            with made() as own:
                os._exit(7 if own.create(request()).content() == "Hello" else 1)
        os._exit(2)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), result(greenlet))
    """
    assert run(patch, body, ca_file) == ["7 Hello"]


def test_a_program_ends_in_the_middle_of_a_call(ca_file, patch):
    assert run(patch, "spawn(client.create, SLOW)\nprint(until(lambda: _threads._under_way) is not None)", ca_file) == ["True"]


def test_a_process_that_is_patched_after_the_import_works_too(ca_file, patch):
    body = """
    greenlets = [spawn(ask, delay_before_headers_ms=500) for _ in range(5)]
    print(until(lambda: len(_threads._under_way) == 5), [result(greenlet) for greenlet in greenlets])
    # A real thread that waits for a greenlets' lock would never continue.
    print(type(nomyo._handle.Handle._lock.real).__module__)
    """
    assert run("import nomyo_native" + patch, body, ca_file) == [f"True {['Hello'] * 5}", "_thread"]
