"""Calls of the Python package while an alarm sends signals to the working thread. storm_languages.py runs this program and scans
its memory.

    storm_child.py main|thread URL CA-FILE PRIVATE-KEY-FILE SERVER-KEY-FILE RATE COUNT KEY-LENGTH REQUEST-LENGTH

main    calls from the main thread. The system refuses all other threads, so that the library works on this one.
thread  calls from a thread, while the main thread has the signal blocked.
"""

import ctypes
import faulthandler
import io
import os
import signal
import sys
import threading
from pathlib import Path

from nomyo_native import Client, SecureBuffer

WHERE, URL, CA, PRIVATE, SERVER, RATE, COUNT, *LENGTHS = sys.argv[1:]
STDIN = io.FileIO(0)  # no buffer in between
CLONE, CLONE3 = {"x86_64": (56, 435), "aarch64": (220, 435)}[os.uname().machine]


class Rule(ctypes.Structure):
    """struct sock_filter."""

    _fields_ = [("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32)]


class Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = [("length", ctypes.c_uint16), ("rules", ctypes.POINTER(Rule))]


def refuse_threads() -> None:
    """As threads.c does."""
    load, equal, answer = 0x20, 0x15, 0x06
    refused, allowed = 0x0005_0000 | 11, 0x7FFF_0000
    begin, end = [(load, 0, 0, 0)], [(answer, 0, 0, refused), (answer, 0, 0, allowed)]
    rules = (Rule * 5)(*begin, (equal, 1, 0, CLONE), (equal, 0, 1, CLONE3), *end)
    libc = ctypes.CDLL(None)
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    assert libc.prctl(22, 2, ctypes.byref(Program(len(rules), rules))) == 0


def receive(length: str) -> SecureBuffer:
    secret = bytearray(int(length))
    assert STDIN.readinto(secret) == len(secret)
    return SecureBuffer(secret)


def pause(line: str) -> None:
    os.write(1, line.encode() + b"\n")
    assert STDIN.read(1) == b"\n"


def work(client: Client, request: SecureBuffer) -> str:
    payload_id = ""
    for _ in range(int(COUNT)):
        client.load_keys(PRIVATE)
        client.seal(Path(SERVER).read_text(), request).close()
        with client.create(request) as answer:
            assert len(answer.view("content") or b"") > 0
            payload_id = answer.payload_id
    return payload_id


faulthandler.enable()  # which gives the main thread a stack for handlers
with receive(LENGTHS[0]) as key:
    client = Client(URL, api_key=key, ca_file=CA, environment=False)
said: list[str] = []
with receive(LENGTHS[1]) as request:
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 1 / int(RATE), 1 / int(RATE))
    if WHERE == "main":
        refuse_threads()
        said.append(work(client, request))
    else:
        thread = threading.Thread(target=lambda: said.append(work(client, request)))
        thread.start()
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
        thread.join()
    signal.setitimer(signal.ITIMER_REAL, 0)
pause(said[0])
client.close()
pause("client closed")
