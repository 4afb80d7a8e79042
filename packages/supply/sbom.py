"""Writes the CycloneDX bill of materials of a file:  sbom.py FILE OUT PACKAGE TRIPLE...

PACKAGE is `nomyo` for the library, `nomyo-node` for Node's addon. The document names the file by its SHA-256, every crate in it with the
checksum of the .crate file, and the Rust standard library. The same file gives the same document.
"""

import datetime
import hashlib
import json
import os
import sys
import uuid
from pathlib import Path

from components import components, rust_version, version
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL


def _component(name: str, of: str, licence: str, sha256: str | None, purl: PackageURL | None, kind=ComponentType.LIBRARY) -> Component:
    return Component(
        type=kind,
        name=name,
        version=of,
        bom_ref=f"{name}@{of}",
        purl=purl,
        licenses=[LicenseFactory().make_from_string(licence)],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256)] if sha256 else [],
    )


def bom(artefact: Path, package: str, triples: list[str]) -> str:
    digest = hashlib.sha256(artefact.read_bytes()).hexdigest()
    root = _component(artefact.name, version(), "Apache-2.0", digest, None, ComponentType.FILE)
    parts = [
        _component(crate.name, crate.version, crate.licence, crate.sha256, PackageURL("cargo", None, crate.name, crate.version))
        for crate in sorted({crate for triple in triples for crate in components(package, triple)})
    ]
    parts.append(_component("rust-std", rust_version(), "MIT OR Apache-2.0", None, None))
    document = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_OID, digest), components=parts)
    document.metadata.component = root
    document.metadata.timestamp = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.UTC)
    document.register_dependency(root, parts)
    text = JsonV1Dot6(document).output_as_string(indent=1)
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if problem:
        raise SystemExit(f"the bill of materials of {artefact.name} is not CycloneDX 1.6: {problem}")
    return json.dumps(json.loads(text), indent=1, sort_keys=True)


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(bom(Path(sys.argv[1]), sys.argv[3], sys.argv[4:]) + "\n")
