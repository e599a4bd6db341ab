"""Parts that the servers of all vendors share: the rows of one organization, faults on request, and limits per time window."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from hashlib import blake2b
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from include.demo.company import Company
from include.demo.generator import generate
from include.demo.schema import TABLES

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

Row = dict[str, Any]


@dataclass(frozen=True)
class Account:
    """One organization of the demo company, which is one account of a vendor.

    Attributes:
        organization: the row of `organizations`.
        tables: the rows of each table that belong to the organization, or to nobody; values as in the contract.
        now: the vendor's clock. It stands still, because the company is known before its as-of time only.
        before: the account on the day before; None on the first day.
    """

    organization: Row
    tables: dict[str, list[Row]]
    now: datetime
    before: Account | None = None

    @property
    def second(self) -> bool:
        """Whether this is the day after the first."""
        return self.before is not None

    @cached_property
    def gone(self) -> dict[str, list[Row]]:
        """The rows of the day before that the tables lack now, by table."""
        before = self.before.tables if self.before else {}
        return {name: _missing(name, rows, self.tables[name]) for name, rows in before.items()}

    @cached_property
    def spare(self) -> Row | None:
        """An account that nobody has billed or helped: the vendor's objects for it can be deleted without a trace in the figures.

        None if the company has no such account.
        """
        first = self.before or self
        tables = [state.tables[name] for state in (first, self) for name in ("subscriptions", "invoices", "tickets")]
        busy = {row["account_id"] for rows in tables for row in rows}
        free = [row for row in first.tables["accounts"] if row["account_id"] not in busy]
        return min(free, key=itemgetter("created_at", "account_id"), default=None)


def account(scale: float, seed: int, as_of: datetime, organization: str | None = None, second: bool = False) -> Account:
    """The account of one organization, as generated with these arguments.

    Args:
        organization: an organization_id; None is the first organization.
        second: the state of the next day, which knows what the first day had.

    Raises:
        ValueError: no such organization, or an argument is invalid.
    """
    today = account_of(generate(scale, seed, as_of), as_of, organization)
    if not second:
        return today
    now = as_of + timedelta(days=1)
    return replace(account_of(generate(scale, seed, now), now, organization), before=today)


def account_of(company: Company, now: datetime, organization: str | None = None) -> Account:
    """The account of one organization of a company.

    Raises:
        ValueError: the company has no such organization.
    """
    organizations = {row["organization_id"]: row for row in company.tables["organizations"].to_pylist()}
    key = organization or next(iter(organizations))
    if key not in organizations:
        raise ValueError(f"No organization has the id {key!r}. The ids are: {', '.join(organizations)}.")
    tables = {
        name: [row for row in table.to_pylist() if row.get("organization_id", key) == key]
        for name, table in company.tables.items()
    }
    return Account(organizations[key], tables, now)


def _missing(table: str, before: list[Row], after: list[Row]) -> list[Row]:
    """The rows of a table whose key no later row has."""
    key = itemgetter(*TABLES[table].key)
    kept = set(map(key, after))
    return [row for row in before if key(row) not in kept]


def number_of(key: str, bits: int = 46) -> int:
    """A positive integer id for a key of the demo company, always the same for the same key."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest()) >> (64 - bits) | 1 << (bits - 1)


def seconds(at: datetime) -> int:
    """Seconds since 1970 UTC."""
    return int(at.timestamp())


def iso(at: datetime | None) -> str | None:
    """An instant as 2026-10-01T00:00:00Z."""
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}"


#: Digits after the point of a currency's minor unit, where they are not two (ISO 4217; Stripe's list of zero-decimal currencies).
_DECIMALS = dict.fromkeys(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"], 0
) | dict.fromkeys(["BHD", "JOD", "KWD", "OMR", "TND"], 3)


def in_minor_units(amount: Decimal, currency: str) -> Decimal:
    """An amount in the minor unit of its currency: 12.34 USD is 1234, 12.5 JPY is 12.5, 1.234 KWD is 1234."""
    return amount.scaleb(_DECIMALS.get(currency.upper(), 2))


def minor_units(amount: Decimal, currency: str) -> int:
    """An amount in whole minor units of its currency, rounded half to even."""
    return round(in_minor_units(amount, currency))


class Limiter:
    """Counts requests in a sliding window."""

    def __init__(self, limit: int, window: float) -> None:
        self.limit = limit
        self.window = window
        self._times: deque[float] = deque()

    def wait(self) -> float:
        """Count a request. Returns 0, or the seconds to wait if the limit is reached: then the request does not count."""
        now = time.monotonic()
        while self._times and self._times[0] <= now - self.window:
            self._times.popleft()
        if len(self._times) >= self.limit:
            return self._times[0] + self.window - now
        self._times.append(now)
        return 0.0

    @property
    def remaining(self) -> int:
        """The requests that the window still allows."""
        return self.limit - len(self._times)


@dataclass
class PlannedAnswer:
    """An answer that a test asks for: after `after` requests whose path begins with `path`, the next `times` get it."""

    path: str
    status: int
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    after: int = 0
    times: int = 1


class Faults:
    """What tests ask a server to do: planned error answers, and settings that each vendor's server explains.

    `POST /_faults` with {"answers": [fields of PlannedAnswer], "settings": {…}} adds to them, and `DELETE /_faults` removes all.
    """

    def __init__(self, **settings: Any) -> None:
        self.settings: dict[str, Any] = settings
        self.answers: list[PlannedAnswer] = []
        self.requests: list[str] = []

    def setting(self, name: str, default: Any = None) -> Any:
        """The value of a setting."""
        return self.settings.get(name, default)

    def planned(self, path: str) -> PlannedAnswer | None:
        """The planned answer for a request, which is counted."""
        for answer in self.answers:
            if not path.startswith(answer.path) or answer.times == 0:
                continue
            if answer.after > 0:
                answer.after -= 1
                continue
            answer.times -= 1
            return answer
        return None

    def control(self, app: Starlette) -> None:
        """Add the control endpoint and the planned answers to an application."""
        from starlette.middleware import Middleware
        from starlette.responses import JSONResponse
        from starlette.routing import Route

        async def control(request: Request) -> Response:
            if request.method == "DELETE":
                self.settings.clear()
                self.answers.clear()
            elif request.method == "POST":
                asked = await request.json()
                self.settings.update(asked.get("settings", {}))
                self.answers += [PlannedAnswer(**answer) for answer in asked.get("answers", [])]
            return JSONResponse({"settings": self.settings, "requests": self.requests})

        app.router.routes.insert(0, Route("/_faults", control, methods=["GET", "POST", "DELETE"]))
        app.user_middleware.insert(0, Middleware(_with_faults, self.planned, self.requests))


def _with_faults(app: ASGIApp, planned: Callable[[str], PlannedAnswer | None], requests: list[str]) -> ASGIApp:
    from starlette.responses import Response

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or path == "/_faults":
            await app(scope, receive, send)
            return
        query = scope["query_string"].decode()
        requests.append(f"{scope['method']} {path}" + (f"?{query}" if query else ""))
        fault = planned(path)
        if fault is None:
            await app(scope, receive, send)
        else:
            await Response(fault.body, fault.status, fault.headers)(scope, receive, send)

    return answer
