"""What the library writes, others read (`cryptography`, openssl, the Python SDK), and the reverse."""

import re
import subprocess
from pathlib import Path

import files
import pytest
from driver import ARGUMENT, KEYS, Driver
from files import PASSWORD, PRIVATE, PUBLIC, UTF8_PASSWORD
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
