"""Runs the scenarios that all languages share: tests/scenarios/*.json, or the files that are named.

    tests/with_endpoint.sh --api-key KEY -- python bindings/python/tests/scenarios.py [FILE...]
"""

import json
import os
import sys
import urllib.request
from pathlib import Path
from typing import Any

import nomyo_native as nomyo

HERE = Path(__file__).resolve()
ENVIRONMENT = {
    "$PLAIN": os.environ["NOMYO_TEST_PLAIN_BASE_URL"],
    "$GROUP_KEYS": os.environ["NOMYO_TEST_GROUP_KEYS"],
    "$FINGERPRINT": os.environ.get("NOMYO_TEST_FINGERPRINT") or os.environ["NOMYO_TEST_KEY_FINGERPRINT"],
}
BASE = {
    "base_url": os.environ["NOMYO_TEST_BASE_URL"],
    "api_key": os.environ.get("NOMYO_TEST_API_KEY", ""),
    "ca_file": os.environ["NOMYO_TEST_CA_FILE"],
    "environment": False,
}
KEYS = HERE.parents[3] / "tests" / "fixtures" / "protocol" / "keys"
OPTIONS = {"security_tier", "api_key", "timeout_ms", "cancelled"}
MEMBERS = {"name", "config", "keys", "server", "request", "raw", "options", "expect"}
clients: dict[str, nomyo.Client] = {}


class Failed(Exception):
    """An expectation was not met."""


def check(holds: bool, why: str) -> None:
    if not holds:
        raise Failed(why)


def known(given: dict[str, Any], allowed: set[str], where: str) -> None:
    check(set(given) <= allowed, f"unknown in {where}: {sorted(set(given) - allowed)}")


def seconds(options: dict[str, Any]) -> dict[str, Any]:
    """Times as Python has them."""
    return {
        name.removesuffix("_ms"): value / 1000 if name.endswith("_ms") else value for name, value in options.items()
    }


def client_of(config: dict[str, Any]) -> nomyo.Client:
    """One for each configuration: a key pair takes most of a second."""
    known(config, CONFIG, "config")
    key = json.dumps(config, sort_keys=True)
    if key not in clients:
        text = json.dumps(config)
        for name, value in ENVIRONMENT.items():
            text = text.replace(json.dumps(name), json.dumps(value))
        options = seconds(json.loads(text))
        if "tls_pin" in options:
            options["tls_pins"] = options.pop("tls_pin")
        if "attestation" in options:
            options["attestation"] = nomyo.AttestationPolicy(nomyo.AttestationLevel[options["attestation"].upper()])
        clients[key] = nomyo.Client(**{**BASE, **options})
    return clients[key]


CONFIG = {
    "headers", "api_key", "max_retries", "timeout_ms", "connect_timeout_ms", "response_limit", "base_url", "allow_http", "proxy",
    "server_key_pin", "server_key_ttl_ms", "attestation", "tls_pin", "post_quantum", "key_dir", "key_group_read",
}  # fmt: skip


def load_keys(client: nomyo.Client, keys: dict[str, str]) -> None:
    known(keys, {"private", "public", "password", "reload"}, "keys")
    private, public = bytearray((KEYS / keys["private"]).read_bytes()), b""
    if "public" in keys:
        public = (KEYS / keys["public"]).read_bytes()
    client.load_keys_pem(memoryview(private), public, keys.get("password", ""))
    if "reload" in keys:
        before = client.public_key()
        with client.private_key_pem(keys["reload"]) as exported:
            client.load_keys_pem(exported, password=keys["reload"])
        check(client.public_key() == before, "another pair is loaded than was exported")


def set_faults(faults: dict[str, Any]) -> None:
    body = json.dumps(faults).encode()
    urllib.request.urlopen(f"{ENVIRONMENT['$PLAIN']}/control/faults", body).close()


def run(scenario: dict[str, Any]) -> None:
    known(scenario, MEMBERS, "the scenario")
    options = dict(scenario.get("options", {}))
    known(options, OPTIONS, "options")
    if "raw" in scenario:
        request = scenario["raw"].encode()
    else:
        request = json.dumps(scenario["request"], ensure_ascii=False, separators=(",", ":")).encode()
    if options.pop("cancelled", False):
        options["cancel"] = nomyo.Cancel()
        options["cancel"].trigger()
    expect = dict(scenario["expect"])
    status = expect.pop("status")
    if "server" in scenario:
        set_faults(scenario["server"])
    try:
        client = client_of(scenario.get("config", {}))
        if "keys" in scenario:
            load_keys(client, scenario["keys"])
        answer = client.create(request, **seconds(options))
    except nomyo.NomyoError as e:
        check(e.status_name == status, f"{e.status_name} ({e}), not {status}")
        judge_error(e, expect)
    else:
        with answer:
            check(status == "NOMYO_OK", f"an answer, not {status}")
            judge_answer(answer, expect)
    finally:
        if "server" in scenario:
            set_faults({})


def same(got: object, wanted: object, what: str) -> None:
    check(got == wanted and type(got) is type(wanted), f"{what} is {got!r}, not {wanted!r}")


def judge_headers(headers: dict[str, str], expect: dict[str, Any]) -> None:
    for name, wanted in expect.get("headers", {}).items():
        same(headers.get(name.lower()), wanted, name)


def judge_error(e: nomyo.NomyoError, expect: dict[str, Any]) -> None:
    got = {
        "http_status": e.status_code or 0,
        "attempts": e.attempts,
        "sent": e.sent,
        "payload_id": e.payload_id is not None,
        "retryable": e.retryable,
        "request_id": e.request_id,
        "retry_after_ms": -1 if e.retry_after is None else round(e.retry_after * 1000),
    }
    known(expect, {*got, "headers", "message_has", "details_has"}, "expect")
    judge_headers(e.headers, expect)
    for name in got.keys() & expect.keys():
        same(got[name], expect[name], name)
    wanted = expect.get("message_has", [])
    for part in [wanted] if isinstance(wanted, str) else wanted:
        check(part in str(e), f"the message has no {part!r}: {e}")
    if "details_has" in expect:
        check(expect["details_has"].encode() in (e.details or b""), f"the details are {e.details!r}")


def judge_answer(answer: nomyo.Response, expect: dict[str, Any]) -> None:
    texts = {"content": answer.content, "reasoning": answer.reasoning, "finish_reason": answer.finish_reason}
    facts = {"choices": answer.choice_count, "attempts": answer.attempts, "payload_id": answer.payload_id is not None}
    facts["request_id"] = answer.request_id
    judge_headers(answer.headers, expect)
    known(expect, {*facts, *texts, "headers", "usage", "tool_calls", "tool_calls_has", "pointers", "attestation"}, "expect")
    for name in facts.keys() & expect.keys():
        same(facts[name], expect[name], name)
    for name, getter in texts.items():
        if name in expect:
            # Where there is no choice at all, Python's word for absent is IndexError.
            same(getter() if answer.choice_count else None, expect[name], name)
    if "tool_calls_has" in expect:
        calls = bytes(answer.view("tool_calls") or b"").decode()
        check(expect["tool_calls_has"] in calls, f"the tool calls are {calls!r}")
    if "tool_calls" in expect:
        calls_made = [{"id": call["id"], **call["function"]} for call in answer.tool_calls() or []]
        same(calls_made, expect["tool_calls"], "tool_calls")
    if "usage" in expect:
        same(answer.usage and answer.usage._asdict(), expect["usage"], "usage")
    for pointer, wanted in expect.get("pointers", {}).items():
        same(answer.pointer(pointer), wanted, pointer)
    if "attestation" in expect:
        same(answer.attestation.level.name.lower(), expect["attestation"], "attestation")


def main() -> int:
    files = [Path(name) for name in sys.argv[1:]] or sorted((HERE.parents[3] / "tests" / "scenarios").glob("*.json"))
    passed = failed = 0
    for file in files:
        for scenario in json.loads(file.read_text()):
            try:
                run(scenario)
            except Exception as e:
                failed += 1
                print(f"scenario {scenario['name']} FAILED: {e if isinstance(e, Failed) else repr(e)}", flush=True)
            else:
                passed += 1
                print(f"scenario {scenario['name']} ok", flush=True)
    print(f"scenarios-python: {passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
