"""The AES key schedule (FIPS 197, 5.2): two neighbouring round keys give the key away, so all are looked for."""


def _times_2(byte: int) -> int:
    return (byte << 1 ^ (0x11B if byte & 0x80 else 0)) & 0xFF


def _sbox() -> list[int]:
    table, power, inverse = [0x63] * 256, 1, 1
    for _ in range(255):
        power ^= _times_2(power)  # times 3
        for shift in (1, 2, 4):  # divided by 3
            inverse = (inverse ^ inverse << shift) & 0xFF
        inverse ^= 0x09 if inverse & 0x80 else 0
        turned = [(inverse << n | inverse >> 8 - n) & 0xFF for n in range(5)]
        table[power] = turned[0] ^ turned[1] ^ turned[2] ^ turned[3] ^ turned[4] ^ 0x63
    return table


_SBOX = _sbox()


def schedule(key: bytes) -> bytes:
    """All round keys; the key itself is the beginning. A key of a length that AES does not have is returned alone."""
    if len(key) not in (16, 24, 32):
        return key
    words = [key[i : i + 4] for i in range(0, len(key), 4)]
    n, constant = len(words), 1
    for i in range(n, 4 * (n + 7)):
        word = words[-1]
        if i % n == 0:
            word = bytes(_SBOX[byte] for byte in word[1:] + word[:1])
            word = bytes([word[0] ^ constant]) + word[1:]
            constant = _times_2(constant)
        elif n > 6 and i % n == 4:
            word = bytes(_SBOX[byte] for byte in word)
        words.append(bytes(a ^ b for a, b in zip(words[i - n], word, strict=True)))
    return b"".join(words)
