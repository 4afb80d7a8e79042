"""Names that are no option.

create() takes any keyword, because a model may have any parameter. A misspelt option would go to the model, and the person
would believe that it acts.
"""

from collections.abc import Iterable
from typing import NamedTuple

from ._errors import ArgumentTypeError


class Options(NamedTuple):
    """The options of one create() and of its client."""

    of_create: tuple[str, ...]
    of_client: tuple[str, ...]
    for_others: str
    """How a parameter of the model is given that has nearly the name of an option."""
    allowed: set[str]
    """Names that were found to be parameters of models."""


NATIVE = Options(
    ("security_tier", "api_key", "timeout", "cancel"),
    (
        "base_url", "api_key", "allow_http", "timeout", "connect_timeout", "max_retries", "rate_limit", "response_limit",
        "proxy", "headers", "ca_file", "tls_pins", "post_quantum", "server_key_pin", "known_servers", "server_key_ttl", "key_dir",
        "ca_pem", "client_certificate", "client_certificate_pem", "key_password", "key_rotation", "key_group_read", "attestation", "memory", "environment", "log",
    ),
    "give the request as a dict",
    set(),
)  # fmt: skip
DROP_IN = Options(
    ("security_tier", "api_key", "base_url"),
    ("base_url", "allow_http", "api_key", "secure_memory", "key_dir", "max_retries"),
    "use Client.create(), which takes the request as a dict",
    set(),
)
# The options of OpenAI's clients that are none here, and what to do.
_OPENAI = {
    "extra_body": "give its members as keywords of create()",
    "extra_headers": "leave it out, and give headers to Client()",
    "extra_query": "leave it out, a request has no query",
    "default_headers": "leave it out, and give headers to Client()",
    "default_query": "leave it out, a request has no query",
    "http_client": "leave it out, and configure HTTP by proxy, ca_file and timeout of Client()",
    "organization": "leave it out, the server has none",
}
_OTHER_NAMES = {"tier": "security_tier", "request_timeout": "timeout"}
_MOST_ALLOWED = 1024
_NEAR = 0.76  # the likeness from which a name is a misspelt option; the parameters of models stay below it


def refuse_in_create(names: Iterable[str], options: Options = NATIVE) -> None:
    """Raises for a keyword of create() that is no option of it and was meant as one. All others belong to the request."""
    for name in names:
        if name in options.allowed:
            continue
        if advice := _advice_in_create(name, options):
            raise ArgumentTypeError(f"create() has no option {name}: {advice}")
        if len(options.allowed) < _MOST_ALLOWED:  # a program may take the names from its users
            options.allowed.add(name)


def refuse_in_client(names: Iterable[str]) -> None:
    """Raises for each keyword of Client() that is no option."""
    options = NATIVE.of_client
    for name in names:
        near = _nearest(name, options)
        advice = _OPENAI.get(name) or (f"did you mean {near}?" if near else f"the options are {', '.join(options)}")
        raise ArgumentTypeError(f"a client has no option {name}: {advice}")


def _advice_in_create(name: str, options: Options) -> str | None:
    if name in options.of_create:
        return None
    if name in _OPENAI:
        return _OPENAI[name]
    if name in options.of_client:
        return "it is an option of the client, give it when you make the client"
    near = _nearest(name, (*options.of_create, *options.of_client, *_OPENAI))
    return near and f"did you mean {near}? If the model has a parameter {name}, {options.for_others}"


def _nearest(name: str, options: Iterable[str]) -> str | None:
    """The option that `name` is a misspelling of, if it is one."""
    import difflib  # seldom needed, and slow to import

    by_letters = {_letters(option): option for option in options}
    meant = _letters(_OTHER_NAMES.get(name, name))
    near = difflib.get_close_matches(meant, by_letters, 1, _NEAR)
    return by_letters[near[0]] if near else None


def _letters(name: str) -> str:
    return name.replace("_", "").lower()
