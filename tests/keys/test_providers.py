"""The differences between the two crypto providers, as bindings/c/PROVIDERS.md states them.

NOMYO_OTHER_LIBRARY names the library with the pure-Rust provider, if it is not in target/rustcrypto/debug.
"""

import ctypes
import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from driver import KEYS, ROOT

OK, ARGUMENT, CONNECTION = 0, 1, 10
AWS_LC, RUSTCRYPTO = "aws-lc", "rustcrypto"
LIBRARIES = {
    AWS_LC: Path(os.environ.get("NOMYO_LIBRARY", ROOT / "target" / "debug" / "libnomyo.so")),
    RUSTCRYPTO: Path(os.environ.get("NOMYO_OTHER_LIBRARY", ROOT / "target" / "rustcrypto" / "debug" / "libnomyo.so")),
}
both = pytest.mark.parametrize("provider", LIBRARIES)


class Library:
    """The few calls of the C interface that the page speaks of."""

    def __init__(self, provider: str) -> None:
        self.c = ctypes.CDLL(str(LIBRARIES[provider].resolve()))
        self.c.nomyo_config_new.restype = ctypes.c_void_p
        self.c.nomyo_error_message.restype = ctypes.c_char_p

    def status(self, name: str, *arguments: object) -> tuple[int, str]:
        error = ctypes.c_void_p()
        status = getattr(self.c, name)(*arguments, ctypes.byref(error))
        message = self.c.nomyo_error_message(error).decode()
        self.c.nomyo_error_free(error)
        return status, message

    def fetches_the_key(self, url: str, ca: Path) -> tuple[int, str]:
        """The status of fetching the server's key, and the error."""
        config, client = ctypes.c_void_p(self.c.nomyo_config_new()), ctypes.c_void_p()
        try:
            for setter, value in [
                ("nomyo_config_set_base_url", url.encode()),
                ("nomyo_config_set_ca_file", bytes(ca)),
                ("nomyo_config_set_max_retries", 0),
            ]:
                assert self.status(setter, config, value)[0] == OK
            assert self.status("nomyo_client_new", config, ctypes.byref(client))[0] == OK
            return self.status("nomyo_client_server_key", client, None, None)
        finally:
            self.c.nomyo_client_free(client)
            self.c.nomyo_config_free(config)


def openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def certificate(at: Path, curve: str, signed_by: Path | None = None, digest: str = "sha256") -> Path:
    """A certificate for 127.0.0.1 with a key of that curve, self-signed or by another one. The key is beside it."""
    at.mkdir()
    signer = ["-CA", signed_by / "cert.pem", "-CAkey", signed_by / "key.pem"] if signed_by else []
    openssl(
        *["req", "-x509", f"-{digest}", "-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-nodes", "-days", "2"],
        *["-subj", f"/CN={at.name}", "-addext", "subjectAltName=IP:127.0.0.1"],
        *["-addext", f"basicConstraints=critical,CA:{'FALSE' if signed_by else 'TRUE'}"],
        *["-keyout", at / "key.pem", "-out", at / "cert.pem", *signer],
    )
    return at


def serving(serve: Callable[[socket.socket], None]) -> str:
    """The URL of a server that serves one connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with listener, listener.accept()[0] as connection:
            serve(connection)

    threading.Thread(target=accept, daemon=True).start()
    return f"https://127.0.0.1:{listener.getsockname()[1]}"


def serving_the_key(chain: Path) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain / "cert.pem", chain / "key.pem")
    pem = (KEYS / "server_public.pem").read_bytes()

    def serve(connection: socket.socket) -> None:
        try:
            with context.wrap_socket(connection, server_side=True) as tls:
                tls.recv(65536)
                tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(pem), pem))
                tls.recv(1)
        except (ssl.SSLError, OSError):
            pass  # the client has refused the certificate

    return serving(serve)


def client_hello(provider: str, tmp_path: Path) -> bytes:
    heard: list[bytes] = []

    def hear(connection: socket.socket) -> None:
        with connection.makefile("rb") as stream:
            header = stream.read(5)
            heard.append(stream.read(int.from_bytes(header[3:], "big")))

    ca = certificate(tmp_path / "ca", "P-256") / "cert.pem"
    status, _ = Library(provider).fetches_the_key(serving(hear), ca)
    assert status == CONNECTION
    return heard[0]


@both
def test_only_aws_lc_offers_the_post_quantum_key_share(provider: str, tmp_path: Path) -> None:
    hello = client_hello(provider, tmp_path)
    share = bytes.fromhex("11ec 04c0")  # X25519MLKEM768 and the length of its share
    others = bytes.fromhex("001d 0017 0018")  # X25519, P-256, P-384
    assert (share in hello) == (provider == AWS_LC) and others in hello


@both
def test_only_aws_lc_offers_signatures_of_p_521_and_ml_dsa(provider: str, tmp_path: Path) -> None:
    # ECDSA with P-384 and P-256, Ed25519, RSA-PSS and PKCS#1 (RFC 8446, section 4.2.3).
    p_384_p_256, p_521, others = "0503 0403", "0603", "0807 0806 0805 0804 0601 0501 0401"
    ml_dsa = "0904 0905 0906"
    schemes = [p_384_p_256, p_521, others, ml_dsa] if provider == AWS_LC else [p_384_p_256, others]
    schemes_of_tls = bytes.fromhex(" ".join(schemes))
    extension = bytes.fromhex("000d") + (len(schemes_of_tls) + 2).to_bytes(2, "big") + len(schemes_of_tls).to_bytes(2, "big")
    assert extension + schemes_of_tls in client_hello(provider, tmp_path)


@both
def test_only_aws_lc_accepts_a_server_with_a_key_of_p_521(provider: str, tmp_path: Path) -> None:
    ca = certificate(tmp_path / "ca", "P-256")
    for curve in ["P-256", "P-384", "P-521"]:
        chain = certificate(tmp_path / curve, curve, ca)
        status, message = Library(provider).fetches_the_key(serving_the_key(chain), ca / "cert.pem")
        expected = CONNECTION if (provider, curve) == (RUSTCRYPTO, "P-521") else OK
        assert status == expected, (curve, message)


@both
def test_only_aws_lc_accepts_a_signature_of_p_521(provider: str, tmp_path: Path) -> None:
    for curve in ["P-384", "P-521"]:
        ca = certificate(tmp_path / f"ca {curve}", curve)
        chain = certificate(tmp_path / f"signed by {curve}", "P-256", ca)
        status, message = Library(provider).fetches_the_key(serving_the_key(chain), ca / "cert.pem")
        expected = CONNECTION if (provider, curve) == (RUSTCRYPTO, "P-521") else OK
        assert status == expected, (curve, message)


@both
def test_only_aws_lc_accepts_a_signature_of_ecdsa_with_sha_512(provider: str, tmp_path: Path) -> None:
    ca = certificate(tmp_path / "ca", "P-256")
    for digest in ["sha256", "sha384", "sha512"]:
        chain = certificate(tmp_path / digest, "P-256", ca, digest)
        status, message = Library(provider).fetches_the_key(serving_the_key(chain), ca / "cert.pem")
        expected = CONNECTION if (provider, digest) == (RUSTCRYPTO, "sha512") else OK
        assert status == expected, (digest, message)


@both
def test_only_aws_lc_takes_a_client_certificate_of_p_521(provider: str, tmp_path: Path) -> None:
    library = Library(provider)
    for curve in ["P-256", "P-384", "P-521"]:
        own = certificate(tmp_path / curve, curve)
        config = ctypes.c_void_p(library.c.nomyo_config_new())
        paths = bytes(own / "cert.pem"), bytes(own / "key.pem")
        status, message = library.status("nomyo_config_set_client_certificate", config, *paths)
        library.c.nomyo_config_free(config)
        expected = ARGUMENT if (provider, curve) == (RUSTCRYPTO, "P-521") else OK
        assert status == expected, (curve, message)
