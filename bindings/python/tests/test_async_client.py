"""AsyncClient is Client with coroutines: the same options, methods and signatures, and `async with`."""

import asyncio
import inspect
from pathlib import Path

import pytest

import nomyo_native as nomyo

SLOW = {"delay_before_headers_ms": 60_000}
KEYS = Path(__file__).parents[3] / "tests" / "fixtures" / "protocol" / "keys"


@pytest.fixture
def options(base_url, ca_file):
    return {"base_url": base_url, "ca_file": ca_file, "api_key": "test", "max_retries": 0}


def test_async_with_gives_answers_and_closes_the_client(options, chat):
    async def ask() -> nomyo.AsyncClient:
        async with nomyo.AsyncClient(**options) as client:
            questions = [client.create(chat(f"question {n}")) for n in range(3)]
            answers = [answer.content() for answer in await asyncio.gather(*questions)]
            assert answers == ["question 0", "question 1", "question 2"]
            with await client.create(**chat(), security_tier="high", n=1) as answer:
                assert answer.pointer("/_metadata/security_tier") == "high"
        with pytest.raises(nomyo.ArgumentError, match="closed"):
            await client.create(chat())
        await client.close()
        return client

    asyncio.run(ask())


def test_every_method_of_a_client_is_there_with_its_signature():
    public = [name for name, _ in inspect.getmembers(nomyo.Client, inspect.isfunction) if not name.startswith("_")]
    methods = [name for name in public if not inspect.iscoroutinefunction(getattr(nomyo.Client, name))]
    assert len(methods) > 12
    for name in methods:
        theirs, mine = getattr(nomyo.Client, name), getattr(nomyo.AsyncClient, name)
        assert inspect.signature(mine) == inspect.signature(theirs), name
        assert inspect.iscoroutinefunction(mine) == (name != "open"), name
    assert inspect.signature(nomyo.AsyncClient) == inspect.signature(nomyo.Client)


def test_every_method_does_what_the_client_s_does(options, chat, tmp_path):
    async def all_of_them() -> None:
        async with nomyo.AsyncClient(**options) as client:
            await client.load_keys_pem((KEYS / "client_private.pem").read_bytes())
            await client.warm_up()
            pem = await client.public_key()
            assert pem.split() == (KEYS / "client_public.pem").read_text().split()
            with await client.private_key_pem("a password") as text:
                assert bytes(text).startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
            await client.save_keys(tmp_path / "saved", "a password")
            await client.rotate_keys()
            assert await client.public_key() != pem
            await client.load_keys(tmp_path / "saved" / "private_key.pem", None, "a password")
            assert await client.public_key() == pem
            await client.generate_keys(tmp_path / "new")
            assert await client.public_key() == (tmp_path / "new" / "public_key.pem").read_text()
            assert [certificate.role for certificate in await client.tls_chain()][0] == "leaf"
            sealed = await client.seal((await client.server_key()).pem, chat(), security_tier="high")
            with pytest.raises(nomyo.ProtocolError):
                client.open(sealed, b"{}")

    asyncio.run(all_of_them())


def test_a_timeout_a_cancel_and_the_end_of_the_task_end_a_call(options, chat):
    async def ended() -> None:
        async with nomyo.AsyncClient(**options) as client:
            await client.warm_up()
            with pytest.raises(nomyo.APITimeoutError):
                await client.create(chat(test=SLOW), timeout=0.3)
            cancel = nomyo.Cancel()
            asyncio.get_running_loop().call_later(0.3, cancel.trigger)
            with pytest.raises(nomyo.CancelledError):
                await client.create(chat(test=SLOW), cancel=cancel)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.create(chat(test=SLOW)), 0.3)

    asyncio.run(asyncio.wait_for(ended(), 20))


def test_a_misspelt_option_is_an_error_here_too(options, chat):
    with pytest.raises(nomyo.ArgumentTypeError, match="did you mean key_dir"):
        nomyo.AsyncClient(key_dirr="x")

    async def misspelt() -> None:
        async with nomyo.AsyncClient(**options) as client:
            with pytest.raises(nomyo.ArgumentTypeError, match="did you mean security_tier"):
                await client.create(**chat(), securitytier="high")

    asyncio.run(misspelt())
