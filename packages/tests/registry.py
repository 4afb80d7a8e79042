"""Serves npm's packages of a directory as a registry:  registry.py DIRECTORY URL-FILE

It answers what `npm install` asks: the document of each package with the manifest from its archive, and the archive. Anything else is
404, as in a registry that does not know the name. The address is written to URL-FILE.
"""

import base64
import hashlib
import io
import json
import sys
import tarfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote


def packages(directory: Path, url: str) -> dict[str, bytes]:
    """The answers by path."""
    answers = {}
    for file in directory.glob("*.tgz"):
        data = file.read_bytes()
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            manifest = json.load(archive.extractfile("package/package.json"))
        name, version = manifest["name"], manifest["version"]
        integrity = f"sha512-{base64.b64encode(hashlib.sha512(data).digest()).decode()}"
        manifest["dist"] = {"tarball": f"{url}/{file.name}", "integrity": integrity}
        document = {"name": name, "dist-tags": {"latest": version}, "versions": {version: manifest}}
        answers[f"/{name}"] = json.dumps(document).encode()
        answers[f"/{file.name}"] = data
    return answers


def main(directory: str, url_file: str) -> None:
    class Registry(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = answers.get(unquote(self.path))
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        answers = packages(Path(directory), url)
        Path(url_file).write_text(url)
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
