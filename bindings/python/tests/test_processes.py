"""Signals and forks: Ctrl-C ends a call, a forked child is told or gets a client of its own, nothing hangs."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

import nomyo_native

KEY = Path(__file__).parents[3] / "tests/fixtures/protocol/keys/client_private.pem"
SETUP = """
import asyncio, multiprocessing, os, signal, sys, threading, time
import nomyo_native as nomyo
URL, CA = os.environ["NOMYO_TEST_BASE_URL"], os.environ["NOMYO_TEST_CA_FILE"]
USER = [{"role": "user", "content": "Hello"}]
def request(**test): return {"model": "echo", "messages": USER, "nomyo_test": test}
SLOW = request(delay_before_headers_ms=60_000)
# Shells start what runs in the background with Ctrl-C ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
"""


def program(body: str) -> list[str]:
    return [sys.executable, "-X", "dev", "-W", "ignore::DeprecationWarning", "-c", SETUP + textwrap.dedent(body)]


def environment(ca_file: str) -> dict[str, str]:
    package = str(Path(nomyo_native.__file__).parents[1])
    return {**os.environ, "PYTHONPATH": package, "SSL_CERT_FILE": ca_file}


def run(body: str, ca_file: str) -> str:
    result = subprocess.run(program(body), env=environment(ca_file), capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    return result.stdout


def interrupt(body: str, ca_file: str, number: int = signal.SIGINT) -> tuple[int, str, float]:
    """Runs a program that says "waiting", sends it a signal, and returns its exit status, its output and how long."""
    with subprocess.Popen(program(body), env=environment(ca_file), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "waiting\n"
        time.sleep(0.5)
        begun = time.monotonic()
        process.send_signal(number)
        output, _ = process.communicate(timeout=50)
        return process.returncode, output, time.monotonic() - begun


def test_daemon_threads_in_calls_end_with_the_program(ca_file):
    for moment in range(10):
        output = run(
            f"""
            client = nomyo.Client(URL, ca_file=CA)
            client.load_keys_pem(open({str(KEY)!r}, "rb").read())
            client.warm_up()
            def chat():
                while True:
                    client.create(request())
            for _ in range(8): threading.Thread(target=chat, daemon=True).start()
            time.sleep({moment} / 200)
            print("the end", flush=True)
            """,
            ca_file,
        )
        assert output == "the end\n"


def test_ctrl_c_cancels_a_call_and_the_client_works_on(ca_file):
    status, output, took = interrupt(
        """
        with nomyo.Client(URL, ca_file=CA) as client:
            client.warm_up()
            print("waiting", flush=True)
            try:
                client.create(SLOW)
            except KeyboardInterrupt:
                print(client.create(request()).content())
        """,
        ca_file,
    )
    assert (status, output) == (0, "Hello\n")
    assert took < 30, "it did not wait for the server's minute"


def test_ctrl_c_that_nobody_catches_ends_the_program(ca_file):
    status, _, took = interrupt(
        """
        sys.stderr = open(os.devnull, "w")
        client = nomyo.Client(URL, ca_file=CA)
        client.warm_up()
        print("waiting", flush=True)
        client.create(SLOW)
        """,
        ca_file,
    )
    assert status == -signal.SIGINT
    assert took < 30


def test_ctrl_c_ends_an_event_loop_with_its_calls(ca_file):
    status, output, took = interrupt(
        """
        async def main():
            sdk = nomyo.SecureChatCompletion(URL)
            await sdk.create("echo", USER)
            print("waiting", flush=True)
            await asyncio.gather(*(sdk.create(**SLOW) for _ in range(5)))
        try:
            asyncio.run(main())
        except KeyboardInterrupt:
            print("interrupted")
        """,
        ca_file,
    )
    assert (status, output) == (0, "interrupted\n")
    assert took < 30


def test_a_handler_that_does_not_raise_lets_the_call_go_on(ca_file):
    status, output, _ = interrupt(
        """
        signal.signal(signal.SIGUSR1, lambda *_: print("handled", flush=True))
        with nomyo.Client(URL, ca_file=CA) as client:
            client.warm_up()
            print("waiting", flush=True)
            print(client.create(request(delay_before_headers_ms=1500)).content())
        """,
        ca_file,
        signal.SIGUSR1,
    )
    assert (status, output) == (0, "handled\nHello\n")


def test_a_prefork_server_s_workers_each_get_a_fresh_client(ca_file):
    """As gunicorn with --preload: one SecureChatCompletion made and used before the forks."""
    output = run(
        """
        sdk = nomyo.SecureChatCompletion(URL)
        asyncio.run(sdk.create("echo", USER))
        before = sdk.client.public_key_pem
        workers = []
        for _ in range(3):
            child = os.fork()
            if child == 0:
                for _ in range(2):
                    assert asyncio.run(sdk.create("echo", USER))["choices"]
                assert sdk.client.public_key_pem != before
                os._exit(7)
            workers.append(child)
        assert asyncio.run(sdk.create("echo", USER))["choices"]
        assert sdk.client.public_key_pem == before
        print([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in workers])
        """,
        ca_file,
    )
    assert output == "[7, 7, 7]\n"


def test_multiprocessing_s_children_are_told_that_they_are_forked(ca_file):
    output = run(
        """
        client = nomyo.Client(URL, ca_file=CA)
        client.warm_up()
        answer = client.create(request())
        def ask(number):
            for call in (lambda: client.create(request()), lambda: asyncio.run(client.acreate(request())), client.server_key):
                try:
                    call()
                    return "it worked"
                except nomyo.ForkedError as e:
                    assert e.status_name == "NOMYO_ERR_FORKED"
            answer.close()
            with nomyo.Client(URL, ca_file=CA) as own:
                return own.create(request()).content()
        with multiprocessing.get_context("fork").Pool(2) as pool:
            print(pool.map(ask, range(4)))
        print(answer.content())
        """,
        ca_file,
    )
    assert output == "['Hello', 'Hello', 'Hello', 'Hello']\nHello\n"


def test_forks_in_the_midst_of_calls_hang_nowhere(ca_file):
    output = run(
        """
        client = nomyo.Client(URL, ca_file=CA)
        client.warm_up()
        stop = threading.Event()
        def ask():
            while not stop.is_set():
                client.create(request()).close()
        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads: thread.start()
        statuses = set()
        for n in range(40):
            child = os.fork()
            if child == 0:
                signal.alarm(60)
                try:
                    client.create(request())
                except nomyo.ForkedError:
                    client.close()
                    nomyo.Client(URL, ca_file=CA).close()
                    os._exit(7)
                os._exit(1)
            statuses.add(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        stop.set()
        for thread in threads: thread.join()
        print(statuses)
        """,
        ca_file,
    )
    assert output == "{7}\n"


@pytest.mark.parametrize(
    "left", ["a call on a thread", "a call that waits for a lock", "a pending task", "an open answer and a view"]
)
def test_a_program_ends_although_something_is_left(ca_file, left):
    body = {
        "a call on a thread": "threading.Thread(target=client.create, args=(SLOW,), daemon=True).start(); time.sleep(0.3)",
        "a call that waits for a lock": """
import fcntl, tempfile
locked = tempfile.TemporaryDirectory()
fcntl.flock(lock := open(locked.name + "/.nomyo.lock", "w"), fcntl.LOCK_EX)
threading.Thread(target=client.save_keys, args=(locked.name,), daemon=True).start()
time.sleep(0.3)""",
        "a pending task": """
async def main():
    asyncio.ensure_future(client.acreate(SLOW))
    await asyncio.sleep(0.3)
asyncio.run(main())""",
        "an open answer and a view": "answer = client.create(request()); view = answer.view('content')[1:]",
    }[left]
    begun = time.monotonic()
    run("client = nomyo.Client(URL, ca_file=CA)\nclient.warm_up()\n" + body, ca_file)
    assert time.monotonic() - begun < 50


def test_a_program_that_logs_ends_cleanly_in_the_midst_of_calls(ca_file):
    """A thread that comes back from the library while the interpreter ends is killed; not while it writes a log line."""
    body = """
        import logging
        logging.basicConfig(level=logging.DEBUG, stream=open(os.devnull, "w"))
        client = nomyo.Client(URL, ca_file=CA, log=logging.getLogger("calls"))
        client.warm_up()
        for _ in range(4):
            threading.Thread(target=lambda: client.create(SLOW), daemon=True).start()
        threading.excepthook = lambda _: None
        async def main():
            for _ in range(16):
                asyncio.ensure_future(client.acreate(SLOW))
            await asyncio.sleep(0.5)
        asyncio.run(main())
    """
    for _ in range(5):
        run(body, ca_file)
