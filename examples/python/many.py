"""Sends each line of stdin as a chat message of its own, many at once, and prints the answers in the same order.

Usage: NOMYO_API_KEY=... python many.py [--url URL] [--ca FILE] [--model NAME] [--at-once N] < questions
"""

import argparse
import asyncio
import sys

from nomyo_native import Client, NomyoError


async def ask(client: Client, model: str, question: str, room: asyncio.Semaphore) -> str:
    async with room:  # as many as the server allows at once
        with await client.acreate(model=model, messages=[{"role": "user", "content": question}]) as answer:
            return answer.content() or ""


async def main() -> int:
    parser = argparse.ArgumentParser(description="Many encrypted chat messages, one a line, from stdin.")
    parser.add_argument("--url", help="the server; default: NOMYO_BASE_URL, else NOMYO's")
    parser.add_argument("--ca", help="PEM file of the certificate authorities to believe")
    parser.add_argument("--model", default="Qwen/Qwen3-0.6B")
    parser.add_argument("--at-once", type=int, default=16)
    options = parser.parse_args()

    room = asyncio.Semaphore(options.at_once)
    with Client(options.url, ca_file=options.ca) as client:  # one for all: one key pair, and its connections
        asked = [ask(client, options.model, line.rstrip("\n"), room) for line in sys.stdin]
        answers = await asyncio.gather(*asked, return_exceptions=True)  # one that fails leaves the others alone
    failed = 0
    for answer in answers:
        if isinstance(answer, NomyoError):
            print(f"many: {answer.status_name}: {answer}", file=sys.stderr)
            failed += 1
        elif isinstance(answer, BaseException):
            raise answer
        else:
            print(answer)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
