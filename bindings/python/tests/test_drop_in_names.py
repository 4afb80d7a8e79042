"""Every public name of the official SDK is in nomyo_native, with the same signature. A name that is new in the SDK fails."""

import copy
import inspect
from importlib import import_module
from types import ModuleType
from typing import Any

import nomyo
import pytest

import nomyo_native as ours

MODULES = ["", ".nomyo", ".SecureCompletionClient", ".SecureMemory"]
# Of the special methods these are called by programs.
SPECIAL = {"__init__", "__enter__", "__exit__", "__len__", "__bytes__", "__str__"}


def pair(module: str) -> tuple[ModuleType, ModuleType]:
    return import_module(f"nomyo{module}"), import_module(f"nomyo_native{module}")


def public(module: ModuleType) -> dict[str, Any]:
    """The names that the SDK's module defines or passes on, without what it imports from elsewhere."""
    names = {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and str(getattr(value, "__module__", "")).split(".")[0] == "nomyo"
    }
    assert names
    return names


def methods(kind: type) -> dict[str, Any]:
    return {
        name: value
        for name, value in inspect.getmembers(kind)
        if callable(value) and (name in SPECIAL or not (name.startswith("_") or hasattr(Exception, name)))
    }


def shape(function: Any) -> list[tuple[str, Any, Any]]:
    """The parameters, without the object itself, whose kind is of no interest to who calls a method."""
    parameters = list(inspect.signature(function).parameters.values())
    return [(p.name, p.kind, p.default) for p in parameters if p.name != "self"]


FUNCTIONS = [
    (module, path)
    for module in MODULES
    for name, value in sorted(public(import_module(f"nomyo{module}")).items())
    if module in ("", f".{value.__module__.split('.')[1]}")  # and not where it is only passed on
    for path in ([f"{name}.{method}" for method in methods(value)] if isinstance(value, type) else [name])
]


def found(module: ModuleType, path: str) -> Any:
    value: Any = module
    for name in path.split("."):
        value = getattr(value, name)
    return value


def test_the_sdk_has_as_many_functions_as_it_had():
    assert len(FUNCTIONS) > 80


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_the_sdk_s_names(module):
    theirs, mine = pair(module)
    named = set(public(theirs)) | set(getattr(theirs, "__all__", ()))
    assert {name for name in named if not hasattr(mine, name)} == set()
    assert named <= set(mine.__all__)
    for name in set(mine.__all__) & set(ours.__all__):
        assert getattr(mine, name) is getattr(ours, name), name


@pytest.mark.parametrize(("module", "path"), FUNCTIONS, ids=[f"nomyo{module}.{path}" for module, path in FUNCTIONS])
def test_a_function_has_the_sdk_s_signature(module, path):
    theirs, mine = (found(package, path) for package in pair(module))
    expected = shape(theirs)
    if path == "SecureBuffer.__init__":  # the handler may be left out
        expected = [(name, kind, None if name == "secure_memory" else default) for name, kind, default in expected]
    if not path.endswith("__str__"):
        assert shape(mine) == expected
    assert inspect.iscoroutinefunction(mine) == inspect.iscoroutinefunction(theirs)


def test_the_modules_are_attributes_of_the_package():
    for package in (nomyo, ours):
        assert isinstance(package.SecureMemory, ModuleType) and isinstance(package.nomyo, ModuleType)
        kind = package.SecureCompletionClient.SecureCompletionClient
        assert isinstance(kind, type) and kind("https://localhost").router_url == "https://localhost"
        assert package.SecureMemory.MemoryProtectionLevel("full") is package.SecureMemory.MemoryProtectionLevel.FULL
        for name in ("__version__", "__author__", "__license__"):
            assert isinstance(getattr(package, name), str)


def test_the_client_s_name_is_a_class_in_the_package_and_a_module_below_it():
    import nomyo_native.SecureCompletionClient
    from nomyo_native import SecureCompletionClient
    from nomyo_native.SecureCompletionClient import SecureCompletionClient as of_the_module

    assert isinstance(SecureCompletionClient, type) and SecureCompletionClient is of_the_module
    assert nomyo_native.SecureCompletionClient is of_the_module
    assert nomyo_native.SecureCompletionClient.SecurityError is nomyo_native.SecurityError


def test_a_memory_protection_level_is_the_sdk_s():
    theirs, mine = pair(".SecureMemory")
    levels = [{level.name: level.value for level in module.MemoryProtectionLevel} for module in (theirs, mine)]
    assert levels[0] == levels[1]
    assert mine.MemoryProtectionLevel(ours.get_memory_protection_info()["protection_level"])


@pytest.mark.parametrize("name", [name for name in nomyo.__all__ if name.endswith("Error")])
@pytest.mark.parametrize("arguments", [(), ("text",), ("text", 418), ("text", 418, {"detail": "d"})], ids=len)
def test_an_exception_takes_the_sdk_s_arguments(name, arguments):
    theirs, mine = getattr(nomyo, name), getattr(ours, name)
    try:
        expected = theirs(*arguments)
    except TypeError:
        with pytest.raises(TypeError):
            mine(*arguments)
        return
    for error in (mine(*arguments), copy.copy(mine(*arguments))):
        assert (str(error), error.args) == (str(expected), expected.args)
        for attribute in ("message", "status_code", "error_details"):
            if hasattr(expected, attribute):
                assert getattr(error, attribute) == getattr(expected, attribute)
    with pytest.raises(TypeError):
        theirs(*arguments, no_such_argument=1)
    with pytest.raises(TypeError):
        mine(*arguments, no_such_argument=1)
