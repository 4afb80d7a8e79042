"""What the Python binding adds to a small request: Client.create() beside the C calls that it makes, through ctypes alone.

    binding.py N

Both ask through one client and its one connection, by turns, so that what disturbs one disturbs the other. Prints one JSON
line: the median CPU time of one request in microseconds, of all threads, over N of each. NOMYO_TEST_BASE_URL and
NOMYO_TEST_CA_FILE name the endpoint, NOMYO_LIBRARY the library.
"""

import ctypes
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bindings" / "python"))

from nomyo_native import Client
from nomyo_native._library import Error, Response, lib

REQUEST = {
    "model": "Qwen/Qwen3-0.6B",
    "messages": [{"role": "user", "content": "What is the capital of France?"}],
    "temperature": 0.7,
}
BYTES = json.dumps(REQUEST, separators=(",", ":")).encode()


def bare(client: object) -> str:
    answer, error, length = ctypes.POINTER(Response)(), ctypes.POINTER(Error)(), ctypes.c_size_t()
    if lib.nomyo_create(client, BYTES, len(BYTES), None, ctypes.byref(answer), ctypes.byref(error)):
        sys.exit(f"binding: {lib.nomyo_error_message(error).decode()}")
    content = lib.nomyo_response_content(answer, 0, ctypes.byref(length))
    text = ctypes.string_at(content, length.value).decode()
    lib.nomyo_response_free(answer)
    return text


def main(count: int) -> None:
    used: dict[str, list[int]] = {"ctypes_us": [], "client_us": []}
    with Client(os.environ["NOMYO_TEST_BASE_URL"], ca_file=os.environ["NOMYO_TEST_CA_FILE"]) as client:
        with client._handle as pointer:
            ways: list[tuple[str, Callable[[], object]]] = [
                ("ctypes_us", lambda: bare(pointer)),
                ("client_us", lambda: client.create(**REQUEST).content()),
            ]
            if ways[0][1]() != ways[1][1]():
                sys.exit("binding: the two answers differ")
            for _ in range(count):
                for name, ask in ways:
                    begun = time.process_time_ns()
                    ask()
                    used[name].append(time.process_time_ns() - begun)
                ways.reverse()
    print(json.dumps({name: round(median(each) / 1000, 1) for name, each in used.items()}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
