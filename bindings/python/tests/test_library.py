"""The declarations agree with nomyo.h, and a library that cannot be loaded says why."""

import ctypes
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import nomyo_native
from nomyo_native import _errors, _library

HEADER = (Path(__file__).parents[3] / "include" / "nomyo.h").read_text()
CODE = re.sub(r"/\*.*?\*/|NOMYO_MUST_USE", "", HEADER, flags=re.DOTALL)
FUNCTIONS = dict(re.findall(r"\b(nomyo_\w+)\(([^;{}]*)\);", re.sub(r"typedef[^;]*;", "", CODE)))


def test_every_function_of_the_header_is_declared():
    assert len(FUNCTIONS) > 40
    assert sorted(_library.FUNCTIONS) == sorted(FUNCTIONS)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_function_is_declared_as_in_the_header(name):
    parameters = [] if FUNCTIONS[name].strip() == "void" else FUNCTIONS[name].split(",")
    function = getattr(_library.lib, name)
    assert len(function.argtypes) == len(parameters)
    for declared, parameter in zip(function.argtypes, parameters, strict=True):
        assert _matches(declared, parameter), f"{parameter} is declared {declared}"
    result = re.search(rf"([\w *]+?)\b{name}\(", CODE)
    assert result and _matches(function.restype, result[1]), f"{name} returns {result and result[1]}"


def _matches(declared: object, text: str) -> bool:
    """Whether a ctypes type is what a C declaration says."""
    text = text.replace("const", "").strip()
    stars, base = text.count("*"), text.split("*")[0].split()[0]
    if declared is None:
        return (base, stars) == ("void", 0)
    if stars == 0:
        named = {"nomyo_log_fn": _library.LogFunction, "size_t": ctypes.c_size_t}
        return declared is (named.get(base) or getattr(ctypes, f"c_{base.removesuffix('_t')}"))
    if base == "void":
        return declared is ctypes.c_void_p
    if base in ("char", "uint8_t"):
        if stars == 2:
            return declared is ctypes.POINTER(ctypes.c_void_p)
        return declared in (ctypes.c_char_p, ctypes.POINTER(ctypes.c_char))
    if base == "size_t":
        return declared is ctypes.POINTER(ctypes.c_size_t)
    for _ in range(stars):
        declared = declared._type_  # type: ignore[attr-defined]
    return declared.__doc__ == base  # type: ignore[union-attr]


def test_every_status_has_a_class():
    statuses = {int(number) for number in re.findall(r"#define NOMYO_ERR_\w+ (\d+)", HEADER)}
    assert set(_errors.CLASSES) == statuses
    for kind in _errors.CLASSES.values():
        assert kind.__name__ in nomyo_native.__all__


@pytest.mark.parametrize(
    ("name", "declared"),
    [
        ("memory_info", _library.MemoryInfo),
        ("attestation", _library.AttestationStruct),
        ("usage", _library.UsageStruct),
    ],
)
def test_a_struct_has_the_header_s_members(name, declared):
    struct = re.search(rf"typedef struct \{{([^}}]*)\}} nomyo_{name};", CODE)
    assert struct
    members = re.findall(r"(u?int\d+)_t ([\w, ]+);", struct[1])
    listed = [(name, getattr(ctypes, f"c_{kind}")) for kind, names in members for name in names.split(", ")]
    assert listed == declared._fields_


def test_the_memory_report_is_filled():
    info = _library.MemoryInfo()
    assert _library.lib.nomyo_memory_info_get(ctypes.byref(info), ctypes.sizeof(info)) == 0
    assert info.page_size == os.sysconf("SC_PAGESIZE")


def test_the_levels_are_the_header_s():
    levels = dict(re.findall(r"#define NOMYO_ATTESTATION_(\w+) (\d+)", HEADER))
    assert {level.name: str(level.value) for level in nomyo_native.AttestationLevel}.items() <= levels.items()


def test_the_library_is_the_header_s():
    version = [re.search(rf"NOMYO_VERSION_{part} (\d+)", HEADER) for part in ("MAJOR", "MINOR", "PATCH")]
    assert nomyo_native.version() == ".".join(match[1] for match in version if match)
    assert nomyo_native.version() == nomyo_native.__version__


def test_without_the_library_importing_says_what_to_do(tmp_path):
    for path, reason in ((tmp_path / "none.so", "NOMYO_LIBRARY"), ("libc.so.6", "nomyo_version")):
        run = subprocess.run(
            [sys.executable, "-c", "import nomyo_native"],
            env={"PYTHONPATH": str(Path(nomyo_native.__file__).parents[1]), "NOMYO_LIBRARY": str(path)},
            capture_output=True,
            text=True,
        )
        assert run.returncode == 1
        assert "ImportError" in run.stderr and reason in run.stderr, run.stderr
