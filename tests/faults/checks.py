"""Promises, counted."""

import threading


class Checks:
    """Counts what holds; says at once what does not. May be shared by threads."""

    def __init__(self, name: str) -> None:
        self.name, self.passed, self.failed, self.skipped = name, 0, 0, 0
        self._lock = threading.Lock()

    def that(self, holds: bool, what: str) -> bool:
        with self._lock:
            if holds:
                self.passed += 1
            else:
                self.failed += 1
                print(f"FAILED  {self.name}: {what}", flush=True)
        return holds

    def skip(self, why: str) -> None:
        with self._lock:
            self.skipped += 1
            print(f"skipped {self.name}: {why}", flush=True)

    def summary(self) -> None:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        print(f"{self.name}: {self.passed} passed, {self.failed} failed{skipped}", flush=True)
