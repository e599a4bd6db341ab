"""The server: HubSpot's routes, authentication, pages, limits and errors.

Settings of `Faults` (each changes one thing, for tests):
    unset: "absent" leaves out properties that were never set; otherwise they are null.
    values: object id → property → value, in place of the stored one. A value of "" is a property that somebody cleared.
    empty_page: true sends a page without results, which names a next page, before the last page of each list.
    search_results: the most results that a search pages through, instead of 10,000.
    association_page: the most associations of one object in an answer, instead of 500.
    index_lag: seconds before the vendor's clock whose changes a search does not find yet.
    burst, search_rate, daily: the limits of requests per 10 seconds, of searches per second, and of requests per day.
    retry_after: false leaves the header Retry-After out of 429 answers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from include.demo.vendors.common import Account, Faults
from include.demo.vendors.hubspot import answers
from include.demo.vendors.hubspot.gate import DAILY, Gate, Refused, body_of, inputs_of, names_in, next_page, whole
from include.demo.vendors.hubspot.kinds import BY_NAME, KINDS
from include.demo.vendors.hubspot.records import Portal, portal
from include.demo.vendors.hubspot.search import Invalid, matching
from include.demo.vendors.hubspot.shape import Kind

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

LIST_PAGE, HISTORY_PAGE, SEARCH_PAGE, BATCH = 100, 50, 200, 100
SEARCH_RESULTS = 10_000

#: Paths under which HubSpot serves the same things: the version 3 or 4, and the date version.
_PREFIXES = (("/crm/v3/{0}", "/crm/v4/{0}"), ("/crm/{0}/2026-03", "/crm/{0}/2026-03"))


class Server:
    """Answers requests about one account."""

    def __init__(self, held: Portal, faults: Faults) -> None:
        self.portal = held
        self.faults = faults
        self.gate = Gate(faults)

    def kind(self, name: str) -> Kind:
        """The object type of a path."""
        kind = BY_NAME.get(name.removeprefix(f"p{self.portal.number}_"))
        if kind is None:
            raise Refused(400, "VALIDATION_ERROR", f"Unable to infer object type from: {name}")
        return kind

    async def listed(self, request: Request) -> Any:
        """`GET …/objects/{object}`: all objects by id, without a filter; only archived ones with `archived=true`."""
        kind = self.kind(request.path_params["object"])
        names, histories = names_in(request, "properties"), names_in(request, "propertiesWithHistory")
        linked = [self.kind(name) for name in names_in(request, "associations")]
        limit = whole(request.query_params.get("limit", "10"), "limit", HISTORY_PAGE if histories else LIST_PAGE)
        start = whole(request.query_params.get("after", "0"), "after", 10**18, least=0)
        archived = request.query_params.get("archived", "false").lower() == "true"
        records = [
            one for one in self.portal.records[kind.name] if (one.archived is not None) == archived and one.number >= start
        ]
        if (
            self.faults.setting("empty_page")
            and 0 < len(records) <= limit
            and not request.query_params.get("after", "").startswith("0")
        ):
            return {"results": [], "paging": next_page(request, f"0{records[0].id}")}
        found = [answers.object_json(kind, one, names, self.faults, histories, linked) for one in records[:limit]]
        result: dict[str, Any] = {"results": found}
        if len(records) > limit:
            result["paging"] = next_page(request, str(records[limit - 1].number + 1))
        return result

    async def one(self, request: Request) -> Any:
        """`GET …/objects/{object}/{id}`."""
        kind, key = self.kind(request.path_params["object"]), request.path_params["id"]
        archived = request.query_params.get("archived", "false").lower() == "true"
        record = self.portal.by_id[kind.name].get(key)
        if record is None or (record.archived is not None) != archived:
            raise Refused(404, "OBJECT_NOT_FOUND", "resource not found")
        linked = [self.kind(name) for name in names_in(request, "associations")]
        histories = names_in(request, "propertiesWithHistory")
        return answers.object_json(kind, record, names_in(request, "properties"), self.faults, histories, linked)

    async def searched(self, request: Request) -> Any:
        """`POST …/objects/{object}/search`: archived objects are never found, and paging ends at the 10,000th result."""
        kind, body = self.kind(request.path_params["object"]), await body_of(request)
        limit = whole(str(body.get("limit", 10)), "limit", SEARCH_PAGE)
        start = whole(str(body.get("after") or 0), "after", 10**9, least=0)
        most = self.faults.setting("search_results", SEARCH_RESULTS)
        if start + limit > most:
            raise Refused(400, "VALIDATION_ERROR", f"Paging past the first {most} results of a search is not allowed.")
        known = self.portal.account.now - timedelta(seconds=self.faults.setting("index_lag", 0))
        records = [record for record in self.portal.records[kind.name] if record.archived is None and record.updated <= known]
        found = matching(kind, records, body)
        names = list(body.get("properties") or [])
        page = [answers.object_json(kind, record, names, self.faults) for record in found[start : start + limit]]
        result: dict[str, Any] = {"total": len(found), "results": page}
        if start + limit < len(found):
            result["paging"] = {"next": {"after": str(start + limit)}}
        return result

    async def read(self, request: Request) -> Any:
        """`POST …/objects/{object}/batch/read`: up to 100 objects by id; 207 if some do not exist."""
        kind, body = self.kind(request.path_params["object"]), await body_of(request)
        inputs = [str(one["id"]) for one in inputs_of(body, BATCH)]
        by_id = self.portal.by_id[kind.name]
        names, histories = list(body.get("properties") or []), list(body.get("propertiesWithHistory") or [])
        records = [record for key in inputs if (record := by_id.get(key)) is not None and record.archived is None]
        found = [answers.object_json(kind, record, names, self.faults, histories) for record in records]
        missing = sorted(set(inputs) - {record.id for record in records})
        errors = [
            {
                "status": "error",
                "category": "OBJECT_NOT_FOUND",
                "message": "Could not get some objects, they may be deleted or not exist.",
                "context": {"ids": missing},
                "links": {},
                "errors": [],
            }
        ]
        return self._batch(found, errors if missing else [])

    async def associated(self, request: Request) -> Any:
        """`POST …/associations/{from}/{to}/batch/read`: 207 names the objects without associations."""
        kind, other = self.kind(request.path_params["object"]), self.kind(request.path_params["other"])
        by_id, size = self.portal.by_id[kind.name], self.faults.setting("association_page", answers.ASSOCIATED)
        found, errors, as_text = [], [], "/2026-03/" in request.url.path
        for one in inputs_of(await body_of(request), 1000):
            key = str(one["id"])
            record = by_id.get(key)
            if record is None or not record.targets.get(other.name):
                errors.append(answers.unassociated_json(kind, other, key))
            else:
                start = whole(str(one.get("after") or 0), "after", 10**9, least=0)
                found.append(answers.associations_json(kind, other, record, start, size, as_text))
        return self._batch(found, errors)

    async def links(self, request: Request) -> Any:
        """`GET /crm/v4/objects/{object}/{id}/associations/{other}`: the associations of one object."""
        kind, other = self.kind(request.path_params["object"]), self.kind(request.path_params["other"])
        record = self.portal.by_id[kind.name].get(request.path_params["id"])
        if record is None:
            raise Refused(404, "OBJECT_NOT_FOUND", "resource not found")
        size = whole(request.query_params.get("limit", str(answers.ASSOCIATED)), "limit", answers.ASSOCIATED)
        start = whole(request.query_params.get("after", "0"), "after", 10**9, least=0)
        found = answers.associations_json(kind, other, record, start, size, as_text=False)
        return {"results": found["to"]} | ({"paging": found["paging"]} if "paging" in found else {})

    async def schemas(self, request: Request) -> Any:
        """`GET /crm-object-schemas/v3/schemas`: the custom objects."""
        return {"results": [answers.schema_json(kind, self.portal.number) for kind in KINDS if kind.type_id.startswith("2-")]}

    def _batch(self, results: list[Any], errors: list[Any]) -> tuple[Any, int] | Any:
        now = answers.instant(self.portal.account.now)
        body = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
        if not errors:
            return body
        return body | {"numErrors": len(errors), "errors": errors}, 207

    async def owners(self, request: Request) -> Any:
        """`GET …/owners`: deactivated employees are only in the list with `archived=true`."""
        archived = request.query_params.get("archived", "false").lower() == "true"
        limit = whole(request.query_params.get("limit", "100"), "limit", 500)
        start = whole(request.query_params.get("after", "0"), "after", 10**18, least=0)
        rows = [answers.owner_json(row) for row in self.portal.account.tables["users"]]
        found = sorted(
            (row for row in rows if row["archived"] == archived and int(row["id"]) >= start), key=lambda row: int(row["id"])
        )
        result: dict[str, Any] = {"results": found[:limit]}
        if len(found) > limit:
            result["paging"] = next_page(request, found[limit]["id"])
        return result

    async def pipelines(self, request: Request) -> Any:
        """`GET …/pipelines/{object}`."""
        return {"results": answers.pipelines_json(self.kind(request.path_params["object"]).name) or []}

    async def properties(self, request: Request) -> Any:
        """`GET …/properties/{object}`."""
        kind = self.kind(request.path_params["object"])
        own = [
            answers.property_json(kind, prop, self.portal.account)
            for prop in kind.properties
            if not prop.name.startswith(answers.STAGE_TIMES)
        ]
        return {"results": own + answers.system_properties_json(kind)}

    async def property(self, request: Request) -> Any:
        """`GET …/properties/{object}/{name}`."""
        for one in (await self.properties(request))["results"]:
            if one["name"] == request.path_params["name"]:
                return one
        raise Refused(404, "OBJECT_NOT_FOUND", "The property does not exist.")

    async def details(self, request: Request) -> Any:
        """`GET /account-info/v3/details`."""
        organization = self.portal.account.organization
        return {
            "portalId": self.portal.number,
            "accountType": "STANDARD",
            "timeZone": organization["timezone"],
            "companyCurrency": organization["reporting_currency"],
            "additionalCurrencies": sorted(
                {row["currency"] for row in self.portal.account.tables["deals"]} - {organization["reporting_currency"], None}
            ),
            "dataHostingLocation": "eu1",
            "uiDomain": "app-eu1.hubspot.com",
        }

    async def usage(self, request: Request) -> Any:
        """`GET /account-info/v3/api-usage/daily/private-apps`."""
        now = self.portal.account.now
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        usage = {
            "name": "private-apps-api-calls-daily",
            "usageLimit": self.faults.setting("daily", DAILY),
            "currentUsage": self.gate.requests,
            "collectedAt": answers.instant(now),
            "fetchStatus": "SUCCESS",
            "resetsAt": answers.instant(midnight),
        }
        return {"results": [usage]}


def app(account: Account, faults: Faults) -> Starlette:
    """The application of one organization's HubSpot account."""
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    server = Server(portal(account), faults)

    def endpoint(answer: Callable[[Request], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
        async def respond(request: Request) -> Response:
            try:
                headers = server.gate.admit(request)
                body = await answer(request)
            except Refused as refused:
                return JSONResponse(refused.body, refused.status, refused.headers)
            except Invalid as invalid:
                return JSONResponse(Refused(400, "VALIDATION_ERROR", str(invalid)).body, 400)
            status = 200
            if isinstance(body, tuple):
                body, status = body
            return JSONResponse(body, status, headers)

        return respond

    async def unknown(request: Request, error: Exception) -> Response:
        return JSONResponse({"status": "error", "message": "resource not found", "correlationId": str(uuid4())}, 404)

    routes = [
        Route("/account-info/v3/details", endpoint(server.details)),
        Route("/crm-object-schemas/v3/schemas", endpoint(server.schemas)),
        Route("/crm/v4/objects/{object}/{id}/associations/{other}", endpoint(server.links)),
        Route("/account-info/v3/api-usage/daily/private-apps", endpoint(server.usage)),
    ]
    for three, four in _PREFIXES:
        objects = f"{three.format('objects')}/{{object}}"
        routes += [
            Route(f"{objects}/search", endpoint(server.searched), methods=["POST"]),
            Route(f"{objects}/batch/read", endpoint(server.read), methods=["POST"]),
            Route(objects, endpoint(server.listed)),
            Route(f"{objects}/{{id}}", endpoint(server.one)),
            Route(
                f"{four.format('associations')}/{{object}}/{{other}}/batch/read", endpoint(server.associated), methods=["POST"]
            ),
            Route(f"{three.format('pipelines')}/{{object}}", endpoint(server.pipelines)),
            Route(f"{three.format('properties')}/{{object}}", endpoint(server.properties)),
            Route(f"{three.format('properties')}/{{object}}/{{name}}", endpoint(server.property)),
            Route(three.format("owners"), endpoint(server.owners)),
            Route(three.format("owners") + "/", endpoint(server.owners)),
        ]
    return Starlette(routes=routes, exception_handlers={404: unknown})
