"""Puts what the drivers printed side by side: a line for each scenario, a column for each language.

    table.py LANGUAGE=LOG...
"""

import json
import re
import sys
from pathlib import Path

RESULT = re.compile(r"scenario (\S+) (ok|FAILED)")


def main() -> int:
    logs = dict(argument.split("=", 1) for argument in sys.argv[1:])
    files = sorted(Path(__file__).parent.glob("*.json"))
    names = [scenario["name"] for file in files for scenario in json.loads(file.read_text())]
    seen = {language: dict(RESULT.findall(Path(log).read_text())) for language, log in logs.items()}
    width = max(map(len, names))
    print("scenario".ljust(width), *(language.ljust(8) for language in logs))
    for name in names:
        print(name.ljust(width), *(seen[language].get(name, "missed").ljust(8) for language in logs))
    good = sum(results.get(name) == "ok" for results in seen.values() for name in names)
    strange = [name for results in seen.values() for name in results if name not in names]
    for name in strange:
        print(f"{name} is in no file")
    failed = len(names) * len(logs) - good + len(strange)
    print(f"scenarios in all languages: {good} passed, {failed} failed")
    return 0 if failed == 0 and good > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
