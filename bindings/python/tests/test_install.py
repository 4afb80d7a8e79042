"""Installed as a user would: into an empty virtual environment, outside the checkout, from the checkout and the sdist.

The library in it is the dev profile's, which shares what the other tests have built; how it is packed is the same.
"""

import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1]
ROOT = PACKAGE.parents[1]
HAS_CARGO = shutil.which("cargo") is not None
PROGRAM = """
import asyncio, pathlib, sys
import nomyo_native
from nomyo_native import SecureChatCompletion
where = pathlib.Path(nomyo_native.__file__)
assert where.is_relative_to(sys.prefix), where
assert where.with_name("py.typed").exists() and where.with_name("libnomyo.so.0").exists()
client = SecureChatCompletion(sys.argv[1])
answer = asyncio.run(client.create("echo", [{"role": "user", "content": "installed"}]))
print(answer["choices"][0]["message"]["content"], nomyo_native.version())
"""


def clean(**more: str) -> dict[str, str]:
    gone = ("PYTHONPATH", "NOMYO_LIBRARY", "VIRTUAL_ENV")
    return {**{name: value for name, value in os.environ.items() if name not in gone}, **more}


def environment(where: Path) -> Path:
    venv.create(where, with_pip=True, symlinks=True)
    return where / "bin" / "python"


def pip(python: Path, *arguments: object, cwd: Path) -> None:
    # Nothing is needed from an index, not even to build.
    settings = ["--config-settings", "profile=dev", "--no-index", "--disable-pip-version-check", "--quiet"]
    target = str(ROOT / "target")
    subprocess.run(
        [python, "-m", "pip", *arguments, *settings], check=True, cwd=cwd, env=clean(CARGO_TARGET_DIR=target)
    )


def chat(python: Path, where: Path, base_url: str, ca_file: str) -> str:
    run = subprocess.run(
        [python, "-X", "dev", "-W", "error", "-c", PROGRAM, base_url],
        env=clean(SSL_CERT_FILE=ca_file), cwd=where, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("wheel")
    pip(Path(sys.executable), "wheel", PACKAGE, "--wheel-dir", where, cwd=where)
    (found,) = where.glob("*.whl")
    return found


def test_pip_installs_the_checkout(base_url, ca_file, tmp_path, wheel):
    python = environment(tmp_path / "venv")
    pip(python, "install", PACKAGE, cwd=tmp_path)
    assert chat(python, tmp_path, base_url, ca_file) == "installed 0.1.0\n"
    subprocess.run([python, "-m", "pip", "check"], check=True, env=clean())
    subprocess.run([python, "-m", "pip", "uninstall", "--quiet", "--yes", "nomyo-native"], check=True, env=clean())
    assert not list((tmp_path / "venv").rglob("*nomyo*"))


def test_the_sdist_builds_outside_the_checkout(base_url, ca_file, tmp_path):
    command = [sys.executable, "-c", "import build_backend; print(build_backend.build_sdist(r'%s'))" % tmp_path]
    made = subprocess.run(command, check=True, cwd=PACKAGE, capture_output=True, text=True)
    python = environment(tmp_path / "venv")
    pip(python, "install", tmp_path / made.stdout.strip(), cwd=tmp_path)
    assert chat(python, tmp_path, base_url, ca_file) == "installed 0.1.0\n"


def test_the_wheel_is_for_every_python_3_of_one_platform(wheel):
    assert re.fullmatch(r"nomyo_native-0\.1\.0-py3-none-manylinux_2_\d+_\w+\.whl", wheel.name)
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
    package = {path.name for path in (PACKAGE / "nomyo_native").iterdir() if path.suffix in (".py", ".typed")}
    assert {name for name in names if name.startswith("nomyo_native/")} == {
        f"nomyo_native/{name}" for name in package | {"libnomyo.so.0"}
    }


def test_auditwheel_finds_the_wheel_s_platform_right(wheel):
    shown = subprocess.run(
        [sys.executable, "-m", "auditwheel", "show", wheel], capture_output=True, text=True, check=True
    ).stdout
    platform = wheel.name.removesuffix(".whl").split("-")[-1]
    words = re.sub(r"\s+", " ", shown)
    assert f'is consistent with the following platform tag: "{platform}"' in words, shown
    assert set(re.findall(r"\b(lib\w+\.so\.\d+) with", words)) <= {"libc.so.6", "libgcc_s.so.1", "libm.so.6"}
