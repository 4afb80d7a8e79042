# A Python programmer. pip chooses the wheel for this machine; no compiler is there.
# Root: SUITE-python
# Answer: Hello from Python
! command -v cc
python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "not run: $(python3 --version) is older than 3.10" && exit; }
python3 -m venv environment
environment/bin/pip install --quiet --no-index --find-links /packages/python nomyo-native
environment/bin/python - <<'PROGRAM'
from nomyo_native import Client

with Client() as client:
    with client.create(model="Qwen/Qwen3-0.6B", messages=[{"role": "user", "content": "Hello from Python"}]) as answer:
        print(answer.content())
PROGRAM
