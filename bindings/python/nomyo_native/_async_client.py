"""A client of one server whose methods are coroutines."""

from collections.abc import Mapping
from typing import Any

from ._arguments import Buffer, Path
from ._calls import Cancel, SecurityTier
from ._client import Client, ServerKey, TLSCertificate
from ._configuration import Configured
from ._private_key import PrivateKeyPem
from ._response import Response
from ._sealed import Sealed


class AsyncClient(Configured):
    """A client of one server for programs with an event loop: its options are those of Client, its methods coroutines.

    Each method runs on a thread, off the event loop, and does what the method of Client with its name does. Cancelling the
    task cancels the call. `async with AsyncClient() as client:` closes the client at the end.
    """

    @property
    def _client(self) -> Client:
        """A Client that owns the same handle."""
        client = Client.__new__(Client)
        client._handle = self._handle
        return client

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """As Client.close(). Does not wait, so the event loop goes on."""
        self._handle.close()

    async def create(
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
        """As Client.create()."""
        return await self._client.acreate(
            request, security_tier=security_tier, api_key=api_key, timeout=timeout, cancel=cancel, **members
        )

    async def warm_up(self, *, timeout: float | None = None, cancel: Cancel | None = None) -> None:
        """As Client.warm_up()."""
        await self._client.awarm_up(timeout=timeout, cancel=cancel)

    async def server_key(self, *, timeout: float | None = None, cancel: Cancel | None = None) -> ServerKey:
        """As Client.server_key()."""
        return await self._client.aserver_key(timeout=timeout, cancel=cancel)

    async def tls_chain(self, *, timeout: float | None = None, cancel: Cancel | None = None) -> list[TLSCertificate]:
        """As Client.tls_chain()."""
        return await self._client.atls_chain(timeout=timeout, cancel=cancel)

    async def seal(
        self,
        server_pem: str | Buffer,
        request: Mapping[str, Any] | Buffer,
        *,
        security_tier: SecurityTier | None = None,
        timeout: float | None = None,
        cancel: Cancel | None = None,
    ) -> Sealed:
        """As Client.seal()."""
        client = self._client
        return await client.aseal(server_pem, request, security_tier=security_tier, timeout=timeout, cancel=cancel)

    async def generate_keys(
        self,
        key_dir: Path | None = None,
        password: str | Buffer = b"",
        *,
        timeout: float | None = None,
        cancel: Cancel | None = None,
    ) -> None:
        """As Client.generate_keys()."""
        await self._client.agenerate_keys(key_dir, password, timeout=timeout, cancel=cancel)

    async def load_keys(
        self,
        private_key: Path,
        public_key: Path | None = None,
        password: str | Buffer = b"",
        *,
        timeout: float | None = None,
        cancel: Cancel | None = None,
    ) -> None:
        """As Client.load_keys()."""
        await self._client.aload_keys(private_key, public_key, password, timeout=timeout, cancel=cancel)

    async def load_keys_pem(
        self,
        private_key: str | Buffer,
        public_key: str | Buffer = b"",
        password: str | Buffer = b"",
        *,
        timeout: float | None = None,
        cancel: Cancel | None = None,
    ) -> None:
        """As Client.load_keys_pem()."""
        await self._client.aload_keys_pem(private_key, public_key, password, timeout=timeout, cancel=cancel)

    async def private_key_pem(
        self, password: str | Buffer = b"", *, timeout: float | None = None, cancel: Cancel | None = None
    ) -> PrivateKeyPem:
        """As Client.private_key_pem()."""
        return await self._client.aprivate_key_pem(password, timeout=timeout, cancel=cancel)

    async def save_keys(
        self,
        key_dir: Path,
        password: str | Buffer = b"",
        *,
        timeout: float | None = None,
        cancel: Cancel | None = None,
    ) -> None:
        """As Client.save_keys()."""
        await self._client.asave_keys(key_dir, password, timeout=timeout, cancel=cancel)

    async def rotate_keys(self, *, timeout: float | None = None, cancel: Cancel | None = None) -> None:
        """As Client.rotate_keys()."""
        await self._client.arotate_keys(timeout=timeout, cancel=cancel)

    async def public_key(self, *, timeout: float | None = None, cancel: Cancel | None = None) -> str:
        """As Client.public_key()."""
        return await self._client.apublic_key(timeout=timeout, cancel=cancel)

    def open(self, request: Sealed, body: Buffer) -> Response:
        """As Client.open(), which is no coroutine because it waits for nothing."""
        return self._client.open(request, body)
