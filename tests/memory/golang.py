"""The same scanner on a Go program that keeps its secrets in SecretBytes and views the answer: judged as flow.c is."""

import json
import subprocess

import rsa
from flow import HERE, Bench, Exchange
from scan import Secret, Snapshot, find
from story import GROUPS, Checks, print_table

OF_A_CALL = ["prompt", "answer", "request AES", "response AES"]


def judge(bench: Bench, checks: Checks) -> None:
    """The answer viewed; then closed; then the client as well."""
    program = bench.work / "go_child"
    subprocess.run(["go", "-C", HERE / "go", "build", "-o", program, "."], check=True)
    exchange = Exchange()
    request, key = exchange.request(delay_before_headers_ms=300), bench.api_key.encode()
    arguments = [program, bench.url, bench.ca, str(len(key)), str(len(request))]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env={}) as child:

        def said() -> str:
            line = child.stdout.readline().decode()
            assert line, f"the Go program ended: {child.wait()}"
            return line.strip()

        child.stdin.write(key)
        pem = json.loads(said())
        snapshots = {"client ready": Snapshot(child.pid)}
        child.stdin.write(b"\n" + request)
        exchange.payload_id, total = said().split()
        snapshots["answer viewed"] = Snapshot(child.pid)
        exchange.keys = bench.keys(exchange.payload_id)
        viewed = sum((i + 1) * byte for i, byte in enumerate(exchange.answer.encode()))
        checks.that(total == str(viewed), "Go: the view is the answer", [total])
        for name in ("answer closed", "client closed"):
            child.stdin.write(b"\n")
            checks.that(said() == name, f"Go: {name}")
            snapshots[name] = Snapshot(child.pid)
        child.stdin.write(b"\n")
    checks.that(child.returncode == 0, "Go: the program ends well", [child.returncode])

    n = rsa.modulus_of_pem(pem)
    prime = rsa.find_prime(snapshots["client ready"], n)
    checks.that(prime is not None, "Go: the scanner finds the client's prime")
    secrets = [*exchange.secrets(), Secret("API key", "API key", [key])]
    if prime is not None:
        secrets += rsa.private_numbers(n, prime)
    keys = ["API key", "private key"]
    there = {"client ready": keys, "answer viewed": ["answer", *keys], "answer closed": keys}
    gone = {"client ready": OF_A_CALL, "answer viewed": ["prompt", "request AES", "response AES"],
            "answer closed": OF_A_CALL, "client closed": GROUPS}
    print("\nGo, with SecretBytes and a view: copies in locked undumpable memory / anywhere else")
    cells = [["moment", *GROUPS]]
    for name, snapshot in snapshots.items():
        row = [name]
        for group in GROUPS:
            hits = find(snapshot, [s for s in secrets if s.group == group])
            outside = [hit for hit in hits if not hit.protected]
            checks.that(not outside, f"Go: {name}: {group} only in locked undumpable memory", outside)
            if group in gone[name]:
                checks.that(not hits, f"Go: {name}: {group} is nowhere", hits)
            if group in there.get(name, []):
                checks.that(bool(hits), f"Go: {name}: the scanner finds the {group}, which is there")
            row.append(f"{len(hits) - len(outside)} / {len(outside)}")
        cells.append(row)
    print_table(cells)
