"""What key files hold, read without the library: the pair's secrets, and the AES key that a password gives."""

import base64
import hashlib

import aes
import rsa
from scan import Secret

_SCRYPT = bytes.fromhex("2b06010401da47040b")
_PBKDF2 = bytes.fromhex("2a864886f70d01050c")
_AES_256_CBC = bytes.fromhex("60864801650304012a")
# The last byte of a PBKDF2 file's pseudorandom function.
_HMAC = bytes.fromhex("2a864886f70d02")
_HASHES = {7: "sha1", 9: "sha256", 11: "sha512"}
_BLOCK = 16
# Base64 of so many bytes is a line.
_LINE = 48
# The public exponent, as DER.
_E = bytes([2, 3]) + rsa.E.to_bytes(3, "big")


def password(group: str, text: bytes) -> list[Secret]:
    """A password, and the two forms in which HMAC (RFC 2104) takes it."""
    padded = [bytes(byte ^ pad for byte in text) for pad in (0x36, 0x5C)]
    return [Secret(group, group, [text]), Secret(group, f"{group} as HMAC pads it", padded)]


def pair(group: str, plain: bytes) -> list[Secret]:
    """The secrets of a pair, out of its private file without a password."""
    n = rsa.modulus_of_pem(plain.decode())
    der = _body(plain)
    size = rsa.BITS // 16
    numbers = (int.from_bytes(der[at : at + size], "big") for at in range(len(der) - size))
    prime = next(number for number in numbers if 1 < number < n and n % number == 0)
    return [
        *(Secret(group, f"{secret.name} of the {group}", secret.values) for secret in rsa.private_numbers(n, prime)),
        Secret("PKCS#8", f"PKCS#8 of the {group}", [der[_private(der, n) :]]),
        pem_text(group, plain),
    ]


def pem_text(group: str, plain: bytes) -> Secret:
    """The lines of a private file without a password that hold nothing public."""
    n = rsa.modulus_of_pem(plain.decode())
    first = _private(_body(plain), n) // _LINE + 1
    lines = [line for line in plain.split(b"\n") if line and not line.startswith(b"-----")]
    return Secret("PEM text", f"PEM text of the {group}", [b"\n".join(lines[first:])])


def _private(der: bytes, n: int) -> int:
    """Where a private key's public numbers end."""
    return der.index(n.to_bytes(rsa.BITS // 8, "big") + _E) + rsa.BITS // 8 + len(_E)


def aes_key(group: str, name: str, encrypted: bytes, text: bytes, plain: bytes = b"") -> Secret:
    """The AES key that a password gives for an encrypted file; tried, with `plain`: the file without a password."""
    der = _body(encrypted)
    if (at := der.find(_SCRYPT)) >= 0:
        salt, *costs = _values(der, at + len(_SCRYPT) + 2, 4)
        n, r, p = (int.from_bytes(cost, "big") for cost in costs)
        key = hashlib.scrypt(text, salt=salt, n=n, r=r, p=p, maxmem=1 << 28, dklen=32)
    elif (at := der.find(_PBKDF2)) >= 0:
        salt, count = _values(der, at + len(_PBKDF2) + 2, 2)
        function = der.find(_HMAC, at, at + 64)
        key = _pbkdf2(_HASHES[der[function + len(_HMAC)]] if function >= 0 else "sha1", text, salt, count)
    else:
        key = _pbkdf2("sha256", text, der[:_BLOCK], (100_000).to_bytes(3, "big"))
    if plain:
        iv, sealed = der[_BLOCK : 2 * _BLOCK], der[2 * _BLOCK :]
        if (at := der.find(_AES_256_CBC)) >= 0:
            iv, sealed = _values(der, at + len(_AES_256_CBC), 2)
        first = bytes(a ^ b for a, b in zip(_body(plain)[:_BLOCK], iv, strict=True))
        assert aes.encrypted(key, first) == sealed[:_BLOCK], f"the AES key of {name} is another one"
    return Secret(group, f"AES key of {name}", [aes.schedule(key)])


def _pbkdf2(function: str, text: bytes, salt: bytes, count: bytes) -> bytes:
    return hashlib.pbkdf2_hmac(function, text, salt, int.from_bytes(count, "big"), 32)


def _body(pem: bytes) -> bytes:
    return base64.b64decode(b"".join(line for line in pem.split(b"\n") if not line.startswith(b"-----")))


def _values(der: bytes, at: int, count: int) -> list[bytes]:
    """The contents of so many DER values in a row."""
    found = []
    for _ in range(count):
        length, at = der[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(der[at : at + size], "big"), at + size
        found.append(der[at : at + length])
        at += length
    return found
