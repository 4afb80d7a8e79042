"""Mutual TLS, and certificate authorities beside the trust store."""

import http.server
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import nomyo_native
import pytest


class Certificate(NamedTuple):
    path: Path
    key: Path


def issued(folder: Path, name: str, signer: Certificate | None = None) -> Certificate:
    made = Certificate(folder / f"{name}.pem", folder / f"{name}_key.pem")
    signed = ["-CA", str(signer.path), "-CAkey", str(signer.key)] if signer else []
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
         "-days", "2", "-addext", "subjectAltName=IP:127.0.0.1",
         "-addext", f"basicConstraints=critical,CA:{'FALSE' if signer else 'TRUE'}", *signed,
         "-keyout", str(made.key), "-out", str(made.path)],
        check=True, capture_output=True,
    )  # fmt: skip
    made.key.chmod(0o600)
    return made


class Shown(http.server.BaseHTTPRequestHandler):
    """Says who the client is, and lets nobody in."""

    def do_GET(self) -> None:
        subject = dict(pair[0] for pair in self.connection.getpeercert()["subject"])
        self.send_response(401)
        self.send_header("X-Shown", subject["commonName"])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def gateway(tmp_path_factory) -> Iterator[tuple[str, Certificate, Certificate]]:
    """The URL of a server that asks for a certificate, its authority, and a certificate that it accepts."""
    folder = tmp_path_factory.mktemp("certificates")
    authority = issued(folder, "authority")
    served, own = issued(folder, "server", authority), issued(folder, "portal", authority)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(served.path, served.key)
    context.load_verify_locations(authority.path)
    context.verify_mode = ssl.CERT_REQUIRED
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shown)
    server.handle_error = lambda *_: None  # a handshake that fails is part of the test
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}", authority, own
    server.shutdown()
    thread.join()
    server.server_close()


def refusal(url: str, **options) -> nomyo_native.NomyoError:
    with nomyo_native.Client(url, proxy="", max_retries=0, environment=False, **options) as client:
        with pytest.raises(nomyo_native.NomyoError) as refused:
            client.warm_up()
    return refused.value


@pytest.mark.parametrize("form", ["files", "text", "bytes"])
def test_a_server_that_asks_for_a_client_certificate_gets_it(gateway, form):
    url, authority, own = gateway
    options = {
        "files": {"client_certificate": (own.path, str(own.key))},
        "text": {"client_certificate_pem": (own.path.read_text(), own.key.read_text())},
        "bytes": {"client_certificate_pem": (own.path.read_bytes(), bytearray(own.key.read_bytes()))},
    }[form]
    error = refusal(url, ca_pem=authority.path.read_bytes(), **options)
    assert (error.status_code, error.headers["x-shown"]) == (401, "portal")


def test_without_a_certificate_the_error_says_that_one_is_missing(gateway):
    url, authority, _ = gateway
    error = refusal(url, ca_pem=authority.path.read_text())
    assert isinstance(error, nomyo_native.APIConnectionError)
    assert "client certificate" in str(error)
    assert error.headers == {}


def test_what_is_no_certificate_and_key_is_refused(gateway):
    _, authority, own = gateway
    for wrong in [(own.path,), str(own.path), own.path]:
        with pytest.raises(TypeError, match="client_certificate"):
            nomyo_native.Client(client_certificate=wrong)
    with pytest.raises(nomyo_native.ArgumentError, match="not that of its first certificate"):
        nomyo_native.Client(client_certificate=(authority.path, own.key))
    with pytest.raises(nomyo_native.ArgumentError, match="BEGIN"):
        nomyo_native.Client(ca_pem="none")
    own.key.chmod(0o644)
    with pytest.raises(nomyo_native.ClientKeyError, match="chmod 600"):
        nomyo_native.Client(client_certificate=(own.path, own.key))
    own.key.chmod(0o600)
