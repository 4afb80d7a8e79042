"""Pins the server's key: with a key of anybody else, the prompt does not leave this machine.

Usage: NOMYO_API_KEY=... python key_pin.py [--url URL] [--ca FILE] [--model NAME] [--pin SHA256]

Without --pin it shows the fingerprint of the server's key. Compare that with what the operator tells you on another way,
and pass it from then on.
"""

import argparse
import sys

from nomyo_native import Client, NomyoError, PinError


def main() -> int:
    parser = argparse.ArgumentParser(description="One encrypted chat message to a server whose key is known.")
    parser.add_argument("--url", help="the server; default: NOMYO_BASE_URL, else NOMYO's")
    parser.add_argument("--ca", help="PEM file of the certificate authorities to believe")
    parser.add_argument("--model", default="Qwen/Qwen3-0.6B")
    parser.add_argument("--pin", action="append", default=[], help="the fingerprint of the server's key; repeatable")
    options = parser.parse_args()

    messages = [{"role": "user", "content": "Is it you?"}]
    try:
        with Client(options.url, ca_file=options.ca, server_key_pin=options.pin) as client:
            if not options.pin:
                print(client.server_key().fingerprint)
                return 0
            with client.create(model=options.model, messages=messages) as answer:
                print(answer.content())
                return 0
    except PinError as e:
        print(f"key_pin: this is not the server that you know: {e}", file=sys.stderr)
    except NomyoError as e:
        print(f"key_pin: {e.status_name}: {e}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
