"""RSA private keys in memory: found from the public modulus, by trying what lies there as a prime."""

import base64
import re
import urllib.parse
from collections.abc import Iterator

from scan import Secret, Snapshot

E = 65537
BITS = 4096


def modulus_of_pem(pem: str) -> int:
    """The modulus of an SPKI PEM: the one INTEGER of that size in it."""
    der = base64.b64decode(re.sub(r"-----[^-]+-----|\s", "", pem))
    at = der.index(bytes([0x02, 0x82, (BITS // 8 + 1) >> 8, (BITS // 8 + 1) & 255, 0]))
    return int.from_bytes(der[at + 5 : at + 5 + BITS // 8], "big")


def modulus_of_header(header: str) -> int:
    return modulus_of_pem(urllib.parse.unquote(header))


def find_prime(snapshot: Snapshot, n: int) -> int | None:
    """A prime factor of `n` that is somewhere in the snapshot: first where secrets are said to be."""
    secret_first = sorted(snapshot.runs, key=lambda run: "wf" not in run.mapping.flags)
    for run in secret_first:
        for candidate in _candidates(run.data):
            if 1 < candidate < n and n % candidate == 0:
                return candidate
    return None


def _candidates(data: bytes) -> Iterator[int]:
    """Odd numbers of half the modulus's bits with the top bit set, in both byte orders, at multiples of 8."""
    size = BITS // 16
    for at in range(0, len(data) - size + 1, 8):
        first, last = data[at], data[at + size - 1]
        if first & 1 and last & 0x80:
            yield int.from_bytes(data[at : at + size], "little")
        if last & 1 and first & 0x80:
            yield int.from_bytes(data[at : at + size], "big")


def private_numbers(n: int, prime: int) -> list[Secret]:
    """Everything that gives the key away, in both byte orders."""
    p, q = prime, n // prime
    assert p * q == n
    phi = (p - 1) * (q - 1)
    half, whole = BITS // 16, BITS // 8
    numbers = [
        ("p", p, half),
        ("q", q, half),
        ("dP", pow(E, -1, p - 1), half),
        ("dQ", pow(E, -1, q - 1), half),
        ("qInv", pow(q, -1, p), half),
        ("pInv", pow(p, -1, q), half),
        ("d", pow(E, -1, phi), whole),
        ("d (by lcm)", pow(E, -1, phi // _gcd(p - 1, q - 1)), whole),
        # The upper half of phi is that of the modulus, which is public.
        ("phi", phi % (1 << half * 8), half),
    ]
    # R = 2^2048: what arithmetic modulo p and q keeps beside them (R mod p, R^2 mod p), and the CRT's coefficients
    # in Montgomery form.
    r = 1 << (half * 8)
    for name, m, other in (("p", p, q), ("q", q, p)):
        numbers.append((f"R mod {name}", r % m, half))
        numbers.append((f"R^2 mod {name}", r * r % m, half))
        numbers.append((f"inverse mod {name}, Montgomery", pow(other, -1, m) * r % m, half))
    return [
        Secret("private key", name, [number.to_bytes(size, order) for order in ("little", "big")])
        for name, number, size in numbers
    ]


def _gcd(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return a
