"""Records every request other than GET if `WAREHOUSE_RECORD` names a file. `make check-google` replays the record.

Each line is one request as JSON: its method, path, query and body, and the status of the answer. An upload is recorded with its job, without
its data.
"""

import json
import os
from pathlib import Path
from typing import Any

from bqemulator import server

VARIABLE = "WAREHOUSE_RECORD"


class Recorder:
    """ASGI middleware that appends each request to a file."""

    def __init__(self, app: Any, path: Path) -> None:
        self._app = app
        self._path = path

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["method"] == "GET":
            await self._app(scope, receive, send)
            return
        parts: list[bytes] = []
        status = 0

        async def received() -> Any:
            message = await receive()
            parts.append(message.get("body", b""))
            return message

        async def sent(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, received, sent)
        finally:
            self._write(scope, b"".join(parts), status)

    def _write(self, scope: Any, body: bytes, status: int) -> None:
        line = {
            "method": scope["method"],
            "path": scope["path"],
            "query": scope["query_string"].decode(),
            # The body is a part of an upload: rows.
            "body": None if scope["method"] == "PUT" and scope["path"].startswith("/upload") else _resource(body),
            "status": status,
        }
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _resource(body: bytes) -> Any:
    """The JSON in a body: the whole body, or the first part of an upload; None if there is no JSON."""
    for text in (body, body.partition(b"\r\n\r\n")[2].partition(b"\r\n")[0]):
        try:
            return json.loads(text)
        except ValueError:
            continue
    return None


def record() -> None:
    """Record this process's requests if the environment asks for it."""
    path = os.environ.get(VARIABLE)
    if path:
        create_app = server.create_app
        server.create_app = lambda context: Recorder(create_app(context), Path(path))
