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


def encrypted(key: bytes, block: bytes) -> bytes:
    """One block (FIPS 197, 5.1)."""
    keys = schedule(key)
    rounds = len(keys) // 16 - 1
    state = _added(block, keys[:16])
    for n in range(1, rounds + 1):
        state = bytes(_SBOX[state[(5 * i) % 16]] for i in range(16))  # substituted, the rows shifted
        if n < rounds:
            state = b"".join(_mixed(state[i : i + 4]) for i in range(0, 16, 4))
        state = _added(state, keys[16 * n : 16 * n + 16])
    return state


def _added(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


def _mixed(column: bytes) -> bytes:
    a, b, c, d = column
    turns = ((a, b, c, d), (b, c, d, a), (c, d, a, b), (d, a, b, c))
    return bytes(_times_2(w) ^ _times_2(x) ^ x ^ y ^ z for w, x, y, z in turns)
