"""Shows that a header still has what an earlier one had: functions, constants, types, and members of structs in their places.

    compare.py EARLIER HEADER
"""

import re
import sys
from pathlib import Path


def parts(path: Path) -> tuple[set[str], dict[str, list[str]]]:
    """Constants and declarations, and the members of each struct."""
    text = re.sub(r"/\*.*?\*/", " ", path.read_text(), flags=re.DOTALL)
    constants = {" ".join(line.split()) for line in re.findall(r"^#define NOMYO_\w+ +[0-9].*$", text, flags=re.MULTILINE)}
    text = re.sub(r"^#.*$", "", text, flags=re.MULTILINE).replace('extern "C" {', "").replace("NOMYO_MUST_USE", "")
    structs = {
        name: [" ".join(member.split()) for member in body.split(";") if member.strip()]
        for body, name in re.findall(r"typedef struct \{(.*?)\} (\w+);", text, flags=re.DOTALL)
    }
    text = re.sub(r"typedef struct \{.*?\} \w+;", "", text, flags=re.DOTALL).replace("}", "")
    declared = {re.sub(r" ?([(),*]) ?", r"\1", " ".join(part.split())) for part in text.split(";") if part.strip()}
    # A version is expected to change.
    return {line for line in constants if "NOMYO_VERSION_" not in line} | declared, structs


def main() -> int:
    (earlier, earlier_structs), (header, structs) = parts(Path(sys.argv[1])), parts(Path(sys.argv[2]))
    lost = sorted(earlier - header)
    for name, members in earlier_structs.items():
        if structs.get(name, [])[: len(members)] != members:
            lost.append(f"struct {name}")
    for part in lost:
        print(f"failed: the header no longer has: {part}")
    print(f"frozen: {len(earlier) + len(earlier_structs) - len(lost)} passed, {len(lost)} failed")
    return 1 if lost or len(earlier) < 100 or len(earlier_structs) < 3 else 0


if __name__ == "__main__":
    sys.exit(main())
