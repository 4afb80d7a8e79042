"""A flow's moments: noted as they pass, judged when all secrets are known, printed as a table."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import rsa
from flow import Exchange, Flow
from scan import Hit, Secret, Snapshot, find

GROUPS = ["prompt", "answer", "API key", "request AES", "response AES", "private key"]


class Checks:
    """Promises, kept and broken."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0

    def that(self, holds: bool, promise: str, evidence: Iterable[object] = ()) -> None:
        if holds:
            self.passed += 1
            return
        self.failed += 1
        print(f"FAILED: {promise}")
        for line in list(evidence)[:12]:
            print(f"    {line}")


@dataclass
class Moment:
    name: str
    snapshot: Snapshot
    owned: list[tuple[int, int]]
    # Groups of which no copy may be anywhere, locked or not, and of which there must be one in the vault.
    gone: list[str]
    there: list[str]
    # Only these exchanges' secrets are looked for; None for all that the story knows.
    exchanges: list[Exchange] | None
    row: str


@dataclass
class Story:
    """`lockable` is whether the system locks all that the library asks for."""

    flow: Flow
    checks: Checks
    lockable: bool = True
    moments: list[Moment] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    private: list[Secret] = field(default_factory=list)
    groups: list[str] = field(default_factory=lambda: GROUPS)

    @property
    def place(self) -> str:
        """The memory in which copies may be."""
        return "locked undumpable" if self.lockable else "undumpable"

    def exchange(self) -> Exchange:
        self.exchanges.append(Exchange())
        return self.exchanges[-1]

    def note(
        self,
        name: str,
        gone: list[str],
        there: list[str] = [],  # noqa: B006
        snapshot: Snapshot | None = None,
        exchanges: list[Exchange] | None = None,
        row: str = "",
    ) -> Snapshot:
        snapshot = snapshot or self.flow.snapshot()
        owned = list(self.flow.owned.values())
        self.moments.append(Moment(name, snapshot, owned, gone, there, exchanges, row or name))
        return snapshot

    def learn_private_key(self, x_public_key: str) -> None:
        """Finds the key in the first moment's snapshot; what cannot be found there would never be found."""
        n = rsa.modulus_of_header(x_public_key)
        prime = rsa.find_prime(self.moments[0].snapshot, n)
        self.checks.that(prime is not None, "the scanner finds the client's prime in its memory")
        if prime is not None:
            self.private = rsa.private_numbers(n, prime)

    def secrets(self, exchanges: list[Exchange] | None = None) -> list[Secret]:
        chosen = self.exchanges if exchanges is None else exchanges
        of_exchanges = [secret for exchange in chosen for secret in exchange.secrets()]
        return [*of_exchanges, Secret("API key", "API key", [self.flow.bench.api_key.encode()]), *self.private]

    def judge(self, title: str) -> None:
        """Checks every moment and prints the table: copies in locked undumpable memory / anywhere else."""
        rows: dict[str, Counter[tuple[str, str]]] = {}
        counts: Counter[str] = Counter()
        for moment in self.moments:
            row = rows.setdefault(moment.row, Counter())
            counts[moment.row] += 1
            self.checks.that(moment.snapshot.unreadable == 0, f"{title}: {moment.name}: all memory could be read")
            found = find(moment.snapshot, self.secrets(moment.exchanges), moment.owned)
            for group in self.groups:
                hits = [hit for hit in found if hit.secret.group == group]
                outside = [hit for hit in hits if not self._protected(hit)]
                row[group, "in"] += len(hits) - len(outside)
                row[group, "out"] += len(outside)
                self.checks.that(not outside, f"{title}: {moment.name}: {group} only in {self.place} memory", outside)
                if group in moment.gone:
                    self.checks.that(not hits, f"{title}: {moment.name}: {group} is nowhere", hits)
                if group in moment.there:
                    promise = f"{title}: {moment.name}: the scanner finds the {group}, which is there"
                    self.checks.that(len(hits) > len(outside), promise)
        self._print(title, rows, counts)

    def _protected(self, hit: Hit) -> bool:
        return hit.protected if self.lockable else hit.mapping.undumpable

    def _print(self, title: str, rows: dict[str, Counter[tuple[str, str]]], counts: Counter[str]) -> None:
        print(f"\n{title}: copies in {self.place} memory / anywhere else")
        cells = [["moment", *self.groups]]
        for name, row in rows.items():
            times = f" (x{counts[name]})" if counts[name] > 1 else ""
            cells.append([name + times, *(f"{row[group, 'in']} / {row[group, 'out']}" for group in self.groups)])
        print_table(cells)


def print_table(cells: list[list[str]]) -> None:
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    for row in cells:
        first, *rest = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  " + "  ".join([first, *rest]).rstrip(), flush=True)
