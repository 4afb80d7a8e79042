"""A client of one server."""

import json
from collections.abc import Mapping
from ctypes import POINTER, byref
from typing import Any, Literal, NamedTuple

from . import _library as c
from ._arguments import Buffer, buffer, request_json, wrong_type
from ._calls import Call, Cancel, SecurityTier, awaited
from ._configuration import Configured
from ._errors import call
from ._handle import Handle
from ._keys import KeyMethods
from ._library import lib
from ._option_names import refuse_in_create
from ._response import Response
from ._sealed import Sealed

NoResponse = POINTER(c.Response)  # called, it is a NULL


class ServerKey(NamedTuple):
    """The server's public key."""

    pem: str
    fingerprint: str
    """SHA-256 of its SubjectPublicKeyInfo, as 64 hexadecimal digits. `server_key_pin` takes it."""


class TLSCertificate(NamedTuple):
    """One certificate of the server's verified TLS chain."""

    role: Literal["leaf", "intermediate", "root"]
    sha256: str
    """SHA-256 of its SubjectPublicKeyInfo, as "sha256/" and base64. `tls_pins` takes it."""
    subject: str


class Client(Configured, KeyMethods):
    """A client of one server. Any number of threads may use it at once.

    Methods that can block take `timeout`, in seconds, and `cancel`. The timeout replaces the client's for this call and
    bounds everything: connecting, key generation, password derivation, lock files, other threads. A `Cancel` ends the calls
    that have it, from another thread. A signal handler that raises, as Ctrl-C's does, ends the call on the main thread.
    APITimeoutError  the timeout passed.
    CancelledError   the Cancel was triggered.

    Each of these methods has a coroutine, named with an `a` before it, which runs the call on a thread, off the event loop.
    Cancelling the task cancels the call.

    In a forked child everything raises ForkedError. Build another client there.
    """

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Wipes the keys and closes the connections, at once or when the running calls have ended.

        Does not wait for them. Closing twice does nothing; using the client afterwards raises ArgumentError.
        """
        self._handle.close()

    def create(
        self,
        request: Mapping[str, Any] | Buffer | None = None,
        /,
        *,
        security_tier: SecurityTier | None = None,
        api_key: str | Buffer | None = None,
        timeout: float | None = None,
        cancel: Cancel | None = None,
        **members: Any,
    ) -> Response:
        """Sends one chat request, encrypted, and waits for the whole answer.

        request: an OpenAI-style request, as a dict or as JSON in bytes; or give its members as keywords:
            create(model=..., messages=[...]). A bytearray or SecureBuffer is read in place and may be wiped afterwards.
        security_tier: "standard", "high" or "maximum"; None leaves it to the server.
        api_key: replaces the client's for this call.

        Raises NomyoError (see its subclasses), and TypeError or ValueError for values that JSON cannot hold. The error's
        `sent` says whether the request reached the server.
        """
        refuse_in_create(members)
        data = request_json(request, members)
        one = Call(timeout, cancel, security_tier=security_tier, api_key=api_key)
        return one.run(lambda: self._answer(one, data))

    def _answer(self, one: Call, request: Buffer) -> Response:
        """Makes the call, on this thread."""
        response = Handle(NoResponse(), lib.nomyo_response_free, "answer")
        data, length = buffer(request, "the request")
        try:
            with self._handle as client:
                call(lib.nomyo_create, client, data, length, one.options(), byref(response.unshared))
        finally:
            del data  # see call()
        return Response(response)

    async def acreate(
        self,
        request: Mapping[str, Any] | Buffer | None = None,
        /,
        *,
        security_tier: SecurityTier | None = None,
        api_key: str | Buffer | None = None,
        timeout: float | None = None,
        cancel: Cancel | None = None,
        **members: Any,
    ) -> Response:
        """create(), off the event loop. The request becomes JSON at once, before other tasks can change it."""
        refuse_in_create(members)
        data = request_json(request, members)
        one = Call(timeout, cancel, security_tier=security_tier, api_key=api_key)
        return await one.run_off_loop(lambda: self._answer(one, data))

    def warm_up(self, *, timeout: float | None = None, cancel: Cancel | None = None) -> None:
        """Generates or loads the keys (0.7 s on average, several at worst), connects and fetches the server's key, now."""
        self._blocking(Call(timeout, cancel), lib.nomyo_client_warm_up)

    async def awarm_up(self, *, timeout: float | None = None, cancel: Cancel | None = None) -> None:
        """warm_up(), off the event loop."""
        await awaited(self.warm_up, timeout=timeout, cancel=cancel)

    def server_key(self, *, timeout: float | None = None, cancel: Cancel | None = None) -> ServerKey:
        """The server's key. Compare its fingerprint with the one that the operator publishes, then pin it."""
        return ServerKey(*self._texts(Call(timeout, cancel), lib.nomyo_client_server_key, 2))

    async def aserver_key(self, *, timeout: float | None = None, cancel: Cancel | None = None) -> ServerKey:
        """server_key(), off the event loop."""
        return await awaited(self.server_key, timeout=timeout, cancel=cancel)

    def tls_chain(self, *, timeout: float | None = None, cancel: Cancel | None = None) -> list[TLSCertificate]:
        """The verified TLS chain of the connection to the server, leaf first. Connects if there is no connection yet.

        ArgumentError  the server's URL is http://.
        """
        (chain,) = self._texts(Call(timeout, cancel), lib.nomyo_client_tls_chain)
        return [TLSCertificate(**certificate) for certificate in json.loads(chain)]

    async def atls_chain(self, *, timeout: float | None = None, cancel: Cancel | None = None) -> list[TLSCertificate]:
        """tls_chain(), off the event loop."""
        return await awaited(self.tls_chain, timeout=timeout, cancel=cancel)

    def seal(
        self,
        server_pem: str | Buffer,
        request: Mapping[str, Any] | Buffer,
        *,
        security_tier: SecurityTier | None = None,
        timeout: float | None = None,
        cancel: Cancel | None = None,
    ) -> Sealed:
        """Encrypts a request for the server with that public key, for an HTTP stack of your own. Sends nothing.

        You choose where the key comes from, and the security of the request depends on it. If the client has no pair yet,
        generates or loads one.
        """
        data_json, one = request_json(request, {}), Call(timeout, cancel, security_tier=security_tier)

        def work() -> Sealed:
            sealed = Handle(POINTER(c.Sealed)(), lib.nomyo_sealed_free, "sealed request")
            data, length = buffer(data_json, "the request")
            try:
                with one.client(self._handle) as client, sealed as out:
                    call(lib.nomyo_seal, client, *buffer(server_pem, "server_pem"), data, length, None, byref(out))
            finally:
                del data
            return Sealed(sealed)

        return one.run(work)

    async def aseal(
        self,
        server_pem: str | Buffer,
        request: Mapping[str, Any] | Buffer,
        *,
        security_tier: SecurityTier | None = None,
        timeout: float | None = None,
        cancel: Cancel | None = None,
    ) -> Sealed:
        """seal(), off the event loop. The request becomes JSON at once, before other tasks can change it."""
        data = request_json(request, {})
        return await awaited(self.seal, server_pem, data, security_tier=security_tier, timeout=timeout, cancel=cancel)

    def open(self, request: Sealed, body: Buffer) -> Response:
        """Decrypts the body of the 200 that answered `request`. Raises SecurityError, ProtocolError."""
        if not isinstance(request, Sealed):
            raise wrong_type("request", "a Sealed, which seal() returned", request)
        response = Handle(NoResponse(), lib.nomyo_response_free, "answer")
        with self._handle as client, request._handle as sealed, response as out:
            call(lib.nomyo_open, client, sealed, *buffer(body, "body"), byref(out))
        return Response(response)
