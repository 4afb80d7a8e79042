"""Pairs from memory, and private keys that are exported to memory."""

import asyncio
import gc
from pathlib import Path

import pytest

import nomyo_native as nomyo

KEYS = Path(__file__).parents[3] / "tests" / "fixtures" / "protocol" / "keys"
PRIVATE, PUBLIC = (KEYS / "client2048_private.pem").read_bytes(), (KEYS / "client2048_public.pem").read_bytes()


@pytest.fixture
def loaded(make_client):
    with make_client() as client:
        client.load_keys_pem(PRIVATE)
        yield client


@pytest.mark.parametrize(
    "form", [bytes, bytearray, memoryview, lambda data: memoryview(bytearray(data)), nomyo.SecureBuffer, bytes.decode]
)
def test_every_kind_of_bytes_is_taken_and_left_as_it_was(make_client, loaded, form):
    with make_client() as client:
        private, public = form(PRIVATE), form(PUBLIC)
        client.load_keys_pem(private, public)
        assert client.public_key() == loaded.public_key()
        if isinstance(private, bytearray):
            assert private == PRIVATE
            private.clear()  # nobody holds the buffer


def test_the_exported_text_is_read_in_place_and_wiped_at_the_end(loaded):
    with (exported := loaded.private_key_pem()) as text:
        assert text.readonly and len(text) == len(exported) and bytes(text).startswith(b"-----BEGIN PRIVATE KEY-----\n")
        sliced = text[5:20]
        assert bytes(sliced) == b"BEGIN PRIVATE K"
    assert bytes(sliced) == bytes(15), "a slice reads zeros"
    with pytest.raises(ValueError):
        text[0]
    with pytest.raises(nomyo.ArgumentError):
        exported.__enter__()
    exported.close()


def test_an_exported_text_outlives_its_client_and_may_be_forgotten(make_client):
    with make_client() as client:
        client.load_keys_pem(PRIVATE)
        exported = client.private_key_pem("a long password")
    with exported as text:
        assert bytes(text[:37]) == b"-----BEGIN ENCRYPTED PRIVATE KEY-----"
    kept = nomyo.Client(environment=False)
    kept.load_keys_pem(PRIVATE)
    view = kept.private_key_pem().__enter__()
    gc.collect()
    assert bytes(view[:10]) == b"-----BEGIN", "a view keeps its memory"


def test_the_coroutines_do_the_same(make_client, loaded):
    async def run() -> None:
        with await loaded.aprivate_key_pem("a long password") as text:
            await other.aload_keys_pem(text, password="a long password")

    with make_client() as other:
        asyncio.run(run())
        assert other.public_key() == loaded.public_key()


@pytest.mark.parametrize(
    ("arguments", "error", "why"),
    [
        ((b"",), nomyo.ArgumentError, "is empty"),
        ((PRIVATE + b"\n" * 65536,), nomyo.ArgumentError, "at most 65536"),
        ((PUBLIC,), nomyo.ClientKeyError, "the private key given"),
        ((PRIVATE, PRIVATE), nomyo.ClientKeyError, "the public key given"),
        ((PRIVATE, b"", "a password too many"), nomyo.ClientKeyError, "not encrypted"),
    ],
)
def test_what_cannot_be_used_is_refused_and_the_pair_stays(loaded, arguments, error, why):
    before = loaded.public_key()
    with pytest.raises(error, match=why):
        loaded.load_keys_pem(*arguments)
    assert loaded.public_key() == before


def test_a_short_password_exports_nothing(loaded):
    with pytest.raises(nomyo.ArgumentError, match="8 characters"):
        loaded.private_key_pem("short")
