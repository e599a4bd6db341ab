"""The server of Zendesk's API: credentials, limits per minute, lists, exports and single objects.

Settings of `Faults`: `exports_per_minute` and `per_minute` (limits), `minute` (its seconds), `touched` (ids of tickets that Zendesk touches now),
`ratings` (as the server starts: the account has ratings, not surveys).
"""

from __future__ import annotations

import base64
import hmac
import math
import os
from typing import TYPE_CHECKING, Any

from include.demo.vendors.common import Account, Faults, Limiter, seconds
from include.demo.vendors.zendesk.book import Book, book_of, second, shown
from include.demo.vendors.zendesk.objects import Object, holidays
from include.demo.vendors.zendesk.pages import HIDDEN, ZendeskError, export_by_cursor, export_by_time, listed, whole

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

EMAIL = "platform@example.com"
EXPORTS_PER_MINUTE, PER_MINUTE, MINUTE = 10, 700, 60
_BY_CURSOR = ("tickets", "users")
_WHOLE = {"slas/policies": "sla_policies", "business_hours/schedules": "schedules"}


def api_token() -> str:
    """The API token: `DEMO_ZENDESK_TOKEN`, or a fixed demo token."""
    return os.environ.get("DEMO_ZENDESK_TOKEN", "demo-zendesk-token")


def app(account: Account, faults: Faults) -> Starlette:
    """Zendesk's API for one account."""
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse, PlainTextResponse
    from starlette.routing import Route

    server = _Server(account, faults)

    async def answer(request: Request) -> Response:
        if not _is_known(request.headers.get("authorization", "")):
            return JSONResponse({"error": "Couldn't authenticate you"}, 401)
        path = request.path_params["path"].removesuffix(".json")
        wait = server.wait(path)
        if wait > 0:
            text = "Number of allowed API requests per minute exceeded"
            return PlainTextResponse(text, 429, server.headers(path) | {"Retry-After": str(math.ceil(wait))})
        try:
            return JSONResponse(server.answer(path, request), headers=server.headers(path))
        except ZendeskError as error:
            return JSONResponse(error.body, error.status)

    async def health(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    return Starlette(routes=[Route("/health", health), Route("/api/v2/{path:path}", answer)])


class _Server:
    def __init__(self, account: Account, faults: Faults) -> None:
        self.faults = faults
        self.now = seconds(account.now)
        self.book: Book = book_of(account, bool(faults.setting("ratings", False)))
        self.exports, self.others = Limiter(0, 0), Limiter(0, 0)

    def wait(self, path: str) -> float:
        """Count a request. Returns the seconds to wait if a limit is reached."""
        is_export = path.startswith("incremental/")
        limiter = self.exports if is_export else self.others
        names = ("exports_per_minute", EXPORTS_PER_MINUTE) if is_export else ("per_minute", PER_MINUTE)
        limiter.limit, limiter.window = self.faults.setting(*names), self.faults.setting("minute", MINUTE)
        return limiter.wait()

    def headers(self, path: str) -> dict[str, str]:
        """The headers about the limits."""
        limiter = self.exports if path.startswith("incremental/") else self.others
        limit, remaining = str(limiter.limit), str(limiter.remaining)
        result = {"X-Rate-Limit": limit, "X-Rate-Limit-Remaining": remaining}
        result |= {"ratelimit-limit": limit, "ratelimit-remaining": remaining, "ratelimit-reset": str(math.ceil(limiter.window))}
        if path == "tickets":
            result["zendesk-ratelimit-tickets-index"] = (
                f"total={PER_MINUTE}; remaining={remaining}; resets={math.ceil(limiter.window)}"
            )
        return result

    def answer(self, path: str, request: Request) -> Object:
        params = dict(request.query_params)
        parts = path.split("/")
        if parts[0] == "incremental":
            return self._export(parts[1:], params, request)
        if path == "users/me":
            return {"user": {**self.book.lists["users"][0], "email": EMAIL, "role": "admin"}}
        if path in _WHOLE:
            rows = self.book.lists[path]
            return {_WHOLE[path]: rows, "count": len(rows), "next_page": None, "previous_page": None}
        if path in self.book.lists:
            return listed(parts[-1], self._filtered(path, params), params, request.url)
        return self._single(parts, params, request)

    def _filtered(self, path: str, params: dict[str, str]) -> list[Object]:
        rows = self.book.lists[path]
        if path != "satisfaction_ratings":
            return rows
        if score := params.get("score"):
            rows = [row for row in rows if row["score"] == score.removesuffix("_with_comment")]
        for name, sign in (("start_time", 1), ("end_time", -1)):
            if name in params:
                bound = whole(params, name, 0, 10**12)
                rows = [row for row in rows if sign * second(row["created_at"]) >= sign * bound]
        return rows

    def _single(self, parts: list[str], params: dict[str, str], request: Request) -> Object:
        """One object, or the objects that belong to it: audits and metrics of a ticket, holidays of a schedule."""
        name, part = parts[0], None
        if name in ("business_hours", "guide", "slas") and len(parts) > 2:
            name, parts = f"{name}/{parts[1]}", parts[1:]
        id_: Any = parts[1] if len(parts) > 1 else ""
        if len(parts) == 3:
            part = parts[2]
        found = self.book.by_id.get((name, int(id_) if id_.isdigit() else id_))
        if found is None or len(parts) > 3:
            raise ZendeskError(404, "RecordNotFound", "Not found")
        if part is None:
            return {parts[0].removesuffix("s"): found}
        if (name, part) == ("tickets", "audits"):
            return listed("audits", [shown(audit) for audit in self.book.audits[found["id"]]], params, request.url)
        if (name, part) == ("tickets", "metrics"):
            return {"ticket_metric": self.book.metrics[found["id"]]}
        if (name, part) == ("business_hours/schedules", "holidays"):
            return {"holidays": holidays(self.book.account)}
        raise ZendeskError(404, "InvalidEndpoint", "Not found")

    def _export(self, parts: list[str], params: dict[str, str], request: Request) -> Object:
        name = parts[0].removesuffix(".json")
        by_cursor = parts[1:] == ["cursor"] and name in _BY_CURSOR
        if name not in self.book.exports or (len(parts) > 1 and not by_cursor):
            raise ZendeskError(404, "InvalidEndpoint", "Not found")
        rows = self.book.exports[name]
        if name == "tickets":
            rows = self._touched(rows)
            if params.get("exclude_deleted") == "true":
                rows = [row for row in rows if row[1]["status"] != "deleted"]
        if name == "ticket_metric_events" and "page[size]" in params:
            visible = [row for at, row in rows if int(params.get("start_time", "0")) <= at <= self.now - HIDDEN]
            return listed(name, visible, params, request.url)
        page = (export_by_cursor if by_cursor else export_by_time)(name, rows, params, request.url, self.now)
        if name == "ticket_events" and "comment_events" not in params.get("include", ""):
            page[name] = [{**row, "child_events": _without_comments(row)} for row in page[name]]
        return page | self._sideloads(page.get("tickets", []), params.get("include", "").split(","))

    def _sideloads(self, tickets: list[Object], included: list[str]) -> Object:
        result = {}
        if "metric_sets" in included:
            result["metric_sets"] = [self.book.metrics[row["id"]] for row in tickets]
        if "users" in included:
            ids = {row[name] for row in tickets for name in ("requester_id", "assignee_id")}
            result["users"] = [row for _, row in self.book.exports["users"] if row["id"] in ids]
        return result

    def _touched(self, rows: list[tuple[int, Object]]) -> list[tuple[int, Object]]:
        """The tickets of the export, of which a test has some touched a moment ago."""
        ids, at = set(self.faults.setting("touched", [])), self.now - HIDDEN - 1
        again = [(at, {**row, "generated_timestamp": at}) for _, row in rows if row["id"] in ids]
        return sorted([row for row in rows if row[1]["id"] not in ids] + again, key=lambda row: (row[0], row[1]["id"]))


def _without_comments(event: Object) -> list[Object]:
    return [child for child in event["child_events"] if child["event_type"] != "Comment"]


def _is_known(authorization: str) -> bool:
    """Whether the credentials are an OAuth token, or the e-mail address with the suffix /token and the API token."""
    basic = base64.b64encode(f"{EMAIL}/token:{api_token()}".encode()).decode()
    known = (f"Basic {basic}", f"Bearer {api_token()}")
    return any(hmac.compare_digest(authorization.encode(), each.encode()) for each in known)
