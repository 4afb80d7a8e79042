"""The CPU time with which other libraries encrypt and decrypt a payload in memory.

    peers.py BYTES ROUNDS

Prints one JSON line: for each library the times of all rounds in microseconds, or the reason why it was not measured. All
rounds take turns, so that other work on the machine disturbs each library alike. Runs in the environment of requirements.txt.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import NamedTuple


class Peer(NamedTuple):
    """A function that encrypts, and one that decrypts the result of the first."""

    encrypt: Callable[[bytes], bytes]
    decrypt: Callable[[bytes], bytes]


def age() -> Peer:
    import pyrage

    identity = pyrage.x25519.Identity.generate()
    recipients = [identity.to_public()]
    return Peer(lambda data: pyrage.encrypt(data, recipients), lambda data: pyrage.decrypt(data, [identity]))


def libsodium() -> Peer:
    from nacl import bindings as sodium

    key = sodium.crypto_secretstream_xchacha20poly1305_keygen()

    def encrypt(data: bytes) -> bytes:
        state = sodium.crypto_secretstream_xchacha20poly1305_state()
        header = sodium.crypto_secretstream_xchacha20poly1305_init_push(state, key)
        tag = sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL
        return bytes(header + sodium.crypto_secretstream_xchacha20poly1305_push(state, data, None, tag))

    def decrypt(data: bytes) -> bytes:
        state = sodium.crypto_secretstream_xchacha20poly1305_state()
        size = sodium.crypto_secretstream_xchacha20poly1305_HEADERBYTES
        sodium.crypto_secretstream_xchacha20poly1305_init_pull(state, data[:size], key)
        return bytes(sodium.crypto_secretstream_xchacha20poly1305_pull(state, data[size:], None)[0])

    return Peer(encrypt, decrypt)


def tink() -> Peer:
    import tink as library
    from tink import aead

    aead.register()
    key = library.new_keyset_handle(aead.aead_key_templates.AES256_GCM).primitive(aead.Aead)
    return Peer(lambda data: key.encrypt(data, b""), lambda data: key.decrypt(data, b""))


def aes_gcm() -> Peer:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key = AESGCM(os.urandom(32))

    def encrypt(data: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + key.encrypt(nonce, data, None)

    return Peer(encrypt, lambda data: key.decrypt(data[:12], data[12:], None))


PEERS = {"age": age, "libsodium": libsodium, "tink": tink, "aes_gcm": aes_gcm}


def microseconds(function: Callable[[bytes], bytes], data: bytes) -> tuple[float, bytes]:
    begun = time.process_time_ns()
    result = function(data)
    return (time.process_time_ns() - begun) / 1000, result


def main(size: int, rounds: int) -> None:
    data = b"x" * size
    peers: dict[str, Peer] = {}
    results: dict[str, dict[str, list[float] | str]] = {}
    for name, make in PEERS.items():
        try:
            peers[name] = make()
            if peers[name].decrypt(peers[name].encrypt(data)) != data:
                sys.exit(f"peers: {name} decrypts to other bytes")
            results[name] = {}
        except Exception as error:  # A peer that cannot run is named in the table.
            results[name] = {"missing": f"{type(error).__name__}: {error}"}
            peers.pop(name, None)
    times: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in peers}
    for _ in range(rounds):
        for name, peer in peers.items():
            sealed, package = microseconds(peer.encrypt, data)
            opened, _ = microseconds(peer.decrypt, package)
            times[name][0].append(sealed)
            times[name][1].append(opened)
    for name, (seals, opens) in times.items():
        results[name] = {"seal_us": seals, "open_us": opens}
    print(json.dumps(results))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
