"""A local endpoint of a test's own, and what can be told to it."""

import http.client
import json
import urllib.parse
from pathlib import Path
from typing import Any

import processes

PATIENCE = 60


class Endpoint:
    """Runs until it is closed. Control goes over a connection of its own, which faults at accept do not touch."""

    def __init__(self, binary: Path, state: Path, work: Path, *flags: str) -> None:
        ready = work / f"ready-{id(self)}.json"
        command = [binary, "--port", "0", "--http", "--control", "--state-dir", state, "--ready-file", ready, *flags]
        self.process = processes.start(command, ready.exists)
        said = json.loads(ready.read_text())
        self.url: str = said["base_url"]
        self.plain_url: str = said["plain_base_url"]
        self.ca_file: str = said["ca_file"]
        self.key_fingerprint: str = said["key_fingerprint"]
        self.port = urllib.parse.urlsplit(self.url).port
        self.plain_port = urllib.parse.urlsplit(self.plain_url).port
        self._control = http.client.HTTPConnection("127.0.0.1", self.plain_port, timeout=PATIENCE)

    def _ask(self, method: str, path: str, body: str | None = None) -> bytes:
        self._control.request(method, path, body)
        answer = self._control.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {text!r}")
        return text

    def set_faults(self, faults: dict[str, Any]) -> None:
        self._ask("POST", "/control/faults", json.dumps(faults))

    def stats(self) -> dict[str, int]:
        return json.loads(self._ask("GET", "/control/stats"))

    def close(self) -> None:
        self._control.close()
        processes.stop(self.process)
