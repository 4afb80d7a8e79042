"""Ctrl-C in Python on Windows: a call that waits for the server ends at once, and the client works on.

The console sends Ctrl-C to all its processes. So this program has a console of its own.
"""

import ctypes
import os
import signal
import threading
import time

import nomyo_native as nomyo

CTRL_C_EVENT = 0
USER = [{"role": "user", "content": "Hello"}]


def press_ctrl_c() -> None:
    time.sleep(1)
    if not ctypes.windll.kernel32.GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0):
        print("failed: no Ctrl-C:", ctypes.GetLastError(), flush=True)


def main() -> int:
    kernel = ctypes.windll.kernel32
    kernel.FreeConsole()
    assert kernel.AllocConsole(), "no console"
    # A parent may have switched Ctrl-C off for its children.
    assert kernel.SetConsoleCtrlHandler(None, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    url, ca = os.environ["NOMYO_TEST_BASE_URL"], os.environ["NOMYO_TEST_CA_FILE"]
    with nomyo.Client(url, api_key=os.environ["NOMYO_TEST_API_KEY"], ca_file=ca) as client:
        client.warm_up()
        threading.Thread(target=press_ctrl_c, daemon=True).start()
        begun, interrupted = time.monotonic(), False
        try:
            client.create({"model": "echo", "messages": USER, "nomyo_test": {"delay_before_headers_ms": 60_000}})
        except KeyboardInterrupt:
            interrupted = True
        took = time.monotonic() - begun
        answer = client.create({"model": "echo", "messages": USER}).content()
    passed = [interrupted, took < 30, answer == "Hello"]
    kernel.FreeConsole()  # so that the console's own process ends
    print(f"ctrl_c: after {took:.1f} s: {sum(passed)} passed, {len(passed) - sum(passed)} failed", flush=True)
    return 0 if all(passed) else 1


if __name__ == "__main__":
    raise SystemExit(main())
