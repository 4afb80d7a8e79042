"""Sends what it reads on stdin as one encrypted chat message, and prints the answer.

Usage: echo 'What is a lion?' | NOMYO_API_KEY=... python chat.py [--url URL] [--ca FILE] [--model NAME]
"""

import argparse
import sys

from nomyo_native import Client, NomyoError


def main() -> int:
    parser = argparse.ArgumentParser(description="One encrypted chat message, from stdin.")
    parser.add_argument("--url", help="the server; default: NOMYO_BASE_URL, else NOMYO's")
    parser.add_argument("--ca", help="PEM file of the certificate authorities to believe")
    parser.add_argument("--model", default="Qwen/Qwen3-0.6B")
    options = parser.parse_args()

    messages = [{"role": "user", "content": sys.stdin.read()}]
    try:
        with Client(options.url, ca_file=options.ca) as client:  # the key is in NOMYO_API_KEY
            with client.create(model=options.model, messages=messages) as answer:
                print(answer.content())
    except NomyoError as e:
        print(f"chat: {e.status_name}: {e}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
