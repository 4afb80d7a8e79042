"""The bench that all tests share, a lane with an endpoint of its own, and the scene of a call that would block."""

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import processes
from abi import KEYS
from calls import Client, Given, Library
from endpoint import Endpoint
from peers import NameServer

# Longer than any test lasts. Only its deadline or its cancel handle is to end a call.
HANG_MS = 60_000
PASSWORD = "correct horse battery staple"
ITERATIONS = 10_000_000


class Bench:
    """What all lanes share."""

    def __init__(self, library: Library, endpoint_binary: Path, state: Path, work: Path, no_namespace: str) -> None:
        self.library, self.endpoint_binary, self.state, self.work = library, endpoint_binary, state, work
        # Why there are no namespaces of our own, or nothing if there are.
        self.no_namespace = no_namespace
        self.names = None if no_namespace else NameServer()
        self.names_turn = threading.Lock()
        self.pair = self.directory("pair", with_pair=True)
        self.slow_private = work / "slow.pem"
        command = ["openssl", "pkcs8", "-topk8", "-in", self.pair / "private_key.pem", "-out", self.slow_private]
        cipher = ["-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA256", "-iter", ITERATIONS, "-passout", f"pass:{PASSWORD}"]
        self._converting = processes.start([*command, *cipher], lambda: True)

    def slow_pair(self, name: str) -> Path:
        """A key directory whose private file takes seconds to decrypt."""
        assert self._converting.wait(processes.PATIENCE) == 0
        made = self.directory(name, with_pair=True)
        private = made / "private_key.pem"
        private.write_bytes(self.slow_private.read_bytes())
        return made

    def directory(self, name: str, with_pair: bool = False) -> Path:
        """A directory for its owner alone. Each name is used once."""
        made = self.work / name
        made.mkdir(mode=0o700)
        for which, mode in (("private", 0o600), ("public", 0o644)) if with_pair else ():
            file = made / f"{which}_key.pem"
            file.touch(mode)
            file.write_bytes((KEYS / f"client_{which}.pem").read_bytes())
        return made


class Lane:
    """One test at a time, with an endpoint whose faults are this lane's."""

    def __init__(self, bench: Bench, name: str) -> None:
        self.bench, self.name, self._directories = bench, name, 0
        self.endpoint = Endpoint(bench.endpoint_binary, bench.state, bench.work)
        self.clients: list[tuple[Client, int]] = []

    def directory(self, with_pair: bool = False, slow: bool = False) -> Path:
        self._directories += 1
        name = f"{self.name}-{self._directories}"
        return self.bench.slow_pair(name) if slow else self.bench.directory(name, with_pair)

    @contextmanager
    def client(self, **settings: Any) -> Iterator[Client]:
        """A client of the endpoint, freed at the end."""
        settings = {"base_url": self.endpoint.url, "connect_timeout_ms": HANG_MS, "proxy": "", **settings}
        client = Client(self.bench.library, ca_file=self.endpoint.ca_file, **settings)
        try:
            yield client
        finally:
            client.close()
            # The log function must not be called from now on.
            self.clients.append((client, len(client.log)))

    def logged_after_free(self) -> list[str]:
        return [line for client, length in self.clients for line in client.log[length:]]

    def close(self) -> None:
        self.endpoint.close()


@dataclass
class Scene:
    """A call that would block: its client, its arguments, and how to unblock it."""

    client: Client
    given: Given = field(default_factory=Given)
    release: Callable[[], None] = lambda: None
    # Counts the calls that came as far as they should.
    arrivals: Callable[[], int] = field(default_factory=lambda: itertools.count().__next__)
    # Whether the next call of the same function, without `test` and `content`, must succeed.
    usable: bool = True


Stage = Callable[[Lane], AbstractContextManager[Scene]]
