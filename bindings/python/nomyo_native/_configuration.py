"""How a client is configured: its options, and the environment."""

import ctypes
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeAlias

from . import _library as c
from ._arguments import Buffer, Path, buffer, integer, milliseconds, number, path, text, texts, truth, wrong_type
from ._errors import ArgumentError, call
from ._handle import Handle, Temporary
from ._library import lib
from ._option_names import refuse_in_client
from ._trust import default_ca_file
from ._version import __version__

if TYPE_CHECKING:
    import logging

    from ._attestation import AttestationPolicy

MemoryPolicy: TypeAlias = Literal["off", "prefer", "require"]
_POLICIES = {"off": 0, "prefer": 1, "require": 2}


class Configured:
    """Owns the library's client."""

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
        headers: Mapping[str, str | Buffer] | None = None,
        ca_file: Path | None = None,
        tls_pins: str | Iterable[str] = (),
        post_quantum: bool = True,
        server_key_pin: str | Iterable[str] = (),
        known_servers: Path | None = None,
        server_key_ttl: float | None = None,
        key_dir: Path | None = None,
        key_password: str | Buffer | None = None,
        key_rotation: float | None = None,
        key_group_read: bool | None = None,
        ca_pem: str | Buffer | None = None,
        client_certificate: tuple[Path, Path] | None = None,
        client_certificate_pem: tuple[str | Buffer, str | Buffer] | None = None,
        attestation: "AttestationPolicy | None" = None,
        memory: MemoryPolicy | None = None,
        environment: bool = True,
        log: "logging.Logger | logging.LoggerAdapter[Any] | None" = None,
        **unknown: NoReturn,
    ) -> None:
        """Blocks only while it reads `ca_file`. Keys and connections are built when they are first needed.

        An argument that is None comes from the environment, if `environment` is true and the variable is set. Otherwise it
        has the library's default. Times are in seconds.

        base_url: such as "https://api.nomyo.ai".
        api_key: sent as a bearer token; "" sends none. Copied: a bytearray or SecureBuffer may be wiped afterwards.
        allow_http: allows http:// for a server on the same machine. Without TLS the encryption can be subverted.
        timeout: the time limit of a call; 900 by default. Every method that blocks takes another one.
        connect_timeout: the time limit for DNS, TCP and TLS of one connection; 10 by default.
        max_retries: how many failed attempts are repeated; 2 by default, at most 10. With 0 a request is sent once at most.
        rate_limit: how many attempts may begin in a second, and how many at once after a pause; no limit by default.
        response_limit: the largest answer that is read, in bytes; 64 MiB by default.
        proxy: such as "http://user:password@host:3128", or "" for none.
        headers: headers of each request, for a gateway in front of the server; at most 32. Headers that the client sets
            itself are refused. The values are treated as secrets.
        ca_file: PEM file of the certificate authorities to trust instead of the system's. If the system has none, those of
            the package certifi are trusted, if it is installed.
        tls_pins: at least one certificate of the server's TLS chain must have one of these fingerprints, else PinError.
            tls_chain() lists the fingerprints. Checked before the API key or a request leaves.
        post_quantum: False leaves the post-quantum key share out of TLS, for networks that drop its large first packet.
        server_key_pin: the fingerprint of the server's key, or several. Any other key raises PinError.
        known_servers: a file that remembers the server's key at its first use. Another key raises PinError from then on.
        server_key_ttl: how long the server's key is used before it is fetched again; 300 by default.
        key_dir: the directory of the client's key pair. By default the pair lives in memory, as long as the client.
        key_password: encrypts the private key there; 8 characters or more.
        key_rotation: how long a pair is used; a day by default. Zero means never rotate.
        key_group_read: True accepts a private file that belongs to root and is readable by its group, as in a Secret volume
            of Kubernetes.
        ca_pem: certificate authorities to trust too, beside `ca_file` or the system's, as a PEM text.
        client_certificate: the certificate for a server that asks for one (mutual TLS), and its key: the paths of two PEM
            files. The certificate file may also hold the intermediate certificates. The key is RSA, ECDSA or Ed25519,
            without encryption. Only its owner may be able to read the key file.
        client_certificate_pem: the same as two PEM texts. The key is copied.
        attestation: the requirements for the TPM quote in every answer.
        memory: "prefer" locks secrets if the system allows it, "require" refuses to work otherwise, "off" wipes only.
        environment: reads NOMYO_API_KEY, NOMYO_BASE_URL, NOMYO_KEY_DIR, NOMYO_KEY_PASSWORD, NOMYO_KEY_GROUP_READ,
            NOMYO_SERVER_KEY_PIN, NOMYO_TLS_PIN, http_proxy, HTTPS_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE, SSL_CERT_DIR
            and REQUESTS_CA_BUNDLE, now and never later. If False, no variable is read: there is no proxy, and the system's
            certificate authorities are trusted.
        log: receives log lines, on the thread that calls; the logger "nomyo_native" by default. Its level at this moment
            decides which.

        ArgumentError  a value cannot be used. ArgumentTypeError: it has a wrong type, or there is no such option.
        SecurityError  the URL is http://, and `allow_http` is False.
        FileError      `ca_file`, REQUESTS_CA_BUNDLE or a file of `client_certificate` cannot be read.
        ClientKeyError the key file of `client_certificate` is missing, or others can read it.
        """
        given = dict(locals())
        options = {name: given[name] for name in _SETTERS if given[name] is not None}
        refuse_in_client(unknown)
        truth(environment, "environment")
        if client_certificate is not None and client_certificate_pem is not None:
            raise ArgumentError("give client_certificate or client_certificate_pem, not both")
        if ca_file is None and (found := default_ca_file(environment)):
            options["ca_file"] = found
        from . import _log  # logging takes as long to import as half of this package

        logger = _log.checked(log)
        log_level, written = _log.level_of(logger), _log.function_of(logger)
        if attestation is not None:
            from ._attestation import AttestationPolicy  # seldom needed

            if not isinstance(attestation, AttestationPolicy):
                raise wrong_type("attestation", "an AttestationPolicy", attestation)
        self._handle = Handle(ctypes.POINTER(c.Client)(), lib.nomyo_client_free, "client", keeps=written)
        made = Temporary.made(lib.nomyo_config_new(), lib.nomyo_config_free, "configuration")
        with self._handle as client, made as config:
            if environment:
                call(lib.nomyo_config_load_env, config)
            call(lib.nomyo_config_set_binding, config, text(f"python/{__version__}", "binding"))
            for name, value in options.items():
                setter, convert = _SETTERS[name]
                call(setter, config, *convert(value, name))
            for header, value in _headers(headers):
                call(lib.nomyo_config_set_header, config, header, *value)
            for pin in texts(server_key_pin, "server_key_pin"):
                call(lib.nomyo_config_add_server_key_pin, config, pin)
            for pin in texts(tls_pins, "tls_pins"):
                call(lib.nomyo_config_add_tls_pin, config, pin)
            if attestation is not None:
                with attestation._handle as policy:
                    call(lib.nomyo_config_set_attestation, config, policy)
            if log_level is not None:
                call(lib.nomyo_config_set_log, config, log_level, written, None)
            call(lib.nomyo_client_new, config, ctypes.byref(client))


def _headers(given: Mapping[str, str | Buffer] | None) -> Iterator[tuple[bytes, tuple[Any, ...]]]:
    if given is not None and not isinstance(given, Mapping):
        raise wrong_type("headers", "a dict", given)
    for name, value in (given or {}).items():
        yield text(name, "headers"), buffer(value, "headers")


def _policy(value: str, name: str) -> int:
    if not isinstance(value, str):
        raise wrong_type(name, f"one of {', '.join(_POLICIES)}", value)
    if value not in _POLICIES:
        raise ArgumentError(f"{name} must be one of {', '.join(_POLICIES)}")
    return _POLICIES[value]


def _rate(value: tuple[float, int], name: str) -> tuple[float, int]:
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise wrong_type(name, "a pair: how many in a second, and how many at once", value)
    return number(value[0], name), integer(value[1], name, 2**32 - 1)


def _one(convert: Callable[[Any, str], Any]) -> Callable[[Any, str], tuple[Any, ...]]:
    return lambda value, name: (convert(value, name),)


def _pair(
    convert: Callable[[Any, str], tuple[Any, ...]], kind: str
) -> Callable[[Any, str], tuple[Any, ...]]:
    def both(value: Any, name: str) -> tuple[Any, ...]:
        if not isinstance(value, (tuple, list)) or len(value) != 2:
            raise wrong_type(name, f"a pair of {kind}: the certificate and its key", value)
        return (*convert(value[0], name), *convert(value[1], name))

    return both


_TEXT, _PATH, _TIME, _TRUTH = _one(text), _one(path), _one(milliseconds), _one(truth)
# The setter of each option, and how its value becomes the setter's arguments. They are called in this order, because
# key_group_read counts for client_certificate.
_SETTERS: dict[str, tuple[Any, Callable[[Any, str], tuple[Any, ...]]]] = {
    "base_url": (lib.nomyo_config_set_base_url, _TEXT),
    "api_key": (lib.nomyo_config_set_api_key, buffer),
    "allow_http": (lib.nomyo_config_set_allow_http, _TRUTH),
    "timeout": (lib.nomyo_config_set_timeout_ms, _TIME),
    "connect_timeout": (lib.nomyo_config_set_connect_timeout_ms, _TIME),
    "max_retries": (lib.nomyo_config_set_max_retries, _one(lambda n, name: integer(n, name, 2**32 - 1))),
    "rate_limit": (lib.nomyo_config_set_rate_limit, _rate),
    "response_limit": (lib.nomyo_config_set_response_limit, _one(lambda n, name: integer(n, name, 2**64 - 1))),
    "proxy": (lib.nomyo_config_set_proxy, _TEXT),
    "ca_file": (lib.nomyo_config_set_ca_file, _PATH),
    "post_quantum": (lib.nomyo_config_set_post_quantum, _TRUTH),
    "known_servers": (lib.nomyo_config_set_known_servers, _PATH),
    "server_key_ttl": (lib.nomyo_config_set_server_key_ttl_ms, _TIME),
    "key_dir": (lib.nomyo_config_set_key_dir, _PATH),
    "key_password": (lib.nomyo_config_set_key_password, buffer),
    "key_group_read": (lib.nomyo_config_set_key_group_read, _TRUTH),
    "key_rotation": (lib.nomyo_config_set_key_rotation_ms, _TIME),
    "ca_pem": (lib.nomyo_config_add_ca_pem, buffer),
    "client_certificate": (lib.nomyo_config_set_client_certificate, _pair(_PATH, "paths")),
    "client_certificate_pem": (lib.nomyo_config_set_client_certificate_pem, _pair(buffer, "PEM texts")),
    "memory": (lib.nomyo_config_set_memory_policy, _one(_policy)),
}
