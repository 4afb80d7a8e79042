"""What is in a key directory, by the system's account and by `cryptography`'s."""

import os
import shutil
import stat
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from driver import KEYS

PRIVATE, PUBLIC = "private_key.pem", "public_key.pem"
PASSWORD = "correct horse battery staple"
UTF8_PASSWORD = "pässwörd-✓-1"


def spki(key: rsa.RSAPublicKey) -> str:
    """The public key as the library writes it."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def private_key(path: Path, password: str | None = None) -> rsa.RSAPrivateKey:
    """The key in a private file. That its numbers fit takes half a second to check, and is left to openssl."""
    given = password.encode() if password else None
    key = serialization.load_pem_private_key(path.read_bytes(), given, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def public_pem(path: Path) -> str:
    """The public key in a public file, however it is spelt there."""
    key = serialization.load_pem_public_key(path.read_bytes())
    assert isinstance(key, rsa.RSAPublicKey)
    return spki(key)


def pair_pem(directory: Path, password: str | None = None) -> str:
    """The public key of a pair, both files of which `cryptography` reads and finds to belong together."""
    pem = spki(private_key(directory / PRIVATE, password).public_key())
    assert public_pem(directory / PUBLIC) == pem
    return pem


def private_copy(fixture: str, path: Path) -> Path:
    """A copy of a fixture, as its owner would keep it."""
    shutil.copyfile(KEYS / fixture, path)
    path.chmod(0o600)
    return path


def pair_in(
    directory: Path, private: str = "client_private_py_password.pem", public: str = "client_public.pem"
) -> Path:
    """The directory, made, with two fixtures in it as the pair; the password is PASSWORD unless it is another's."""
    directory.mkdir(mode=0o700)
    private_copy(private, directory / PRIVATE)
    private_copy(public, directory / PUBLIC).chmod(0o644)
    return directory


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def listing(directory: Path) -> dict[str, tuple[object, ...]]:
    """Everything about the files there, but for when they were read. Without empty ones of other names: locks."""
    found: dict[str, tuple[object, ...]] = {}
    for entry in os.scandir(directory):
        about = entry.stat(follow_symlinks=False)
        if stat.S_ISLNK(about.st_mode):
            content: object = os.readlink(entry.path)
        elif stat.S_ISREG(about.st_mode):
            content = Path(entry.path).read_bytes()
        else:
            content = None
        if content != b"" or entry.name in (PRIVATE, PUBLIC):
            found[entry.name] = (content, about.st_mode, about.st_ino, about.st_mtime_ns)
    return found


def tree(directory: Path) -> dict[str, tuple[object, ...]]:
    """Everything about the directory and the files below it, except access times. Lock files do not count."""
    found: dict[str, tuple[object, ...]] = {}
    for path in [directory, *sorted(directory.rglob("*"))]:
        about = path.lstat()
        if path.name == ".nomyo.lock":
            continue
        content = path.read_bytes() if stat.S_ISREG(about.st_mode) else None
        target = os.readlink(path) if path.is_symlink() else None
        found[str(path)] = (content, target, about.st_mode, about.st_uid, about.st_gid, about.st_ino)
    return found
