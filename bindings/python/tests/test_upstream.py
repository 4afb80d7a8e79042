"""The endpoint in front of a real HTTP upstream: how often the prompt is processed, and what the caller is told."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple

import pytest

from nomyo_native import Client, NomyoError

PROMPT = "Mrs Smith has HIV"
COMPLETION = (
    b'{"z":1E+2, "id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"logprob":-9999.0}],'
    b'"n":12345678901234567890123456789}'
)


def error(message: str, kind: str | None = None, code: str | None = None) -> bytes:
    return json.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}}).encode()


class Case(NamedTuple):
    """What the upstream answers, and what the caller sees: HTTP status, retryable, requests, sentence, details."""

    status: int
    headers: dict[str, str]
    body: bytes
    seen: int
    retryable: bool
    hits: int
    sentence: str
    details: str


LASTING = "a retry does not help"
CASES = {
    "400": Case(400, {}, error("Invalid value", "invalid_request_error"), 400, False, 1, "the error's details", "Invalid value"),
    "401": Case(401, {}, error("Incorrect API key provided: sk-up"), 401, False, 1, "which key is meant", "own key"),
    "403": Case(403, {}, error("Country not supported"), 403, False, 1, "does not allow this request", "Country"),
    "404": Case(404, {}, error("The model `404` does not exist", code="model_not_found"), 404, False, 1,
                "does not have the model", "The model `404` does not exist"),
    "404path": Case(404, {}, b'{"detail":"Not Found"}', 502, False, 1, LASTING, "upstream_not_found"),
    "413": Case(413, {}, error("too large"), 413, False, 1, "send less", "too large"),
    "422": Case(422, {}, json.dumps({"detail": [{"type": "missing", "loc": ["body", "n"], "msg": "Field required",
                "input": PROMPT}]}).encode(), 422, False, 1, "the error's details", "body.n: Field required"),
    "429": Case(429, {"Retry-After": "0.01"}, error("Rate limit reached", "requests", "rate_limit_exceeded"), 429, True, 3,
                "too many requests", "rate_limit_exceeded"),
    "429quota": Case(429, {}, error("You exceeded your current quota", "insufficient_quota"), 429, False, 1,
                     "a quota is used up", "insufficient_quota"),
    "500": Case(500, {"Retry-After-Ms": "10"}, error("The server had an error", "server_error"), 500, True, 3,
                "try again later", "server_error"),
    "503": Case(503, {"Retry-After": "600"}, error("Loading model"), 503, False, 1, "try again later", "Loading model"),
    "redirect": Case(307, {"Location": "/v1/chat/completions"}, b"", 502, False, 1, LASTING, "upstream_redirect"),
    "quotes": Case(400, {}, error("bad: " + PROMPT), 400, False, 1, "the error's details", "is withheld"),
    "html": Case(200, {}, b"<html>" + PROMPT.encode(), 502, False, 1, LASTING, "not a JSON object"),
    "array": Case(200, {}, b"[1]", 502, False, 1, LASTING, "not a JSON object"),
    "none": Case(204, {}, b"", 502, False, 1, LASTING, "not a JSON object"),
    "cut": Case(200, {"Content-Length": "9999"}, COMPLETION, 502, False, 1, LASTING, "upstream_answer_cut_short"),
}  # fmt: skip


class Upstream(BaseHTTPRequestHandler):
    """Answers as the model's name says, and counts."""

    protocol_version = "HTTP/1.1"
    hits: Counter[str] = Counter()
    received: list[bytes] = []

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append(data)
        model = json.loads(data)["model"]
        self.hits[model] += 1
        case = CASES.get(model)
        status, headers, body = (case.status, case.headers, case.body) if case else (200, {}, COMPLETION)
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), "Connection": "close", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def behind(in_front_of: Callable[..., AbstractContextManager[str]], ca_file: str) -> Iterator[Client]:
    """A client of an endpoint in front of the upstream. It retries twice."""
    with in_front_of(Upstream, "--upstream-key", "sk-up") as url:
        with Client(url, api_key="test", ca_file=ca_file, timeout=60, max_retries=2) as client:
            yield client


def request(model: str) -> bytes:
    return b'{"model":"%s","seed":12345678901234567890123,"t":1E+0, "messages":[{"content":"%s","role":"user"}]}' % (
        model.encode(),
        PROMPT.encode(),
    )


@pytest.mark.parametrize("name", CASES)
def test_a_failure_reaches_the_caller_and_the_prompt_is_processed_no_more_than_it_helps(behind: Client, name: str) -> None:
    case = CASES[name]
    Upstream.hits.clear()
    with pytest.raises(NomyoError) as caught:
        behind.create(request(name))
    seen: Any = caught.value
    assert (seen.status_code, seen.retryable, Upstream.hits[name]) == (case.seen, case.retryable, case.hits), seen
    details = bytes(seen.details).decode()
    assert case.sentence in str(seen) and "base URL" not in str(seen)
    assert case.details in details and set(json.loads(details)["error"]) == {"message", "type", "param", "code"}
    assert not [word for word in ("Smith", "HIV", "sk-up") if word in details + str(seen)]
    if name == "503":
        assert seen.retry_after == 600


def test_order_and_spelling_are_kept_in_both_directions(behind: Client) -> None:
    Upstream.received.clear()
    with behind.create(request("works")) as answer:
        view = answer.view()
        assert view is not None
        with view:
            text = bytes(view)
    assert Upstream.received == [request("works")]
    assert text.startswith(COMPLETION.replace(b', "id"', b',"id"')[:-1] + b',"_metadata":{')
