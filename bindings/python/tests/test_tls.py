"""TLS pins: a chain without a pinned certificate gets nothing. And the post-quantum key share can be left out."""

import socket
import threading

import pytest

import nomyo_native as nomyo

WRONG = "0" * 64


def test_the_tls_chain_is_told_with_its_fingerprints(client):
    chain = client.tls_chain()
    assert len(chain) >= 2
    assert (chain[0].role, chain[-1].role) == ("leaf", "root")
    assert all(certificate.role == "intermediate" for certificate in chain[1:-1])
    for certificate in chain:
        assert certificate.sha256.startswith("sha256/") and certificate.subject


def test_any_certificate_of_the_chain_can_be_pinned(client, make_client, chat):
    for certificate in client.tls_chain():
        with make_client(tls_pins=certificate.sha256, api_key="test") as pinned:
            assert pinned.create(chat()).content() == "Hello"
        with make_client(tls_pins=[WRONG, certificate.sha256]) as pinned:
            pinned.server_key()


def test_a_chain_without_a_pinned_certificate_gets_nothing(client, make_client, chat):
    with make_client(tls_pins=[WRONG], max_retries=0) as pinned:
        for refused in (lambda: pinned.create(chat()), pinned.server_key, pinned.warm_up, pinned.tls_chain):
            with pytest.raises(nomyo.PinError) as caught:
                refused()
            assert caught.value.sent == "no"
            assert client.tls_chain()[0].sha256 in str(caught.value), "the error tells which fingerprints there are"


@pytest.mark.parametrize("pins", ["", "sha1/abc", ["0" * 63], [WRONG, "no pin"]])
def test_what_is_no_pin_is_refused(pins):
    with pytest.raises(nomyo.ArgumentError):
        nomyo.Client(tls_pins=pins)


def test_a_server_without_tls_has_no_chain_and_no_pins(plain_base_url):
    with nomyo.Client(plain_base_url, allow_http=True) as client, pytest.raises(nomyo.ArgumentError):
        client.tls_chain()
    with pytest.raises(nomyo.ArgumentError):
        nomyo.Client(plain_base_url, allow_http=True, tls_pins=WRONG)


def client_hello(**options: bool) -> bytes:
    """The first bytes that a client sends to an https:// server."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as stream:
                header = stream.read(5)
                heard.append(stream.read(int.from_bytes(header[3:], "big")))

        listener = threading.Thread(target=listen)
        listener.start()
        url = f"https://127.0.0.1:{server.getsockname()[1]}"
        with nomyo.Client(url, environment=False, max_retries=0, **options) as client:
            with pytest.raises(nomyo.APIConnectionError):
                client.server_key()
        listener.join()
    return heard[0]


def test_the_post_quantum_key_share_can_be_left_out():
    share = (0x11EC).to_bytes(2, "big") + (1216).to_bytes(2, "big")  # X25519MLKEM768 and the length of its share
    assert share in client_hello()
    assert share in client_hello(post_quantum=True)
    small = client_hello(post_quantum=False)
    assert share not in small and len(small) < 600
