"""A gateway before the endpoint: it passes requests on, except where the test's script does something else.

The endpoint seals the answers, so that a test can bend an answer's bytes, its time or its connection, and needs no
cryptography.
"""

import http.client
import socket
import ssl
import threading
from collections.abc import Callable

from endpoint import Endpoint
from peers import PATIENCE, PIECE, Port

# The kernel buffers little, so that a request of megabytes is not sent before it is read.
RECEIVE_BUFFER = 64 * 1024


class Request:
    """A request of which the head was read, and perhaps a part of the body."""

    def __init__(self, connection: socket.socket, said: bytes) -> None:
        self.connection = connection
        head, _, rest = said.partition(b"\r\n\r\n")
        self.body = bytearray(rest)
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.path, _ = first.split(" ", 2)
        pairs = (line.split(":", 1) for line in lines)
        self.headers = {name.strip().lower(): value.strip() for name, value in pairs}

    def read(self) -> bytearray:
        """The whole body."""
        length = int(self.headers.get("content-length", 0))
        while len(self.body) < length:
            piece = self.connection.recv(PIECE)
            if not piece:
                raise ConnectionError("the client closed in its request")
            self.body += piece
        return self.body


# Does something with the request of this number, from 1; says whether the connection goes on.
Script = Callable[["Gateway", Request, int], bool]


class Gateway:
    """Listens with TLS if it has a context. Its script is for chat requests alone: the key is always passed on."""

    def __init__(self, endpoint: Endpoint, context: ssl.SSLContext | None = None, port: Port | None = None) -> None:
        self.endpoint, self.context = endpoint, context
        self.script: Script = Gateway.pass_on
        self.posts = self.connections = 0
        self.payload_ids: list[str] = []
        self.done = threading.Event()
        self._lock = threading.Lock()
        self.port = port or Port()
        self.port.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self.port.serve(self._serve)
        self.url = f"{'https' if context else 'http'}://{self.port.address}:{self.port.number}"

    def close(self) -> None:
        self.done.set()
        self.port.close()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        with self._lock:
            self.connections += 1
        if not self.context:
            self._converse(connection)
            return
        with self.context.wrap_socket(connection, server_side=True) as secured:
            self._converse(secured)

    def _converse(self, connection: socket.socket) -> None:
        goes_on = True
        while goes_on:
            said = b""
            while b"\r\n\r\n" not in said:
                piece = connection.recv(PIECE)
                if not piece:
                    return
                said += piece
            request = Request(connection, said)
            if request.method != "POST":
                goes_on = self.pass_on(request, 0)
                continue
            with self._lock:
                self.posts += 1
                number = self.posts
                self.payload_ids.append(request.headers["x-payload-id"])
            goes_on = self.script(self, request, number)

    def right_answer(self, request: Request, padding: int = 0) -> bytes:
        """The endpoint's answer, as bytes. A header makes it longer by `padding` bytes."""
        server = http.client.HTTPConnection("127.0.0.1", self.endpoint.plain_port, timeout=PATIENCE)
        own = ("host", "connection", "content-length")
        kept = {name: value for name, value in request.headers.items() if name not in own}
        server.request(request.method, request.path, request.read(), kept)
        answer = server.getresponse()
        body = answer.read()
        server.close()
        return response(answer.status, body, *([("X-P", "p" * (padding - 7))] if padding else []))

    def pass_on(self, request: Request, _number: int) -> bool:
        request.connection.sendall(self.right_answer(request))
        return True


def response(status: int, body: bytes = b"", *headers: tuple[str, str]) -> bytes:
    """An HTTP response with a Content-Length."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {status} Gateway\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body
