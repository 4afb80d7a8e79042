"""The client's key pair: generated, loaded, saved, replaced, shown."""

import ctypes
from collections.abc import Callable
from typing import Any

from . import _library as c
from ._arguments import Buffer, Path, buffer, path
from ._calls import Call, Cancel, awaited
from ._errors import call
from ._handle import Handle
from ._library import lib
from ._private_key import PrivateKeyPem


class KeyMethods:
    """The methods of a Client for its key pair."""

    _handle: Handle

    def generate_keys(
        self,
        key_dir: Path | None = None,
        password: str | Buffer = b"",
        *,
        timeout: float | None = None,
        cancel: Cancel | None = None,
    ) -> None:
        """Generates a new pair and uses it from now on. With `key_dir`, saves it there.

        Takes 0.7 s on average, several at worst. After an error the pair in use stays.
        ClientKeyError  there is a pair in `key_dir`.
        FileError       the files cannot be written.
        ArgumentError   the password has less than 8 characters, or no directory.
        """
        one, directory = Call(timeout, cancel), _optional(key_dir, "key_dir")
        self._blocking(one, lib.nomyo_client_generate_keys, directory, *buffer(password, "password"))

    async def agenerate_keys(
        self,
        key_dir: Path | None = None,
        password: str | Buffer = b"",
        *,
        timeout: float | None = None,
        cancel: Cancel | None = None,
    ) -> None:
        """generate_keys(), off the event loop."""
        await awaited(self.generate_keys, key_dir, password, timeout=timeout, cancel=cancel)

    def load_keys(
        self,
        private_key: Path,
        public_key: Path | None = None,
        password: str | Buffer = b"",
        *,
        timeout: float | None = None,
        cancel: Cancel | None = None,
    ) -> None:
        """Loads a pair from PEM files and uses it from now on. Without `public_key` it is derived from the private key.

        Takes as long as the password derivation that the file asks for. After an error the pair in use stays.
        ClientKeyError  a file is missing or readable for others, the password is wrong, or the files are not one pair.
        FileError       a file cannot be read.
        """
        private, public = path(private_key, "private_key"), _optional(public_key, "public_key")
        self._blocking(Call(timeout, cancel), lib.nomyo_client_load_keys, private, public, *buffer(password, "password"))

    async def aload_keys(
        self,
        private_key: Path,
        public_key: Path | None = None,
        password: str | Buffer = b"",
        *,
        timeout: float | None = None,
        cancel: Cancel | None = None,
    ) -> None:
        """load_keys(), off the event loop."""
        await awaited(self.load_keys, private_key, public_key, password, timeout=timeout, cancel=cancel)

    def load_keys_pem(
        self,
        private_key: str | Buffer,
        public_key: str | Buffer = b"",
        password: str | Buffer = b"",
        *,
        timeout: float | None = None,
        cancel: Cancel | None = None,
    ) -> None:
        """Loads a pair from PEM texts and uses it from now on. Without `public_key` it is derived from the private key.

        A bytearray, a writable memoryview or a SecureBuffer is read in place and may be wiped afterwards: nothing is kept
        of it. After an error the pair in use stays.
        ClientKeyError  the password is wrong, or the texts are not one pair of RSA keys.
        ArgumentError   `private_key` is empty, or a text is longer than 64 KiB.
        """
        self._blocking(
            Call(timeout, cancel),
            lib.nomyo_client_load_keys_pem,
            *buffer(private_key, "private_key"),
            *buffer(public_key, "public_key"),
            *buffer(password, "password"),
        )

    async def aload_keys_pem(
        self,
        private_key: str | Buffer,
        public_key: str | Buffer = b"",
        password: str | Buffer = b"",
        *,
        timeout: float | None = None,
        cancel: Cancel | None = None,
    ) -> None:
        """load_keys_pem(), off the event loop."""
        await awaited(self.load_keys_pem, private_key, public_key, password, timeout=timeout, cancel=cancel)

    def private_key_pem(
        self, password: str | Buffer = b"", *, timeout: float | None = None, cancel: Cancel | None = None
    ) -> PrivateKeyPem:
        """The private half of the pair in use, as PKCS#8 PEM, encrypted if there is a password.

        `with client.private_key_pem() as text:` gives a memoryview whose memory is wiped at the end. If there is no pair yet,
        generates or loads one.
        ArgumentError  the password has less than 8 characters.
        """
        one, given = Call(timeout, cancel), buffer(password, "password")

        def work() -> PrivateKeyPem:
            nonlocal given
            memory, size = Handle(ctypes.c_void_p(), lib.nomyo_secret_free, "private key"), ctypes.c_size_t()
            try:
                with one.client(self._handle) as client, memory as out:
                    call(lib.nomyo_client_private_key_pem, client, *given, ctypes.byref(out), ctypes.byref(size))
            finally:
                given = b"", 0  # see call()
            return PrivateKeyPem(memory, size.value)

        return one.run(work)

    async def aprivate_key_pem(
        self, password: str | Buffer = b"", *, timeout: float | None = None, cancel: Cancel | None = None
    ) -> PrivateKeyPem:
        """private_key_pem(), off the event loop: `with await client.aprivate_key_pem() as text:`."""
        return await awaited(self.private_key_pem, password, timeout=timeout, cancel=cancel)

    def save_keys(
        self,
        key_dir: Path,
        password: str | Buffer = b"",
        *,
        timeout: float | None = None,
        cancel: Cancel | None = None,
    ) -> None:
        """Writes a copy of the pair in use to `key_dir`. Its errors are those of generate_keys()."""
        one, directory = Call(timeout, cancel), path(key_dir, "key_dir")
        self._blocking(one, lib.nomyo_client_save_keys, directory, *buffer(password, "password"))

    async def asave_keys(
        self,
        key_dir: Path,
        password: str | Buffer = b"",
        *,
        timeout: float | None = None,
        cancel: Cancel | None = None,
    ) -> None:
        """save_keys(), off the event loop."""
        await awaited(self.save_keys, key_dir, password, timeout=timeout, cancel=cancel)

    def rotate_keys(self, *, timeout: float | None = None, cancel: Cancel | None = None) -> None:
        """Replaces the pair by a new one, in its directory too. Running calls keep the pair that they started with."""
        self._blocking(Call(timeout, cancel), lib.nomyo_client_rotate_keys)

    async def arotate_keys(self, *, timeout: float | None = None, cancel: Cancel | None = None) -> None:
        """rotate_keys(), off the event loop."""
        await awaited(self.rotate_keys, timeout=timeout, cancel=cancel)

    def public_key(self, *, timeout: float | None = None, cancel: Cancel | None = None) -> str:
        """The public half of the pair in use, as SPKI PEM. If there is no pair yet, generates or loads one."""
        (pem,) = self._texts(Call(timeout, cancel), lib.nomyo_client_public_key)
        return pem

    async def apublic_key(self, *, timeout: float | None = None, cancel: Cancel | None = None) -> str:
        """public_key(), off the event loop."""
        return await awaited(self.public_key, timeout=timeout, cancel=cancel)

    def _blocking(self, one: Call, function: Callable[..., int], *arguments: Any) -> None:
        def work() -> None:
            nonlocal arguments
            try:
                with one.client(self._handle) as client:
                    call(function, client, *arguments)
            finally:
                arguments = ()  # see call()

        one.run(work)

    def _texts(self, one: Call, function: Callable[..., int], count: int = 1) -> list[str]:
        """The texts that a function returns. Read where the call ends, so that an abandoned call frees them, too."""

        def work() -> list[str]:
            outs = [ctypes.POINTER(c.Text)() for _ in range(count)]
            with one.client(self._handle) as client:
                call(function, client, *map(ctypes.byref, outs))
            return [_taken(out) for out in outs]

        return one.run(work)


def _optional(value: Path | None, name: str) -> bytes | None:
    return None if value is None else path(value, name)


def _taken(pointer: Any) -> str:
    """The text that a call returned, which is freed."""
    length = ctypes.c_size_t()
    try:
        return ctypes.string_at(lib.nomyo_text_data(pointer, ctypes.byref(length)), length.value).decode()
    finally:
        lib.nomyo_text_free(pointer)
