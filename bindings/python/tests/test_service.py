"""A FastAPI service under uvicorn with three workers: each answers with a client of its own, and the service ends cleanly."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import nomyo_native

WORKERS = 3


class Service:
    def __init__(self, log: Path) -> None:
        self.log = log
        with socket.socket() as listening, log.open("w") as output:
            listening.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            self.process = subprocess.Popen(
                [sys.executable, "-m", "uvicorn", "service:app",
                 "--workers", str(WORKERS), "--fd", str(listening.fileno())],
                env={**os.environ, "PYTHONPATH": f"{Path(nomyo_native.__file__).parents[1]}:{Path(__file__).parent}"},
                pass_fds=[listening.fileno()], stdout=output, stderr=output,
            )  # fmt: skip
        try:
            self.wait_for("Application startup complete", WORKERS)
        except BaseException:
            self.process.terminate()
            raise

    def wait_for(self, line: str, times: int) -> None:
        until = time.monotonic() + 120
        while self.log.read_text().count(line) < times:
            assert self.process.poll() is None and time.monotonic() < until, self.log.read_text()
            time.sleep(0.1)

    def ask(self, **query: Any) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/ask?{urllib.parse.urlencode(query)}", timeout=60) as answer:
            return json.load(answer)


@pytest.fixture
def service(tmp_path: Path, base_url: str) -> Iterator[Service]:
    service = Service(tmp_path / "service.log")
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.process.terminate()
            service.process.wait(60)


def test_each_of_three_workers_answers_and_the_service_ends_cleanly(service):
    workers: set[int] = set()
    until = time.monotonic() + 120
    with ThreadPoolExecutor(12) as pool:
        while len(workers) < WORKERS and time.monotonic() < until:  # which worker takes a connection is chance
            questions = [f"question {n}" for n in range(12)]
            answers = list(pool.map(lambda question: service.ask(question=question, delay=200), questions))
            assert [answer["answer"] for answer in answers] == questions
            workers |= {answer["worker"] for answer in answers}
        assert len(workers) == WORKERS and service.process.pid not in workers
        assert service.ask(question="x", status=429)["busy"] == 429

        # A request that is under way when the service is told to end gets its answer.
        last = pool.submit(service.ask, question="last", delay=3000)
        time.sleep(1)
        service.process.send_signal(signal.SIGTERM)
        assert last.result()["answer"] == "last"
    assert service.process.wait(60) == 0
    log = service.log.read_text()
    assert log.count("Application shutdown complete") == WORKERS, log
    for bad in ("Traceback", "Exception", "ERROR", "was never awaited"):
        assert bad not in log, log
    for worker in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)


def test_the_service_on_the_page_has_a_client_while_it_runs(base_url, ca_file, monkeypatch, chat):
    monkeypatch.setenv("NOMYO_BASE_URL", base_url)
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    page = (Path(__file__).parents[1] / "README.md").read_text()
    (program,) = re.findall(r"```python\n(from contextlib.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    exec(program, names)

    async def serve() -> str:
        async with names["app"].router.lifespan_context(names["app"]):
            with await names["app"].state.client.create(chat("from a worker")) as answer:
                content = answer.content()
        with pytest.raises(nomyo_native.ArgumentError, match="closed"):
            await names["app"].state.client.create(chat())
        return content

    assert asyncio.run(serve()) == "from a worker"
