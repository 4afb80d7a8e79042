"""Processes that end with the test, however that ends."""

import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

PATIENCE = 60
_running: list[subprocess.Popen[bytes]] = []


def start(command: list[Any], is_ready: Callable[[], bool]) -> subprocess.Popen[bytes]:
    """Runs a server; returns when it is ready."""
    command = [str(part) for part in command]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _running.append(process)
    deadline = time.monotonic() + PATIENCE
    while not is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{command[0]} did not start")
        time.sleep(0.02)
    return process


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(PATIENCE)
    _running.remove(process)


def stop_all() -> None:
    """At the end, after a signal too, when nobody else will."""
    for process in list(_running):
        process.send_signal(signal.SIGTERM)
    for process in list(_running):
        process.wait(PATIENCE)
