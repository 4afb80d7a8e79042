"""examples/c/keys.c at a terminal. What else it does is in tests/examples.sh."""

import fcntl
import os
import pty
import signal
import subprocess
import termios
import time
from pathlib import Path

import files
from driver import KEYS, ROOT, Driver
from files import PASSWORD, PRIVATE


class Terminal:
    """A program at a terminal, and who types there."""

    def __init__(self, *words: str | Path) -> None:
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            words, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(theirs)
        self.shown = b""

    def answer(self, question: bytes, text: str, key: str = "\n") -> None:
        """Waits for the question, and for the program to have hidden what is typed, which it does first."""
        begun, until = len(self.shown), time.monotonic() + 30
        while question not in self.shown[begun:]:
            assert time.monotonic() < until
            self.shown += os.read(self.ours, 1024)
        os.write(self.ours, (text + key).encode())

    def shows_what_is_typed(self) -> bool:
        return bool(termios.tcgetattr(self.ours)[3] & termios.ECHO)

    def end(self, status: int = 0) -> bytes:
        """What it printed; what it showed on the terminal is in `shown`."""
        printed, _ = self.process.communicate(timeout=60)
        try:
            while more := os.read(self.ours, 1024):
                self.shown += more
        except OSError:  # how Linux says that the other end is closed
            pass
        assert self.process.returncode == status, self.shown
        assert self.shows_what_is_typed()
        os.close(self.ours)
        return printed


def test_passwords_are_asked_for_unseen_and_new_ones_twice(driver: Driver, tmp_path: Path) -> None:
    program = driver.build(ROOT / "examples" / "c" / "keys.c")
    key = files.private_copy("client_private_js_password.pem", tmp_path / "js.pem")
    terminal = Terminal(program, "convert", key, tmp_path / "keys")
    terminal.answer(b"password of", PASSWORD)
    terminal.answer(b"new password of", "a new password")
    terminal.answer(b"the same password of", "a slip of the finger")
    terminal.answer(b"new password of", "another password")
    terminal.answer(b"the same password of", "another password")
    assert terminal.end() == (KEYS / "client_public.pem").read_bytes()
    assert b"not the same" in terminal.shown
    for typed in (PASSWORD, "a new password", "a slip of the finger", "another password"):
        assert typed.encode() not in terminal.shown
    assert files.pair_pem(tmp_path / "keys", "another password") == (KEYS / "client_public.pem").read_text()
    assert files.mode(tmp_path / "keys" / PRIVATE) == 0o600


def test_ctrl_c_at_a_password_ends_the_program_and_shows_again_what_is_typed(driver: Driver, tmp_path: Path) -> None:
    terminal = Terminal(driver.build(ROOT / "examples" / "c" / "keys.c"), "generate", tmp_path / "keys")
    terminal.answer(b"new password of", "a new pass", key="\x03")
    assert terminal.end(-signal.SIGINT) == b""
    assert not (tmp_path / "keys").exists()
