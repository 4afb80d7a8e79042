"""Makes the Go module's archive, in the tree that `GOPROXY=file://...` reads:  module.py VERSION EPOCH TRIPLE... 

The module has the static library of every target inside but macOS, which has none, so that `go build` needs no network, no Rust and no install step: it works
under -mod=readonly, and `go mod vendor` copies the libraries. The tree is dist/go. The format is that of
https://go.dev/ref/mod#goproxy-protocol and https://go.dev/ref/mod#zip-files.
"""

import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULE = "github.com/nomyo-ai/libnomyo/bindings/go"
DIRECTORIES = {
    "x86_64-unknown-linux-gnu": "linux_amd64",
    "aarch64-unknown-linux-gnu": "linux_arm64",
    "x86_64-unknown-linux-musl": "linux_amd64_musl",
    "aarch64-unknown-linux-musl": "linux_arm64_musl",
    "x86_64-pc-windows-gnu": "windows_amd64",
    "x86_64-apple-darwin": "darwin_amd64",
    "aarch64-apple-darwin": "darwin_arm64",
}
LIMIT = 500 << 20  # bytes of all files in a module, as the go command allows


def files(triples: list[str]) -> dict[str, bytes]:
    """The content of the module by its path: sources without tests, the header, the licence, and the libraries."""
    listed = subprocess.run(["git", "ls-files", "-z", "bindings/go"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    found = {}
    for path in listed.stdout.split("\0"):
        name = path.removeprefix("bindings/go/")
        if path and not name.endswith("_test.go") and not name.startswith("testdata/"):
            found[name] = (ROOT / path).read_bytes()
    found["nomyo.h"] = (ROOT / "include/nomyo.h").read_bytes()
    found["LICENSE"] = (ROOT / "LICENSE").read_bytes()
    for triple in triples:
        directory = f"lib/{DIRECTORIES[triple]}"
        if not any(name.startswith(f"{directory}/") for name in found):
            raise SystemExit(f"the Go package has no directory {directory} for {triple}")
        built = ROOT / "target/dist" / triple
        if triple.endswith("-apple-darwin") and not (built / "libnomyo.a").exists():
            print(f"Go module: no static library for {triple}: one of Apple's linker is needed")
            continue
        found[f"{directory}/libnomyo.a"] = (built / "libnomyo.a").read_bytes()
        found[f"{directory}/LICENCES"] = (built / "LICENCES").read_bytes()
    return found


def main(version: str, epoch: int, triples: list[str]) -> None:
    content = files(triples)
    size = sum(map(len, content.values()))
    if size > LIMIT:
        raise SystemExit(f"the files of the module have {size} bytes; the go command takes {LIMIT}")
    tree = ROOT / "dist/go" / MODULE / "@v"
    tree.mkdir(parents=True, exist_ok=True)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch))
    (tree / "list").write_text(f"v{version}\n")
    (tree / f"v{version}.info").write_text(json.dumps({"Version": f"v{version}", "Time": stamp}) + "\n")
    (tree / f"v{version}.mod").write_bytes(content["go.mod"])
    with zipfile.ZipFile(tree / f"v{version}.zip", "w") as archive:
        for name, data in sorted(content.items()):
            archive.writestr(zipfile.ZipInfo(f"{MODULE}@v{version}/{name}"), data, zipfile.ZIP_DEFLATED, 9)
    packed = (tree / f"v{version}.zip").stat().st_size
    print(f"Go module: {len(triples)} libraries, {size / 1e6:.1f} MB of files, {packed / 1e6:.1f} MB packed")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
