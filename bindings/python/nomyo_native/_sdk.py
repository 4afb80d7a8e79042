"""The official SDK's two clients, nomyo 0.2.9: the same signatures, attributes, answers and exceptions."""

import json
import os
import warnings
from collections.abc import Awaitable, Generator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from weakref import WeakValueDictionary

from ._arguments import request_json
from ._calls import Call, off_loop
from ._client import Client
from ._errors import APIError, ArgumentError, SecurityError
from ._option_names import DROP_IN, refuse_in_create
from ._sealed import Sealed

_RETRYABLE = (429, 500, 502, 503, 504)
# By HTTP status: what precedes the server's words, and what replaces them: without a `detail`, without JSON.
_TEXTS = {
    400: ("Bad request: ", "Unknown error", "Invalid response format"),
    401: ("", *["Invalid API key or authentication failed"] * 2),
    403: ("Forbidden: ", *["Model not allowed for the requested security tier"] * 2),
    404: ("Endpoint not found: ", *["Secure inference not enabled"] * 2),
    429: ("Rate limit exceeded: ", "unknown", "unknown"),
    500: ("Server error: ", "unknown", "unknown"),
    503: ("Service unavailable: ", "unknown", "unknown"),
}


class EncryptedPayload(bytes):
    """What encrypt_payload() returns: the body to POST. It must go out with `headers`, under its `payload_id`."""

    headers: dict[str, str]
    payload_id: str
    _sealed: Sealed


class _Done:
    """The result of a method that has ended. The SDK's page awaits methods that are not async."""

    def __await__(self) -> Generator[None, None, None]:
        yield from ()


class SecureCompletionClient:
    """Keys, encryption and HTTP below SecureChatCompletion. Methods that are not async block.

    An attribute that is changed counts for the calls that begin after the change. After a fork the child gets a fresh
    client. A copy has the same keys.
    """

    private_key = None
    """Always None: the private key does not leave the library's memory."""

    def __init__(
        self,
        router_url: str = "https://api.nomyo.ai",
        allow_http: bool = False,
        secure_memory: bool = True,
        max_retries: int = 2,
    ) -> None:
        self.router_url = router_url.rstrip("/")
        self.allow_http = allow_http
        self.key_size = 4096
        self.max_retries = max_retries
        self._use_secure_memory = secure_memory
        self._key_dir: str | None = None
        self._has_keys = False
        self._clients: dict[int, tuple[dict[str, Any], Client]] = {}
        self._sealed: WeakValueDictionary[str, Sealed] = WeakValueDictionary()
        if allow_http and not self.router_url.startswith("https://"):
            warnings.warn("http:// is insecure and for local development only", UserWarning, stacklevel=2)

    @property
    def public_key_pem(self) -> str | None:
        """The public half of the pair in use; None while there is none."""
        return self._native().public_key() if self._has_keys else None

    def generate_keys(
        self, save_to_file: bool = False, key_dir: str = "client_keys", password: str | None = None
    ) -> Awaitable[None]:
        """Makes a new pair. A pair in `key_dir` is not overwritten: ValueError. The result need not be awaited."""
        if save_to_file:
            _make_parents(key_dir)
        saved = (key_dir, password or b"") if save_to_file else ()
        self._native().generate_keys(*saved)
        self._has_keys = True
        return _Done()

    def load_keys(
        self, private_key_path: str, public_key_path: str | None = None, password: str | None = None
    ) -> Awaitable[None]:
        """Loads a pair. ValueError also for a private file that others may read, and for two files that are no pair.

        The result need not be awaited.
        """
        os.stat(private_key_path)  # FileNotFoundError
        self._native().load_keys(private_key_path, public_key_path, password or b"")
        self._has_keys = True
        return _Done()

    async def fetch_server_public_key(self) -> str:
        """The server's public key, as PEM."""
        native = await self._ready()
        return (await native.aserver_key()).pem

    async def encrypt_payload(self, payload: dict[str, Any]) -> EncryptedPayload:
        """The encrypted request. The library chooses its payload id."""
        data = _json(payload)
        native = await self._ready()
        key = await native.aserver_key()
        sealed = await native.aseal(key.pem, data)
        encrypted = EncryptedPayload(sealed.body)
        encrypted._sealed, encrypted.headers = sealed, sealed.headers
        encrypted.payload_id = encrypted.headers["X-Payload-ID"]
        self._sealed[encrypted.payload_id] = sealed
        self._has_keys = True
        return encrypted

    async def decrypt_response(self, encrypted_response: bytes, payload_id: str) -> dict[str, Any]:
        """The answer to what encrypt_payload() returned, which must be kept until then, under its payload id."""
        if not isinstance(encrypted_response, bytes) or not encrypted_response:
            raise ArgumentError("an encrypted response is bytes, and not empty")
        sealed = self._sealed.get(payload_id)
        if sealed is None:
            raise ArgumentError("payload_id is not of a payload that encrypt_payload() returned and that is still kept")
        native = await self._ready()
        answer = await off_loop(lambda: native.open(sealed, encrypted_response))
        with answer:
            return answer.json()

    async def send_secure_request(
        self,
        payload: dict[str, Any],
        payload_id: str,
        api_key: str | None = None,
        security_tier: str | None = None,
    ) -> dict[str, Any]:
        """Sends a request and waits for the answer. Cancelling the task cancels it.

        `payload_id` is not sent: the library chooses one, which is in the answer's `_metadata`.
        """
        data = _json(payload)
        native = await self._ready()
        one = Call(security_tier=security_tier, api_key=api_key or "")

        def work() -> dict[str, Any]:
            with native._answer(one, data) as answer:
                return answer.json()

        try:
            answer = await one.run_off_loop(work)
        except APIError as e:
            _say_as_the_sdk(e)
            raise
        self._has_keys = True
        return answer

    async def _ready(self) -> Client:
        """_native(), off the event loop if keys go from one client to another."""
        made_with, _ = self._clients.get(os.getpid(), (None, None))
        if made_with is None or made_with == self._options():
            return self._native()
        return await off_loop(self._native)

    def _native(self) -> Client:
        """This process's client, with the attributes as they are. Made without a lock, which a fork could leave held."""
        options = self._options()
        made_with, client = self._clients.get(os.getpid(), (None, None))
        if client is None:
            return self._clients.setdefault(os.getpid(), (options, self._made(options)))[1]
        if made_with == options:
            return client
        changed = self._made(options)
        if self._has_keys:
            with client.private_key_pem() as pem:
                changed.load_keys_pem(pem)
        self._clients[os.getpid()] = options, changed
        return changed

    def _options(self) -> dict[str, Any]:
        return {
            "base_url": self.router_url,
            "allow_http": bool(self.allow_http),
            "max_retries": self.max_retries,
            "key_dir": self._key_dir,
            "memory": "prefer" if self._use_secure_memory else "off",
        }

    def _made(self, options: dict[str, Any]) -> Client:
        """Reads the environment: the SDK's HTTP library reads the proxy variables and SSL_CERT_FILE, too."""
        if self._key_dir is not None:
            _make_parents(self._key_dir)
        return Client(api_key="", key_rotation=0, **options)

    def __deepcopy__(self, memo: dict[int, Any]) -> "SecureCompletionClient":
        """A copy with the same keys and connections, until an attribute of one of the two is changed."""
        import copy  # seldom needed

        memo[id(self)] = copied = type(self).__new__(type(self))
        for name, value in vars(self).items():
            shared = name in ("_clients", "_sealed")
            vars(copied)[name] = copy.copy(value) if shared else copy.deepcopy(value, memo)
        return copied


class SecureChatCompletion:
    """Encrypted chat, with the interface of OpenAI's ChatCompletion. Create one, and share it.

    Everything async runs off the event loop. After a fork the child gets keys and connections of its own.
    """

    def __init__(
        self,
        base_url: str = "https://api.nomyo.ai",
        allow_http: bool = False,
        api_key: str | None = None,
        secure_memory: bool = True,
        key_dir: str | None = None,
        max_retries: int = 2,
    ) -> None:
        """`api_key` may also be bytes, a bytearray or a SecureBuffer."""
        self.client = SecureCompletionClient(base_url, allow_http, secure_memory, max_retries)
        self.client._key_dir = key_dir
        self.api_key = api_key
        self._others: dict[str, SecureChatCompletion] = {}

    async def create(self, model: str, messages: Sequence[Mapping[str, Any]], **kwargs: Any) -> dict[str, Any]:
        """Sends a chat request, and returns the answer as a dict.

        `security_tier`, `api_key` and `base_url` act on this call; all others are parameters of the request.
        Raises ValueError, SecurityError, APIConnectionError, APIError and its subclasses.
        """
        refuse_in_create(kwargs, DROP_IN)
        base_url = kwargs.pop("base_url", None)
        security_tier = kwargs.pop("security_tier", None)
        api_key = kwargs.pop("api_key", None)
        client = self.client if base_url is None else self._other(base_url).client
        payload = {"model": model, "messages": messages, **kwargs}
        return await client.send_secure_request(
            payload, "", self.api_key if api_key is None else api_key, security_tier
        )

    async def acreate(self, model: str, messages: Sequence[Mapping[str, Any]], **kwargs: Any) -> dict[str, Any]:
        """The same as create()."""
        return await self.create(model, messages, **kwargs)

    def _other(self, base_url: str) -> "SecureChatCompletion":
        if base_url not in self._others:
            mine = self.client
            self._others[base_url] = type(self)(
                base_url, mine.allow_http, None, mine._use_secure_memory, mine._key_dir, mine.max_retries
            )
        return self._others[base_url]


def _make_parents(directory: object) -> None:
    """Makes the directories above a key directory, which the library does not, for this user alone.

    If this fails, the library's own error says that the parent is missing, or that `directory` is no path.
    """
    if not isinstance(directory, (str, os.PathLike)):
        return
    parent = os.path.dirname(os.path.abspath(os.fsdecode(directory)))
    if not os.path.isdir(parent):
        _make_parents(parent)
        with suppress(OSError, ValueError):
            os.mkdir(parent, 0o700)


def _json(payload: dict[str, Any]) -> Any:
    if not isinstance(payload, dict) or not payload:
        raise ArgumentError("a payload is a dict, and not empty")
    try:
        return request_json(payload, {})
    except TypeError as e:
        raise SecurityError(f"the payload cannot be encrypted: {e}") from e


def _say_as_the_sdk(e: APIError) -> None:
    """Puts the server's words, which the library's own text does not repeat, where the SDK has them."""
    status = e.status_code or 0
    before, without_detail, without_json = _TEXTS.get(
        status, (f"Unexpected status code: {status} ", "unknown", "unknown")
    )
    detail: object = without_json
    if e.error_details is not None:
        detail = e.error_details.get("detail", without_detail)
    elif status in _RETRYABLE:
        try:
            e.error_details = {"detail": "unknown"} if json.loads(e.details or b"") != {} else {}
        except ValueError:
            e.error_details = {}
    e.message = f"{before}{detail}"
    e.args = (e.message,)
