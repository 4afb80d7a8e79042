"""A client of one server."""

import ctypes
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from . import _library as c
from ._arguments import Buffer, Path, buffer, integer, milliseconds, request_json, text
from ._attestation import AttestationPolicy
from ._errors import ArgumentError, call
from ._handle import Handle, Temporary
from ._library import lib
from ._response import Response
from ._sealed import Cancel, Sealed
from ._threads import interruptible, start
from ._version import __version__

_T = TypeVar("_T")
_LEVELS = {1: logging.ERROR, 2: logging.WARNING, 3: logging.INFO, 4: logging.DEBUG}
_POLICIES = {"off": 0, "prefer": 1, "require": 2}


class ServerKey(NamedTuple):
    """The server's public key."""

    pem: str
    fingerprint: str
    """SHA-256 of its SubjectPublicKeyInfo, as 64 hexadecimal digits: what `server_key_pin` takes."""


class Client:
    """A client of one server. Any number of threads may use it at once.

    Calls block and release the GIL. A signal handler that raises, as Ctrl-C's does, ends the call at once; in asyncio,
    await acreate(). In a forked child everything raises ForkedError: make another client there.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | Buffer | None = None,
        *,
        allow_http: bool = False,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_retries: int | None = None,
        rate_limit: tuple[float, int] | None = None,
        response_limit: int | None = None,
        proxy: str | None = None,
        ca_file: Path | None = None,
        server_key_pin: str | Iterable[str] = (),
        known_servers: Path | None = None,
        server_key_ttl: float | None = None,
        key_dir: Path | None = None,
        key_password: str | Buffer | None = None,
        key_rotation: float | None = None,
        attestation: AttestationPolicy | None = None,
        memory: str | None = None,
        environment: bool = True,
        log: logging.Logger | None = None,
    ) -> None:
        """Blocks on nothing but reading `ca_file`; keys are made and connections opened when first needed.

        What is None comes from the environment (NOMYO_API_KEY, NOMYO_BASE_URL, NOMYO_KEY_DIR, NOMYO_KEY_PASSWORD,
        NOMYO_SERVER_KEY_PIN) unless `environment` is False, else from the library's defaults. Times are in seconds.

        base_url: such as "https://api.nomyo.ai".
        api_key: sent as a bearer token; "" sends none. Copied: a bytearray or SecureBuffer may be wiped afterwards.
        allow_http: allows http:// for a server on the same machine. Without TLS the encryption can be subverted.
        timeout: what a whole call may take; 900 by default.
        connect_timeout: how soon a connection must be there; 10 by default.
        max_retries: how many failed attempts are repeated; 2 by default, at most 10.
        rate_limit: how many attempts may begin in a second, and how many at once after a pause; by default any number.
        response_limit: the largest answer that is read, in bytes; 64 MiB by default.
        proxy: such as "http://user:password@host:3128", or "" for none; by default the environment's, as usual.
        ca_file: PEM file of the certificate authorities to believe instead of the platform's.
        server_key_pin: the fingerprint of the server's key, or several: any other key is PinError.
        known_servers: a file that remembers the server's key at its first use; another one then is PinError.
        server_key_ttl: how long the server's key is used before it is fetched again; 300 by default.
        key_dir: where the client's key pair is kept; by default it lives in memory, as long as the client.
        key_password: encrypts the private key there; 8 characters or more.
        key_rotation: how long a pair is used; a day by default, 0 for ever.
        attestation: what is asked of the TPM quote in every answer.
        memory: "prefer" locks secrets where the system allows it, "require" refuses to work without, "off" wipes only.
        log: receives log lines, on whatever thread calls; its level when the client is made decides which.

        Raises ArgumentError (a value cannot be used), SecurityError (http:// that is not allowed), FileError.
        """
        options = {name: value for name, value in locals().items() if name in _SETTERS and value is not None}
        written = _log_function(log) if log is not None else None
        self._handle = Handle(ctypes.POINTER(c.Client)(), lib.nomyo_client_free, "client", keeps=written)
        made = Temporary.made(lib.nomyo_config_new(), lib.nomyo_config_free, "configuration")
        with self._handle as client, made as config:
            if environment:
                call(lib.nomyo_config_load_env, config)
            call(lib.nomyo_config_set_binding, config, text(f"python/{__version__}", "binding"))
            for name, value in options.items():
                setter, convert = _SETTERS[name]
                call(setter, config, *convert(value, name))
            for pin in (server_key_pin,) if isinstance(server_key_pin, str) else server_key_pin:
                call(lib.nomyo_config_set_server_key_pin, config, text(pin, "server_key_pin"))
            if attestation is not None:
                with attestation._handle as policy:
                    call(lib.nomyo_config_set_attestation, config, policy)
            if log is not None:
                call(lib.nomyo_config_set_log, config, _log_level(log), written, None)
            call(lib.nomyo_client_new, config, ctypes.byref(client))

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Wipes the keys and closes the connections, at once or when the calls under way have ended.

        Does not wait for them. Closing twice does nothing; using the client afterwards raises ArgumentError.
        """
        self._handle.close()

    def create(
        self,
        request: Mapping[str, Any] | Buffer | None = None,
        /,
        *,
        security_tier: str | None = None,
        api_key: str | Buffer | None = None,
        timeout: float | None = None,
        cancel: Cancel | None = None,
        **members: Any,
    ) -> Response:
        """Sends one chat request, encrypted, and waits for the whole answer.

        request: an OpenAI-style request, as a dict or as JSON in bytes; or give its members as keywords:
            create(model=..., messages=[...]). A bytearray or SecureBuffer is read in place and may be wiped afterwards.
        security_tier: "standard", "high" or "maximum"; None leaves it to the server.
        api_key, timeout: for this call, instead of the client's.
        cancel: ends the call from another thread. Ctrl-C ends it, too, and triggers this.

        Blocks at most for the timeout, and the first time also for the making of keys. Any thread, several at once.
        Raises NomyoError (see its subclasses), and TypeError or ValueError for what JSON cannot hold.
        """
        cancel = cancel or Cancel()
        create = self._creation(request, security_tier, api_key, timeout, cancel=cancel, **members)
        return interruptible(create, cancel.trigger)

    async def acreate(self, request: Mapping[str, Any] | Buffer | None = None, /, **options: Any) -> Response:
        """create(), with the same arguments, off the event loop on a thread. Cancelling the task cancels the call."""
        options["cancel"] = cancel = options.get("cancel") or Cancel()
        return await awaited(self._creation(request, **options), cancel.trigger)

    def _creation(
        self,
        request: Mapping[str, Any] | Buffer | None,
        /,
        security_tier: str | None = None,
        api_key: str | Buffer | None = None,
        timeout: float | None = None,
        *,
        cancel: Cancel,
        **members: Any,
    ) -> Callable[[], Response]:
        """The call, to be made on some thread. The request becomes JSON here and now, before anybody changes it."""
        json = request_json(request, members)

        def work() -> Response:
            response = Handle(ctypes.POINTER(c.Response)(), lib.nomyo_response_free, "answer")
            data, length = buffer(json)
            try:
                with self._handle as client, response as out, cancel._handle as ending:
                    with _options(security_tier, api_key, timeout) as options:
                        call(lib.nomyo_request_set_cancel, options, ending)
                        call(lib.nomyo_create, client, data, length, options, ctypes.byref(out))
            finally:
                del data  # see call()
            return Response(response)

        return work

    def warm_up(self) -> None:
        """Makes or loads the keys (0.7 s on average, several at worst), connects and fetches the server's key, now.

        Blocks at most for the keys and the client's timeout. Raises NomyoError.
        """
        self._blocking(lib.nomyo_client_warm_up)

    def generate_keys(self, key_dir: Path | None = None, password: str | Buffer = b"") -> None:
        """Makes a new pair and uses it from now on; with `key_dir`, saves it there, where there must be none yet.

        Blocks for 0.7 s on average, several at worst. Raises ClientKeyError (there is one), FileError, ArgumentError (a
        password of less than 8 characters, or without a directory); the pair in use stays then.
        """
        self._blocking(lib.nomyo_client_generate_keys, _optional(key_dir, "key_dir"), *buffer(password))

    def load_keys(self, private_key: Path, public_key: Path | None = None, password: str | Buffer = b"") -> None:
        """Loads a pair from PEM files and uses it from now on. Without `public_key` it comes out of the private one.

        Blocks as long as the password takes. Raises ClientKeyError (missing, a wrong password, not one pair, readable
        for others), FileError; the pair in use stays then.
        """
        private, public = text(private_key, "private_key"), _optional(public_key, "public_key")
        self._blocking(lib.nomyo_client_load_keys, private, public, *buffer(password))

    def save_keys(self, key_dir: Path, password: str | Buffer = b"") -> None:
        """Writes a copy of the pair in use to `key_dir`, where there must be none yet. Otherwise as generate_keys()."""
        self._blocking(lib.nomyo_client_save_keys, text(key_dir, "key_dir"), *buffer(password))

    def rotate_keys(self) -> None:
        """Replaces the pair by a new one, in its directory too. Calls under way keep theirs. Blocks as generate_keys()."""
        self._blocking(lib.nomyo_client_rotate_keys)

    def public_key(self) -> str:
        """The public half of the pair in use, as SPKI PEM. Blocks for the making or loading of one."""
        out = ctypes.POINTER(c.Text)()
        self._blocking(lib.nomyo_client_public_key, ctypes.byref(out))
        return _taken(out)

    def server_key(self) -> ServerKey:
        """The server's key: compare its fingerprint with what the operator says, then pin it. Sends nothing else.

        Blocks at most for the client's timeout. Raises NomyoError.
        """
        pem, fingerprint = ctypes.POINTER(c.Text)(), ctypes.POINTER(c.Text)()
        self._blocking(lib.nomyo_client_server_key, ctypes.byref(pem), ctypes.byref(fingerprint))
        return ServerKey(_taken(pem), _taken(fingerprint))

    def seal(
        self, server_pem: str | Buffer, request: Mapping[str, Any] | Buffer, *, security_tier: str | None = None
    ) -> Sealed:
        """Encrypts a request for the server with that public key, for an HTTP stack of your own. Sends nothing.

        Where the key comes from is up to you, and the whole security of the request hangs on it.
        """

        def work() -> Sealed:
            sealed = Handle(ctypes.POINTER(c.Sealed)(), lib.nomyo_sealed_free, "sealed request")
            data, length = buffer(request_json(request, {}))
            try:
                with self._handle as client, sealed as out, _options(security_tier) as options:
                    call(lib.nomyo_seal, client, *buffer(server_pem), data, length, options, ctypes.byref(out))
            finally:
                del data
            return Sealed(sealed)

        return interruptible(work)

    def open(self, request: Sealed, body: Buffer) -> Response:
        """Decrypts the body of the 200 that answered `request`. Raises SecurityError, ProtocolError."""

        def work() -> Response:
            response = Handle(ctypes.POINTER(c.Response)(), lib.nomyo_response_free, "answer")
            with self._handle as client, request._handle as sealed, response as out:
                call(lib.nomyo_open, client, sealed, *buffer(body), ctypes.byref(out))
            return Response(response)

        return work()

    def _blocking(self, function: Callable[..., int], *arguments: Any) -> None:
        def work() -> None:
            with self._handle as client:
                call(function, client, *arguments)

        interruptible(work)


async def awaited(work: Callable[[], _T], abandon: Callable[[], None] | None = None) -> _T:
    """Runs `work` off the event loop. When the task is cancelled, `abandon` is called, and nobody waits for `work`."""
    import asyncio  # whoever comes here has it

    try:
        return await asyncio.wrap_future(start(work, abandon))
    except asyncio.CancelledError:
        if abandon:
            abandon()
        raise


def _options(
    security_tier: str | None, api_key: str | Buffer | None = None, timeout: float | None = None
) -> Temporary:
    """The options of one call."""
    made = Temporary.made(options := lib.nomyo_request_new(), lib.nomyo_request_free, "request")
    if security_tier is not None:
        call(lib.nomyo_request_set_security_tier, options, text(security_tier, "security_tier"))
    if api_key is not None:
        call(lib.nomyo_request_set_api_key, options, *buffer(api_key))
    if timeout is not None:
        call(lib.nomyo_request_set_timeout_ms, options, milliseconds(timeout, "timeout"))
    return made


def _optional(value: Path | None, name: str) -> bytes | None:
    return None if value is None else text(value, name)


def _taken(pointer: Any) -> str:
    """The text that a call returned, which is freed."""
    length = ctypes.c_size_t()
    try:
        return ctypes.string_at(lib.nomyo_text_data(pointer, ctypes.byref(length)), length.value).decode()
    finally:
        lib.nomyo_text_free(pointer)


def _policy(value: str, name: str) -> int:
    if value not in _POLICIES:
        raise ArgumentError(f"{name} must be one of {', '.join(_POLICIES)}")
    return _POLICIES[value]


def _one(convert: Callable[[Any, str], Any]) -> Callable[[Any, str], tuple[Any, ...]]:
    return lambda value, name: (convert(value, name),)


_TEXT, _TIME, _BYTES = _one(text), _one(milliseconds), lambda value, name: buffer(value)
# What each option is set with, and how its value becomes the arguments.
_SETTERS: dict[str, tuple[Any, Callable[[Any, str], tuple[Any, ...]]]] = {
    "base_url": (lib.nomyo_config_set_base_url, _TEXT),
    "api_key": (lib.nomyo_config_set_api_key, _BYTES),
    "allow_http": (lib.nomyo_config_set_allow_http, _one(lambda value, name: bool(value))),
    "timeout": (lib.nomyo_config_set_timeout_ms, _TIME),
    "connect_timeout": (lib.nomyo_config_set_connect_timeout_ms, _TIME),
    "max_retries": (lib.nomyo_config_set_max_retries, _one(lambda n, name: integer(n, name, 2**32 - 1))),
    "rate_limit": (lib.nomyo_config_set_rate_limit, lambda pair, name: (pair[0], integer(pair[1], name, 2**32 - 1))),
    "response_limit": (lib.nomyo_config_set_response_limit, _one(lambda n, name: integer(n, name, 2**64 - 1))),
    "proxy": (lib.nomyo_config_set_proxy, _TEXT),
    "ca_file": (lib.nomyo_config_set_ca_file, _TEXT),
    "known_servers": (lib.nomyo_config_set_known_servers, _TEXT),
    "server_key_ttl": (lib.nomyo_config_set_server_key_ttl_ms, _TIME),
    "key_dir": (lib.nomyo_config_set_key_dir, _TEXT),
    "key_password": (lib.nomyo_config_set_key_password, _BYTES),
    "key_rotation": (lib.nomyo_config_set_key_rotation_ms, _TIME),
    "memory": (lib.nomyo_config_set_memory_policy, _one(_policy)),
}


def _log_level(log: logging.Logger) -> int:
    return max((level for level, python in _LEVELS.items() if log.isEnabledFor(python)), default=1)


def _log_function(log: logging.Logger) -> Any:
    def write(_data: Any, level: int, line: Any, length: int) -> None:
        log.log(_LEVELS.get(level, logging.INFO), "%s", ctypes.string_at(line, length).decode("utf-8", "replace"))

    return c.LogFunction(write)
