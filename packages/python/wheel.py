"""Packs the wheel of one target, or the source archive:  wheel.py BUILT-DIRECTORY  or  wheel.py --source"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
OUT = ROOT / "dist" / "python"

if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    built = None if sys.argv[1] == "--source" else str(Path(sys.argv[1]).resolve())
    os.chdir(ROOT / "bindings/python")  # as PEP 517 has it
    sys.path.insert(0, ".")
    from build_backend import build_sdist, build_wheel

    print(build_wheel(OUT, {"built": built}) if built else build_sdist(OUT))
