"""Builds and drives flow.c, the program that is looked at."""

import http.client
import json
import os
import resource
import secrets
import select
import shutil
import ssl
import string
import subprocess
import time
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path

import aes
from scan import Secret, Snapshot, mappings

HERE = Path(__file__).parent
NOBODY = 65534
OFF, PREFER, REQUIRE = 0, 1, 2
WIPE_ONLY, PARTIAL, FULL = 0, 1, 2


def random_text(length: int) -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))


def marker(name: str) -> str:
    """A text that occurs nowhere else."""
    return name + random_text(44)


def environment(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise SystemExit(f"{name} is not set: run this through tests/with_endpoint.sh")
    return value


@dataclass
class Bench:
    """What all flows need: the program, a library and a CA file that user nobody can read, and the endpoint."""

    work: Path
    library_dir: Path
    api_key: str
    # Ids of requests that are over.
    seen: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.url = environment("NOMYO_TEST_BASE_URL")
        self.plain = urllib.parse.urlsplit(environment("NOMYO_TEST_PLAIN_BASE_URL"))
        self.ca = self.work / "ca.pem"
        shutil.copyfile(environment("NOMYO_TEST_CA_FILE"), self.ca)
        self.ca.chmod(0o644)
        self.build()
        self.server_pem = self.work / "server.pem"
        self.server_pem.write_bytes(self.get("/pki/public_key"))
        self.work.chmod(0o755)

    def build(self) -> None:
        lib = self.work / "lib"
        lib.mkdir()
        shutil.copy(self.library_dir / "libnomyo.so", lib / "libnomyo.so.0")
        (lib / "libnomyo.so").symlink_to("libnomyo.so.0")
        self.program = self.work / "flow"
        flags = ["-std=c11", "-D_GNU_SOURCE", "-O1", "-Wall", "-Wextra", "-Werror", f"-I{HERE.parents[1] / 'include'}"]
        # Bound lazily, the dynamic linker writes the registers to the stack: what the library left in them shows.
        link = [f"-L{lib}", f"-Wl,-rpath,{lib}", "-Wl,-z,lazy", "-lnomyo", "-lpthread"]
        sources = [HERE / name for name in ("flow.c", "storm.c", "threads.c")]
        compiler = os.environ.get("CC", "cc")
        subprocess.run([compiler, *flags, *sources, "-o", self.program, *link], check=True)

    def get(self, path: str) -> bytes:
        connection = http.client.HTTPConnection(self.plain.hostname, self.plain.port)
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return body if answer.status == 200 else b""

    def stats(self) -> dict[str, int]:
        return json.loads(self.get("/control/stats"))

    def post(self, body: bytes, headers: dict[str, str]) -> bytes:
        """A sealed request, sent as a caller with an HTTP stack of its own would."""
        trust = ssl.create_default_context(cafile=str(self.ca))
        parts = urllib.parse.urlsplit(self.url)
        connection = http.client.HTTPSConnection(parts.hostname, parts.port, context=trust)
        headers = {**headers, "Authorization": f"Bearer {self.api_key}"}
        connection.request("POST", "/v1/chat/secure_completion", body, headers)
        answer = connection.getresponse()
        package = answer.read()
        connection.close()
        assert answer.status == 200, f"the endpoint answered {answer.status}: {package[:200]!r}"
        return package

    def keys(self, payload_id: str) -> dict[str, str]:
        """The AES keys of a request that the endpoint has seen; nothing for another."""
        return json.loads(self.get(f"/control/keys?payload_id={payload_id}") or b"{}")


@dataclass
class Exchange:
    """One request's secrets: texts that occur nowhere else, and its AES keys when they are known."""

    prompt: str = field(default_factory=lambda: marker("Prompt"))
    answer: str = field(default_factory=lambda: marker("Answer"))
    payload_id: str = ""
    keys: dict[str, str] = field(default_factory=dict)

    def request(self, **test: object) -> bytes:
        """The JSON; the answer in it is escaped throughout, so that its own bytes occur in the real answer only."""
        escaped = "".join(f"\\u{ord(c):04x}" for c in self.answer)
        test_json = json.dumps({"reply": "REPLY", "reasoning": "REPLY", **test}).replace("REPLY", escaped)
        messages = json.dumps([{"role": "user", "content": self.prompt}])
        return f'{{"model":"echo","messages":{messages},"nomyo_test":{test_json}}}'.encode()

    def secrets(self) -> list[Secret]:
        found = [
            Secret("prompt", "prompt", [self.prompt.encode()]),
            Secret("answer", "answer", [self.answer.encode()]),
        ]
        for group, member in (("request AES", "request_key_hex"), ("response AES", "response_key_hex")):
            if self.keys.get(member):
                found.append(Secret(group, group, [aes.schedule(bytes.fromhex(self.keys[member]))]))
        return found


class Flow:
    """The program, running."""

    def __init__(
        self,
        bench: Bench,
        memlock: int | None = None,
        core: bool = False,
        cwd: Path | None = None,
        env: dict[str, str] = {},  # noqa: B006
    ) -> None:
        def limits() -> None:
            if core:
                resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            if memlock is not None:
                resource.setrlimit(resource.RLIMIT_MEMLOCK, (memlock, memlock))
                if os.geteuid() == 0:  # becoming somebody else gives up CAP_IPC_LOCK, with all the others
                    os.setgroups([])
                    os.setgid(NOBODY)
                    os.setuid(NOBODY)

        self.bench = bench
        self.owned: dict[str, tuple[int, int]] = {}
        self.process = subprocess.Popen(
            [bench.program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=cwd or bench.work,
            env=env,
            preexec_fn=limits,
            bufsize=0,
        )
        self.pid = self.process.pid

    def __enter__(self) -> "Flow":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def order(self, command: str, payload: bytes = b"") -> None:
        message = command.encode() + b"\n" + payload
        while message:
            message = message[self.process.stdin.write(message) :]

    def reply(self) -> str:
        line = self.process.stdout.readline()
        assert line, f"the flow program ended: {self.process.poll()}"
        return line.decode().rstrip("\n")

    def ask(self, command: str, payload: bytes = b"") -> str:
        self.order(command, payload)
        return self.reply()

    def ok(self, command: str, payload: bytes = b"") -> None:
        answer = self.ask(command, payload)
        assert answer.startswith(("NOMYO_OK", "ok")), f"{command}: {answer}"

    def watch(self, command: str) -> tuple[str, list[Snapshot]]:
        """Gives an order; returns the reply, and what the memory held before it came: soon, and ever more rarely."""
        self.order(command)
        seen: list[Snapshot] = []
        pause = 0.03
        while not select.select([self.process.stdout], [], [], pause)[0]:
            snapshot = self.snapshot()
            # What was given back while it was taken could not be read.
            if snapshot.unreadable == 0:
                seen.append(snapshot)
            pause *= 2
        return self.reply(), seen

    def slot(self, name: str, payload: bytes) -> None:
        """Gives the program a secret of its own, and notes where the program keeps it."""
        address, length = map(int, self.ask(f"slot {name} {len(payload)}", payload).split())
        self.owned[name] = (address, length)

    def forget(self, name: str) -> None:
        self.ok(f"forget {name}")
        del self.owned[name]

    def configure(self, policy: int = PREFER) -> None:
        self.slot("k", self.bench.api_key.encode())
        self.ok(f"config {self.bench.url} {self.bench.ca} {policy} k")

    def sealed(self) -> tuple[dict[str, str], bytes]:
        lengths = [int(n) for n in self.ask("sealed").split()]
        headers, body = (self._exactly(n) for n in lengths)
        return json.loads(headers), body

    def _exactly(self, n: int) -> bytes:
        got = b""
        while len(got) < n:
            got += self.process.stdout.read(n - len(got))
        return got

    def memory(self) -> dict[str, int]:
        names = "policy level page_size limit mapped locked refused dump_excluded fork_excluded".split()
        return dict(zip(names, map(int, self.ask("memory").split()), strict=True))

    def protects(self) -> bool:
        """Whether the library's memory is all that it can be."""
        return self.memory()["level"] == FULL

    def snapshot(self) -> Snapshot:
        return Snapshot(self.pid)

    def vault_bytes(self) -> int:
        """What is mapped undumpable, by the system's account."""
        return sum(m.size for m in mappings(self.pid) if m.undumpable and m.perms.startswith("rw") and not m.path)

    def create(self, exchange: Exchange, timeout_ms: int = 0, cancel_ms: int = 0, **test: object) -> Snapshot:
        """Sends a request and returns what the memory held while it waited. The answer is the next reply().

        The payload id is in the program's memory while it waits, and the endpoint says which of the ids that are there
        it has just seen."""
        self.slot("r", exchange.request(**test))
        self.order(f"create r {timeout_ms} {cancel_ms}")
        until = time.monotonic() + 10
        while not exchange.payload_id and time.monotonic() < until:
            for candidate in self.snapshot().uuids() - self.bench.seen:
                keys = self.bench.keys(candidate.decode())
                if keys.get("request_key_hex"):
                    exchange.payload_id, exchange.keys = candidate.decode(), keys
                    self.bench.seen.add(candidate)
                    break
        assert exchange.payload_id, "the endpoint has not seen the request, or its id is not in memory"
        time.sleep(0.02)
        return self.snapshot()

    def learn_keys(self, exchange: Exchange) -> None:
        exchange.keys = self.bench.keys(exchange.payload_id)
        assert exchange.keys, "the endpoint does not know the request"
