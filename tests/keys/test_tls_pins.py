"""With a TLS pin nothing leaves for an interceptor, whatever certificate it has. Without one, an interceptor with a trusted
certificate reads the answer, because the header that carries the client's public key is not authenticated."""

import base64
import hashlib
import http.client
import json
import ssl
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from driver import ARGUMENT, KEYS, PIN, Driver
from endpoint import CHAT as CHAT_PATH
from endpoint import OAEP, Endpoint, Interceptor, fingerprint
from files import public_pem
from tls_peers import Issued, TlsServer, issue

RIGHT = fingerprint(KEYS / "server_public.pem")
PROMPT, ANSWER, API_KEY = "the secret prompt", "the secret answer", "api-key-19c4"
ASK = ("ask", PROMPT, ANSWER)
CHAT = ("chat", PROMPT)
NOT_SENT = "the request was not sent"


def in_hex(pin: str) -> str:
    return base64.b64decode(pin.removeprefix("sha256/")).hex()


# --- an interceptor whose authority the client trusts


class AnswerReader(Interceptor):
    """Serves the server's right key, so that a pin of that key holds, and puts its own public key in the place of the
    client's. The server seals the answer for it. It reads the answer, and seals it again for the client."""

    served = KEYS / "server_public.pem"

    def __init__(self, work: Path, port: int, behind: Endpoint) -> None:
        super().__init__(work, port, behind)
        self.packages: list[bytes] = []

    def forward(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        self.packages.append(body)
        lower = {name.lower(): value for name, value in headers.items()}
        kept = {name: value for name, value in lower.items() if name.startswith(("x-", "content-type"))}
        client = serialization.load_pem_public_key(urllib.parse.unquote(kept["x-public-key"]).encode())
        assert isinstance(client, rsa.RSAPublicKey)
        own = urllib.parse.quote(public_pem(KEYS / "other_public.pem"), safe="")
        trust = ssl.create_default_context(cafile=str(self.behind.ca))
        connection = http.client.HTTPSConnection(urllib.parse.urlsplit(self.behind.url).netloc, context=trust)
        connection.request("POST", CHAT_PATH, body, {**kept, "x-public-key": own})
        answer = connection.getresponse()
        package = json.loads(answer.read())
        sealed = {name: base64.b64decode(value) for name, value in package["encrypted_payload"].items()}
        key = self.key.decrypt(base64.b64decode(package["encrypted_aes_key"]), OAEP)
        self.read.append(AESGCM(key).decrypt(sealed["nonce"], sealed["ciphertext"] + sealed["tag"], None).decode())
        package["encrypted_aes_key"] = base64.b64encode(client.encrypt(key, OAEP)).decode()
        return answer.status, json.dumps(package).encode()


@pytest.fixture
def intercepted(pair: Path, tmp_path: Path) -> Iterator[tuple[AnswerReader, list[str], str]]:
    """An interceptor before the endpoint; the settings of a client that trusts both authorities and pins the server's
    key; and the TLS pin of the endpoint's authority."""
    with Endpoint(tmp_path / "state") as behind, AnswerReader(tmp_path / "interceptor", 0, behind) as interceptor:
        both = tmp_path / "authorities.pem"
        both.write_bytes(behind.ca.read_bytes() + interceptor.ca.read_bytes())
        url = f"https://127.0.0.1:{interceptor.server.server_port}"
        words = [f"url={url}", f"ca={both}", f"dir={pair}", f"key={API_KEY}", f"pin={RIGHT}"]
        yield interceptor, words, certificate_pin(behind.ca)


def certificate_pin(pem: Path) -> str:
    """The pin of a certificate's key."""
    key = x509.load_pem_x509_certificate(pem.read_bytes()).public_key()
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"sha256/{base64.b64encode(hashlib.sha256(spki).digest()).decode()}"


def test_without_a_tls_pin_an_interceptor_reads_the_answer_and_the_api_key_but_not_the_prompt(
    driver: Driver, intercepted: tuple[AnswerReader, list[str], str]
) -> None:
    interceptor, words, _ = intercepted
    assert driver.ok(*words, *ASK) == ANSWER, "nobody notices"
    assert interceptor.received == 1 and ANSWER in interceptor.read[0]
    assert interceptor.api_keys == [f"Bearer {API_KEY}"]
    # The prompt is sealed for the server alone: no key that the interceptor has opens it.
    package = json.loads(interceptor.packages[0])
    with pytest.raises(ValueError):
        interceptor.key.decrypt(base64.b64decode(package["encrypted_aes_key"]), OAEP)
    assert PROMPT.encode() not in interceptor.packages[0]


@pytest.mark.parametrize("step", [ASK, ("warm",), ("server",), ("chain",)], ids=lambda step: step[0])
def test_with_a_tls_pin_nothing_reaches_an_interceptor(
    driver: Driver, intercepted: tuple[AnswerReader, list[str], str], step: tuple[str, ...]
) -> None:
    interceptor, words, pin = intercepted
    said = driver.refused(PIN, *words, f"tlspin={pin}", *step)
    assert certificate_pin(interceptor.ca) in said, "the chain's root is named"
    assert certificate_pin(interceptor.certificate) in said, "the chain's leaf is named"
    assert NOT_SENT in said or step != ASK
    assert (interceptor.asked, interceptor.received, interceptor.api_keys, interceptor.read) == (0, 0, [], [])


def test_a_tls_pin_of_the_interceptor_shows_that_the_test_intercepts(
    driver: Driver, intercepted: tuple[AnswerReader, list[str], str]
) -> None:
    interceptor, words, _ = intercepted
    assert driver.ok(*words, f"tlspin={certificate_pin(interceptor.ca)}", *ASK) == ANSWER
    assert ANSWER in interceptor.read[0]


# --- which certificates count


@pytest.fixture(scope="module")
def chain() -> list[Issued]:
    """A leaf, an intermediate and a root."""
    root = issue("root", is_authority=True)
    intermediate = issue("intermediate", root, is_authority=True)
    return [issue("leaf", intermediate), intermediate, root]


@pytest.fixture
def shown(chain: list[Issued], endpoint: Endpoint, pair: Path, tmp_path: Path) -> Iterator[tuple[TlsServer, list[str]]]:
    """A server that shows the leaf and the intermediate, and the settings of a client that trusts the root."""
    root = tmp_path / "root.pem"
    root.write_bytes(chain[2].pem)
    with TlsServer(tmp_path / "server", chain[:2], plain_port(endpoint)) as server:
        yield server, [f"url={server.url}", f"ca={root}", f"dir={pair}", f"key={API_KEY}"]


def plain_port(endpoint: Endpoint) -> int:
    port = urllib.parse.urlsplit(endpoint.about["plain_base_url"]).port
    assert port
    return port


@pytest.mark.parametrize("role", ["leaf", "intermediate", "root"])
@pytest.mark.parametrize("written", [str, in_hex], ids=["base64", "hex"])
def test_each_certificate_of_the_chain_may_be_the_pinned_one(
    driver: Driver, chain: list[Issued], shown: tuple[TlsServer, list[str]], role: str, written: type
) -> None:
    _, words = shown
    pin = chain[["leaf", "intermediate", "root"].index(role)].pin
    assert driver.ok(*words, f"tlspin={written(pin)}", *CHAT) == PROMPT


def test_one_of_several_pins_is_enough(
    driver: Driver, chain: list[Issued], shown: tuple[TlsServer, list[str]]
) -> None:
    _, words = shown
    others = [f"tlspin={issue(name).pin}" for name in ("old", "new")]
    right = f"tlspin={chain[1].pin}"
    for pins in ([right, *others], [*others, right], [others[0], right, others[1]]):
        assert driver.ok(*words, *pins, *CHAT) == PROMPT


@pytest.mark.parametrize("count", [1, 2])
def test_a_chain_without_a_pinned_certificate_is_refused_before_anything_is_sent(
    driver: Driver, chain: list[Issued], shown: tuple[TlsServer, list[str]], count: int
) -> None:
    server, words = shown
    others = [issue(f"other {n}").pin for n in range(count)]
    said = driver.refused(PIN, *words, *[f"tlspin={pin}" for pin in others], *CHAT)
    for certificate in chain:
        assert certificate.pin in said, said
    assert NOT_SENT in said
    assert server.read == b""


def test_a_certificate_that_is_shown_and_is_no_part_of_the_verified_chain_does_not_count(
    driver: Driver, chain: list[Issued], endpoint: Endpoint, pair: Path, tmp_path: Path
) -> None:
    """An interceptor can append any certificate, such as the right server's, whose key it does not have."""
    other = issue("other root", is_authority=True)
    leaf = issue("leaf", other)
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(chain[2].pem + other.pem)
    with TlsServer(tmp_path / "padded", [leaf, *chain], plain_port(endpoint)) as server:
        words = [f"url={server.url}", f"ca={trusted}", f"dir={pair}", f"key={API_KEY}"]
        assert driver.ok(*words, f"tlspin={other.pin}", *CHAT) == PROMPT
        server.read.clear()
        for certificate in chain:
            driver.refused(PIN, *words, f"tlspin={certificate.pin}", *CHAT)
        assert server.read == b""


def test_a_trusted_root_that_did_not_sign_the_chain_does_not_count(
    driver: Driver, chain: list[Issued], shown: tuple[TlsServer, list[str]], tmp_path: Path
) -> None:
    server, words = shown
    other = issue("other root", is_authority=True)
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(chain[2].pem + other.pem)
    driver.refused(PIN, *words, f"ca={trusted}", f"tlspin={other.pin}", *CHAT)
    assert server.read == b""


def test_a_right_pin_trusts_no_certificate_that_the_store_does_not(
    driver: Driver, chain: list[Issued], shown: tuple[TlsServer, list[str]], tmp_path: Path
) -> None:
    """A pin is one more condition, not a way around the others."""
    server, words = shown
    other = tmp_path / "other.pem"
    other.write_bytes(issue("other root", is_authority=True).pem)
    driver.refused("NOMYO_ERR_CONNECTION", *words, f"ca={other}", f"tlspin={chain[0].pin}", *CHAT)
    assert server.read == b""


# --- where pins come from


@pytest.mark.parametrize(
    "pin",
    ["", RIGHT[:-1], RIGHT + "00", RIGHT.replace("a", "g"), "sha256/AAAA", "sha1/AAAA"],
    ids=["empty", "short", "long", "not hex", "short base64", "SHA-1"],
)
def test_what_is_no_tls_pin_is_refused_at_once(driver: Driver, pin: str) -> None:
    assert "sha256/" in driver.refused(ARGUMENT, f"tlspin={pin}", "public")


def test_a_tls_pin_for_a_server_without_tls_is_refused_at_once(driver: Driver, endpoint: Endpoint) -> None:
    words = [f"url={endpoint.about['plain_base_url']}", f"tlspin={RIGHT}"]
    assert "https" in driver.refused(ARGUMENT, *words, "public")


def test_the_environment_pins_certificates_too(
    driver: Driver, chain: list[Issued], shown: tuple[TlsServer, list[str]]
) -> None:
    server, words = shown
    other = issue("other").pin
    words = [*words, "env=1", *CHAT]
    assert driver.ok(*words, env={"NOMYO_TLS_PIN": chain[0].pin}) == PROMPT
    assert driver.ok(*words, env={"NOMYO_TLS_PIN": f"{other}, {in_hex(chain[2].pin)}"}) == PROMPT
    server.read.clear()
    assert other in driver.refused(PIN, *words, env={"NOMYO_TLS_PIN": other})
    driver.refused(ARGUMENT, *words, env={"NOMYO_TLS_PIN": "0123"})
    assert server.read == b""
    assert driver.ok(*words[:-3], *CHAT, env={"NOMYO_TLS_PIN": other}) == PROMPT, "read without env=1"


def test_the_chain_that_was_verified_is_told(
    driver: Driver, chain: list[Issued], shown: tuple[TlsServer, list[str]]
) -> None:
    _, words = shown
    told = json.loads(driver.ok(*words, "chain"))
    assert [(one["role"], one["sha256"]) for one in told] == [
        (role, issued.pin) for role, issued in zip(["leaf", "intermediate", "root"], chain)
    ]
    assert [one["subject"] for one in told] == ["CN=leaf", "CN=intermediate", "CN=root"]
    assert json.loads(driver.ok(*words, *CHAT, "chain")) == told, "of the connection that is there"
    for one in told:
        assert driver.ok(*words, f"tlspin={one['sha256']}", *CHAT) == PROMPT, "what is told can be pinned"


def test_a_server_without_tls_has_no_chain(driver: Driver, endpoint: Endpoint) -> None:
    driver.refused(ARGUMENT, f"url={endpoint.about['plain_base_url']}", "chain")


# --- through a proxy


@pytest.fixture
def proxied(chain: list[Issued], tmp_path: Path) -> Iterator[tuple[TlsServer, Issued, list[str]]]:
    """A proxy that is spoken to with TLS, its certificate, and the settings of a client that trusts it."""
    authority = issue("proxy's root", is_authority=True)
    own = issue("proxy", authority)
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(chain[2].pem + authority.pem)
    with TlsServer(tmp_path / "proxy", [own], None) as proxy:
        yield proxy, own, [f"proxy={proxy.url}", f"ca={trusted}"]


def test_through_a_proxy_with_tls_the_servers_certificate_is_pinned(
    driver: Driver, chain: list[Issued], shown: tuple[TlsServer, list[str]],
    proxied: tuple[TlsServer, Issued, list[str]]
) -> None:  # fmt: skip
    (server, words), (proxy, own, by_proxy) = shown, proxied
    words = [*words, *by_proxy]
    assert driver.ok(*words, *CHAT) == PROMPT and proxy.tunnels == 1
    for certificate in chain:
        assert driver.ok(*words, f"tlspin={certificate.pin}", *CHAT) == PROMPT
    assert [one["sha256"] for one in json.loads(driver.ok(*words, "chain"))] == [issued.pin for issued in chain]
    server.read.clear()
    said = driver.refused(PIN, *words, f"tlspin={own.pin}", *CHAT)
    assert chain[0].pin in said
    assert server.read == b"", "the proxy's certificate was taken for the server's"
