"""The crates whose code is in an artefact: as cargo resolves them for one package and one target, with the checksums of Cargo.lock.

Crates that run only while something is built are not among them: build scripts' dependencies and procedural macros.
"""

import json
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"


@dataclass(frozen=True, order=True)
class Component:
    name: str
    version: str
    licence: str  # the SPDX expression of Cargo.toml, which older crates write with slashes
    sha256: str | None  # of the .crate file; None for a package of this workspace
    directory: Path  # its sources
    authors: tuple[str, ...]


def _cargo(*arguments: str) -> str:
    return subprocess.run(["cargo", *arguments, "--locked"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def version() -> str:
    """The version of libnomyo."""
    return tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["version"]


def components(package: str, triple: str) -> list[Component]:
    """All crates in `package` for the target `triple`, in the order of their names, without the workspace's own."""
    shown = _cargo("tree", "-p", package, "-e", "normal,no-proc-macro", "--target", triple, "--prefix", "none", "-f", "{p}")
    wanted = {tuple(line.split()[:2]) for line in shown.splitlines() if line}
    sums = {
        (crate["name"], crate["version"]): crate.get("checksum")
        for crate in tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    }
    metadata = json.loads(_cargo("metadata", "--format-version", "1", "--filter-platform", triple))
    found = []
    for crate in metadata["packages"]:
        key = crate["name"], crate["version"]
        if crate["source"] is None or (key[0], f"v{key[1]}") not in wanted:
            continue
        if crate["source"] != REGISTRY or not sums.get(key) or not crate["license"]:
            raise SystemExit(f"{key[0]} {key[1]} has no checksum, no licence, or another source than crates.io")
        licence = crate["license"].replace("/", " OR ")
        found.append(Component(*key, licence, sums[key], Path(crate["manifest_path"]).parent, tuple(crate["authors"])))
    if len(found) != len(wanted) - sum(1 for name, _ in wanted if name in ("nomyo", "nomyo-node")):
        raise SystemExit(f"cargo tree names {len(wanted)} crates for {triple}, and cargo metadata knows {len(found)} of them")
    return sorted(found)


def rust_version() -> str:
    """The version of the Rust toolchain, whose standard library is in every artefact."""
    return subprocess.run(["rustc", "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()[1]
