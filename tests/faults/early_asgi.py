"""An ASGI application that refuses chat requests at once, without receiving a byte of them, served by hypercorn:

    early_asgi.py PORT PUBLIC-KEY-FILE [CERTIFICATE KEY]

A path such as /unread-413/v1/chat/secure_completion says with which status. /posts returns the number of chat requests.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

PUBLIC_KEY = Path(sys.argv[2]).read_bytes()
posts = 0


async def application(scope: dict[str, Any], _receive: Any, send: Any) -> None:
    global posts
    if scope["type"] != "http":
        return
    way = scope["path"].split("/")[1]
    status, body = 200, PUBLIC_KEY
    if way == "posts":
        body = str(posts).encode()
    elif scope["method"] == "POST":
        posts += 1
        status, body = int(way.rpartition("-")[2]), b'{"detail":"refused early"}'
    headers = [(b"content-length", str(len(body)).encode()), (b"retry-after", b"121")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


config = Config()
config.bind = [f"127.0.0.1:{sys.argv[1]}"]
if len(sys.argv) > 3:
    config.certfile, config.keyfile = sys.argv[3:5]
asyncio.run(serve(application, config))
