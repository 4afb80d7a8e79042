#!/bin/sh
# tpm2_checkquote, an independent verifier, agrees on the signatures of the genuine quotes, and on those of quotes with a
# flipped bit. It knows no RSAPSS, and looks at little else than the signature: the rest is ours to check.
#
#   tests/checkquote.sh
set -eu
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

python3 - "$work" <<'PYTHON'
import base64, hashlib, json, pathlib, sys

work = pathlib.Path(sys.argv[1])
for line in pathlib.Path("tests/fixtures/tpm/swtpm.jsonl").read_text().splitlines():
    fixture = json.loads(line)
    block, folder = fixture["tpm_attestation"], work / fixture["name"]
    folder.mkdir()
    quote, signature, key = (base64.b64decode(block[name]) for name in ("quote_b64", "signature_b64", "aik_pubkey_b64"))
    for name, data in ("quote", quote), ("signature", signature), ("key", key):
        (folder / name).write_bytes(data)
    # A bit of the clock: everything but the signature is still right.
    clock = 6 + 2 + int.from_bytes(quote[6:8], "big")
    clock += 2 + int.from_bytes(quote[clock:clock + 2], "big") + 7
    (folder / "flipped").write_bytes(quote[:clock] + bytes([quote[clock] ^ 1]) + quote[clock + 1:])
    (folder / "nonce").write_text(hashlib.sha256(fixture["payload_id"].encode()).hexdigest()[:32])
    (folder / "hash").write_text("sha384" if "p384" in fixture["name"] else "sha256")
PYTHON

accepts() { # FOLDER QUOTE
    tpm2_checkquote -u "$1/key" -m "$1/$2" -s "$1/signature" -q "$(cat "$1/nonce")" -g "$(cat "$1/hash")" >"$work/said" 2>&1
}

for folder in "$work"/rsassa-* "$work"/ecdsa-*; do
    name=${folder##*/}
    if accepts "$folder" quote; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "$name: failed: refused"; cat "$work/said"; fi
    if accepts "$folder" flipped; then failed=$((failed + 1)); echo "$name: failed: flipped, and accepted"; else passed=$((passed + 1)); fi
done

echo "checkquote: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -eq 8 ]
