"""A request with the official Python SDK, deleted as well as Python can; run by sdk.py, which looks at the memory."""

import asyncio
import gc
import json
import os
import sys

from nomyo import SecureChatCompletion


def ask(order: dict[str, str]) -> SecureChatCompletion:
    sdk = SecureChatCompletion(base_url=order["url"], api_key=order["api_key"], max_retries=0)
    request = json.loads(order["request"])
    answer = asyncio.run(sdk.create(**request))
    assert len(answer["choices"][0]["message"]["content"]) == 50
    return sdk


def tell(line: str) -> None:
    os.write(1, line.encode() + b"\n")


order = json.loads(sys.stdin.readline())
os.environ["SSL_CERT_FILE"] = order["ca"]
os.environ["NO_PROXY"] = "*"
sdk = ask(order)
del order
gc.collect()
tell(str(sdk.client.private_key.public_key().public_numbers().n))
sys.stdin.readline()
del sdk
gc.collect()
tell("freed")
sys.stdin.readline()
