"""Keys that are never lost, loosened or silently replaced: the library's key files, rotation and pins, from outside.

Needs Python with pytest, cryptography and nomyo==0.2.9, and for some the local endpoint.
NOMYO_LIBRARY names the library and NOMYO_TEST_ENDPOINT the endpoint, if they are not in target/debug.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import files
import interop
import pytest
from driver import Driver
from endpoint import Endpoint


@pytest.fixture(scope="session", autouse=True)
def no_proxy_from_outside() -> None:
    """Every server of these tests is on this machine."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Driver:
    return Driver(tmp_path_factory.mktemp("driver"))


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with Endpoint(tmp_path_factory.mktemp("endpoint") / "state") as running:
        yield running


@pytest.fixture
def served(endpoint: Endpoint) -> Iterator[Endpoint]:
    """The endpoint, whose key a test may replace."""
    yield endpoint
    endpoint.serve_key("server_private.pem")


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """A client's pair in a directory: generating one for each request would only take time."""
    return files.pair_in(tmp_path / "keys", "client_private.pem")


@pytest.fixture(scope="session")
def everyones_driver() -> Iterator[Driver]:
    """A driver that every user can run. The directories of pytest are closed to other users."""
    with tempfile.TemporaryDirectory(prefix="keys-driver-") as work:
        Path(work).chmod(0o755)
        yield Driver(Path(work), portable=True)


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that every user can reach and nobody else can change."""
    with tempfile.TemporaryDirectory(prefix="keys-place-") as place:
        Path(place).chmod(0o755)
        yield Path(place)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints which program reads which form."""
    for line in interop.lines():
        terminalreporter.write_line(line)
