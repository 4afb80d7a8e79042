"""What each HTTP status with each kind of body becomes: the SDK's 122 observations, and what this client decides.

Each row starts as the SDK has it; a decision that applies changes it, and is named in the last column. What comes out
is what the library must do. Messages are not compared: "the message is in our own words, never the server's".
"""

import json
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from abi import Client
from checks import Checks
from table import Bench, print_table

FIXTURE = Path(__file__).parents[1] / "fixtures" / "protocol" / "http" / "status_matrix.json"
AT_ONCE = 64
SLACK = 15.0
# The Python class of a status (ABI).
CLASSES = {
    "BAD_REQUEST": "InvalidRequestError",
    "AUTHENTICATION": "AuthenticationError",
    "FORBIDDEN": "ForbiddenError",
    "NOT_FOUND": "APIError",
    "RATE_LIMIT": "RateLimitError",
    "SERVER": "ServerError",
    "UNAVAILABLE": "ServiceUnavailableError",
    "HTTP": "APIError",
}
BY_HTTP = {400: "InvalidRequestError", 401: "AuthenticationError", 403: "ForbiddenError", 404: "APIError"}


@dataclass(frozen=True)
class Ending:
    """What a caller learns."""

    exception: str
    http: int | None
    attempts: int
    slept: float
    details: Any


def as_the_sdk(case: dict[str, Any]) -> Ending:
    return Ending(
        case["exception"], case["status_code_attr"], case["post_attempts"], sum(case["sleeps_s"]), case["error_details"]
    )


def parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def status_is_told(case: dict[str, Any], ending: Ending) -> Ending:
    """The class and the HTTP status do not depend on the body."""
    exception = ending.exception
    if exception == "APIConnectionError":
        exception = BY_HTTP[case["http_status"]]
    return replace(ending, exception=exception, http=case["http_status"])


def details_are_the_body(case: dict[str, Any], ending: Ending) -> Ending:
    """Details are the server's body as it came, for every status."""
    return replace(ending, details=parsed(case["body"]))


def more_is_retried(case: dict[str, Any], ending: Ending) -> Ending:
    """408 and 409 are retried, too."""
    return replace(ending, attempts=3) if case["http_status"] in (408, 409) else ending


def two_503_are_enough(case: dict[str, Any], ending: Ending) -> Ending:
    """A second 503 in a row ends it: a cool-down is not hammered."""
    return replace(ending, attempts=2) if case["http_status"] == 503 else ending


def retry_after_is_slept(case: dict[str, Any], ending: Ending) -> Ending:
    """Retry-After is slept exactly, when it is at most 120 s."""
    return replace(ending, slept=(ending.attempts - 1) * float(case["response_headers"]["Retry-After"]))


DECISIONS = [status_is_told, details_are_the_body, more_is_retried, two_503_are_enough, retry_after_is_slept]


def one(client: Client, case: dict[str, Any], checks: Checks, decided: Counter[str]) -> list[str]:
    wanted, names = as_the_sdk(case), []
    for decision in DECISIONS:
        changed = decision(case, wanted)
        if changed != wanted:
            wanted = changed
            names.append(decision.__name__.replace("_", " "))
    decided.update(names or ["as the SDK"])
    test = {"status": case["http_status"], "body": case["body"], "headers": case["response_headers"]}
    outcome = client.create("matrix", test)
    got = Ending(
        CLASSES.get(outcome.status, outcome.status),
        outcome.http,
        outcome.attempts,
        wanted.slept if wanted.slept <= outcome.seconds <= wanted.slept + SLACK else outcome.seconds,
        parsed(outcome.details.decode()),
    )
    name = f"{case['http_status']} {case['body_name']}"
    checks.that(got == wanted, f"{name}: {got}, not {wanted}")
    # Words of the server: the detail and the message of the fixture's bodies, and Python's view of a list.
    own = f"HTTP {case['http_status']}" in outcome.message and not re.search(r"DDD|EEE|oops|\[", outcome.message)
    checks.that(own, f"{name}: the message is not in our own words: {outcome.message!r}")
    return [str(case["http_status"]), case["body_name"], case["exception"], outcome.status, str(outcome.attempts),
            f"{outcome.seconds:.1f}", "" if got == wanted else "WRONG", ", ".join(names)]


def run(bench: Bench) -> Checks:
    checks, decided = Checks("matrix"), Counter[str]()
    cases = json.loads(FIXTURE.read_text())["cases"]
    endpoint = bench.endpoint()
    client = Client(bench.library, base_url=endpoint.url, ca_file=endpoint.ca_file, proxy="", max_retries=2)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        lines = list(threads.map(lambda case: one(client, case, checks, decided), cases))
    checks.that(len(cases) == 122, f"{len(cases)} cases in the fixture")
    client.close()
    endpoint.close()
    head = ["HTTP", "body", "the SDK's class", "status", "attempts", "seconds", "", "other than the SDK"]
    print_table(head, lines)
    for decision in DECISIONS:
        name = decision.__name__.replace("_", " ")
        print(f"{decided[name]:4} rows: {name}: {decision.__doc__}")
    print(f"{decided['as the SDK']:4} rows: as the SDK")
    checks.summary()
    return checks
