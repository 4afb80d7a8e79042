"""The flow of the C example, moment by moment, and each way in which a call can fail."""

import json
import os
from collections.abc import Callable

import aes
from flow import HERE, PREFER
from scan import Secret, Snapshot, find
from story import GROUPS, Story

MANIFEST = HERE.parents[1] / "tests" / "fixtures" / "protocol" / "manifest.json"
OF_A_REQUEST = ["prompt", "request AES"]
OF_A_CALL = [*OF_A_REQUEST, "answer", "response AES"]
# Long enough for a core file to be taken.
STALL_MS = 500
STALL_FOR_CORE_MS = 8000

Look = Callable[[str], None]


def begin(story: Story, policy: int = PREFER) -> None:
    """A client with keys."""
    flow = story.flow
    flow.configure(policy)
    flow.ok("client")
    flow.ok("warm")
    story.note("keys generated", gone=[], there=["API key", "private key"])


def seal_and_open(story: Story) -> None:
    """nomyo_seal, the request sent by hand, nomyo_open. Tells the scanner the key's public half."""
    flow, exchange = story.flow, story.exchange()
    flow.slot("r", exchange.request())
    flow.ok(f"seal {flow.bench.server_pem} r")
    story.note("request sealed", gone=OF_A_CALL)
    headers, body = flow.sealed()
    exchange.payload_id = headers["X-Payload-ID"]
    flow.bench.seen.add(exchange.payload_id.encode())
    story.learn_private_key(headers["X-Public-Key"])
    package = flow.bench.post(body, headers)
    flow.learn_keys(exchange)
    flow.ok(f"open {len(package)}", package)
    flow.ask("read")
    story.note("answer opened", gone=[*OF_A_REQUEST, "response AES"], there=["answer"])
    flow.ok("sealed_free")
    flow.ok("answer_free")
    story.note("opened answer freed", gone=OF_A_CALL)


def chat(story: Story, look: Look | None = None, stall_ms: int = STALL_MS) -> None:
    """nomyo_create, every getter, nomyo_response_free. `look` is called at each."""
    flow, exchange = story.flow, story.exchange()
    waiting = flow.create(exchange, delay_before_headers_ms=STALL_FOR_CORE_MS if look else stall_ms)
    story.note("waiting", gone=OF_A_CALL, snapshot=waiting)
    if look:
        look("waiting")
    status = flow.reply()
    assert status.startswith("NOMYO_OK"), status
    flow.learn_keys(exchange)
    payload_id = flow.ask("read").split()[2]
    assert payload_id == exchange.payload_id
    story.note("answer held", gone=[*OF_A_REQUEST, "response AES"], there=["answer"])
    if look:
        look("answer held")
    flow.ok("answer_free")
    story.note("answer freed", gone=OF_A_CALL)
    if look:
        look("answer freed")


def fork_view(story: Story) -> Snapshot:
    """What a child sees that is forked while an answer is held. Its caller's memory is not left out."""
    flow, exchange = story.flow, story.exchange()
    flow.create(exchange, delay_before_headers_ms=STALL_MS)
    assert flow.reply().startswith("NOMYO_OK")
    flow.learn_keys(exchange)
    flow.ask("read")
    child = int(flow.ask("fork"))
    seen = Snapshot(child)
    flow.ok("reap")
    flow.ok("answer_free")
    return seen


def judge_fork_view(story: Story, seen: Snapshot) -> None:
    hits = {g: find(seen, [s for s in story.secrets() if s.group == g]) for g in GROUPS}
    print("\nfork view, child forked while the answer is held: copies anywhere")
    print("  " + ", ".join(f"{group}: {len(found)}" for group, found in hits.items()))
    for group, found in hits.items():
        if group != "API key":
            story.checks.that(not found, f"fork view: {group} is nowhere in the child", found)
    library = [run for run in seen.runs if run.mapping.undumpable]
    story.checks.that(bool(library), "fork view: the child has the library's other memory, and the scanner reads it")


def failures(story: Story) -> None:
    """Every answer that is not as it should be, a timeout, a cancel."""
    manifest = json.loads(MANIFEST.read_text())
    for name in [case["name"] for kind in ("malformed", "lenient") for case in manifest[kind]]:
        fail(story, f"malformed answer {name}", "malformed answers", malformed=name, delay_before_headers_ms=150)
    fail(story, "timeout", "timeout", timeout_ms=400, delay_before_headers_ms=1500)
    fail(story, "cancel", "cancel", cancel_ms=600, delay_before_headers_ms=60_000)
    fail(story, "HTTP 500", "HTTP 500", status=500, delay_before_headers_ms=150)
    fail(story, "truncated answer", "truncated answer", truncate=100, delay_before_headers_ms=150)


def fail(story: Story, name: str, row: str, timeout_ms: int = 0, cancel_ms: int = 0, **test: object) -> None:
    flow, exchange = story.flow, story.exchange()
    waiting = flow.create(exchange, timeout_ms, cancel_ms, **test)
    status = flow.reply()
    if cancel_ms:
        story.checks.that(status.startswith("NOMYO_ERR_CANCELLED"), "a cancelled call says so", status)
    flow.learn_keys(exchange)
    answered = status.startswith("NOMYO_OK")
    if answered:
        flow.ask("read")
    gone = [*OF_A_REQUEST, "response AES"] if answered else OF_A_CALL
    only = [exchange]
    story.note(f"waiting for {name}", OF_A_CALL, snapshot=waiting, exchanges=only, row=f"waiting for: {row}")
    story.note(f"after {name}: {status}", gone, exchanges=only, row=f"after: {row}")
    flow.ok("answer_free")
    story.note(f"freed after {name}", OF_A_CALL, exchanges=only, row=f"freed after: {row}")


def end(story: Story) -> None:
    """The client freed; then the caller's own memory as well."""
    flow = story.flow
    flow.ok("client_free")
    story.note("client freed", gone=GROUPS)
    for name in list(flow.owned):
        flow.forget(name)
    story.note("caller's memory freed", gone=GROUPS)


def self_test(story: Story) -> None:
    """The scanner finds what is there: copies made on purpose, wherever, whole and in part, and none once wiped."""
    flow, exchange, checks = story.flow, story.exchange(), story.checks
    flow.slot("r", exchange.request())
    secret = exchange.secrets()[0]
    start = exchange.request().index(exchange.prompt.encode())
    known = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
    last = aes.schedule(known)[-16:].hex()
    standard = last == "fe4890d1e6188d0b046df344706c631e"
    checks.that(standard, "self-test: the AES key schedule is that of FIPS 197, A.3", [last])
    number = Secret("private key", "a prime", [os.urandom(256)])
    flow.slot("n", number.values[0])

    def found(what: Secret) -> list[bool]:
        return [hit.protected for hit in find(flow.snapshot(), [what], flow.owned.values())]

    checks.that(found(secret) == [], "self-test: the caller's own memory is left out")
    everything = len(find(flow.snapshot(), [secret]))
    checks.that(everything == 1, "self-test: and is where the caller says")
    whole = (start, len(exchange.prompt))
    places = {"malloc": False, "static": False, "stack": False, "dumpable": False, "vault": flow.protects()}
    parts = {"text": ("r", *whole), "part of a text": ("r", start + 10, 32), "number": ("n", 0, 256),
             "part of a number": ("n", 100, 31)}
    for where, protected in places.items():
        for what, (slot, begin_at, length) in parts.items():
            flow.ok(f"plant {slot} {where} {begin_at} {length}")
            hits = found(secret if slot == "r" else number)
            checks.that(hits == [protected], f"self-test: a {what} in {where} memory is found once, told apart", [hits])
            flow.ok("unplant")
            hits = found(secret if slot == "r" else number)
            checks.that(hits == [], f"self-test: a {what} in {where} memory is gone when wiped", [hits])
