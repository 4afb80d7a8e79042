"""A process that looks after its secrets as README.md says; test_memory.py looks at its memory whenever it waits."""

import asyncio
import io
import os
import sys

from nomyo_native import Client, SecureBuffer, get_memory_protection_info

STDIN = io.FileIO(0)  # no buffer in between


def receive() -> SecureBuffer:
    """A secret: its length, then its bytes, straight into memory that can be wiped."""
    length = bytearray(8)
    assert STDIN.readinto(length) == 8
    secret = bytearray(int.from_bytes(length, "big"))
    assert STDIN.readinto(secret) == len(secret)
    return SecureBuffer(secret)


def pause(moment: str) -> None:
    os.write(1, moment.encode() + b"\n")
    assert STDIN.read(1) == b"\n"


with receive() as key:
    client = Client(sys.argv[1], api_key=key, ca_file=sys.argv[2])
    pause(f"key given, protection {get_memory_protection_info()['protection_level']}")
pause("key wiped")
with receive() as request:
    answer = client.create(request)
pause("request wiped, answer held")
view, again = answer.view("content"), answer.view()
assert view is not None and again is not None and sum(view) and len(again) > len(view) == 50
sliced = view[10:40]
pause("answer viewed")
answer.close()
pause("answer closed")
assert sum(sliced) == 0
del sliced
with receive() as request:
    answer = asyncio.run(client.acreate(request))
with answer:
    assert len(answer.view("content") or b"") == 50
pause("async answer closed")
with receive() as request, client.create(request) as answer:
    text = answer.content()
pause("answer copied")
with receive() as pem:
    client.load_keys_pem(pem)
    with client.private_key_pem() as exported:
        assert exported == pem.data
        pause("pair loaded and exported")
pause("texts wiped")
client.close()
pause("client closed")
