"""The local endpoint, with a key that the tests know, and somebody who sits before it."""

import base64
import datetime
import http.client
import ipaddress
import json
import os
import ssl
import subprocess
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID
from driver import KEYS, ROOT
from files import private_copy, private_key

OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
CHAT, KEY_PATH = "/v1/chat/secure_completion", "/pki/public_key"


def fingerprint(public: Path) -> str:
    """What a pin of the key in a public file is."""
    key = serialization.load_pem_public_key(public.read_bytes())
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    return sha256(key.public_bytes(serialization.Encoding.DER, spki)).hexdigest()


@dataclass
class Endpoint:
    """One that runs on a port of its own, with the server fixture as its key."""

    work: Path
    port: int = 0
    about: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> Self:
        if not self.work.exists():
            self.work.mkdir()
            private_copy("server_private.pem", self.work / "server_private.pem")
        ready = self.work / "ready.json"
        binary = os.environ.get("NOMYO_TEST_ENDPOINT", ROOT / "target" / "debug" / "endpoint")
        self.process = subprocess.Popen(
            [binary, "--control", "--http", "--port", str(self.port), "--state-dir", self.work, "--ready-file", ready]
        )
        until = time.monotonic() + 60
        while not ready.exists():
            assert self.process.poll() is None and time.monotonic() < until, "the endpoint did not start"
            time.sleep(0.02)
        self.about = json.loads(ready.read_text())
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()

    @property
    def url(self) -> str:
        return self.about["base_url"]

    @property
    def ca(self) -> Path:
        return Path(self.about["ca_file"])

    def asked(self, *settings: str) -> list[str]:
        """The settings of a client of it, and others."""
        return [f"url={self.url}", f"ca={self.ca}", *settings]

    def control(self, method: str, path: str, body: bytes = b"") -> Any:
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.about["plain_base_url"]).netloc)
        connection.request(method, f"/control/{path}", body)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        assert answer.status == 200, text
        return json.loads(text)

    def requests(self) -> int:
        """How many chat requests it has received, refused ones included."""
        return self.control("GET", "stats")["requests"]

    def serve_key(self, fixture: str) -> None:
        self.control("POST", "rotate-key", (KEYS / fixture).read_bytes())


def _certificate(name: str, issuer: tuple[x509.Name, ec.EllipticCurvePrivateKey] | None) -> tuple[bytes, bytes]:
    """A certificate and its key, in PEM; without an issuer an authority's own."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    issuer_name, issuer_key = issuer or (subject, key)
    loopback = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    builder = (
        x509.CertificateBuilder(issuer_name, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(issuer is None, None), True)
        .add_extension(x509.SubjectAlternativeName(loopback), False)
    )
    form = serialization.PrivateFormat.PKCS8
    key_pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    return builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM), key_pem


class Interceptor:
    """Terminates TLS before an endpoint with a certificate of an authority of its own, and serves a key of its own.

    Whoever seals for that key is read: the prompts are in `read`. They are sealed again for the endpoint's key, and
    nobody notices. `asked` counts key fetches, `received` chat requests."""

    served = KEYS / "other_public.pem"

    def __init__(self, work: Path, port: int, behind: Endpoint) -> None:
        work.mkdir()
        self.behind = behind
        self.asked = self.received = 0
        self.read: list[str] = []
        self.api_keys: list[str] = []
        self.key = private_key(KEYS / "other_private.pem")
        self.ca = work / "ca.pem"
        authority, authority_key = _certificate("Interceptor", None)
        self.ca.write_bytes(authority)
        signer = serialization.load_pem_private_key(authority_key, None)
        assert isinstance(signer, ec.EllipticCurvePrivateKey)
        own = _certificate("localhost", (x509.load_pem_x509_certificate(authority).subject, signer))
        self.certificate = work / "own.pem"
        self.certificate.write_bytes(b"".join(own))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        self.server = ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (_Handler,), {"interceptor": self}))
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)

    def __enter__(self) -> Self:
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def forward(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        package = json.loads(body)
        sealed = {name: base64.b64decode(value) for name, value in package["encrypted_payload"].items()}
        key = self.key.decrypt(base64.b64decode(package["encrypted_aes_key"]), OAEP)
        plain = AESGCM(key).decrypt(sealed["nonce"], sealed["ciphertext"] + sealed["tag"], None)
        self.read.append(plain.decode())
        public = serialization.load_pem_public_key((KEYS / "server_public.pem").read_bytes())
        assert isinstance(public, rsa.RSAPublicKey)
        package["encrypted_aes_key"] = base64.b64encode(public.encrypt(key, OAEP)).decode()
        trust = ssl.create_default_context(cafile=str(self.behind.ca))
        connection = http.client.HTTPSConnection(urllib.parse.urlsplit(self.behind.url).netloc, context=trust)
        kept = {name: value for name, value in headers.items() if name.lower().startswith(("x-", "content-type"))}
        connection.request("POST", CHAT, json.dumps(package), kept)
        answer = connection.getresponse()
        return answer.status, answer.read()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    interceptor: Interceptor

    def do_GET(self) -> None:
        assert self.path == KEY_PATH
        self.interceptor.asked += 1
        self._answer(200, self.interceptor.served.read_bytes())

    def do_POST(self) -> None:
        self.interceptor.received += 1
        self.interceptor.api_keys += self.headers.get_all("Authorization", [])
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(*self.interceptor.forward(body, dict(self.headers)))

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass
