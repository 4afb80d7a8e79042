"""A web service with one AsyncClient per worker; test_service.py runs it under uvicorn."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from nomyo_native import AsyncClient, RateLimitError


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    base_url, ca_file = os.environ["NOMYO_TEST_BASE_URL"], os.environ["NOMYO_TEST_CA_FILE"]
    async with AsyncClient(base_url, ca_file=ca_file, max_retries=0) as client:
        await client.warm_up()
        app.state.client = client
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/ask")
async def ask(question: str, status: int = 200, delay: int = 0) -> dict[str, Any]:
    test: dict[str, int] = {"delay_before_headers_ms": delay} if status == 200 else {"status": status}
    try:
        with await app.state.client.create(
            model="echo", messages=[{"role": "user", "content": question}], nomyo_test=test
        ) as answer:
            return {"answer": answer.content(), "worker": os.getpid()}
    except RateLimitError as e:
        return {"busy": e.status_code, "worker": os.getpid()}
