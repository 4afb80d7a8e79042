"""The table of forms: which program reads what. `make test-keys` prints it at the end."""

from collections.abc import Callable
from dataclasses import dataclass

READERS = ("libnomyo", "openssl", "cryptography", "SDK")


@dataclass(frozen=True)
class Row:
    """What the readers did with one form of one kind of file; None for a reader that has no place for the kind."""

    kind: str
    form: str
    reads: dict[str, bool | None]

    def __str__(self) -> str:
        words = {True: "reads", False: "refuses", None: "-"}
        cells = "  ".join(f"{words[self.reads.get(reader)]:12}" for reader in READERS)
        return f"{self.kind:12}  {self.form:44}  {cells}".rstrip()


ROWS: list[Row] = []


def lines() -> list[str]:
    """The table, with its head."""
    head = "  ".join(f"{reader:12}" for reader in READERS)
    return [f"{'file':12}  {'form':44}  {head}".rstrip(), *map(str, ROWS)] if ROWS else []


def works(read: Callable[[], object]) -> bool:
    """Whether a reader of another project reads it."""
    try:
        read()
    except Exception:  # noqa: BLE001, whatever it raises for what it cannot read
        return False
    return True
