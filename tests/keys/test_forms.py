"""Every form of key file that is in circulation loads, or is refused as decided."""

import base64
import json
import shlex
import subprocess
from pathlib import Path

import files
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from driver import FIXTURES, KEY, KEYS, Driver
from files import PASSWORD, UTF8_PASSWORD

MANIFEST = json.loads((FIXTURES / "manifest.json").read_text())["keys"]
# Decided so; the SDK refuses the encrypted JS forms, too.
REFUSED = {"client1024": "1024", "ec": "RSA"}
LOADED = sorted(MANIFEST.keys() - REFUSED.keys())
ENCRYPTED = sorted(name for name, entry in MANIFEST.items() if entry.get("password"))


def expected(name: str) -> str:
    """The public key of an entry, by `cryptography`."""
    entry = MANIFEST[MANIFEST[name].get("same_key_as", name)]
    return files.spki(files.private_key(FIXTURES / entry["private"]).public_key())


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def private(tmp_path: Path, name: str) -> Path:
    """The entry's private file, as its owner would keep it."""
    return files.private_copy(Path(MANIFEST[name]["private"]).name, tmp_path / "key.pem")


def pem(label: str, der: bytes) -> bytes:
    text = base64.b64encode(der).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode()


def openssl(*arguments: str | Path, text: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *arguments], input=text, check=True, capture_output=True).stdout


def test_there_is_a_decision_for_each_fixture() -> None:
    assert len(LOADED) >= 15 and REFUSED.keys() <= MANIFEST.keys()
    named = {Path(entry[half]).name for entry in MANIFEST.values() for half in ("private", "public") if half in entry}
    assert {path.name for path in KEYS.glob("*.pem")} - named == {"client_public_py.pem"}


@pytest.mark.parametrize("name", LOADED)
def test_loads_with_and_without_the_public_file(driver: Driver, tmp_path: Path, name: str) -> None:
    path, password = private(tmp_path, name), MANIFEST[name].get("password") or "-"
    assert driver.ok("load", path, "-", password, "public") == expected(name)
    public = MANIFEST[name].get("public", "keys/client_public_py.pem")
    assert driver.ok("load", path, FIXTURES / public, password, "public") == expected(name)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_short_key_and_one_that_is_not_rsa_are_refused_with_the_reason(
    driver: Driver, tmp_path: Path, name: str
) -> None:
    assert REFUSED[name] in driver.refused(KEY, "load", private(tmp_path, name), "-", "-")


@pytest.mark.parametrize("name", ENCRYPTED)
def test_a_wrong_password_and_a_missing_one_are_refused_and_not_repeated(
    driver: Driver, tmp_path: Path, name: str
) -> None:
    path = private(tmp_path, name)
    for password in ("incorrect horse", MANIFEST[name]["password"] + " ", "-"):
        said = driver.refused(KEY, "load", path, "-", password)
        assert "password" in said and str(path) in said
        assert password == "-" or password not in said


def test_a_js_file_with_a_wrong_password_that_leaves_good_padding_is_refused(driver: Driver, tmp_path: Path) -> None:
    """One wrong password in 256 passes the padding and fails later: the form has no check of its own."""
    path = private(tmp_path, "client_js_password")
    blob = base64.b64decode("".join(path.read_text().splitlines()[1:-1]))
    password = "wrong password 555"
    key = PBKDF2HMAC(SHA256(), 32, blob[:16], 100_000).derive(password.encode())
    decryptor = Cipher(algorithms.AES(key), modes.CBC(blob[-32:-16])).decryptor()
    assert decryptor.update(blob[-16:])[-1] == 1
    assert "password" in driver.refused(KEY, "load", path, "-", password)


@pytest.mark.parametrize("prf", ["SHA1", "SHA224", "SHA256", "SHA384", "SHA512"])
def test_pbkdf2_with_every_hash_loads(driver: Driver, tmp_path: Path, prf: str) -> None:
    form = ["pkcs8", "-topk8", "-v2", "aes-256-cbc", "-v2prf", f"hmacWith{prf}", "-passout", f"pass:{UTF8_PASSWORD}"]
    path = written(tmp_path / "key.pem", openssl(*form, "-in", KEYS / "client2048_private.pem"))
    assert driver.ok("load", path, "-", UTF8_PASSWORD, "public") == expected("client2048")


@pytest.mark.parametrize(
    "form",
    [
        ["rsa", "-aes256", "-traditional", "-passout", f"pass:{PASSWORD}"],  # DEK-Info: MD5 once
        ["pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES", "-passout", f"pass:{PASSWORD}"],
    ],
    ids=["DEK-Info", "PBES1"],
)
def test_what_is_encrypted_in_an_obsolete_way_is_refused_with_what_to_do(
    driver: Driver, tmp_path: Path, form: list[str]
) -> None:
    path = written(tmp_path / "key.pem", openssl(*form, "-in", KEYS / "client_private.pem"))
    assert "openssl pkcs8" in driver.refused(KEY, "load", path, "-", PASSWORD)


def tlv(tag: int, *parts: bytes) -> bytes:
    """A DER element."""
    body = b"".join(parts)
    size = len(body).to_bytes(2, "big").lstrip(b"\0")
    return bytes([tag, *([0x80 | len(size)] if len(body) > 127 else []), *(size or b"\0")]) + body


def integer(value: int) -> bytes:
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


PBKDF2, SCRYPT = bytes.fromhex("2a864886f70d01050c"), bytes.fromhex("2b06010401da47040b")
PBES2, AES_256_CBC = bytes.fromhex("2a864886f70d01050d"), bytes.fromhex("60864801650304012a")


@pytest.mark.parametrize(
    ("kdf", "numbers"),
    [
        (PBKDF2, [2**31 - 1]),
        (SCRYPT, [2**30, 8, 1]),
        (SCRYPT, [2**14, 2**16, 1]),
        (SCRYPT, [2**14, 8, 2**26]),
    ],
    ids=["PBKDF2", "scrypt N", "scrypt r", "scrypt p"],
)
def test_a_file_cannot_demand_work_or_memory_without_end(
    driver: Driver, tmp_path: Path, kdf: bytes, numbers: list[int]
) -> None:
    derivation = tlv(0x30, tlv(6, kdf), tlv(0x30, tlv(4, bytes(16)), *map(integer, numbers)))
    cipher = tlv(0x30, tlv(6, AES_256_CBC), tlv(4, bytes(16)))
    der = tlv(0x30, tlv(0x30, tlv(6, PBES2), tlv(0x30, derivation, cipher)), tlv(4, bytes(2368)))
    path = written(tmp_path / "key.pem", pem("ENCRYPTED PRIVATE KEY", der))
    assert str(path) in driver.refused(KEY, "load", path, "-", PASSWORD, timeout=90)


@pytest.mark.parametrize("algorithm", ["P-384", "Ed25519", "RSA-PSS"])
def test_a_key_of_another_algorithm_is_refused(driver: Driver, tmp_path: Path, algorithm: str) -> None:
    if algorithm == "RSA-PSS":
        content = openssl("genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048")
    else:
        key = ec.generate_private_key(ec.SECP384R1()) if algorithm == "P-384" else ed25519.Ed25519PrivateKey.generate()
        content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert "RSA" in driver.refused(KEY, "load", written(tmp_path / "key.pem", content), "-", "-")


@pytest.mark.parametrize("bits", [1536, 2040, 3072])
def test_the_least_size_is_2048_bits(driver: Driver, tmp_path: Path, bits: int) -> None:
    key = rsa.generate_private_key(65537, bits)
    path = written(tmp_path / "key.pem", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    if bits >= 2048:
        assert driver.ok("load", path, "-", "-", "public") == files.spki(key.public_key())
    else:
        assert str(bits) in driver.refused(KEY, "load", path, "-", "-")


def test_a_key_whose_numbers_do_not_fit_together_is_refused(driver: Driver, tmp_path: Path) -> None:
    der = openssl("pkcs8", "-topk8", "-nocrypt", "-outform", "DER", "-in", KEYS / "client2048_private.pem")
    numbers = files.private_key(KEYS / "client2048_private.pem").private_numbers()
    for name in ("p", "q", "d", "dmp1", "dmq1", "iqmp"):
        value = getattr(numbers, name).to_bytes(256, "big").lstrip(b"\0")
        assert der.count(value) == 1
        wrong = der.replace(value, value[:-9] + bytes([value[-9] ^ 1]) + value[-8:])
        path = written(tmp_path / "key.pem", pem("PRIVATE KEY", wrong))
        assert str(path) in driver.refused(KEY, "load", path, "-", "-")


def test_line_ends_of_another_system_and_white_space_around_do_not_matter(driver: Driver, tmp_path: Path) -> None:
    plain = (KEYS / "client_private.pem").read_bytes()
    spellings = {"crlf": plain.replace(b"\n", b"\r\n"), "around": b"\n" + plain + b"\n\n", "none": plain.strip()}
    for name, text in spellings.items():
        path = written(tmp_path / name, text)
        assert driver.ok("load", path, "-", "-", "public") == expected("client"), name


@pytest.mark.parametrize(
    ("public", "why"),
    [
        ("other_public.pem", "other half"),
        ("client2048_public.pem", "other half"),
        ("client_private.pem", "private"),
        ("client_private_py_password.pem", "private"),
        ("client_private_pkcs1.pem", "private"),
        ("x_public_key_headers.json", "PEM"),
    ],
)
def test_a_public_file_that_is_not_the_public_half_is_refused(
    driver: Driver, tmp_path: Path, public: str, why: str
) -> None:
    said = driver.refused(KEY, "load", private(tmp_path, "client"), KEYS / public, "-")
    assert why in said and str(KEYS / public) in said


@pytest.mark.parametrize("at", [0, 1, 27, 28, 100, 1700, 3240, 3260])
@pytest.mark.parametrize("name", ["client", "client_py_password"])
def test_a_truncated_file_is_refused_by_its_name(driver: Driver, tmp_path: Path, name: str, at: int) -> None:
    whole = (FIXTURES / MANIFEST[name]["private"]).read_bytes()
    assert at < len(whole) - 3
    path = written(tmp_path / "key.pem", whole[:at])
    said = driver.refused(KEY, "load", path, "-", MANIFEST[name].get("password", "-"))
    assert str(path) in said


def test_garbage_is_refused_by_its_name(driver: Driver, tmp_path: Path) -> None:
    good = private(tmp_path, "client")
    for name, content in {
        "zeros": bytes(1 << 20),
        "bytes": bytes(range(256)) * 4096,
        "text": b"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC\n" * 20_000,
        "begin": b"-----BEGIN PRIVATE KEY-----\n" + b"A" * (1 << 20),
        "begins": b"-----BEGIN PRIVATE KEY-----\n" * 40_000,
        "html": b"<!doctype html><title>404</title>",
        "body": b"-----BEGIN PRIVATE KEY-----\nMIIEvQ==\n-----END PRIVATE KEY-----\n",
    }.items():
        path = written(tmp_path / name, content)
        for password in ("-", PASSWORD):
            assert str(path) in driver.refused(KEY, "load", path, "-", password, timeout=90)
        assert str(path) in driver.refused(KEY, "load", good, path, "-", timeout=90)


def test_a_file_that_is_not_there_is_named(driver: Driver, tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    assert str(missing) in driver.refused(KEY, "load", missing, "-", "-")
    path = private(tmp_path, "client")
    assert str(missing) in driver.refused(KEY, "load", path, missing, "-")
    assert "regular file" in driver.refused(KEY, "load", tmp_path, "-", "-")


def test_a_failed_load_leaves_the_client_with_the_pair_that_it_had(driver: Driver, tmp_path: Path) -> None:
    path, other = private(tmp_path, "client"), KEYS / "other_public.pem"
    short = files.private_copy("client1024_private.pem", tmp_path / "short.pem")
    loads = ["load", path, "-", "-", "load", path, other, "-", "load", short, "-", "-"]
    steps = driver.run(*loads, "public")
    assert [step.status for step in steps] == ["NOMYO_OK", KEY, KEY, "NOMYO_OK"]
    assert steps[-1].text == expected("client")


def test_a_private_file_that_others_can_read_is_refused_with_the_command_to_run(
    driver: Driver, tmp_path: Path
) -> None:
    path = files.private_copy("client_private.pem", tmp_path / "it's a key.pem")
    for mode in (0o640, 0o604, 0o644, 0o660, 0o606, 0o620, 0o602):
        path.chmod(mode)
        advice = driver.refused(KEY, "load", path, "-", "-").split("run: ")[1]
        assert files.mode(path) == mode, "it was changed"
        subprocess.run(shlex.split(advice), check=True)
        assert driver.ok("load", path, "-", "-", "public") == expected("client")
    path.chmod(0o400)
    assert driver.ok("load", path, "-", "-", "public") == expected("client")
