"""Peers that misbehave below HTTP: ports that refuse or hang, an old TLS, proxies that say no.

Each listens on 127.0.0.1, on a port that it picks, and serves until it is closed.
"""

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE = 60
PIECE = 64 * 1024


def pump(source: socket.socket, sink: socket.socket, limit: int | None = None) -> None:
    """Passes bytes on to their end, or so many; then ends both directions of both, which ends the other pump, too."""
    try:
        while limit is None or limit > 0:
            piece = source.recv(PIECE if limit is None else min(PIECE, limit))
            if not piece:
                break
            sink.sendall(piece)
            limit = limit if limit is None else limit - len(piece)
    except OSError:
        pass  # the other side is gone: that is an end as well
    for side in (source, sink):
        try:
            side.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def relay(client: socket.socket, port: int, answer_limit: int | None = None) -> None:
    """To a port on 127.0.0.1 and back, at most so many bytes back."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as server:
        server.settimeout(None)
        there = threading.Thread(target=pump, args=(client, server), daemon=True)
        there.start()
        pump(server, client, answer_limit)
        there.join(PATIENCE)


def silent(connection: socket.socket) -> None:
    """Takes what comes and says nothing."""
    connection.settimeout(PATIENCE)
    while connection.recv(PIECE):
        pass


def is_connected(connection: socket.socket) -> bool:
    try:
        connection.getpeername()
        return True
    except OSError:
        return False


class Port:
    """A port that nobody listens on, until it is told how to serve."""

    def __init__(self, address: str = "127.0.0.1", number: int = 0) -> None:
        self.family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(self.family)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address, number))
        self.address = address
        self.number: int = self.socket.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.number}"
        self.behaviour = silent
        self._fillers: list[socket.socket] = []
        self._listens = False

    def fill(self) -> "Port":
        """Listens, with a queue so full that the system drops whoever knocks."""
        self.socket.listen(0)
        for _ in range(4):
            filler = socket.socket(self.family)
            filler.setblocking(False)
            filler.connect_ex((self.address, self.number))
            self._fillers.append(filler)
        # One of them is in the queue. The others would knock again.
        time.sleep(0.05)
        for filler in self._fillers:
            if not is_connected(filler):
                filler.close()
        return self

    def serve(self, behaviour: Callable[[socket.socket], None]) -> "Port":
        """From now on gives each connection to `behaviour`, on a thread of its own, and closes it after that."""
        self.behaviour = behaviour
        if self._listens:
            return self
        self._listens = True
        for filler in self._fillers:
            filler.close()
        self.socket.listen(128)

        def one(connection: socket.socket) -> None:
            with connection:
                try:
                    self.behaviour(connection)
                except OSError:
                    pass  # the client has had enough

        def all_of_them() -> None:
            while True:
                try:
                    connection, _ = self.socket.accept()
                except OSError:
                    return  # closed
                threading.Thread(target=one, args=(connection,), daemon=True).start()

        threading.Thread(target=all_of_them, daemon=True).start()
        return self

    def close(self) -> None:
        for filler in self._fillers:
            filler.close()
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it never listened
        self.socket.close()


def read_head(connection: socket.socket) -> bytes:
    """What the client says up to an empty line; all of it, if it stops before."""
    connection.settimeout(PATIENCE)
    head = b""
    while b"\r\n\r\n" not in head and (piece := connection.recv(PIECE)):
        head += piece
    return head


def answering(answer: bytes) -> Callable[[socket.socket], None]:
    """Says this to whoever asks, such as a proxy that refuses."""

    def behaviour(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(PIECE)

    return behaviour


ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


def proxy_to(port: int, answer: bytes = ESTABLISHED, piece: int = PIECE) -> Callable[[socket.socket], None]:
    """A proxy that is asked for a tunnel, and makes it to this port. Its answer comes in pieces of that many bytes."""

    def behaviour(connection: socket.socket) -> None:
        if read_head(connection).startswith(b"CONNECT "):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(None)
            for at in range(0, len(answer), piece):
                connection.sendall(answer[at : at + piece])
            relay(connection, port)

    return behaviour


def old_tls(work: Path) -> Callable[[socket.socket], None]:
    """Speaks TLS 1.1 and nothing newer. Its certificate does not matter: nobody comes as far."""
    key, certificate = work / "old.key", work / "old.pem"
    openssl = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"]
    subprocess.run([*openssl, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.load_cert_chain(certificate, key)

    def behaviour(connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        with context.wrap_socket(connection, server_side=True) as secured:
            silent(secured)

    return behaviour


def tls_version(port: int) -> str | None:
    """What an indulgent client agrees on with the server there."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as plain, context.wrap_socket(plain) as secured:
        return secured.version()


class NameServer:
    """Answers on 127.0.0.1, port 53, of the test's own network namespace as `mode` says: not at all ("silent"), with
    NXDOMAIN ("unknown"), with SERVFAIL ("failing"), or with `address` and, if there is one, `address6` ("good")."""

    def __init__(self) -> None:
        self.mode, self.address, self.address6 = "good", "127.0.0.1", ""
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            query, asker = self.socket.recvfrom(PIECE)
            if self.mode == "silent":
                continue
            end = 12 + query[12:].index(0) + 5
            question, kind = query[12:end], query[end - 4 : end - 2]
            record = self._record(kind) if self.mode == "good" else b""
            flags = {"unknown": b"\x81\x83", "failing": b"\x81\x82", "good": b"\x81\x80"}[self.mode]
            head = query[:2] + flags + b"\0\1" + (b"\0\1" if record else b"\0\0") + b"\0\0\0\0"
            self.socket.sendto(head + question + record, asker)

    def _record(self, kind: bytes) -> bytes:
        """The answer to a question for A or AAAA records."""
        if kind == b"\0\1":
            return b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + socket.inet_aton(self.address)
        if kind == b"\0\x1c" and self.address6:
            address = socket.inet_pton(socket.AF_INET6, self.address6)
            return b"\xc0\x0c\0\x1c\0\1\0\0\0\0\0\x10" + address
        return b""
