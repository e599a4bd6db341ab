"""The server: Salesforce's routes, pages, limits and errors.

Settings of `Faults` (each changes one thing, for tests):
    page: the most records of a page, although a request asks for more.
    token_requests: the number of requests for which a token is good.
    instance_url: the address that the token's answer names, instead of the server's own.
    no_client_user: true answers a request for a token as an app without a user for client credentials does.
    daily: the limit of requests per 24 hours.
    single_currency: true is an organization with one currency: no object has CurrencyIsoCode.
    hidden: ids of records that are not committed yet, so nobody finds them.
    expired: true makes all locators unknown, as after two days.
    deleted_since: the days for which deletions are known, instead of 30.
    deleted_ids: the most ids in an answer about deletions, instead of 600,000.
    bulk_polls, bulk_fails: how often a job is asked for until it ends; the message with which it fails.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from include.demo.vendors.common import Account, Faults
from include.demo.vendors.salesforce.bulk import LARGEST, Jobs
from include.demo.vendors.salesforce.gate import DAILY, VERSIONS, Gate, Refused, refused
from include.demo.vendors.salesforce.ids import record_id
from include.demo.vendors.salesforce.objects import BY_NAME, SOBJECTS
from include.demo.vendors.salesforce.records import Org, Record, org
from include.demo.vendors.salesforce.shape import Field, SObject, json_value
from include.demo.vendors.salesforce.soql import ID, Malformed, Parser, Statement

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

PAGE, SMALLEST_PAGE = 2000, 200
KNOWN_DELETIONS = timedelta(days=30)
MOST_DELETIONS = 600_000


class Server:
    """Answers requests about one organization."""

    def __init__(self, held: Org, faults: Faults) -> None:
        self.org = held
        self.faults = faults
        self.gate = Gate(held, faults)
        self.jobs = Jobs(held.account, faults, self.parse)
        self._by_id = {name: {record["Id"]: record for record in records} for name, records in held.records.items()}
        self._cursors: dict[str, tuple[Statement, list[Record], int]] = {}
        self._numbers = count(1)

    @property
    def hidden(self) -> frozenset[str]:
        """The fields that the organization does not have."""
        return frozenset({"currencyisocode"} if self.faults.setting("single_currency") else ())

    def parse(self, text: str) -> Statement:
        """The statement of a text.

        Raises:
            Malformed: the statement is invalid.
        """
        return Parser(text, self.hidden, lambda name, key: self._by_id.get(name, {}).get(key)).statement()

    def select(self, statement: Statement, everything: bool) -> list[Record]:
        """The records of a statement; with `everything`, deleted records and archived activities too."""
        uncommitted = self.faults.setting("hidden", ())
        records = [
            record
            for record in self.org.records[statement.sobject.name]
            if record["Id"] not in uncommitted and (everything or not (record["IsDeleted"] or record.get("IsArchived")))
        ]
        return statement.run(records)

    async def query(self, request: Request, everything: bool) -> Any:
        """`GET …/query?q=` and `…/queryAll?q=`: the first page."""
        try:
            statement = self.parse(request.query_params.get("q", ""))
        except Malformed as error:
            raise refused(error) from None
        records = self.select(statement, everything)
        if not statement.columns:
            return {"totalSize": len(records), "done": True, "records": []}
        size = _batch_size(request)
        locator = record_id("01g", f"query {next(self._numbers)}")
        self._cursors[locator] = (statement, records, size)
        return self._page(request, locator, 0)

    async def more(self, request: Request) -> Any:
        """`GET …/query/{locator}-{position}` and `…/queryAll/…`: a next page."""
        locator, _, position = request.path_params["locator"].rpartition("-")
        if self.faults.setting("expired") or locator not in self._cursors or not position.isdigit():
            raise Refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(request, locator, int(position))

    def _page(self, request: Request, locator: str, start: int) -> dict[str, Any]:
        statement, records, size = self._cursors[locator]
        end = start + min(size, self.faults.setting("page", size))
        version = request.path_params["version"]
        name = statement.sobject.name
        page = []
        for record in records[start:end]:
            row: dict[str, Any] = {
                "attributes": {"type": name, "url": f"/services/data/v{version}/sobjects/{name}/{record['Id']}"},
            }
            for path, value in statement.columns:
                _place(row, path.split("."), json_value(value(record)))
            page.append(row)
        result: dict[str, Any] = {"totalSize": len(records), "done": end >= len(records), "records": page}
        if end < len(records):
            result["nextRecordsUrl"] = f"/services/data/v{version}/query/{locator}-{end}"
        return result

    def sobject(self, request: Request) -> SObject:
        """The object of a path."""
        one = BY_NAME.get(request.path_params["object"].lower())
        if one is None:
            raise Refused(404, "NOT_FOUND", "The requested resource does not exist")
        return one

    async def objects(self, request: Request) -> Any:
        """`GET …/sobjects`."""
        found = [
            {"name": one.name, "keyPrefix": one.prefix, "custom": one.name.endswith("__c"), "queryable": True} for one in SOBJECTS
        ]
        return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": found}

    async def one(self, request: Request) -> Any:
        """`GET …/sobjects/{object}/{id}`: a record with all its fields, unless it is deleted."""
        sobject = self.sobject(request)
        record = self._by_id[sobject.name].get(request.path_params["id"])
        if record is None:
            raise Refused(404, "NOT_FOUND", "The requested resource does not exist")
        if record["IsDeleted"]:
            raise Refused(404, "ENTITY_IS_DELETED", "entity is deleted")
        attributes = {"type": sobject.name, "url": request.url.path}
        return {"attributes": attributes} | {
            name: json_value(value) for name, value in record.items() if name.lower() not in self.hidden
        }

    async def describe(self, request: Request) -> Any:
        """`GET …/sobjects/{object}/describe`."""
        one = self.sobject(request)
        compound = {part: field.name for field in one.fields for part in field.compound}
        fields = [
            {
                "name": field.name,
                "label": field.name.removesuffix("__c").replace("_", " "),
                "type": field.type,
                "compoundFieldName": compound.get(field.name),
                "custom": field.name.endswith("__c"),
                "calculated": field.calculated,
                "nillable": field.name not in ("Id", "IsDeleted", "OwnerId"),
                "referenceTo": [field.to] if field.to else [],
                "picklistValues": [
                    {"active": True, "label": label, "value": value} for value, label in self._options(field).items()
                ],
            }
            for field in (*ID, *one.fields)
            if field.name.lower() not in self.hidden
        ]
        return {"name": one.name, "keyPrefix": one.prefix, "queryable": True, "fields": fields}

    def _options(self, field: Field) -> dict[str, str]:
        """The values of a picklist, with their labels."""
        for column, table in (("category_id", "ticket_categories"), ("root_cause_id", "root_causes")):
            if field.source == column:
                return {row[column]: row["name"] for row in self.org.account.tables[table]}
        return {word: word for word in (field.words or {}).values()}

    async def deleted(self, request: Request) -> Any:
        """`GET …/sobjects/{object}/deleted/?start=&end=`."""
        one = self.sobject(request)
        start, end = _time(request, "start"), _time(request, "end")
        now = self.org.account.now
        if start >= end or start < now - KNOWN_DELETIONS:
            raise Refused(400, "INVALID_REPLICATION_DATE", "startDate must be before endDate, and at most 30 days ago")
        gone = [
            record for record in self.org.records[one.name] if record["IsDeleted"] and start <= record["SystemModstamp"] < end
        ]
        if len(gone) > self.faults.setting("deleted_ids", MOST_DELETIONS):
            raise Refused(400, "EXCEEDED_ID_LIMIT", "Too many ids: choose a shorter time")
        known = timedelta(days=self.faults.setting("deleted_since", KNOWN_DELETIONS.days))
        return {
            "deletedRecords": [{"id": record["Id"], "deletedDate": json_value(record["SystemModstamp"])} for record in gone],
            "earliestDateAvailable": json_value(now - known),
            "latestDateCovered": json_value(min(end, now)),
        }

    async def limits(self, request: Request) -> Any:
        """`GET …/limits`."""
        daily = self.faults.setting("daily", DAILY)
        return {"DailyApiRequests": {"Max": daily, "Remaining": max(daily - self.gate.requests, 0)}}

    async def job(self, request: Request) -> Any:
        """`POST …/jobs/query`; `GET`, `PATCH` and `DELETE …/jobs/query/{id}`."""
        key = request.path_params.get("id")
        if request.method == "POST":
            return self.jobs.create(await request.json(), self._version(request), self.select)
        if request.method == "PATCH":
            return self.jobs.abort(str(key))
        return self.jobs.delete(str(key)) if request.method == "DELETE" else self.jobs.poll(str(key))

    async def results(self, request: Request) -> Any:
        """`GET …/jobs/query/{id}/results?maxRecords=&locator=`."""
        from starlette.responses import Response

        most = request.query_params.get("maxRecords", str(LARGEST))
        if not most.isdigit() or int(most) < 1:
            raise Refused(400, "INVALID_PARAMETER", f"maxRecords must be a positive integer, not {most!r}")
        text, headers = self.jobs.results(
            request.path_params["id"], self._version(request), request.query_params.get("locator"), int(most)
        )
        return Response(text, media_type="text/csv", headers=headers)

    def _version(self, request: Request) -> int:
        return self.gate.version(request) or 0


def app(account: Account, faults: Faults) -> Starlette:
    """The application of one organization's Salesforce."""
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.gzip import GZipMiddleware
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route

    server = Server(org(account), faults)

    async def token(request: Request) -> Response:
        body, status = await server.gate.token(request)
        return JSONResponse(body, status)

    def endpoint(answer: Callable[[Request], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
        async def respond(request: Request) -> Response:
            try:
                headers = server.gate.admit(request)
                body = await answer(request)
            except Refused as error:
                return JSONResponse(error.body, error.status)
            if body is None:
                return Response(status_code=204, headers=headers)
            if isinstance(body, Response):
                body.headers.update(headers)
                return body
            return JSONResponse(body, headers=headers)

        return respond

    async def versions(request: Request) -> Response:
        found = [{"label": f"v{one}", "url": f"/services/data/v{one}.0", "version": f"{one}.0"} for one in VERSIONS]
        return JSONResponse(found)

    data = "/services/data/v{version}"
    routes = [Route("/services/oauth2/token", token, methods=["POST"]), Route("/services/data", versions)]
    for path in ("query", "queryAll"):
        first = endpoint(partial(server.query, everything=path == "queryAll"))
        # Salesforce ignores a slash at the end, with which simple-salesforce asks.
        routes += [
            Route(f"{data}/{path}", first),
            Route(f"{data}/{path}/", first),
            Route(f"{data}/{path}/{{locator}}", endpoint(server.more)),
        ]
    for path, answer in (
        ("sobjects", server.objects),
        ("sobjects/{object}/describe", server.describe),
        ("sobjects/{object}/deleted", server.deleted),
        ("sobjects/{object}/{id}", server.one),
        ("limits", server.limits),
    ):
        routes += [Route(f"{data}/{path}", endpoint(answer)), Route(f"{data}/{path}/", endpoint(answer))]
    routes += [
        Route(f"{data}/jobs/query", endpoint(server.job), methods=["POST"]),
        Route(f"{data}/jobs/query/{{id}}", endpoint(server.job), methods=["GET", "PATCH", "DELETE"]),
        Route(f"{data}/jobs/query/{{id}}/results", endpoint(server.results)),
    ]
    return Starlette(routes=routes, middleware=[Middleware(GZipMiddleware, minimum_size=500)])


def _place(row: dict[str, Any], steps: list[str], value: Any) -> None:
    """Write a value into a record, inside the objects of its parents."""
    for step in steps[:-1]:
        row = row.setdefault(step, {})
    row[steps[-1]] = value


def _batch_size(request: Request) -> int:
    for part in request.headers.get("sforce-query-options", "").split(","):
        name, _, size = part.strip().partition("=")
        if name.lower() == "batchsize" and size.isdigit():
            return min(max(int(size), SMALLEST_PAGE), PAGE)
    return PAGE


def _time(request: Request, name: str) -> datetime:
    text = request.query_params.get(name, "").replace(" ", "+")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(400, "INVALID_REPLICATION_DATE", f"{name} must be an ISO 8601 time, not {text!r}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
