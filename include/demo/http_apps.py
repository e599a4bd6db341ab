"""The billing and support systems: two HTTP applications that serve a company's tables.

Billing pages by an opaque cursor and needs a bearer token. Every 15th authorized request gets 429 with Retry-After
and every 40th gets 500, so a client that retries succeeds. Support pages by links to the next page and needs HTTP basic
credentials.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from include.demo.arrow import json_column
from include.demo.company import Company
from include.demo.connections import SUPPORT_USER, billing_token, support_password
from include.demo.schema import System, tables_of

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

PAGE = 500
LARGEST_PAGE = 1000
WAIT_EVERY = 15
FAIL_EVERY = 40


class BadRequest(Exception):
    """The request is invalid. The message gives the reason."""


@dataclass(frozen=True)
class Listing:
    """One resource: its rows as JSON texts, oldest change first, and the time of each change."""

    rows: list[str]
    changed: list[datetime]

    def since(self, text: str | None) -> int:
        """The position of the first row that changed at or after an instant. The instant is given as text."""
        return 0 if text is None else bisect_left(self.changed, _instant(text))


def listings(company: Company, system: System, repeats: bool) -> dict[str, Listing]:
    """The resources of a system. With `repeats`, the rows in `company.sent_twice` occur twice in a row."""
    result = {}
    for table in tables_of(system):
        rows = company.tables[table.name].sort_by([("updated_at", "ascending"), *((name, "ascending") for name in table.key)])
        twice = set(company.sent_twice.get(table.name, [])) if repeats else set()
        names = rows.column_names
        texts, changed = [], []
        columns = [json_column(rows[name]) for name in names]
        for values, instant in zip(zip(*columns, strict=True), rows["updated_at"].to_pylist(), strict=True):
            record = dict(zip(names, values, strict=True))
            for _ in range(2 if record[table.id] in twice else 1):
                texts.append(json.dumps(record, ensure_ascii=False))
                changed.append(instant)
        result[table.name] = Listing(texts, changed)
    return result


def billing_app(company: Company, faults: bool = True) -> Starlette:
    """`GET /v1/<resource>?updated_since=&limit=&cursor=` → {"data": […], "next_cursor": "…" or null}."""
    resources = listings(company, "billing", faults)
    expected = f"Bearer {billing_token()}"
    served = 0

    def answer(request: Request) -> Response:
        nonlocal served
        if not _same(request.headers.get("authorization", ""), expected):
            return _error(401, "A bearer token is required.", {"WWW-Authenticate": "Bearer"})
        served += 1
        if faults and served % WAIT_EVERY == 0:
            return _error(429, "Too many requests: wait a second.", {"Retry-After": "1"})
        if faults and served % FAIL_EVERY == 0:
            return _error(500, "Something went wrong: try again.")
        listing = resources[request.path_params["resource"]]
        limit = _whole(request, "limit", PAGE, LARGEST_PAGE)
        cursor = request.query_params.get("cursor")
        start = listing.since(request.query_params.get("updated_since")) if cursor is None else _position(cursor)
        end = min(start + limit, len(listing.rows))
        following = json.dumps(_cursor(end)) if end < len(listing.rows) else "null"
        return _json(f'{{"data": [{", ".join(listing.rows[start:end])}], "next_cursor": {following}}}')

    return _app("/v1", resources, answer)


def support_app(company: Company, faults: bool = True) -> Starlette:
    """`GET /api/v2/<resource>?updated_since=&per_page=&page=` → {"results": […], "links": {"next": URL or null}}."""
    resources = listings(company, "support", faults)
    credentials = base64.b64encode(f"{SUPPORT_USER}:{support_password()}".encode()).decode()
    expected = f"Basic {credentials}"

    def answer(request: Request) -> Response:
        if not _same(request.headers.get("authorization", ""), expected):
            return _error(401, "User and password are required.", {"WWW-Authenticate": 'Basic realm="support"'})
        listing = resources[request.path_params["resource"]]
        size = _whole(request, "per_page", PAGE, LARGEST_PAGE)
        page = _whole(request, "page", 1, 10**9)
        start = listing.since(request.query_params.get("updated_since")) + (page - 1) * size
        more = start + size < len(listing.rows)
        following = json.dumps(str(request.url.include_query_params(page=page + 1))) if more else "null"
        return _json(f'{{"results": [{", ".join(listing.rows[start : start + size])}], "links": {{"next": {following}}}}}')

    return _app("/api/v2", resources, answer)


def _app(prefix: str, resources: dict[str, Listing], answer: Callable[[Request], Response]) -> Starlette:
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.routing import Route

    async def resource(request: Request) -> Response:
        if request.path_params["resource"] not in resources:
            return _error(404, f"Unknown resource. Available resources: {', '.join(resources)}.")
        try:
            return answer(request)
        except BadRequest as error:
            return _error(400, str(error))

    async def health(request: Request) -> Response:
        return _json('{"status": "ok"}')

    async def unknown(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return _error(status, f"Not found. The resources are under {prefix}/.")

    routes = [Route(f"{prefix}/{{resource}}", resource, methods=["GET"]), Route("/health", health)]
    return Starlette(routes=routes, exception_handlers={404: unknown, 405: unknown})


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def _json(text: str) -> Response:
    from starlette.responses import Response

    return Response(text, media_type="application/json")


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    from starlette.responses import JSONResponse

    return JSONResponse({"error": message}, status, headers)


def _whole(request: Request, name: str, default: int, largest: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:12]) <= largest:
        raise BadRequest(f"{name} must be an integer from 1 to {largest}, not {text!r}.")
    return int(text)


def _instant(text: str) -> datetime:
    # A + that is not escaped in a query is decoded as a space.
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    except ValueError:
        raise BadRequest(f"updated_since must be an ISO 8601 instant, not {text!r}.") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(f"row:{position}".encode()).decode()


def _position(cursor: str) -> int:
    try:
        kind, _, position = base64.urlsafe_b64decode(cursor.encode()).decode().partition(":")
        if kind == "row" and position.isdigit():
            return int(position)
    except (binascii.Error, UnicodeError, ValueError):
        pass
    raise BadRequest(f"{cursor!r} is not a cursor of this API.")
