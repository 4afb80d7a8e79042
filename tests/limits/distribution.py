"""Prints how late calls returned after their deadline or their cancel."""

import math
from collections.abc import Sequence

from calls import FUNCTIONS
from measure import CANCEL, DEADLINE, TARGET_MS, Sample


def quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all values do not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def described(late: list[float]) -> str:
    ordered = sorted(late)
    figures = [quantile(ordered, 0.5), quantile(ordered, 0.99), ordered[-1]]
    within = 100 * sum(ms <= TARGET_MS for ms in ordered) / len(ordered)
    return "".join(f"{ms:9.1f}" for ms in figures) + f"{within:9.1f}"


def print_cells(samples: list[Sample]) -> None:
    """Each blocker with each function: milliseconds late after the deadline / after the cancel, `-` if before."""
    print("\nmilliseconds after the deadline / after the cancel ('-': the call ended before):")
    cells: dict[str, dict[str, dict[str, str]]] = {}
    for sample in samples:
        text = f"{sample.late_ms:.0f}" if sample.late_ms >= 0 else "-"
        cells.setdefault(sample.row.blocker, {}).setdefault(sample.row.function, {})[sample.how] = text
    for blocker, by_function in cells.items():
        line = "  ".join(f"{name} {c.get(DEADLINE, '')}/{c.get(CANCEL, '')}" for name, c in by_function.items())
        print(f"  {blocker:27}{line}")


def print_distribution(samples: list[Sample]) -> None:
    """The distribution of each function and of all of them. Calls that ended before have no place in it."""
    counted = [sample for sample in samples if sample.late_ms >= 0]
    figures = ("median", "99 %", "longest", f"% <= {TARGET_MS:.0f}")
    print(f"\n{'function':20}{'n':>5}{''.join(f'{name:>9}' for name in figures)}  milliseconds late")
    for name in FUNCTIONS:
        late = [sample.late_ms for sample in counted if sample.row.function == name]
        if late:
            print(f"{name:20}{len(late):5}{described(late)}")
    if counted:
        print(f"{'all':20}{len(counted):5}{described([sample.late_ms for sample in counted])}")
        worst = max(counted, key=lambda sample: sample.late_ms)
        print(f"longest: {worst.row.function} x {worst.row.blocker}, {worst.how}")
        print(f"{len(samples) - len(counted)} calls ended before; target: {TARGET_MS:.0f} ms at the 99th percentile")
