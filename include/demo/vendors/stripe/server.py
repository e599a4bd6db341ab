"""The server of Stripe's API: keys, versions, limits, lists and single objects.

Settings of `Faults`: `account_version` (of requests without a version, and of events), `per_second` and `per_endpoint` (limits),
`forbidden` (lists that the restricted key may not read).
"""

from __future__ import annotations

import base64
import binascii
import os
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Any

from include.demo.vendors.common import Account, Faults, Limiter
from include.demo.vendors.stripe.errors import StripeError, missing, too_many
from include.demo.vendors.stripe.lists import FILTERS, Query, expanded, first_lines, kind_of, page
from include.demo.vendors.stripe.objects import Object
from include.demo.vendors.stripe.sandbox import sandbox
from include.demo.vendors.stripe.store import LISTS, Store, live_store
from include.demo.vendors.stripe.versions import in_version, is_version

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

ACCOUNT_VERSION = "2024-06-20"
"""The version with which the account began. It counts for requests without a version, and for all events."""
LIVE_PER_SECOND, TEST_PER_SECOND, ENDPOINT_PER_SECOND = 100, 25, 25
LINES = 10
"""So many lines does an invoice in an answer have. The others are under /v1/invoices/{id}/lines."""


def live_key() -> str:
    """The restricted key for the company: `DEMO_STRIPE_KEY`, or a fixed demo key."""
    return os.environ.get("DEMO_STRIPE_KEY", "rk_live_demo")


def sandbox_key() -> str:
    """The restricted key for the sandbox: `DEMO_STRIPE_TEST_KEY`, or a fixed demo key."""
    return os.environ.get("DEMO_STRIPE_TEST_KEY", "rk_test_demo")


def app(account: Account, faults: Faults) -> Starlette:
    """Stripe's API for one account."""
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    server = _Server(account, faults)

    async def answer(request: Request) -> Response:
        try:
            return JSONResponse(server.answer(request), headers={"Stripe-Version": server.version(request)})
        except StripeError as error:
            return error.response()

    async def unknown(request: Request, error: Exception) -> Response:
        message = f"Unrecognized request URL ({request.method}: {request.url.path})."
        return StripeError(404, message).response()

    async def health(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    routes = [Route(f"/v1/{path}", answer) for path in ("account", "{list}", "{list}/{id}", "{list}/{id}/lines")]
    return Starlette(routes=[Route("/health", health), *routes], exception_handlers={404: unknown, 405: unknown})


class _Server:
    def __init__(self, account: Account, faults: Faults) -> None:
        self.faults = faults
        live = live_store(account)
        self.stores = {live_key(): live, sandbox_key(): sandbox(live.account, account.now)}
        for store in self.stores.values():
            version = self.version(None)
            older = partial(in_version, version=version, find=store.by_id.get)
            for change in store.changes:
                store.add("events", change.event(version, older))
            store.sort()
        self.limits: dict[tuple[str, str], Limiter] = defaultdict(lambda: Limiter(0, 1.0))

    def version(self, request: Request | None) -> str:
        given = request.headers.get("stripe-version") if request else None
        return given or str(self.faults.setting("account_version", ACCOUNT_VERSION))

    def answer(self, request: Request) -> Object:
        store = self._store(request)
        version = self.version(request)
        if not is_version(version):
            raise StripeError(400, f"Invalid Stripe API version: {version}")
        name, id_ = request.path_params.get("list", "account"), request.path_params.get("id")
        if name not in LISTS and name != "account":
            raise StripeError(404, f"Unrecognized request URL ({request.method}: {request.url.path}).")
        if name in self.faults.setting("forbidden", []):
            message = f"The provided key does not have the required permissions for this endpoint: {name}."
            raise StripeError(403, message, code="more_permissions_required")
        query = list(request.query_params.multi_items())
        found = self._found(store, name, id_, request.url.path, query)

        def shaped(value: Any) -> Any:
            # The object of an event keeps the shape of the account's version.
            return (
                value
                if isinstance(value, dict) and value.get("object") == "event"
                else in_version(value, version, store.by_id.get)
            )

        def fetch(id_: str) -> Any:
            return shaped(store.by_id.get(id_))

        if found.get("object") == "list":
            found = {**found, "data": [shaped(row) for row in first_lines(found["data"], LINES)]}
        else:
            found = shaped(first_lines([found], LINES)[0])
        return expanded(found, query, fetch, lambda row, key: shaped(store.extras.get((row.get("id", ""), key))))

    def _found(self, store: Store, name: str, id_: str | None, path: str, query: Query) -> Object:
        if name == "account":
            return store.account
        if id_ is None:
            return page(store, name, store.lists[name], query, f"/v1/{name}", FILTERS[name])
        rows = {row["id"]: row for row in store.lists[name]}
        stub = store.by_id.get(id_, {})
        is_stub = stub.get("deleted") is True and stub["object"] == name.removesuffix("s")
        if id_ not in rows and not is_stub:
            raise missing(kind_of(name), id_, "id")
        if not path.endswith("/lines"):
            return rows.get(id_, stub)
        if "lines" not in rows.get(id_, {}):
            raise StripeError(404, f"Unrecognized request URL (GET: {path}).")
        return page(store, "line_items", rows[id_]["lines"]["data"], query, path, "")

    def _store(self, request: Request) -> Store:
        """The store of the request's key, if the key is valid and the limits allow the request."""
        key = _key_of(request.headers.get("authorization", ""))
        if not key:
            message = (
                "You did not provide an API key. Provide it in the Authorization header, as Bearer or as the user of HTTP basic."
            )
            raise StripeError(401, message)
        if key not in self.stores:
            raise StripeError(401, f"Invalid API Key provided: {key[:8]}{'*' * len(key[8:-4])}{key[-4:]}")
        store = self.stores[key]
        other = request.headers.get("stripe-account", store.account["id"])
        if other != store.account["id"]:
            message = f"The provided key does not have access to account '{other}' (or that account does not exist)."
            raise StripeError(403, message, code="account_invalid")
        whole = LIVE_PER_SECOND if key == live_key() else TEST_PER_SECOND
        self._count(key, "", self.faults.setting("per_second", whole), "global-rate")
        endpoint = request.path_params.get("list", "account")
        self._count(key, endpoint, self.faults.setting("per_endpoint", ENDPOINT_PER_SECOND), "endpoint-rate")
        return store

    def _count(self, key: str, endpoint: str, limit: int, reason: str) -> None:
        limiter = self.limits[key, endpoint]
        limiter.limit = limit
        if limiter.wait() > 0:
            raise too_many(reason)


def _key_of(authorization: str) -> str:
    """The key in a header: a bearer token, or the user of HTTP basic."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    try:
        return base64.b64decode(value).decode().partition(":")[0] if scheme.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        return ""
