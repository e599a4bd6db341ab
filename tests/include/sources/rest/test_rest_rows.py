"""Rows of an API: bounds in time, children, inner lists, changes, archived rows and keys."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.responses import JSONResponse

from include.sources import SourceConnection
from include.sources.readers import open_reader
from include.sources.readers.pieces import ReadError, Window
from tests.include.sources.rest.reading import UNTIL, Read, table
from tests.include.sources.rest.server import Asked, Server

Serve, Reading = Callable[..., Server], Callable[..., Read]

SINGLE = {"paginator": {"kind": "single"}}
CHANGED = {"cursor": "updated", "event_time": "updated"}
DAY = datetime(2026, 10, 1, tzinfo=UTC)


def test_columns_times_and_objects(serve: Serve, read: Reading) -> None:
    """The request names the columns of the table. The row is made of a record's parts, with its times as instants."""
    record = {"id": 7, "meta": {"row": {"id": "a", "created": 1790812800, "props": {"amount": "12.50"}}}, "kind": "x"}
    server = serve(lambda _: {"data": [record, "text", {"id": 8}]})
    query = "select {columns} from Things where changed >= {since:%Y-%m-%dT%H:%M:%SZ}"
    reader = SINGLE | {
        "times": "epoch_seconds",
        "record": "meta.row",
        "flatten": ["props"],
        "set": {"sort": "kind", "name": "of {until:%Y}"},
    }
    things = table("id", "created:timestamp", "amount:decimal", "sort", "name", params={"q": query}, first=DAY.date())
    made = read(server, reader, {"things": things})
    rows = made.rows("things")
    assert rows[0] | {"props": None} == {
        "id": "a",
        "created": "2026-10-01T00:00:00.000000Z",
        "props": None,
        "amount": "12.50",
        "sort": "x",
        "name": "of 2026",
    }
    assert server.requests[0].one("q") == "select id,created,amount,sort,name from Things where changed >= 2026-10-01T00:00:00Z"
    rejected = [(each.reason, each.payload) for piece in made.pieces("things") for each in piece.rejected]
    assert rejected == [("not a JSON object at `meta.row`", '"text"'), ("not a JSON object at `meta.row`", '{"id":8}')]


def test_without_a_lower_limit_the_parameter_is_left_out(serve: Serve, read: Reading) -> None:
    server = serve(lambda _: {"data": []})
    things = table("id", "updated:timestamp", **CHANGED, params={"created[gte]": "{since:epoch_seconds}", "limit": 100})
    made = read(server, SINGLE, {"things": things})
    made.rows("things")
    made.rows("things", DAY)
    assert [asked.query for asked in server.requests] == [{"limit": ["100"]}, {"limit": ["100"], "created[gte]": ["1790812800"]}]


def test_ranges_of_time_are_halved(serve: Serve, read: Reading) -> None:
    """An API that answers at most four records to a request, and refuses to say more."""
    times = [DAY + timedelta(hours=hour) for hour in (0, 1, 1, 2, 30, 31, 32, 33, 34, 95, 95, 95)]
    rows = [{"id": str(place), "updated": at.isoformat()} for place, at in enumerate(times)]

    def answer(asked: Asked) -> Any:
        since, until = (datetime.fromtimestamp(int(asked.body[key]) / 1000, UTC) for key in ("from", "to"))
        found = [row for row in rows if since <= datetime.fromisoformat(row["updated"]) < until]
        return {"total": len(found), "data": found[:4]}

    server = serve(answer)
    search = {
        "method": "POST",
        "first": "2020-01-01",
        "body": {"from": "{since:epoch_milliseconds}", "to": "{until:epoch_milliseconds}"},
        "slices": {"total_path": "total", "limit": 4},
    }
    made = read(server, SINGLE, {"things": table("id", "updated:timestamp", **CHANGED) | search})
    assert [row["id"] for row in made.rows("things")] == [row["id"] for row in rows]
    assert [row["id"] for row in made.rows("things", DAY + timedelta(hours=90))] == ["9", "10", "11"]
    rows += [{"id": "more", "updated": times[-1].isoformat()}] * 2
    with pytest.raises(
        ReadError, match=r"a request has 5 records, and the API answers 4 at most, and all of them are of 2026-10-04 23:00:00"
    ):
        made.rows("things")


def test_children_of_parents(serve: Serve, read: Reading, caplog: pytest.LogCaptureFixture) -> None:
    """Children are asked for with the parents that changed since the child's own last load. Their pages and vanished parents count."""

    def answer(asked: Asked) -> Any:
        if asked.path == "/bills":
            rows = [{"id": f"in {number}", "updated": (DAY + timedelta(days=number)).isoformat()} for number in range(3)]
            since = datetime.fromisoformat(asked.one("since") or "2020-01-01T00:00:00Z")
            # The API sends one of them twice.
            return {
                "data": [row for row in [*rows, rows[0]] if datetime.fromisoformat(row["updated"]) >= since],
                "has_more": False,
            }
        if asked.path == "/bills/in 1/lines":
            return JSONResponse({"error": "gone"}, 404)
        invoice = asked.path.split("/")[2]
        lines = [{"id": f"{invoice}-{number}", "parent": {"id": "its own"}} for number in range(3)]
        start = 2 if asked.one("starting_after") else 0
        return {"data": lines[start : start + 2], "has_more": start == 0}

    server = serve(answer)
    reader = {"paginator": {"kind": "last_id", "id_param": "starting_after", "stop": {"path": "has_more", "is": False}}}
    bills = table("id", "updated:timestamp", **CHANGED, params={"since": "{since}"})
    lines = table("id", "invoice", "updated:timestamp", **CHANGED, parent="bills", path="bills/{parent.id}/lines")
    lines["set"] = {"invoice": "{parent.id}", "updated": "{parent.updated}"}
    made = read(server, reader, {"lines": lines, "bills": bills})
    with caplog.at_level(logging.WARNING):
        found = [(row["id"], row["invoice"], row["updated"][:10]) for row in made.rows("lines")]
    assert found == [
        *((f"in 0-{number}", "in 0", "2026-10-01") for number in range(3)),
        *((f"in 2-{number}", "in 2", "2026-10-03") for number in range(3)),
    ]
    assert "lines: the API has nothing for 1 of 3 rows of bills" in caplog.text
    assert [row["invoice"] for row in made.rows("lines", DAY + timedelta(days=2))] == ["in 2"] * 3
    # A refresh loads the children alone.
    some = open_reader(
        made.source.only({"lines"}), SourceConnection.of("api", {"host": server.url, "login": "x", "password": "y"})
    )
    (piece,) = some.read(made.source.tables["lines"], Window(DAY + timedelta(days=2), UNTIL), {})
    assert len(piece.rows) == 3
    some.close()
    with pytest.raises(ReadError, match="404"):
        server.answer = lambda asked: answer(asked) if asked.path == "/bills" else JSONResponse({}, 404)
        made.rows("lines")


@pytest.mark.parametrize("continues", [False, True])
def test_inner_lists_that_are_cut_off(serve: Serve, read: Reading, continues: bool) -> None:
    """A list of lists: both levels are completed. A list that is whole needs no request."""
    lines = [{"id": f"l{number}"} for number in range(5)]
    deep = {"id": "l5", "taxes": {"data": [{"t": 1}], "has_more": True, "url": "/v1/taxes"}}

    def answer(asked: Asked) -> Any:
        if asked.path == "/v1/things":
            whole = {"data": [{"id": "x"}], "has_more": False, "url": "/v1/nowhere"}
            return {
                "data": [{"id": "a", "lines": {"data": lines[:2], "has_more": True, "url": "/v1/lines"}, "whole": whole}],
                "has_more": False,
            }
        if asked.path == "/v1/taxes":
            return {"data": [{"t": 2}], "has_more": False}
        rest = [*lines, deep][2 if continues else 0 :]
        start = 3 if asked.one("starting_after") else 0
        return {"data": rest[start : start + 3], "has_more": start == 0}

    server = serve(answer)
    reader = {
        "base_path": "/v1",
        "paginator": {"kind": "last_id", "id_param": "starting_after", "stop": {"path": "has_more", "is": False}},
        "inner_lists": {"more": {"path": "has_more", "is": True}, "continues": continues},
    }
    things = table("id", "lines:json", "whole:json")
    import json

    (row,) = read(server, reader, {"things": things}).rows("things")
    found = json.loads(row["lines"])
    assert [each["id"] for each in found["data"]] == ["l0", "l1", "l2", "l3", "l4", "l5"]
    assert found["has_more"] is False
    assert found["data"][5]["taxes"]["data"] == ([{"t": 1}, {"t": 2}] if continues else [{"t": 2}])
    assert "/v1/nowhere" not in [asked.path for asked in server.requests]


def test_a_feed_of_changes(serve: Serve, read: Reading) -> None:
    """The first load reads all rows, later ones the events. After a gap that is longer than the feed, all rows are read again."""

    def event(number: int, kind: str, at: datetime, name: str) -> dict[str, Any]:
        return {"id": f"e{number}", "type": kind, "created": int(at.timestamp()), "data": {"object": {"id": "c1", "name": name}}}

    at = DAY + timedelta(days=1)
    events = [
        event(3, "deleted", at + timedelta(hours=1), "last"),
        event(2, "updated", at, "second"),
        event(1, "updated", at, "first"),
    ]

    def answer(asked: Asked) -> Any:
        if asked.path == "/events":
            assert asked.query["types[]"] == ["updated", "deleted"]
            return {"data": events}
        return {"data": [{"id": "c1", "name": "whole"}]}

    server = serve(answer)
    changes = {
        "path": "events",
        "params": {"types[]": ["updated", "deleted"], "created[gte]": "{since:epoch_seconds}"},
        "record": "data.object",
        "set": {"updated": "created", "event": "type"},
        "times": "epoch_seconds",
        "horizon": "30d",
        "newest_first": True,
    }
    made = read(server, SINGLE, {"customers": table("id", "name", "event", "updated:timestamp", **CHANGED, changes=changes)})
    whole = {"id": "c1", "name": "whole", "updated": "2026-10-05T01:59:59.999999Z"}
    assert made.rows("customers") == [whole]
    # Of two events of the same second the API sends the last one first. It alone counts.
    assert [(row["name"], row["event"], row["updated"]) for row in made.rows("customers", DAY)] == [
        ("last", "deleted", "2026-10-02T01:00:00.000000Z"),
        ("second", "updated", "2026-10-02T00:00:00.000000Z"),
    ]
    assert made.rows("customers", UNTIL - timedelta(days=31)) == [whole]
    oldest = read(
        server,
        SINGLE,
        {"customers": table("id", "name", "event", "updated:timestamp", **CHANGED, changes=changes | {"newest_first": False})},
    )
    events.reverse()
    assert [row["updated"][-8:] for row in oldest.rows("customers", DAY)] == [
        "000000Z"[-8:].rjust(8, "."),
        ".000001Z",
        ".000000Z",
    ]


def test_archived_rows(serve: Serve, read: Reading) -> None:
    """A second list has the archived rows. Of these only those that were archived since the last load are read."""

    def answer(asked: Asked) -> Any:
        if asked.one("archived"):
            times = {"gone": DAY - timedelta(days=9), "new": DAY + timedelta(hours=1)}
            return {
                "data": [
                    {"id": name, "updated": "2026-01-01T00:00:00Z", "archived": True, "archivedAt": at.isoformat()}
                    for name, at in times.items()
                ]
            }
        return {"data": [{"id": "live", "updated": "2026-09-01T00:00:00Z", "archived": False}]}

    server = serve(answer)
    also = [{"params": {"archived": True}, "set": {"updated": "archivedAt"}}]
    made = read(server, SINGLE, {"things": table("id", "updated:timestamp", "archived:boolean", **CHANGED, also=also)})
    assert [row["id"] for row in made.rows("things")] == ["live", "gone", "new"]
    assert [(row["id"], row["updated"], row["archived"]) for row in made.rows("things", DAY)] == [
        ("live", "2026-09-01T00:00:00Z", False),
        ("new", "2026-10-01T01:00:00+00:00", True),
    ]


def test_the_list_of_keys(serve: Serve, read: Reading) -> None:
    server = serve(
        lambda asked: {"data": [{"Id": "a"}, {"Id": "b"}]} if asked.one("q") == "select Id from Things" else {"data": []}
    )
    things = table(
        "id", "updated:timestamp", **CHANGED, detect_deletes=True, keys={"params": {"q": "select Id from Things", "since": None}}
    )
    things["columns"]["id"]["source_name"] = "Id"
    things["params"] = {"since": "{since}"}
    made = read(server, SINGLE, {"things": things})
    assert [part.to_pylist() for part in made.reader.keys(made.source.tables["things"])] == [[{"id": "a"}, {"id": "b"}]]
    assert list(server.requests[0].query) == ["q"]


def test_rows_of_a_list_within_a_record(serve: Serve, read: Reading) -> None:
    """The history of a property: one row for each element. A record with an empty list has no row."""
    deals = [
        {"id": "d1", "history": {"stage": [{"value": "open", "at": 1}, {"value": "won", "at": 2}]}},
        {"id": "d2", "history": {"stage": []}},
    ]
    server = serve(lambda _: {"data": deals})
    stages = table("deal", "value", "at:integer", record="history.stage", set={"deal": "id"})
    assert read(server, SINGLE, {"stages": stages}).rows("stages") == [
        {"value": "open", "at": 1, "deal": "d1"},
        {"value": "won", "at": 2, "deal": "d1"},
    ]


def test_one_request_for_many_parents(serve: Serve, read: Reading) -> None:
    """The body names three parents at a time."""
    parents = [{"id": f"p{number}"} for number in range(4)]

    def answer(asked: Asked) -> Any:
        if asked.path == "/parents":
            return {"data": parents}
        assert asked.body["properties"] == [["stage"]]
        return {"data": [{"id": each["id"], "of": asked.body["depth"]} for each in asked.body["inputs"]]}

    server = serve(answer)
    body = {"inputs": [{"id": "{parent.id}"}], "properties": [["stage"]], "depth": 1}
    children = table("id", "of:integer", parent="parents", batch=3, method="POST", body=body)
    made = read(server, SINGLE, {"parents": table("id"), "children": children})
    assert made.rows("children") == [{"id": f"p{number}", "of": 1} for number in range(4)]
    assert [asked.body["inputs"] for asked in server.requests[1:]] == [[{"id": "p0"}, {"id": "p1"}, {"id": "p2"}], [{"id": "p3"}]]


def test_columns_that_another_request_tells(serve: Serve, read: Reading) -> None:
    """The companies of deals. A deal without a company has none."""

    def answer(asked: Asked) -> Any:
        if asked.path == "/deals_":
            return {"data": [{"id": f"d{number}"} for number in range(3)]}
        companies = {"d0": [{"toObjectId": 9}, {"toObjectId": 10}], "d2": [{"toObjectId": 11}]}
        asked_for = [each["id"] for each in asked.body["inputs"]]
        return {"results": [{"from": {"id": each}, "to": companies[each]} for each in reversed(asked_for) if each in companies]}

    server = serve(answer)
    lookup = {
        "path": "associations/deals/companies/batch/read",
        "body": {"inputs": [{"id": "{row.id}"}]},
        "data": "results",
        "key": "from.id",
        "set": {"company": "to[0].toObjectId"},
        "rows": 2,
    }
    deals = table("id", "company:integer", path="deals_", lookups=[lookup])
    found = read(server, SINGLE, {"sales": deals}).rows("sales")
    assert [(row["id"], row["company"]) for row in found] == [("d0", 9), ("d1", None), ("d2", 11)]
    assert [len(asked.body["inputs"]) for asked in server.requests[1:]] == [2, 1]
    server.answer = lambda asked: answer(asked) if asked.path == "/deals_" else {"results": None}
    with pytest.raises(ReadError, match="the answer to a lookup has nothing at `results` instead of a list"):
        read(server, SINGLE, {"sales": deals}).rows("sales")


def test_deleted_parents_have_no_children(serve: Serve, read: Reading) -> None:
    def answer(asked: Asked) -> Any:
        if asked.path == "/customers":
            return {"data": [{"id": "live", "gone": False, "at": "2026-10-01"}, {"id": "dead", "gone": True, "at": "2026-10-01"}]}
        return {"data": [{"id": f"{asked.path}"}]}

    parents = {"entity": "accounts", "deleted_when": "gone", "event_time": "none"}
    parents["columns"] = {"account_id": "id", "organization_id": {"value": "org_1"}, "name": "id"}
    made = read(
        serve(answer),
        SINGLE,
        {"customers": parents, "notes": table("id", parent="customers", path="customers/{parent.id}/notes")},
    )
    assert made.rows("notes") == [{"id": "/customers/live/notes"}]
