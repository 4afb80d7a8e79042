"""Calls that work blocks: generating a pair, here or on another thread, and deriving a key from a password."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from calls import Given
from scene import PASSWORD, Lane, Scene


@contextmanager
def first_pair(lane: Lane) -> Iterator[Scene]:
    """The client has no pair yet, and generates it in memory."""
    with lane.client(pair=False) as client:
        yield Scene(client, Given(directory=lane.directory()))


@contextmanager
def first_pair_in_directory(lane: Lane) -> Iterator[Scene]:
    """The client has no pair yet, and generates it in its key directory."""
    with lane.client(pair=False, key_dir=str(lane.directory())) as client:
        yield Scene(client)


@contextmanager
def next_pair(lane: Lane) -> Iterator[Scene]:
    """The client has a pair, and generates another one."""
    with lane.client() as client:
        yield Scene(client, Given(directory=lane.directory()))


@contextmanager
def others_first_pair(lane: Lane) -> Iterator[Scene]:
    """Another thread generates the client's first pair."""
    with lane.client(pair=False) as client:
        other = threading.Thread(target=client.call, args=("public_key",))
        other.start()
        try:
            yield Scene(client, Given(directory=lane.directory(), private=lane.bench.pair / "private_key.pem"),
                        release=other.join)
        finally:
            other.join()


@contextmanager
def derivation_to_load(lane: Lane) -> Iterator[Scene]:
    """The private file asks for ten million iterations."""
    with lane.client() as client:
        yield Scene(client, Given(private=lane.directory(slow=True) / "private_key.pem", password=PASSWORD))


@contextmanager
def derivation_in_directory(lane: Lane) -> Iterator[Scene]:
    """The private file in the key directory asks for ten million iterations."""
    with lane.client(pair=False, key_dir=str(lane.directory(slow=True)), key_password=PASSWORD) as client:
        yield Scene(client)


@contextmanager
def derivation_to_save(lane: Lane) -> Iterator[Scene]:
    """The pair is written with a password."""
    with lane.client() as client:
        yield Scene(client, Given(directory=lane.directory(), password=PASSWORD))
