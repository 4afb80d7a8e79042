"""Writes the licence texts of all code that is in an artefact:  licences.py PACKAGE TRIPLE [--debian] > LICENCES

PACKAGE is `nomyo` for the library, `nomyo-node` for Node's addon. Texts that several crates have stand once. With `--debian` the text of
Apache-2.0 is replaced by its place on Debian systems, as Debian's policy wants (section 12.5).
"""

import re
import subprocess
import sys
from pathlib import Path

from components import ROOT, Component, components, rust_version

NAMES = re.compile(r"(?i)^(licen[cs]e|copying|unlicense|notice|copyright)")


def texts(component: Component) -> list[str]:
    """The licence files in the crate. If it has none: the text of Apache-2.0 or of MIT, if it offers one of them."""
    files = sorted(path for path in component.directory.iterdir() if path.is_file() and NAMES.match(path.name))
    # AWS-LC lies in a directory of its crate.
    files += sorted(component.directory.glob("aws-lc/LICENSE*"))
    if files:
        return [path.read_text() for path in files]
    if "Apache-2.0" in component.licence:
        return [(ROOT / "LICENSE").read_text()]
    if "MIT" in component.licence:
        holders = ", ".join(component.authors) or f"the authors of {component.name}"
        return [f"Copyright (c) {holders}\n\n{(Path(__file__).parent / 'MIT').read_text()}"]
    raise SystemExit(f"{component.name} {component.version} has no licence file, and offers neither Apache-2.0 nor MIT: find its text")


def standard_library() -> list[str]:
    sysroot = subprocess.run(["rustc", "--print", "sysroot"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    pages = Path(sysroot) / "share/doc/rust"
    found = sorted(pages.glob("COPYRIGHT-library.html")) + sorted(pages.glob("licenses/*.txt"))
    if not found:
        raise SystemExit(f"{pages} has no licences of the standard library: install the component rust-docs")
    return [re.sub(r"<[^>]+>", "", path.read_text()) if path.suffix == ".html" else path.read_text() for path in found]


APACHE = re.compile(r"Apache License\s+Version 2\.0, January 2004.*TERMS AND CONDITIONS", re.DOTALL)
ON_DEBIAN = "The text of the Apache License, Version 2.0, is in /usr/share/common-licenses/Apache-2.0."


def main(package: str, triple: str, *options: str) -> None:
    users: dict[str, list[str]] = {}
    for component in components(package, triple):
        for text in texts(component):
            if "--debian" in options and APACHE.search(text):
                text = ON_DEBIAN
            name = f"{component.name} {component.version} ({component.licence})"
            users.setdefault("\n".join(line.rstrip() for line in text.strip().splitlines()), []).append(name)
    print(f"libnomyo has the licence in LICENSE. The code below is part of it, for {triple}, under these licences.\n")
    for text, names in sorted(users.items(), key=lambda item: item[1]):
        print("=" * 80, *names, "-" * 80, text, "", sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
