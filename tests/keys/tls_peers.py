"""Certificate chains of a test's own, and what shows them: a TLS server before the endpoint, a proxy with TLS."""

import base64
import datetime
import ipaddress
import select
import socket
import ssl
import threading
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

PATIENCE, PIECE = 60, 64 * 1024


@dataclass(frozen=True)
class Issued:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def pin(self) -> str:
        """The pin of its public key, as `openssl` and browsers compute it."""
        spki = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return f"sha256/{base64.b64encode(sha256(spki).digest()).decode()}"


def issue(name: str, issuer: Issued | None = None, is_authority: bool = False) -> Issued:
    """A certificate for the loopback. Without an issuer it is self-signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    loopback = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    signer = issuer.certificate.subject if issuer else subject
    builder = (
        x509.CertificateBuilder(signer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(is_authority, None), True)
    )
    if not is_authority:
        builder = builder.add_extension(x509.SubjectAlternativeName(loopback), False)
    return Issued(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


class TlsServer:
    """Terminates TLS on a port of 127.0.0.1, with a chain that begins with its own certificate. It passes all bytes on to
    the port `behind`. Without one it is a proxy: it answers CONNECT and passes on to the port that it is asked for."""

    def __init__(self, work: Path, chain: list[Issued], behind: int | None) -> None:
        work.mkdir()
        shown = work / "shown.pem"
        shown.write_bytes(b"".join([chain[0].key_pem, *[issued.pem for issued in chain]]))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(shown)
        self.behind = behind
        self.read = bytearray()
        self.tunnels = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.settimeout(PATIENCE)
            with self.context.wrap_socket(connection, server_side=True) as secured:
                self._pass_on(secured)
        except OSError:
            pass  # the client refuses the certificate, or is gone

    def _pass_on(self, secured: ssl.SSLSocket) -> None:
        port = self.behind
        if port is None:
            head = b""
            while b"\r\n\r\n" not in head:
                head += secured.recv(PIECE)
            port = int(head.split()[1].rpartition(b":")[2])
            secured.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            self.tunnels += 1
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as server:
            while True:
                # One thread alone uses the TLS connection.
                ready = [secured] if secured.pending() else select.select([secured, server], [], [], PATIENCE)[0]
                for source in ready:
                    piece = source.recv(PIECE)
                    if not piece:
                        return
                    if source is secured:
                        self.read += piece
                    (server if source is secured else secured).sendall(piece)
