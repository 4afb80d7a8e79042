"""A private key that was exported."""

import ctypes
from contextlib import suppress
from weakref import finalize

from ._errors import ArgumentError
from ._handle import Handle
from ._library import lib


class PrivateKeyPem:
    """A private key in PEM, in guarded memory of the library's: locked if the system allows it, and not in core dumps.

    `with` gives the text as a read-only memoryview. The end of the `with`, close(), and forgetting the object wipe the
    memory. It may outlive the client. bytes() and str() of the view are copies, which nobody can wipe.
    """

    def __init__(self, handle: Handle, size: int) -> None:
        self._handle, self._size = handle, size
        self._view: memoryview | None = None

    def __enter__(self) -> memoryview:
        """Raises ArgumentError once it is closed."""
        if self._view is None:
            with self._handle as pointer:
                memory = (ctypes.c_char * self._size).from_address(pointer.value)
                self._view = memoryview(memory).cast("B").toreadonly()
                # A use of the handle, for as long as the view or a slice of it lives.
                self._handle.__enter__()
                finalize(memory, self._handle.__exit__).atexit = False  # type: ignore[misc]
        return self._view

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Wipes the memory and releases the view. Closing twice does nothing.

        Slices of the view cannot be released: they read zeros from now on, and their memory is freed when they are gone.
        """
        with suppress(ArgumentError), self._handle as pointer:
            self._handle.close()
            lib.nomyo_wipe(pointer, self._size)
            view, self._view = self._view, None
            if view is not None:
                with suppress(BufferError):  # somebody holds a buffer of it
                    view.release()

    def __len__(self) -> int:
        return self._size
