"""Takes an answer only with a TPM quote for it, and says what that proves.

Usage: NOMYO_API_KEY=... python attestation.py [--url URL] [--ca FILE] [--model NAME] [--pcr INDEX=HEX]

With --pcr (of the SHA-256 bank; repeatable) the register must have one of the values that are given for it. The quote comes
with the answer: when it is refused, the prompt has been sent and processed.
"""

import argparse
import sys

from nomyo_native import AttestationError, AttestationLevel, AttestationPolicy, Client, NomyoError


def main() -> int:
    parser = argparse.ArgumentParser(description="One encrypted chat message to a server that attests.")
    parser.add_argument("--url", help="the server; default: NOMYO_BASE_URL, else NOMYO's")
    parser.add_argument("--ca", help="PEM file of the certificate authorities to believe")
    parser.add_argument("--model", default="Qwen/Qwen3-0.6B")
    parser.add_argument("--pcr", action="append", default=[], help="INDEX=HEX: a value that the register may have")
    options = parser.parse_args()

    allowed: dict[tuple[str, int], list[str]] = {}
    for pair in options.pcr:
        index, _, value = pair.partition("=")
        allowed.setdefault(("sha256", int(index)), []).append(value)
    required = AttestationLevel.BASELINE if allowed else AttestationLevel.CONSISTENT

    messages = [{"role": "user", "content": "Who are you?"}]
    try:
        policy = AttestationPolicy(required, allowed)
        with Client(options.url, ca_file=options.ca, attestation=policy) as client:
            with client.create(model=options.model, messages=messages) as answer:
                print(answer.content())
                print(f"{answer.attestation.level.name}: {answer.attestation.meaning}")
                return 0
    except AttestationError as e:
        print(f"attestation: the answer is withheld: {e}", file=sys.stderr)
    except NomyoError as e:
        print(f"attestation: {e.status_name}: {e}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
