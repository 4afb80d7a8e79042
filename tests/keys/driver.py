"""Builds the C programs of this directory and runs them."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FIXTURES = ROOT / "tests" / "fixtures" / "protocol"
KEYS = FIXTURES / "keys"
# The numbers are the header's; the driver's exit status is one of them.
ARGUMENT, PIN, KEY, IO = "NOMYO_ERR_ARGUMENT", "NOMYO_ERR_PIN", "NOMYO_ERR_KEY", "NOMYO_ERR_IO"
TIMEOUT = "NOMYO_ERR_TIMEOUT"
Word = str | bytes | Path


@dataclass(frozen=True)
class Step:
    """What one step of keydriver said."""

    name: str
    status: str
    text: str

    @classmethod
    def read(cls, line: str) -> "Step":
        name, status, text = line.split(" ", 2)
        return cls(name, status, text.replace("|", "\n"))


@dataclass
class Driver:
    """keydriver, and how to start it. A portable one has a copy of the library and can be run by every user."""

    work: Path
    library: Path = Path(os.environ.get("NOMYO_LIBRARY", ROOT / "target" / "debug" / "libnomyo.so"))
    portable: bool = False
    # The command that starts programs which this machine does not run itself, such as an emulator.
    runner: list[str] = field(default_factory=lambda: shlex.split(os.environ.get("NOMYO_TEST_RUNNER", "")))
    program: Path = field(init=False)

    def __post_init__(self) -> None:
        library = self.library.resolve()
        # Programs ask the loader for the soname.
        if self.portable:
            shutil.copyfile(library, self.work / "libnomyo.so.0")
            library = self.work / "libnomyo.so.0"
        else:
            (self.work / "libnomyo.so.0").symlink_to(library)
        (self.work / "libnomyo.so").symlink_to(library)
        self.program = self.build(HERE / "keydriver.c")

    def build(self, source: Path) -> Path:
        """Compiles a program, as strictly as a user might."""
        program = self.work / source.stem
        strict = ["-std=c11", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
        include = [f"-I{ROOT / 'include'}", f"-I{ROOT / 'tests' / 'c'}"]
        link = [f"-L{self.work}", f"-Wl,-rpath,{self.work}", "-lnomyo", "-lpthread"]
        compiler = os.environ.get("CC", "cc")
        subprocess.run([compiler, *strict, *include, source, "-o", program, *link], check=True)
        return program

    def start(
        self, *words: Word, env: Mapping[str, str] | None = None, umask: int = -1, before: Sequence[Word] = ()
    ) -> subprocess.Popen[bytes]:
        """keydriver, running. Nothing of our environment is in its own; `before` is a command that starts it."""
        return subprocess.Popen(
            [*before, *self.runner, self.program, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(env or {}),
            umask=umask,
        )

    def run(
        self,
        *words: Word,
        env: Mapping[str, str] | None = None,
        umask: int = -1,
        before: Sequence[Word] = (),
        timeout: float = 120,
    ) -> list[Step]:
        """Its steps. It must end by itself, with the last failure as its status."""
        with self.start(*words, env=env, umask=umask, before=before) as process:
            try:
                output, _ = process.communicate(timeout=timeout)
            except BaseException:
                process.kill()
                raise
        steps = [Step.read(line) for line in output.decode().splitlines()]
        assert 0 <= process.returncode < 100, f"keydriver {words} ended with {process.returncode}"
        assert (process.returncode == 0) == all(step.status == "NOMYO_OK" for step in steps)
        return steps

    def ok(self, *words: Word, **options: object) -> str:
        """What the last step said, when all of them succeed."""
        steps = self.run(*words, **options)
        assert steps and all(step.status == "NOMYO_OK" for step in steps), steps
        return steps[-1].text

    def refused(self, status: str, *words: Word, **options: object) -> str:
        """The sentence of the one failed step, which must be the last and have this status."""
        steps = self.run(*words, **options)
        assert steps and all(step.status == "NOMYO_OK" for step in steps[:-1]), steps
        assert steps[-1].status == status, steps
        assert steps[-1].text and "\n" not in steps[-1].text
        return steps[-1].text
