"""Prints the results of the targets side by side: a line for each target, a column for each kind of test.

    table.py RESULTS

Each line of RESULTS is one cell: TARGET, COLUMN and RESULT with tabs between. RESULT is `passed`, `failed`, or `not run: REASON`.
The reasons are printed below the table. Fails if a cell failed, or if a target has no result for a column.
"""

import sys
from pathlib import Path

COLUMNS = "builds", "builds pure", "C contract", "chat", "key directory", "memory report", "Python", "Go", "Node"
NOT_RUN = "not run: "
NO_RESULT = "no result"

Results = dict[str, dict[str, str]]


def read(text: str) -> Results:
    """The results by target and column. Of two results for a cell, a failure counts.

    >>> read("a\\tGo\\tpassed\\na\\tNode\\tnot run: no interpreter\\n")
    {'a': {'Go': 'passed', 'Node': 'not run: no interpreter'}}
    >>> read("a\\tGo\\tfailed\\na\\tGo\\tpassed\\n")
    {'a': {'Go': 'failed'}}
    >>> read("a\\tCobol\\tpassed\\n")
    Traceback (most recent call last):
    SystemExit: table: line 1: there is no column Cobol
    >>> read("a\\tGo\\tnot run: \\n")
    Traceback (most recent call last):
    SystemExit: table: line 1: "not run: " is neither passed, failed nor "not run: REASON"
    """
    results: Results = {}
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split("\t")
        if len(fields) != 3:
            raise SystemExit(f"table: line {number} has {len(fields)} fields, and not 3")
        target, column, result = fields
        if column not in COLUMNS:
            raise SystemExit(f"table: line {number}: there is no column {column}")
        if result not in ("passed", "failed") and not (result.startswith(NOT_RUN) and result[len(NOT_RUN) :].strip()):
            raise SystemExit(f'table: line {number}: "{result}" is neither passed, failed nor "not run: REASON"')
        row = results.setdefault(target, {})
        if row.get(column) != "failed":
            row[column] = result
    return results


def table(results: Results) -> str:
    """The table, with a number at each cell that was not run and its reason below.

    >>> print(table({"arm": {"builds": "passed", "Go": "not run: no Go", "Node": "not run: no Go"}}).split("\\n\\n")[1])
    (1) no Go
    """
    reasons: list[str] = []

    def shown(result: str) -> str:
        if not result.startswith(NOT_RUN):
            return result
        reason = result.removeprefix(NOT_RUN)
        if reason not in reasons:
            reasons.append(reason)
        return f"not run ({reasons.index(reason) + 1})"

    rows = [["target", *COLUMNS]]
    for target, row in sorted(results.items()):
        rows.append([target, *(shown(row.get(column, NO_RESULT)) for column in COLUMNS)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, "", *(f"({number}) {reason}" for number, reason in enumerate(reasons, 1))])


def counts(results: Results) -> tuple[int, int, int]:
    """How many cells passed, failed and were not run.

    >>> counts({"arm": {column: "passed" for column in COLUMNS[1:]}})
    (8, 1, 0)
    """
    cells = [row.get(column, NO_RESULT) for row in results.values() for column in COLUMNS]
    not_run = sum(cell.startswith(NOT_RUN) for cell in cells)
    passed = cells.count("passed")
    return passed, len(cells) - passed - not_run, not_run


def main() -> int:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    results = read(Path(sys.argv[1]).read_text())
    print(table(results))
    passed, failed, not_run = counts(results)
    print(f"{not_run} cells not run")
    print(f"cross: {passed} passed, {failed} failed")
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
