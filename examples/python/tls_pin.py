"""Pins the server's TLS certificates: nobody else who terminates TLS gets the API key, the prompt or the answer.

Usage: NOMYO_API_KEY=... python tls_pin.py [--url URL] [--ca FILE] [--model NAME] [--pin SHA256]...

Without --pin it shows the server's certificate chain with the fingerprints. Compare them with the ones that the operator
publishes, choose one or two, and pass them from then on.
"""

import argparse
import sys

from nomyo_native import Client, NomyoError, PinError


def main() -> int:
    parser = argparse.ArgumentParser(description="One encrypted chat message to a server whose TLS chain is pinned.")
    parser.add_argument("--url", help="the server; default: NOMYO_BASE_URL, else NOMYO's")
    parser.add_argument("--ca", help="PEM file of the certificate authorities to trust")
    parser.add_argument("--model", default="Qwen/Qwen3-0.6B")
    parser.add_argument("--pin", action="append", default=[], help="a fingerprint of the chain; repeatable")
    options = parser.parse_args()

    messages = [{"role": "user", "content": "Is it you?"}]
    try:
        with Client(options.url, ca_file=options.ca, tls_pins=options.pin) as client:
            if not options.pin:
                for certificate in client.tls_chain(timeout=30):
                    print(f"{certificate.role:12} {certificate.sha256} {certificate.subject}")
                return 0
            with client.create(model=options.model, messages=messages) as answer:
                print(answer.content())
                return 0
    except PinError as e:
        print(f"tls_pin: somebody else answers for the server: {e}", file=sys.stderr)
    except NomyoError as e:
        print(f"tls_pin: {e.status_name}: {e}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
