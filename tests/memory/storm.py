"""Every operation while timers send signals: a handler's frame holds all registers, and its stack is the host's.

The system refuses threads to the process, so that the library works on the thread that receives the signals. storm.c keeps the
last 1024 frames of each operation, so that the scanner finds a secret that was in a register at one of these signals.
"""

import dataclasses
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import key_forms
from flow import Bench, Exchange, Flow, marker, random_text
from key_files import FIXTURES, PASSWORD, PRIVATE, KeyStory
from scan import Hit, Pieces, Run, Secret, Snapshot, find
from story import Checks, Story, print_table

RATES = (100, 1000, 10_000)
STACKS = ("main", "alt")
PLAIN = "client_private.pem"
ENCRYPTED = {
    "PBKDF2": "client_private_js_password.pem",
    "PBES2": "client_private_py_password.pem",
    "scrypt": "client_private_openssl_scrypt.pem",
}
PROMPT, ANSWER = 3000, 500
FREED = "client freed"
# Makes a debug build run operations on the caller's stack, with signals delivered.
WITHOUT_SCOPE = {"NOMYO_TEST_NO_SCOPE": "1"}
# Without the scope, a storm finds every operation's secrets, mostly at the first attempt. On a busy machine signals come late and
# together, often while the process waits for the next command. Therefore later attempts send more signals.
ATTEMPTS = 40
# The operation that only copies secrets. musl copies by `rep movsq`, which brings none into a register. In 40 attempts with musl and AWS-LC
# none was found.
ONLY_COPIES = {"save without a password"}
FASTEST = 5  # times the fastest of RATES


@dataclass(frozen=True)
class Storm:
    rate: int
    stack: str
    threads: bool = False

    def __str__(self) -> str:
        return f"{self.rate} Hz, {self.stack}{', threads' if self.threads else ''}"


# With threads, the library works on a thread of its own, on which signals are blocked.
STORMS = [*(Storm(rate, stack) for rate in RATES for stack in STACKS), Storm(RATES[-1], "alt", threads=True)]


@dataclass
class StormStory(KeyStory):
    """Counts pieces of secrets at every offset, because a register may be loaded from any offset."""

    # Addresses in the mappings of the frames that storm.c keeps, and of the handlers' own stack.
    places: dict[str, int] = field(default_factory=dict)
    ticks: int = 0

    def secrets(self, exchanges: list[Exchange] | None = None) -> list[Secret]:
        return [dataclasses.replace(secret, step=1) for secret in [*self.known, *Story.secrets(self, exchanges)]]

    def exchange(self) -> Exchange:
        self.exchanges.append(Exchange(random_text(PROMPT), random_text(ANSWER)))
        return self.exchanges[-1]

    def begin(self, storm: Storm) -> None:
        frames, own = map(int, self.flow.ask(f"storm {storm.rate} {storm.stack}").split())
        self.places = {"frames": frames, "stack": own}

    def does(self, name: str, command: str, payload: bytes = b"", times: int = 1, undo: str = "") -> str:
        """Runs an operation `times` times. The last run is scanned fully. After earlier runs only the frames and stacks are."""
        answer = self.flow.ask(command, payload)
        for _ in range(times - 1):
            self.note(name, gone=[], snapshot=Snapshot(self.flow.pid, only=self.places.values()))
            if undo:
                self.flow.ok(undo)
            answer = self.flow.ask(command, payload)
        self.note(name, gone=[])
        return answer

    def succeeds(self, name: str, command: str, payload: bytes = b"", times: int = 1, undo: str = "") -> None:
        answer = self.does(name, command, payload, times, undo)
        assert answer.startswith("NOMYO_OK"), f"{command}: {answer}"

    def leaks(self) -> dict[str, list[Hit]]:
        """Copies outside the vault, by operation."""
        pieces = Pieces(self.secrets())
        found: dict[str, list[Hit]] = {moment.row: [] for moment in self.moments}
        for moment in self.moments:
            hits = find(moment.snapshot, pieces, moment.owned)
            found[moment.row] += [hit for hit in hits if not hit.protected or moment.name == FREED]
        return found

    def leaking(self) -> set[str]:
        """Operations after which a frame holds a secret."""
        pieces, found = Pieces(self.secrets()), set()
        for moment in self.moments:
            if moment.row not in found and any(self._held(run, pieces) for run in moment.snapshot.runs):
                found.add(moment.row)
        return found

    def _held(self, run: Run, pieces: Pieces) -> bool:
        return self._is(run, "frames") and any(piece in run.data for _, _, piece in pieces.maybe_in(run.data))

    def saw(self, place: str) -> bool:
        """Whether the scanner has read the place in each moment, and something was there."""
        return all(any(self._is(run, place) for run in moment.snapshot.runs) for moment in self.moments)

    def _is(self, run: Run, place: str) -> bool:
        return run.mapping.start <= self.places[place] < run.mapping.end


class Files:
    """Key files of the process's user, and room for its own."""

    def __init__(self, bench: Bench, name: str) -> None:
        self.path = bench.work / name
        self.path.mkdir()
        for name in (PLAIN, *ENCRYPTED.values()):
            copied = self.path / name
            shutil.copyfile(FIXTURES / name, copied)
            copied.chmod(0o600)
        self._directories = 0

    def directory(self) -> Path:
        self._directories += 1
        return self.path / str(self._directories)


def generate(story: StormStory, files: Files) -> None:
    """A pair generated and saved with a password, and saved without one."""
    kept, plain = files.directory(), files.directory()
    story.password("password", "p", text := marker("Password").encode())
    story.client(kept, "p")
    story.succeeds("generate and save", "use_keys")
    story.succeeds("save without a password", f"save_keys {plain} -")
    story.flow.ok("client_free")
    pair = (plain / PRIVATE).read_bytes()
    encrypted = (kept / PRIVATE).read_bytes()
    story.known += [*key_forms.pair("first pair", pair), key_forms.aes_key("file's AES key", "it", encrypted, text, pair)]


def load(story: StormStory, files: Files) -> None:
    """Key files, and texts in memory."""
    flow = story.flow
    plain, wrong = (FIXTURES / PLAIN).read_bytes(), marker("Wrong").encode()
    story.known += key_forms.pair("private key", plain)
    story.password("password", "p", PASSWORD)
    story.password("wrong password", "w", wrong)
    for name, file in ENCRYPTED.items():
        text = (FIXTURES / file).read_bytes()
        story.known.append(key_forms.aes_key("file's AES key", name, text, PASSWORD, plain))
        story.known.append(key_forms.aes_key("file's AES key", f"{name}, wrong password", text, wrong))
    flow.slot("t", plain)
    flow.slot("e", (FIXTURES / ENCRYPTED["PBKDF2"]).read_bytes())

    story.succeeds("load a plain file", f"load_keys {files.path / PLAIN} -")
    for name, file in ENCRYPTED.items():
        story.succeeds(f"load a {name} file", f"load_keys {files.path / file} p")
    refused = story.does("refuse a password", f"load_keys {files.path / ENCRYPTED['PBKDF2']} w")
    assert refused.startswith("NOMYO_ERR_KEY"), refused
    flow.ok("answer_free")
    story.succeeds("load a text", "load_pem t -")
    story.succeeds("load an encrypted text", "load_pem e p")
    for slot in ("-", "p"):
        status, address, length = flow.ask(f"export {slot}").split()
        assert status == "NOMYO_OK", status
        flow.owned["exported"] = int(address), int(length)
        story.note("export", gone=[])
        flow.ok("export_free")
        del flow.owned["exported"]


def seal_and_open(story: StormStory) -> None:
    flow, exchange = story.flow, story.exchange()
    flow.slot("r", exchange.request())
    story.succeeds("seal", f"seal {flow.bench.server_pem} r", times=20, undo="sealed_free")
    headers, body = flow.sealed()
    exchange.payload_id = headers["X-Payload-ID"]
    package = flow.bench.post(body, headers)
    flow.learn_keys(exchange)
    story.succeeds("open", f"open {len(package)}", package, times=20, undo="answer_free")
    story.does("read the answer", "read", times=20)
    flow.ok("sealed_free")
    flow.ok("answer_free")


def chat(story: StormStory) -> None:
    flow, exchange = story.flow, story.exchange()
    flow.slot("r", exchange.request())
    story.succeeds("chat", "create r 0 0", times=10, undo="answer_free")
    exchange.payload_id = story.does("read the answer", "read").split()[2]
    flow.learn_keys(exchange)
    flow.ok("answer_free")


def run(bench: Bench, checks: Checks, files: Files, storm: Storm, env: dict[str, str]) -> StormStory:
    """All operations in one storm."""
    with Flow(bench, env=env) as flow:
        story = StormStory(flow, checks)
        if not storm.threads:
            flow.ok("no_threads")
        story.begin(storm)
        generate(story, files)
        story.client()
        load(story, files)
        seal_and_open(story)
        chat(story)
        flow.ok("client_free")
        for name in list(flow.owned):
            flow.forget(name)
        story.note(FREED, gone=[])
        story.ticks = int(flow.ask("ticks"))
    return story


def self_test(bench: Bench, checks: Checks, files: Files) -> None:
    """Without the scope, a secret of each operation is found in a frame of some signal."""
    is_musl = b"libc.so.6\0" not in (bench.library_dir / "libnomyo.so").read_bytes()
    unseen = ONLY_COPIES if is_musl else set()
    for stack in STACKS:
        missing, attempts = {"nothing yet"}, 0
        found: set[str] = set()
        while missing and attempts < ATTEMPTS:
            rate = RATES[-1] * (1 + attempts % FASTEST)
            story = run(bench, checks, files, Storm(rate, stack), WITHOUT_SCOPE)
            found |= story.leaking()
            missing = {moment.row for moment in story.moments} - found - {FREED} - unseen
            attempts += 1
        promise = f"signal storm, {stack}: without the scope a secret of every operation is in a signal's frame"
        checks.that(not missing, promise, sorted(missing))
        print(f"\nwithout the scope, {stack}: the secrets of {len(found - {FREED})} operations found, {attempts} attempts")


def all_storms(bench: Bench, checks: Checks) -> None:
    files = Files(bench, "storm")
    self_test(bench, checks, files)
    columns: dict[str, dict[str, list[Hit]]] = {}
    for storm in STORMS:
        story = run(bench, checks, files, storm, {})
        title = f"{storm}, {story.ticks} signals"
        columns[title] = story.leaks()
        checks.that(story.ticks > 0, f"signal storm, {storm}: signals come")
        checks.that(storm.stack == "main" or story.saw("stack"), f"signal storm, {storm}: the handlers' stack is scanned")
        for operation, hits in columns[title].items():
            where = "anywhere" if operation == FREED else "outside locked undumpable memory"
            checks.that(not hits, f"signal storm, {storm}: after {operation}: no secret is {where}", hits)
    print("\nsignal storm: copies outside locked undumpable memory")
    operations = next(iter(columns.values()))
    print_table([["after", *columns], *([name, *(str(len(c[name])) for c in columns.values())] for name in operations)])
