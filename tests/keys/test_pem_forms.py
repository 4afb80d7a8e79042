"""PEM in the forms that editors, shells and secret stores leave it in, read by this library and by others."""

import base64
import http.server
import subprocess
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import files
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from driver import KEY, KEYS, Driver
from endpoint import _certificate, fingerprint
from interop import ROWS, Row, works
from nomyo.SecureCompletionClient import SecureCompletionClient

SMALL = rsa.generate_private_key(65537, 2048)
SERVER = rsa.generate_private_key(65537, 3072)
PKCS8, PKCS1 = serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL


def private_pem(key: rsa.RSAPrivateKey, form: serialization.PrivateFormat = PKCS8) -> str:
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


CA = _certificate("CA of the forms", None)[0].decode()
OTHER_CA = _certificate("Another CA", None)[0].decode()
OTHER = "-----BEGIN DH PARAMETERS-----\nMAYCAQcCAQI=\n-----END DH PARAMETERS-----\n"
# The unchanged text of each kind of file.
PLAIN = {
    "private": private_pem(SMALL),
    "public": files.spki(SMALL.public_key()),
    "server key": files.spki(SERVER.public_key()),
    "CA": CA,
}


def wrapped(pem: str, width: int) -> str:
    begin, *body, end = pem.splitlines()
    text = "".join(body)
    return "\n".join([begin, *(textwrap.wrap(text, width) if width else [text]), end, ""])


def each_line(pem: str, before: str, after: str) -> str:
    return "".join(f"{before}{line}{after}\n" for line in pem.splitlines())


Form = Callable[[str], str | bytes]
# Layouts: each is the same block.
LAYOUTS: dict[str, Form] = {
    "as it is written": lambda pem: pem,
    "UTF-8 byte order mark": lambda pem: "\ufeff" + pem,
    "CRLF": lambda pem: pem.replace("\n", "\r\n"),
    "CR": lambda pem: pem.replace("\n", "\r"),
    "no line end at the end": str.rstrip,
    "lines of 76": lambda pem: wrapped(pem, 76),
    "lines of 48": lambda pem: wrapped(pem, 48),
    "lines of 20": lambda pem: wrapped(pem, 20),
    "one line of base64": lambda pem: wrapped(pem, 0),
    "everything on one line": lambda pem: pem.replace("\n", ""),
    "everything on one line, with blanks": lambda pem: pem.replace("\n", " "),
    "blanks at line ends": lambda pem: each_line(pem, "", " "),
    "tabs at line ends": lambda pem: each_line(pem, "", "\t"),
    "blanks at line starts": lambda pem: each_line(pem, "  ", ""),
    "empty line after BEGIN": lambda pem: pem.replace("-----\n", "-----\n\n", 1),
    "empty line before END": lambda pem: pem.replace("-----END", "\n-----END"),
    "empty lines everywhere": lambda pem: pem.replace("\n", "\n\n"),
    "text before BEGIN": lambda pem: "Bag Attributes\n    friendlyName: key: 1\n" + pem,
    "text after END": lambda pem: pem + "# rotated by ops\n",
    "ends in Ctrl-Z": lambda pem: pem + "\x1a",
}
# Other blocks in the same file.
BESIDE: dict[str, dict[str, Form]] = {
    "private": {
        "PKCS#1": lambda _: private_pem(SMALL, PKCS1),
        "its public key after it": lambda pem: pem + PLAIN["public"],
        "its public key before it": lambda pem: PLAIN["public"] + pem,
        "a certificate after it": lambda pem: pem + CA,
        "a certificate before it": lambda pem: CA + pem,
        "parameters before it": lambda pem: OTHER + pem,
    },
    "public": {
        "the private key after it": lambda pem: pem + PLAIN["private"],
        "the private key before it": lambda pem: PLAIN["private"] + pem,
        "a certificate after it": lambda pem: pem + CA,
    },
    "server key": {"a certificate after it": lambda pem: pem + CA},
    "CA": {
        "two certificates": lambda pem: pem + OTHER_CA,
        "two certificates, with text and CRLF": lambda pem: f"# one\n{pem}# two\n{OTHER_CA}".replace("\n", "\r\n"),
        "parameters before it": lambda pem: OTHER + pem,
        "a private key after it": lambda pem: pem + PLAIN["private"],
        "X509 CERTIFICATE": lambda pem: pem.replace(" CERT", " X509 CERT"),
    },
}
# Refused, each for its reason, whatever the others do.
REFUSED: dict[str, tuple[Form, str]] = {
    "UTF-16 with a byte order mark": (lambda pem: pem.encode("utf-16"), "UTF-16"),
    "UTF-16 without one": (lambda pem: pem.encode("utf-16-le"), "UTF-16"),
    r"line ends written as \n": (lambda pem: pem.replace("\n", "\\n"), "backslash"),
    r"in quotes, with \n": (lambda pem: '"' + pem.replace("\n", "\\n") + '"', "backslash"),
    "DER": (lambda pem: base64.b64decode("".join(pem.splitlines()[1:-1])), "DER"),
    "commented out": (lambda pem: each_line(pem, "# ", ""), "start of a line"),
    "no END line": (lambda pem: pem[: pem.index("-----END")], "no END"),
    "END of another label": (lambda pem: pem.replace("-----END ", "-----END X "), "another label"),
    "a character that is none of base64": (lambda pem: pem[:100] + "*" + pem[101:], "is not base64"),
    "the alphabet of URLs": (lambda pem: pem[:100] + "_" + pem[101:], "is not base64"),
    "a character is missing": (lambda pem: pem[:100] + pem[101:], "incomplete"),
    "empty body": (lambda pem: pem.splitlines()[0] + "\n" + pem.splitlines()[-1], "incomplete"),
}
ONLY_HERE: dict[str, dict[str, tuple[Form, str]]] = {
    "private": {
        # Which one is meant is not for a library to guess.
        "two private keys": (lambda pem: pem + private_pem(SERVER), "2 private keys"),
        "a public key alone": (lambda _: PLAIN["public"], "public key"),
        "a certificate alone": (lambda _: CA, "no block in it is a private key"),
    },
    "public": {
        "two public keys": (lambda pem: pem + PLAIN["server key"], "several public keys"),
        "a private key alone": (lambda _: PLAIN["private"], "private key"),
        "a certificate alone": (lambda _: CA, "certificate"),
    },
    "server key": {
        # A server that shows its private key has no secret any more.
        "the private key after it": (lambda pem: pem + private_pem(SERVER), "private key"),
        "the private key before it": (lambda pem: private_pem(SERVER) + pem, "private key"),
        "two public keys": (lambda pem: pem + PLAIN["public"], "several public keys"),
    },
    "CA": {
        "a public key alone": (lambda _: PLAIN["public"], "holds no certificate"),
        "a second certificate that is not whole": (lambda pem: pem + OTHER_CA[:300], "no END"),
    },
}
READ = [(kind, name, form) for kind in PLAIN for name, form in {**LAYOUTS, **BESIDE[kind]}.items()]
NOT_READ = [(kind, name, *rule) for kind in PLAIN for name, rule in {**REFUSED, **ONLY_HERE[kind]}.items()]
# Where libnomyo refuses what openssl and `cryptography` read. Each has its reason.
STRICTER = {
    ("private", "two private keys"),
    ("public", "two public keys"),
    ("server key", "the private key after it"),
    ("server key", "two public keys"),
}


@pytest.fixture(scope="module")
def served() -> Iterator[list[bytes]]:
    """A server, whose address is first and whose /pki/public_key is last."""
    state: list[bytes] = [b"", b""]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(state[1])))
            self.end_headers()
            self.wfile.write(state[1])

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state[0] = f"http://127.0.0.1:{server.server_port}".encode()
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield state
        server.shutdown()


def ours(driver: Driver, served: list[bytes], kind: str, path: Path, good: Path) -> tuple[bool, str]:
    """Whether libnomyo reads the file, and what it said."""
    if kind == "private":
        steps = driver.run("load", path, "-", "-", "public")
        wanted = PLAIN["public"]
    elif kind == "public":
        steps = driver.run("load", good, path, "-", "public")
        wanted = PLAIN["public"]
    elif kind == "CA":
        steps, wanted = driver.run("url=https://localhost:1", f"ca={path}", "load", good, "-", "-"), ""
    else:
        served[1] = path.read_bytes()
        plain = path.with_name("plain.pem")
        plain.write_text(PLAIN["server key"])
        steps, wanted = driver.run(f"url={served[0].decode()}", "server"), fingerprint(plain)
    assert steps[0].status != "NOMYO_OK" or steps[-1].text == wanted, "another key was read"
    return steps[0].status == "NOMYO_OK", steps[0].text


def others(kind: str, path: Path, good: Path) -> dict[str, bool | None]:
    """Whether the others read the file."""

    def openssl(*arguments: str | Path) -> bool:
        return subprocess.run(["openssl", *arguments], capture_output=True).returncode == 0

    text = path.read_bytes()
    sdk = SecureCompletionClient
    if kind == "private":
        return {
            "openssl": openssl("pkey", "-in", path, "-noout"),
            "cryptography": works(lambda: serialization.load_pem_private_key(text, None)),
            "SDK": works(lambda: sdk().load_keys(str(path))),
        }
    if kind == "CA":
        certificate = good.with_name("certificate.pem")
        certificate.write_text(CA)
        return {
            "openssl": openssl("verify", "-CAfile", path, certificate),
            "cryptography": works(lambda: x509.load_pem_x509_certificates(text)),
            "SDK": None,
        }
    return {
        "openssl": openssl("pkey", "-pubin", "-in", path, "-noout"),
        "cryptography": works(lambda: serialization.load_pem_public_key(text)),
        # It takes the text of a public file without decoding it, and gives that of a server to `cryptography`.
        "SDK": None,
    }


def tried(
    driver: Driver, served: list[bytes], tmp_path: Path, kind: str, name: str, form: Form
) -> tuple[dict[str, bool | None], str]:
    """What each reader did, which goes into the table, and what libnomyo said."""
    path, good = tmp_path / "form.pem", tmp_path / "good.pem"
    made = form(PLAIN[kind])
    path.write_bytes(made.encode() if isinstance(made, str) else made)
    good.write_text(PLAIN["private"])
    for file in (path, good):
        file.chmod(0o600)
    read, said = ours(driver, served, kind, path, good)
    reads = {"libnomyo": read, **others(kind, path, good)}
    ROWS.append(Row(kind, name, reads))
    assert kind == "server key" or read or str(path) in said
    return reads, said


@pytest.mark.parametrize(("kind", "name", "form"), READ, ids=[f"{kind}: {name}" for kind, name, _ in READ])
def test_a_form_that_does_not_change_the_content_is_read(
    driver: Driver, served: list[bytes], tmp_path: Path, kind: str, name: str, form: Form
) -> None:
    reads, said = tried(driver, served, tmp_path, kind, name, form)
    assert reads["libnomyo"], said


@pytest.mark.parametrize(
    ("kind", "name", "form", "why"), NOT_READ, ids=[f"{kind}: {name}" for kind, name, *_ in NOT_READ]
)
def test_what_is_refused_is_refused_for_its_reason(
    driver: Driver, served: list[bytes], tmp_path: Path, kind: str, name: str, form: Form, why: str
) -> None:
    reads, said = tried(driver, served, tmp_path, kind, name, form)
    assert not reads["libnomyo"] and why in said, said
    is_stricter = bool(reads["openssl"] and reads["cryptography"])
    assert is_stricter == ((kind, name) in STRICTER), "the list of stricter cases is not the right one"


@pytest.mark.parametrize(
    ("label", "why"), [("OPENSSH", "ssh-keygen"), ("EC", "not an RSA key"), ("DSA", "not an RSA key"), ("ANY", "form")]
)
def test_a_private_key_in_another_form_is_refused_with_what_to_do(
    driver: Driver, tmp_path: Path, label: str, why: str
) -> None:
    path = tmp_path / "key.pem"
    path.write_text(PLAIN["private"].replace(" PRIVATE", f" {label} PRIVATE"))
    path.chmod(0o600)
    assert why in driver.refused(KEY, "load", path, "-", "-")


def test_a_pair_may_be_in_one_file(driver: Driver, tmp_path: Path) -> None:
    path = tmp_path / "pair.pem"
    path.write_text((KEYS / "client_public.pem").read_text() + (KEYS / "client_private.pem").read_text())
    path.chmod(0o600)
    assert driver.ok("load", path, path, "-", "public") == (KEYS / "client_public.pem").read_text()
