"""Private keys that are not as they should be: one verdict in the same words with both crypto providers.

NOMYO_OTHER_LIBRARY names the library with the other provider, if it is not in target/rustcrypto/debug.
"""

import base64
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import files
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from driver import KEY, ROOT, Driver
from endpoint import Endpoint
from files import PRIVATE


def tlv(tag: int, *parts: bytes) -> bytes:
    """A DER element."""
    body = b"".join(parts)
    size = len(body).to_bytes(2, "big").lstrip(b"\0") or b"\0"
    return bytes([tag, *([0x80 | len(size)] if len(body) > 127 else []), *size]) + body


def integer(value: int) -> bytes:
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


NULL = b"\x05\0"
RSA, PSS, OAEP = (tlv(6, bytes.fromhex("2a864886f70d0101") + last) for last in (b"\x01", b"\x0a", b"\x07"))


@dataclass(frozen=True)
class Numbers:
    """The numbers of RFC 8017, appendix A.1.2."""

    n: int
    e: int
    d: int
    p: int
    q: int
    dp: int
    dq: int
    qi: int

    @classmethod
    def of(cls, p: int, q: int, e: int = 65537) -> "Numbers":
        d = pow(e, -1, math.lcm(p - 1, q - 1))
        return cls(p * q, e, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))

    def with_d(self, d: int) -> "Numbers":
        return replace(self, d=d, dp=d % (self.p - 1), dq=d % (self.q - 1))

    def pkcs1(self, version: int = 0, tail: bytes = b"", write: Callable[[int], bytes] = integer) -> bytes:
        numbers = (self.n, self.e, self.d, self.p, self.q, self.dp, self.dq, self.qi)
        return tlv(0x30, integer(version), *map(write, numbers), tail)

    def public(self) -> bytes:
        return tlv(0x81, b"\0" + tlv(0x30, integer(self.n), integer(self.e)))


def pkcs8(pkcs1: bytes, algorithm: bytes = RSA + NULL, version: int = 0, tail: bytes = b"") -> bytes:
    return tlv(0x30, integer(version), tlv(0x30, algorithm), tlv(4, pkcs1), tail)


def prime(bits: int) -> int:
    """A prime that 65537 is an exponent for."""
    return rsa.generate_private_key(65537, bits * 2).private_numbers().p


def composite_pair() -> Numbers:
    """Numbers that fit each other in every way, but one of the "primes" is a product of two."""
    p = prime(1024)
    while True:
        q = prime(512) * prime(512)
        if q.bit_length() == 1024 and (p * q).bit_length() == 2048 and math.gcd(65537, q - 1) == 1:
            return Numbers.of(p, q)


def with_exponent(e: int) -> Numbers:
    while True:
        p, q = prime(1024), prime(1024)
        if math.gcd(e, (p - 1) * (q - 1)) == 1:
            return Numbers.of(p, q, e)


def close_primes() -> Numbers:
    """Two primes that a search from the square root of their product finds at once."""
    p = prime(1024)
    q = p + 2
    while any(pow(base, q - 1, q) != 1 for base in (2, 3, 5)) or math.gcd(65537, q - 1) != 1:
        q += 2
    return Numbers.of(p, q)


def three_primes() -> bytes:
    while True:
        p, q, r = prime(688), prime(688), prime(688)
        if (p * q * r).bit_length() >= 2048:
            break
    d = pow(65537, -1, math.lcm(p - 1, q - 1, r - 1))
    numbers = Numbers(p * q * r, 65537, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))
    third = tlv(0x30, tlv(0x30, integer(r), integer(d % (r - 1)), integer(pow(p * q, -1, r))))
    return numbers.pkcs1(1, third)


GOOD = Numbers.of(*sorted((prime(1024), prime(1024)), reverse=True))
SWAPPED = Numbers.of(GOOD.q, GOOD.p)
PHI = (GOOD.p - 1) * (GOOD.q - 1)
ATTRIBUTE = tlv(0xA0, tlv(0x30, bytes.fromhex("0603550403"), tlv(0x31, tlv(0x0C, b"x"))))

# Each of them is a key that answers.
ACCEPTED: dict[str, Callable[[], bytes]] = {
    "two primes, the larger first": lambda: pkcs8(GOOD.pkcs1()),
    "two primes, the smaller first": lambda: pkcs8(SWAPPED.pkcs1()),
    "d by Euler's function": lambda: pkcs8(GOOD.with_d(pow(65537, -1, PHI)).pkcs1()),
    "version 2 without a public key": lambda: pkcs8(GOOD.pkcs1(), version=1),
    "version 2 with its public key": lambda: pkcs8(GOOD.pkcs1(), version=1, tail=GOOD.public()),
    "version 2 with both optional fields": lambda: pkcs8(GOOD.pkcs1(), version=1, tail=ATTRIBUTE + GOOD.public()),
    "attributes": lambda: pkcs8(GOOD.pkcs1(), tail=ATTRIBUTE),
    "no parameters": lambda: pkcs8(GOOD.pkcs1(), RSA),
    "exponent 3": lambda: pkcs8(with_exponent(3).pkcs1()),
    "exponent 2^33-9": lambda: pkcs8(with_exponent((1 << 33) - 9).pkcs1()),
    "primes whose sizes differ by 16 bits": lambda: pkcs8(Numbers.of(prime(1032), prime(1016)).pkcs1()),
    "primes of 1025 bits": lambda: pkcs8(Numbers.of(prime(1025), prime(1025)).pkcs1()),
}
# Each with a part of its reason.
REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "d is 0": (lambda: pkcs8(replace(GOOD, d=0).pkcs1()), "private exponent is not between"),
    "d is 1": (lambda: pkcs8(GOOD.with_d(1).pkcs1()), "private exponent is not between"),
    "d is larger than n": (lambda: pkcs8(GOOD.with_d(GOOD.d + 2 * PHI).pkcs1()), "private exponent is not between"),
    "d is much larger": (lambda: pkcs8(GOOD.with_d(GOOD.d + (PHI << 99)).pkcs1()), "private exponent is not between"),
    "d is another's": (lambda: pkcs8(GOOD.with_d(GOOD.d ^ 2).pkcs1()), "private exponent is not that"),
    "e is another's": (lambda: pkcs8(replace(GOOD, e=17).pkcs1()), "private exponent is not that"),
    "e is 0": (lambda: pkcs8(replace(GOOD, e=0).pkcs1()), "public exponent"),
    "e is 1": (lambda: pkcs8(replace(GOOD, e=1, d=1, dp=1, dq=1).pkcs1()), "public exponent"),
    "e is even": (lambda: pkcs8(replace(GOOD, e=65536).pkcs1()), "public exponent"),
    "e is 2^33+9": (lambda: pkcs8(with_exponent((1 << 33) + 9).pkcs1()), "public exponent"),
    "e has 130 bits": (lambda: pkcs8(with_exponent((1 << 129) + 1).pkcs1()), "public exponent"),
    "n is another's": (lambda: pkcs8(replace(GOOD, n=GOOD.n ^ 4).pkcs1()), "product of its primes"),
    "no primes": (lambda: pkcs8(replace(GOOD, p=0, q=0, dp=0, dq=0, qi=0).pkcs1()), "product of its primes"),
    "p is larger than n": (lambda: pkcs8(replace(GOOD, p=GOOD.n << 9).pkcs1()), "product of its primes"),
    "p is 1": (lambda: pkcs8(replace(GOOD, p=1, q=GOOD.n).pkcs1()), "1 bits and the other 2048"),
    "p is q": (
        lambda: pkcs8(replace(GOOD, n=GOOD.p**2, q=GOOD.p, d=pow(65537, -1, GOOD.p * (GOOD.p - 1))).pkcs1()),
        "the same number",
    ),
    "p is even": (lambda: pkcs8(replace(GOOD, n=2 * GOOD.n, p=2 * GOOD.p).pkcs1()), "is even"),
    "primes whose sizes differ by 18 bits": (
        lambda: pkcs8(Numbers.of(prime(1033), prime(1015)).pkcs1()),
        "1033 bits and the other 1015",
    ),
    "primes that are close": (lambda: pkcs8(close_primes().pkcs1()), "so close"),
    "dP is another's": (lambda: pkcs8(replace(GOOD, dp=GOOD.dp ^ 2).pkcs1()), "CRT numbers"),
    "dQ is another's": (lambda: pkcs8(replace(GOOD, dq=GOOD.dq ^ 2).pkcs1()), "CRT numbers"),
    "dP is not reduced": (lambda: pkcs8(replace(GOOD, dp=GOOD.dp + GOOD.p - 1).pkcs1()), "CRT numbers"),
    "qInv is another's": (lambda: pkcs8(replace(GOOD, qi=GOOD.qi ^ 1).pkcs1()), "CRT numbers"),
    "qInv is not reduced": (lambda: pkcs8(replace(GOOD, qi=GOOD.qi + GOOD.p).pkcs1()), "CRT numbers"),
    "qInv of the primes in the other order": (lambda: pkcs8(replace(SWAPPED, qi=GOOD.qi).pkcs1()), "CRT numbers"),
    "no CRT numbers": (lambda: pkcs8(replace(GOOD, dp=0, dq=0, qi=0).pkcs1()), "CRT numbers"),
    "a composite number for a prime": (lambda: pkcs8(composite_pair().pkcs1()), "is not a prime number"),
    "three primes": (lambda: pkcs8(three_primes()), "more than two primes"),
    "three primes announced": (lambda: pkcs8(GOOD.pkcs1(1)), "not PKCS#1 in DER"),
    "PKCS#1 version 2": (lambda: pkcs8(GOOD.pkcs1(2)), "not PKCS#1 in DER"),
    "2046 bits": (lambda: pkcs8(Numbers.of(prime(1023), prime(1023)).pkcs1()), "2046 bits"),
    "RSASSA-PSS": (lambda: pkcs8(GOOD.pkcs1(), PSS), "RSASSA-PSS"),
    "RSAES-OAEP": (lambda: pkcs8(GOOD.pkcs1(), OAEP), "RSAES-OAEP"),
    "parameters": (lambda: pkcs8(GOOD.pkcs1(), RSA + integer(5)), "has parameters"),
    "version 5": (lambda: pkcs8(GOOD.pkcs1(), version=5), "not a private key in PKCS#8"),
    "another public key": (lambda: pkcs8(GOOD.pkcs1(), version=1, tail=with_exponent(65537).public()), "public key in it"),
    "bytes after it": (lambda: pkcs8(GOOD.pkcs1()) + b"\0\0", "not a private key in PKCS#8"),
    "bytes after the PKCS#1": (lambda: pkcs8(GOOD.pkcs1() + b"\0\0"), "not PKCS#1 in DER"),
    "a number after the last": (lambda: pkcs8(GOOD.pkcs1(tail=integer(7))), "not PKCS#1 in DER"),
    "numbers with zeros before them": (
        lambda: pkcs8(GOOD.pkcs1(write=lambda value: tlv(2, bytes(2) + value.to_bytes(257, "big")))),
        "not PKCS#1 in DER",
    ),
    "negative numbers": (
        lambda: pkcs8(GOOD.pkcs1(write=lambda value: tlv(2, integer(value)[-(value.bit_length() + 7) // 8 :]))),
        "not PKCS#1 in DER",
    ),
}


def written(path: Path, der: bytes) -> Path:
    text = base64.encodebytes(der).decode()
    path.write_text(f"-----BEGIN PRIVATE KEY-----\n{text}-----END PRIVATE KEY-----\n")
    path.chmod(0o600)
    return path


@pytest.fixture(scope="module")
def drivers(driver: Driver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Driver]]:
    """The library with each crypto provider."""
    other = os.environ.get("NOMYO_OTHER_LIBRARY", ROOT / "target" / "rustcrypto" / "debug" / "libnomyo.so")
    yield [driver, Driver(tmp_path_factory.mktemp("other"), Path(other))]


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_key_that_is_sound_is_saved_and_answers_with_both_providers(
    drivers: list[Driver], endpoint: Endpoint, tmp_path: Path, name: str
) -> None:
    path = written(tmp_path / "key.pem", ACCEPTED[name]())
    saved = []
    for number, driver in enumerate(drivers):
        directory = tmp_path / str(number)
        steps = ["load", path, "-", "-", "save", directory, "-", "chat", "hello"]
        assert "hello" in driver.ok(*endpoint.asked(), *steps)
        saved.append(((directory / PRIVATE).read_bytes(), files.pair_pem(directory)))
        assert driver.ok("load", directory / PRIVATE, "-", "-", "public") == saved[-1][1]
    assert saved[0] == saved[1]


@pytest.mark.parametrize("name", REFUSED)
def test_a_key_that_is_not_sound_is_refused_in_the_same_words_by_both_providers(
    drivers: list[Driver], tmp_path: Path, name: str
) -> None:
    make, why = REFUSED[name]
    path = written(tmp_path / "key.pem", make())
    said = [driver.refused(KEY, "load", path, "-", "-") for driver in drivers]
    assert said[0] == said[1] and str(path) in said[0] and why in said[0], said
