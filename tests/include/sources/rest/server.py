"""An HTTP server whose answers a test writes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.warehouse import free_port


@dataclass(frozen=True)
class Asked:
    """A request that the server has got."""

    method: str
    path: str
    query: dict[str, list[str]]
    body: Any
    headers: dict[str, str]
    at: float

    def one(self, name: str) -> str | None:
        """The only value of a query parameter."""
        return self.query[name][0] if name in self.query else None


@dataclass
class Server:
    """Answers each request with what `answer` gives: a response, or a value that is sent as JSON."""

    answer: Callable[[Asked], Any]
    requests: list[Asked] = field(default_factory=list)
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        app = Starlette(routes=[Route("/{path:path}", self._respond, methods=["GET", "POST", "DELETE"])])
        self._server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=self.port, log_level="critical"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)

    async def _respond(self, request: Request) -> Response:
        text = await request.body()
        is_json = request.headers.get("content-type", "").startswith("application/json")
        query = {name: request.query_params.getlist(name) for name in request.query_params}
        asked = Asked(
            request.method,
            request.url.path,
            query,
            json.loads(text) if is_json and text else text.decode(),
            dict(request.headers),
            time.monotonic(),
        )
        self.requests.append(asked)
        found = self.answer(asked)
        return found if isinstance(found, Response) else JSONResponse(found)
