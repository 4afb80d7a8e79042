"""Tables in Markdown, and the verdicts on the targets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median


def table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def spread(values: Sequence[float], show: Callable[[float], str]) -> str:
    return f"{show(min(values))} to {show(max(values))}"


def ms(microseconds: float) -> str:
    return f"{microseconds / 1000:.2f} ms"


def kib(size: float) -> str:
    return f"{size / 1024:.0f} KiB"


@dataclass
class Targets:
    """Compares medians with their targets, and remembers those that were missed."""

    missed: list[list[str]] = field(default_factory=list)
    judged: int = 0
    not_measured: list[str] = field(default_factory=list)

    def cells(self, name: str, values: Sequence[float], target: float, show: Callable[[float], str], waits_on: str,
              at_least: bool = False) -> list[str]:
        """Cells of a row: the median, the spread, the target and the verdict. `waits_on` says what must become faster."""
        middle = median(values)
        bound = f"at {'least' if at_least else 'most'} {show(target)}"
        within = middle >= target if at_least else middle <= target
        self.judged += 1
        if not within:
            self.missed.append([name, show(middle), bound, waits_on])
        return [show(middle), spread(values, show), bound, "within" if within else "missed"]

    def summary(self) -> str:
        verdict = f"All {self.judged} targets are met."
        if self.missed:
            head = f"{len(self.missed)} of {self.judged} targets are missed:"
            verdict = f"{head}\n\n{table(['missed target', 'measured', 'target', 'waits on'], self.missed)}"
        return "\n\n".join([verdict, *self.not_measured])


HEAD = ["median", "rounds", "target", ""]
