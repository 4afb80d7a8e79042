"""A gateway that asks for a client certificate: nginx, with keys of every kind and in every form."""

import os
import signal
import socket
import ssl
import subprocess
import sys
from ctypes import byref, c_void_p
from pathlib import Path

import certificates
from abi import Client, Refused
from certificates import Certificate
from checks import Checks
from endpoint import Endpoint
from peers import Port
from real_peers import NGINX, ask, free_port, server
from table import Bench

FORKED = 2
# The options of `openssl genpkey`, and of `openssl pkey` or `openssl rsa` for the form of the file.
KEYS = {
    "RSA 2048, PKCS#8": (["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], ["pkey"]),
    "RSA 2048, PKCS#1": (["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], ["rsa", "-traditional"]),
    "P-256, PKCS#8": (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], ["pkey"]),
    "P-256, SEC 1": (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], ["ec"]),
    "P-384, PKCS#8": (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"], ["pkey"]),
    "Ed25519, PKCS#8": (["-algorithm", "ED25519"], ["pkey"]),
}


def issue(work: Path, name: str, authority: Certificate) -> Certificate:
    """A client certificate of this authority."""
    made = Certificate(work / f"{name}.pem", work / f"{name}_private.pem")
    algorithm, form = KEYS[name]
    generated = work / "generated.pem"
    subprocess.run(["openssl", "genpkey", *algorithm, "-out", generated], check=True, capture_output=True)
    subprocess.run(["openssl", *form, "-in", generated, "-out", made.key], check=True, capture_output=True)
    subprocess.run(
        ["openssl", "req", "-x509", "-new", "-key", made.key, "-subj", f"/CN={name}", "-days", "2",
         "-addext", "basicConstraints=critical,CA:FALSE", "-CA", authority.certificate, "-CAkey", authority.key,
         "-out", made.certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    made.key.chmod(0o600)
    return made


def gateway(work: Path, endpoint: Endpoint, clients: Certificate, port: int, protocol: str) -> list[object]:
    """The command of an nginx that lets nobody in without a certificate of the authority `clients`."""
    user = "user root;" if os.geteuid() == 0 else ""
    text = NGINX.format(work=work, port=port, upstream=endpoint.plain_port, user=user, requests=1000, idle=30)
    asks = f"ssl_client_certificate {clients.certificate}; ssl_verify_client on; ssl_protocols {protocol};"
    (work / "nginx.conf").write_text(text.replace("keepalive_requests", f"{asks}\n        keepalive_requests"))
    return ["nginx", "-p", work, "-c", work / "nginx.conf", "-e", work / "error.log"]


def refusal(bench: Bench, url: str = "https://127.0.0.1:1", **settings: object) -> tuple[str, str]:
    """Status and message of a client that cannot be made."""
    try:
        Client(bench.library, base_url=url, proxy="", **settings).close()
    except Refused as refused:
        return refused.outcome.status, refused.outcome.message
    return "OK", ""


def paths(certificate: Path, key: Path) -> tuple[bytes, bytes]:
    return str(certificate).encode(), str(key).encode()


def texts(certificate: bytes, key: bytes) -> tuple[bytes, int, bytes, int]:
    return certificate, len(certificate), key, len(key)


def admitted(bench: Bench, endpoint: Endpoint, checks: Checks) -> None:
    """Each key of a known authority is let in; no certificate and a stranger's are not."""
    for protocol in ("TLSv1.2", "TLSv1.3"):
        work, port = bench.work / protocol, free_port()
        work.mkdir()
        mine, strange = (certificates.make(work, name, is_authority=True) for name in ("mine", "strange"))
        served = certificates.make(work, "nginx", certificates.of_the_endpoint(bench.state), names="IP:127.0.0.1")
        served.certificate.rename(work / "nginx.crt")
        served.key.rename(work / "nginx.key")

        def client(**settings: object) -> Client:
            url = f"https://127.0.0.1:{port}"
            return Client(bench.library, base_url=url, ca_file=endpoint.ca_file, proxy="", max_retries=0, **settings)

        with server(gateway(work, endpoint, mine, port, protocol), port):
            for name in KEYS:
                issued = issue(work, name, mine)
                shown = client(client_certificate=paths(issued.certificate, issued.key))
                ask(shown, checks, f"{protocol}, {name}", 3)
                shown.close()
            text = texts(issued.certificate.read_bytes(), issued.key.read_bytes())
            shown = client(client_certificate_pem=text)
            ask(shown, checks, f"{protocol}, from memory", 3)
            shown.close()
            (work / "both.pem").write_bytes(issued.certificate.read_bytes() + issued.key.read_bytes())
            (work / "both.pem").chmod(0o600)
            shown = client(client_certificate=paths(work / "both.pem", work / "both.pem"))
            ask(shown, checks, f"{protocol}, both in one file")
            shown.close()
            unknown = issue(work, "P-256, PKCS#8", strange)
            stranger = {"client_certificate": paths(unknown.certificate, unknown.key)}
            # nginx answers HTTP 400 after a handshake without a certificate that it accepts.
            for what, settings in {"no certificate": {}, "a stranger's": stranger}.items():
                outcome = client(**settings).create("x")
                checks.that(outcome.status == "BAD_REQUEST", f"{protocol}, {what}: {outcome.status} {outcome.message}")
                checks.that(outcome.sent == "no", f"{protocol}, {what}: {outcome.sent}")


def refused(bench: Bench, checks: Checks) -> None:
    """Texts that cannot be a certificate and its key; the sentence says why, and no part of the key."""
    work = bench.work / "refused"
    work.mkdir()
    authority = certificates.make(work, "authority", is_authority=True)
    mine, other = issue(work, "P-256, PKCS#8", authority), issue(work, "RSA 2048, PKCS#8", authority)
    certificate, key = mine.certificate.read_bytes(), mine.key.read_bytes()
    encrypted = subprocess.run(
        ["openssl", "pkey", "-in", mine.key, "-aes256", "-passout", "pass:secret"], check=True, capture_output=True
    ).stdout
    rsa_1024 = subprocess.run(
        ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"], check=True, capture_output=True
    ).stdout
    for what, text, says in [
        ("another certificate's key", (certificate, other.key.read_bytes()), "not that of its first certificate"),
        ("an encrypted key", (certificate, encrypted), "encrypted"),
        ("two keys", (certificate, key + key), "one private key"),
        ("no key", (certificate, certificate), "one private key"),
        ("no certificate", (key, key), "no certificate"),
        ("a weak key", (certificate, rsa_1024), "cannot be used"),
        ("nothing", (b"", b""), "no certificate"),
        ("a torn key", (certificate, key[:-40]), "END line"),
        ("a certificate that is none", (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", key), "X.509"),
    ]:
        status, message = refusal(bench, client_certificate_pem=texts(*text))
        checks.that((status, says in message) == ("ARGUMENT", True), f"{what}: {status} {message}")
        checks.that(not any(line in message for line in key.decode().splitlines()), f"{what}: the key is in the message")
    mine.key.chmod(0o644)
    status, message = refusal(bench, client_certificate=paths(mine.certificate, mine.key))
    checks.that((status, "chmod 600" in message) == ("KEY", True), f"a key that others can read: {status} {message}")
    mine.key.chmod(0o600)
    status, message = refusal(bench, client_certificate=paths(mine.certificate, work / "absent"))
    checks.that(status == "KEY", f"no key file: {status} {message}")
    status, message = refusal(bench, client_certificate=paths(work / "absent", mine.key))
    checks.that(status == "IO", f"no certificate file: {status} {message}")
    os.mkfifo(work / "pipe")
    for path in (work / "pipe", Path("/dev/zero"), work):
        status, message = refusal(bench, client_certificate=paths(path, mine.key))
        checks.that((status, "regular file" in message) == ("ARGUMENT", True), f"{path.name}: {status} {message}")
    status, message = refusal(
        bench, url="http://127.0.0.1:1", client_certificate_pem=texts(certificate, key), allow_http=1
    )
    checks.that((status, "https://" in message) == ("ARGUMENT", True), f"http://: {status} {message}")


def turned_away(bench: Bench, endpoint: Endpoint, checks: Checks) -> None:
    """A server that ends the handshake with an alert. The error says that a client certificate is missing or wrong."""
    work = bench.work / "turned_away"
    work.mkdir()
    mine, strange = (certificates.make(work, name, is_authority=True) for name in ("mine", "strange"))
    context = certificates.make(work, "server", certificates.of_the_endpoint(bench.state)).context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(mine.certificate)
    unknown = issue(work, "P-256, PKCS#8", strange)
    stranger = {"client_certificate": paths(unknown.certificate, unknown.key)}
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context.minimum_version = context.maximum_version = version

        def handshake(connection: socket.socket) -> None:
            try:
                context.wrap_socket(connection, server_side=True).close()
            except OSError:
                pass  # as is meant to be

        port = Port().serve(handshake)
        for what, settings in {"no certificate": {}, "a stranger's": stranger}.items():
            client = Client(bench.library, base_url=port.url, ca_file=endpoint.ca_file, proxy="", max_retries=0, **settings)
            outcome = client.create("x")
            client.close()
            checks.that(
                (outcome.status, outcome.sent, outcome.retryable) == ("CONNECTION", "no", False)
                and ("client certificate" in outcome.message or "HandshakeFailure" in outcome.message),
                f"{version.name}, {what}: {outcome}",
            )
        port.close()


def added(bench: Bench, endpoint: Endpoint, checks: Checks) -> None:
    """An authority beside the trust store: with it the server is trusted, and so is what was trusted before."""
    work = bench.work / "added"
    work.mkdir()
    other = certificates.make(work, "other", is_authority=True)
    pem, strange = Path(endpoint.ca_file).read_bytes(), other.certificate.read_bytes()
    for what, settings, status in [
        ("added to the system's store", {"ca_pem": (pem, len(pem))}, "OK"),
        ("another one added", {"ca_pem": (strange, len(strange))}, "CONNECTION"),
        ("added to a file of another", {"ca_file": str(other.certificate), "ca_pem": (pem, len(pem))}, "OK"),
        ("another one added to its file", {"ca_file": endpoint.ca_file, "ca_pem": (strange, len(strange))}, "OK"),
    ]:
        client = Client(bench.library, base_url=endpoint.url, proxy="", max_retries=0, **settings)
        outcome = client.create("x")
        checks.that(outcome.status == status, f"{what}: {outcome.status} {outcome.message}")
        client.close()
    status, message = refusal(bench, ca_pem=(b"none", 4))
    checks.that(status == "ARGUMENT", f"no certificate added: {status} {message}")


def forked(bench: Bench, checks: Checks) -> None:
    """The key stays with the process that gave it: a forked child has zeros there, and must give it again."""
    work, dll = bench.work / "forked", bench.library.dll
    work.mkdir()
    mine = issue(work, "P-256, PKCS#8", certificates.make(work, "authority", is_authority=True))
    text = texts(mine.certificate.read_bytes(), mine.key.read_bytes())
    config = c_void_p(dll.nomyo_config_new())
    checks.that(dll.nomyo_config_set_client_certificate_pem(config, *text, None) == 0, "a good certificate")
    child = os.fork()
    if child == 0:
        statuses = [dll.nomyo_client_new(config, byref(c_void_p()), None)]
        dll.nomyo_config_set_client_certificate_pem(config, *text, None)
        statuses.append(dll.nomyo_client_new(config, byref(c_void_p()), None))
        os._exit(0 if statuses == [FORKED, 0] else 1)
    checks.that(os.waitpid(child, 0)[1] == 0, "a child's client with its parent's key, then with its own")
    dll.nomyo_config_free(config)


# Looks for the text and the number of a P-256 key in the memory of another process: PID KEYFILE. Prints how often they are there.
SCAN = r"""
import base64, re, sys
pid, text = sys.argv[1], open(sys.argv[2], "rb").read()
block = re.search(rb"-----BEGIN PRIVATE KEY-----\n(.*?)-----END", text, re.DOTALL)[1]
der = base64.b64decode(block)
number = der[der.index(b"\x04\x20") + 2 :][:32]
needles, found = [block.splitlines()[0], number], 0
with open(f"/proc/{pid}/mem", "rb") as memory:
    for line in open(f"/proc/{pid}/maps"):
        if line.split()[1].startswith("r") and "[v" not in line:
            start, end = (int(address, 16) for address in line.split()[0].split("-"))
            try:
                memory.seek(start)
                mapped = memory.read(end - start)
            except (OSError, ValueError):
                continue
            found += sum(mapped.count(needle) for needle in needles)
print(found)
"""


def unseen(bench: Bench, checks: Checks) -> None:
    """A forked child has no byte of a key that its parent read from a file, though the certificate is in the same file."""
    work, dll = bench.work / "unseen", bench.library.dll
    work.mkdir()
    mine = issue(work, "P-256, PKCS#8", certificates.make(work, "authority", is_authority=True))
    both = work / "both.pem"
    subprocess.run(["sh", "-c", 'cat "$1" "$2" > "$3"', "sh", mine.certificate, mine.key, both], check=True)
    both.chmod(0o600)
    config, client = c_void_p(dll.nomyo_config_new()), c_void_p()
    checks.that(dll.nomyo_config_set_client_certificate(config, *paths(both, both), None) == 0, "both in one file")
    checks.that(dll.nomyo_client_new(config, byref(client), None) == 0, "a client with both in one file")
    child = os.fork()
    if child == 0:
        signal.pause()
    scan = [sys.executable, "-c", SCAN, str(child), both]
    found = subprocess.run(scan, capture_output=True, text=True, check=True).stdout.strip()
    checks.that(found == "0", f"a child has {found} copies of the parent's key")
    scan[3] = str(os.getpid())
    found = subprocess.run(scan, capture_output=True, text=True, check=True).stdout.strip()
    checks.that(found != "0", "the scan finds no key in the process that has it")
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    dll.nomyo_client_free(client)
    dll.nomyo_config_free(config)


def run(bench: Bench) -> Checks:
    checks = Checks("mutual_tls")
    endpoint = bench.endpoint()
    admitted(bench, endpoint, checks)
    added(bench, endpoint, checks)
    turned_away(bench, endpoint, checks)
    endpoint.close()
    refused(bench, checks)
    forked(bench, checks)
    unseen(bench, checks)
    checks.summary()
    return checks
