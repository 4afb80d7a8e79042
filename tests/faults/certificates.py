"""Certificates for servers of a test's own, signed by the authority of the endpoint or by another one."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

NAMES = "IP:127.0.0.1,DNS:localhost,DNS:endpoint.test"


@dataclass(frozen=True)
class Certificate:
    """A certificate and its private key, as files in PEM."""

    certificate: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """TLS for a server with this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


def make(
    work: Path, name: str, signer: Certificate | None = None, is_authority: bool = False, names: str = NAMES
) -> Certificate:
    """Makes a certificate in `work`. Without a signer the certificate is self-signed."""
    made = Certificate(work / f"{name}.pem", work / f"{name}_private.pem")
    signed = ["-CA", signer.certificate, "-CAkey", signer.key] if signer else []
    constraint = f"basicConstraints=critical,CA:{'TRUE' if is_authority else 'FALSE'}"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-subj", f"/CN={name}", "-days", "2", "-addext", f"subjectAltName={names}", "-addext", constraint, *signed,
         "-keyout", made.key, "-out", made.certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    return made


def of_the_endpoint(state: Path) -> Certificate:
    """The authority of the endpoints that keep their files in `state`."""
    return Certificate(state / "ca.pem", state / "ca_private.pem")


def trusting(ca_file: str) -> ssl.SSLContext:
    """TLS for a client that trusts this authority."""
    return ssl.create_default_context(cafile=ca_file)
