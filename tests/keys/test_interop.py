"""What the library writes, others read (`cryptography`, openssl, the Python SDK), and the reverse."""

import re
import subprocess
import unicodedata
from pathlib import Path

import files
import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from driver import ARGUMENT, KEY, KEYS, Driver
from files import PASSWORD, PRIVATE, PUBLIC, UTF8_PASSWORD
from interop import works
from nomyo.SecureCompletionClient import SecureCompletionClient

PASSWORDS = pytest.mark.parametrize("password", [None, PASSWORD, UTF8_PASSWORD], ids=["plain", "ASCII", "UTF-8"])


def openssl(*arguments: str | Path) -> str:
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True, text=True).stdout


def saved(driver: Driver, tmp_path: Path, password: str | None) -> Path:
    """A directory into which the library has saved the client fixture."""
    key = files.private_copy("client_private.pem", tmp_path / "key.pem")
    directory = tmp_path / "keys"
    driver.ok("load", key, "-", "-", "save", directory, password or "-")
    return directory


@PASSWORDS
def test_a_saved_pair_is_read_by_cryptography_and_openssl(
    driver: Driver, tmp_path: Path, password: str | None
) -> None:
    directory = saved(driver, tmp_path, password)
    wanted = (KEYS / "client_public.pem").read_text()
    assert files.pair_pem(directory, password) == wanted
    password_option = ["-passin", f"pass:{password}"] if password else []
    assert openssl("pkey", "-in", directory / PRIVATE, *password_option, "-pubout") == wanted
    assert openssl("pkey", "-in", directory / PRIVATE, *password_option, "-noout", "-check") == "Key is valid\n"
    assert openssl("pkey", "-pubin", "-in", directory / PUBLIC) == wanted == (directory / PUBLIC).read_text()
    for name, mode in ((PRIVATE, 0o600), (PUBLIC, 0o644)):
        assert files.mode(directory / name) == mode
        text = (directory / name).read_text()
        assert text.endswith("-----\n") and max(map(len, text.splitlines())) <= 64
    assert files.mode(directory) == 0o700


def test_with_a_password_it_is_pbes2_pbkdf2_hmac_sha256_600000_aes_256_cbc(driver: Driver, tmp_path: Path) -> None:
    parsed = openssl("asn1parse", "-in", saved(driver, tmp_path, PASSWORD) / PRIVATE)
    values = [line.split(":")[-1].strip() for line in parsed.splitlines() if "prim:" in line and "NULL" not in line]
    assert values[:2] == ["PBES2", "PBKDF2"]
    salt, rounds, prf, cipher, iv, _ciphertext = values[2:]
    assert len(salt) >= 32 and len(iv) == 32 and salt[:32] != iv
    assert (int(rounds, 16), prf, cipher) == (600_000, "hmacWithSHA256", "aes-256-cbc")


def test_no_salt_and_no_initialisation_vector_is_used_twice(driver: Driver, tmp_path: Path) -> None:
    key = files.private_copy("client_private.pem", tmp_path / "key.pem")
    driver.ok("load", key, "-", "-", "save", tmp_path / "a", PASSWORD, "save", tmp_path / "b", PASSWORD)
    parsed = [openssl("asn1parse", "-in", tmp_path / name / PRIVATE) for name in ("a", "b")]
    seen = [re.findall(r"OCTET STRING +\[HEX DUMP\]:(\w{16,64})\n", text) for text in parsed]
    assert len(seen[0]) == len(seen[1]) == 2 and not set(seen[0]) & set(seen[1])


@PASSWORDS
def test_the_python_sdk_loads_what_the_library_generates(driver: Driver, tmp_path: Path, password: str | None) -> None:
    pem = driver.ok("generate", tmp_path / "keys", password or "-", "public")
    sdk = SecureCompletionClient()
    sdk.load_keys(str(tmp_path / "keys" / PRIVATE), str(tmp_path / "keys" / PUBLIC), password)
    assert sdk.public_key_pem == pem.strip() == files.spki(sdk.private_key.public_key()).strip()
    assert sdk.private_key.key_size == 4096 and sdk.private_key.public_key().public_numbers().e == 65537


@PASSWORDS
def test_the_library_loads_what_the_python_sdk_generates(driver: Driver, tmp_path: Path, password: str | None) -> None:
    sdk = SecureCompletionClient()
    directory = tmp_path / "keys"
    sdk.generate_keys(save_to_file=True, key_dir=str(directory), password=password)
    given = password or "-"
    assert driver.ok("load", directory / PRIVATE, directory / PUBLIC, given, "public") == sdk.public_key_pem
    assert driver.ok(f"dir={directory}", f"password={given}", "public") == sdk.public_key_pem


def test_a_password_of_one_character_that_another_wrote_with_is_read(driver: Driver, tmp_path: Path) -> None:
    key = SecureCompletionClient()
    key.generate_keys(save_to_file=True, key_dir=str(tmp_path / "keys"), password="x")
    assert driver.ok(f"dir={tmp_path / 'keys'}", "password=x", "public") == key.public_key_pem


@pytest.mark.parametrize(
    ("password", "fine"),
    [
        ("1234567", False),
        ("ä" * 7, False),
        ("x" * 1024, False),
        ("ä" * 512, False),
        ("12345678", True),
        ("ä" * 8, True),
        ("x" * 1023, True),
    ],
    ids=["7", "7 of two bytes", "1024 bytes", "1024 bytes of UTF-8", "8", "8 of two bytes", "1023 bytes"],
)
def test_what_is_written_has_a_password_that_protects_and_that_others_can_read(
    driver: Driver, tmp_path: Path, password: str, fine: bool
) -> None:
    key = files.private_copy("client_private.pem", tmp_path / "key.pem")
    directory = tmp_path / "keys"
    if fine:
        driver.ok("load", key, "-", "-", "save", directory, password)
        assert files.pair_pem(directory, password) == (KEYS / "client_public.pem").read_text()
        return
    driver.refused(ARGUMENT, "load", key, "-", "-", "save", directory, password)
    driver.refused(ARGUMENT, "generate", directory, password)
    driver.refused(ARGUMENT, f"dir={directory}", f"password={password}", "public")
    assert not directory.exists() or not files.listing(directory)


def test_a_short_password_does_not_rotate_a_pair_that_it_opens(driver: Driver, tmp_path: Path) -> None:
    SecureCompletionClient().generate_keys(save_to_file=True, key_dir=str(tmp_path / "keys"), password="short")
    before = files.listing(tmp_path / "keys")
    driver.refused(ARGUMENT, f"dir={tmp_path / 'keys'}", "password=short", "public", "rotate")
    assert files.listing(tmp_path / "keys") == before


def hexed(password: bytes) -> str:
    """The password as an argument of keydriver."""
    return "hex:" + password.hex()


def opens(path: Path, password: str) -> list[bool]:
    """Whether openssl and the SDK open the private file with the password."""
    command = ["openssl", "pkey", "-in", path, "-passin", f"pass:{password}", "-noout"]
    by_openssl = subprocess.run(command, capture_output=True).returncode == 0
    return [by_openssl, works(lambda: SecureCompletionClient().load_keys(str(path), None, password))]


@pytest.mark.parametrize(("form", "other"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_password_is_its_bytes_and_is_not_normalised(driver: Driver, tmp_path: Path, form: str, other: str) -> None:
    password, spelt_otherwise = (unicodedata.normalize(name, "p\u00e4ssw\u00f6rd \u1e69") for name in (form, other))
    assert password != spelt_otherwise
    path = saved(driver, tmp_path, password) / PRIVATE
    for given, fits in ((password, True), (spelt_otherwise, False)):
        assert opens(path, given) == [fits, fits]
        (step,) = driver.run("load", path, "-", given)
        assert step.status == ("NOMYO_OK" if fits else KEY)


def test_nul_bytes_at_the_end_of_a_password_change_nothing_so_none_is_written(driver: Driver, tmp_path: Path) -> None:
    password = PASSWORD.encode()
    key = files.private_key(KEYS / "client_private.pem")
    for number, written in enumerate((password, password + b"\0", b"a\0b and more")):
        path = tmp_path / f"{number}.pem"
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(written)))
        path.chmod(0o600)
        # HMAC pads a short key with NUL bytes, here and in every other implementation.
        for given in (written, written + b"\0", written.rstrip(b"\0")):
            driver.ok("load", path, "-", hexed(given))
        assert "password" in driver.refused(KEY, "load", path, "-", hexed(written.split(b"\0")[0] + b"x"))
    for bad in (password + b"\0", b"\0" + password, b"12345\x006789"):
        plain = files.private_copy("client_private.pem", tmp_path / "plain.pem")
        said = driver.refused(ARGUMENT, "load", plain, "-", "-", "save", tmp_path / "keys", hexed(bad))
        assert "NUL" in said and "nothing was written" in said
        assert not (tmp_path / "keys").exists() or not files.listing(tmp_path / "keys")


def test_an_empty_password_is_none(driver: Driver, tmp_path: Path) -> None:
    plain = files.private_copy("client_private.pem", tmp_path / "plain.pem")
    driver.ok("load", plain, "-", hexed(b""), "save", tmp_path / "keys", hexed(b""))
    path = tmp_path / "keys" / PRIVATE
    assert path.read_text().startswith("-----BEGIN PRIVATE KEY-----\n")
    encrypted = files.private_copy("client_private_py_password.pem", tmp_path / "encrypted.pem")
    assert "give its password" in driver.refused(KEY, "load", encrypted, "-", hexed(b""))
    sdk = SecureCompletionClient()
    sdk.generate_keys(save_to_file=True, key_dir=str(tmp_path / "sdk"), password="")
    assert driver.ok("load", tmp_path / "sdk" / PRIVATE, "-", hexed(b""), "public") == sdk.public_key_pem
