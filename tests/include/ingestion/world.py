"""Source systems for the tests, and the warehouse into which the tests load."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.warehouse import free_port

TOKEN = "s3cr3t-t0ken-of-the-tests"
PASSWORD = "pa55/word of the tests"


def columns(**types: str) -> dict[str, Any]:
    """Column declarations by name and type."""
    return {name: {"type": kind, "description": f"The {name}."} for name, kind in types.items()}


def day(number: int, hour: int = 0) -> datetime:
    """A time in October 2026, UTC."""
    return datetime(2026, 10, number, hour, tzinfo=UTC)


class Warehouse:
    """Queries the warehouse."""

    def __init__(self, bq: Any) -> None:
        self.client = bq

    def rows(self, sql: str) -> list[dict[str, Any]]:
        return [dict(row.items()) for row in self.client.query(sql).result()]

    def value(self, sql: str) -> Any:
        return next(iter(self.rows(sql)[0].values()))

    def latest(
        self, table: str, key: str = "id", order: str = "greatest(coalesce(_restored_at, updated_at), updated_at) desc, "
    ) -> dict[Any, dict[str, Any]]:
        """The live rows by key, as staging selects them."""
        sql = (
            f"select * from {table} qualify row_number() over (partition by {key} order by {order}"
            "_extracted_at desc, _is_deleted desc, _loaded_at desc) = 1 and not _is_deleted"
        )
        return {row[key]: row for row in self.rows(sql)}


@dataclass
class Database:
    """One schema of the PostgreSQL server, as a source system."""

    uri: str
    schema: str
    _connection: Any = field(init=False)

    def __post_init__(self) -> None:
        import psycopg2

        self._connection = psycopg2.connect(self.uri)
        self._connection.autocommit = True
        self.run(f"create schema {self.schema}")
        self.run(f"set search_path to {self.schema}")

    def run(self, sql: str, *values: Any) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values or None)

    def connection(self, **changes: Any) -> dict[str, Any]:
        parts = urlsplit(self.uri)
        query = dict(pair.split("=", 1) for pair in parts.query.split("&") if pair)
        values = {
            "conn_type": "postgres",
            "host": unquote(query.get("host", parts.hostname or "")),
            "port": parts.port or query.get("port"),
            "login": parts.username,
            "password": parts.password or "irrelevant-but-secret",
            "schema": parts.path.lstrip("/"),
        }
        return values | changes

    def close(self) -> None:
        self._connection.close()


class Proxy:
    """A TCP proxy for a database's socket. It cuts the first connection after some bytes of the response."""

    def __init__(self, path: str, cut_after: int) -> None:
        self._path = path
        self._cut_after = cut_after
        self.connections = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            upstream = socket.socket(socket.AF_UNIX)
            upstream.connect(self._path)
            limit = self._cut_after if self.connections == 1 else None
            threading.Thread(target=self._pump, args=(client, upstream, None), daemon=True).start()
            threading.Thread(target=self._pump, args=(upstream, client, limit), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, limit: int | None) -> None:
        passed = 0
        try:
            while data := source.recv(65536):
                passed += len(data)
                if limit is not None and passed > limit:
                    break
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        source.close()


@dataclass
class Api:
    """An HTTP API: `/v1/<resource>` with cursors and a bearer token, `/api/v2/<resource>` with links and basic authentication.

    `/numbered/<resource>` has page numbers from 1, and no authentication.

    Attributes:
        resources: the records of each resource.
        faults: number of the request, from 1 → fault: a status code, `truncated`, `dropped`, `not_json`, or the URL of a redirect.
        changed: makes the body of a response from the number of the request and the body.
        requests: query parameters of all requests so far.
    """

    resources: dict[str, list[Any]] = field(default_factory=dict)
    faults: dict[int, Any] = field(default_factory=dict)
    requests: list[dict[str, str]] = field(default_factory=list)
    changed: Callable[[int, dict[str, Any]], dict[str, Any]] = lambda number, body: body
    repeat_last_of_page: bool = False
    answers_at: str | None = None
    loop: bool = False
    port: int = field(default_factory=free_port)

    def start(self) -> None:
        paths = {"/v1": self._cursor, "/api/v2": self._linked, "/numbered": self._numbered}
        app = Starlette(routes=[Route(f"{path}/{{resource}}", answer) for path, answer in paths.items()])
        self._server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=self.port, log_level="critical"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)

    def connection(self, **changes: Any) -> dict[str, Any]:
        return {"conn_type": "http", "host": f"http://127.0.0.1:{self.port}", "login": "reader", "password": TOKEN} | changes

    async def _cursor(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"error": "unauthorized"}, 401)
        start = int(request.query_params.get("cursor", 0))
        page, end = self._page(request, "limit", start)
        following = str(end) if page is not None and end else None
        if self.loop:
            following = "2"
        return self._answer(request, {self.answers_at or "data": page, "next_cursor": following})

    async def _linked(self, request: Request) -> Response:
        expected = "Basic " + base64.b64encode(f"reader:{TOKEN}".encode()).decode()
        if request.headers.get("authorization") != expected:
            return JSONResponse({"error": "unauthorized"}, 401)
        number = int(request.query_params.get("page", 1))
        size = int(request.query_params["per_page"])
        page, end = self._page(request, "per_page", (number - 1) * size)
        following = str(request.url.include_query_params(page=number + 1)) if end else None
        return self._answer(request, {self.answers_at or "results": page, "links": {"next": following}})

    async def _numbered(self, request: Request) -> Response:
        size = int(request.query_params["per_page"])
        page, _ = self._page(request, "per_page", (int(request.query_params["page"]) - 1) * size)
        return self._answer(request, {"data": page, "total": len(self.resources[request.path_params["resource"]])})

    def _page(self, request: Request, size_param: str, start: int) -> tuple[list[Any], int | None]:
        self.requests.append(dict(request.query_params) | {"resource": request.path_params["resource"]})
        records = self.resources[request.path_params["resource"]]
        since = request.query_params.get("updated_since")
        if since is not None:
            moment = datetime.fromisoformat(since)
            records = [r for r in records if datetime.fromisoformat(r["updated_at"]) >= moment]
        size = int(request.query_params[size_param])
        page = records[start : start + size]
        if self.repeat_last_of_page and start:
            page = [records[start - 1], *page]
        return page, start + size if start + size < len(records) else None

    def _answer(self, request: Request, body: dict[str, Any]) -> Response:
        fault = self.faults.pop(len(self.requests), None)
        text = json.dumps(self.changed(len(self.requests), body)).encode()
        if isinstance(fault, str) and fault.startswith("http"):
            return RedirectResponse(fault)
        if fault == "truncated":
            return Response(text[: len(text) // 2], media_type="application/json")
        if fault == "dropped":
            return Response(text, headers={"content-length": str(len(text) + 1000)}, media_type="application/json")
        if fault == "not_json":
            return Response("<html>maintenance</html>", media_type="text/html")
        if fault is not None:
            return JSONResponse({"error": "try again"}, fault, headers={"Retry-After": "1"} if fault == 429 else None)
        return Response(text, media_type="application/json")


def dies(point: str, table: str, work: Callable[[], object]) -> bool:
    """Run `work` in a child process that is killed at one point of a load; true if it reached that point.

    The points: `read` (nothing is loaded), `some_loaded` (one table is missing), `all_loaded` (dlt has not committed),
    `committed` (the audit tables are not written).
    """
    child = os.fork()
    if child == 0:
        _die_at(point, table)
        work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def _die_at(point: str, table: str) -> None:
    """Make this process exit abruptly at one point of a load."""
    from dlt.destinations.impl.bigquery.bigquery import BigQueryClient

    from include.ingestion import audit

    def die(*_: Any, **__: Any) -> None:
        os._exit(9)

    if point == "read":
        audit.write_findings = die
    elif point == "committed":
        audit.write_loads = die
    elif point == "all_loaded":
        BigQueryClient.complete_load = die
    else:
        load = BigQueryClient._create_load_job

        def load_but_one(self: Any, schema: Any, path: str) -> Any:
            if schema["name"] == table:
                # Other tables are loaded at the same time; give them time to finish.
                time.sleep(0.5)
                die()
            return load(self, schema, path)

        BigQueryClient._create_load_job = load_but_one
