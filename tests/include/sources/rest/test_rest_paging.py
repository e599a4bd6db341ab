"""The ways from page to page of an API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.responses import JSONResponse

from tests.include.sources.rest.reading import UNTIL, Read, table
from tests.include.sources.rest.server import Asked, Server

ROWS = [{"id": f"r{number}", "n": number} for number in range(7)]
THINGS = {"things": table("id", "n:integer")}
IDS = [row["id"] for row in ROWS]

Serve, Reading = Callable[..., Server], Callable[..., Read]


def after(text: str | None) -> list[dict[str, Any]]:
    """The rows after the one with this id."""
    return ROWS if text is None else ROWS[IDS.index(text) + 1 :]


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in rows]


def test_last_id_with_a_flag(serve: Serve, read: Reading) -> None:
    """Stripe's way. The last page is known by its flag, so no empty page is asked for."""

    def answer(asked: Asked) -> Any:
        rows = after(asked.one("starting_after"))
        return {"object": "list", "has_more": len(rows) > 3, "data": rows[:3]}

    server = serve(answer)
    paginator = {"kind": "last_id", "id_param": "starting_after", "stop": {"path": "has_more", "is": False}}
    reader = {"base_path": "/v1", "paginator": paginator, "params": {"limit": 3, "livemode": True}}
    assert ids(read(server, reader, THINGS).rows("things")) == IDS
    assert [asked.query for asked in server.requests] == [
        {"limit": ["3"], "livemode": ["true"]},
        {"limit": ["3"], "livemode": ["true"], "starting_after": ["r2"]},
        {"limit": ["3"], "livemode": ["true"], "starting_after": ["r5"]},
    ]


def test_last_id_in_a_body(serve: Serve, read: Reading) -> None:
    """A search that answers at most two records to a query. The id in its filter leads on, so no limit is met."""

    def answer(asked: Asked) -> Any:
        filters = asked.body["filterGroups"][0]["filters"]
        rows = [row for row in ROWS if row["n"] > int(filters[1]["value"]) and "n" in asked.body["properties"]]
        return {"total": len(rows), "results": rows[:2]}

    server = serve(answer)
    search = {
        "path": "objects/things/search",
        "method": "POST",
        "first": "1970-01-01",
        "body": {
            "filterGroups": [
                {
                    "filters": [
                        {"propertyName": "changed", "operator": "GTE", "value": "{since:epoch_milliseconds}"},
                        {"propertyName": "n", "operator": "GT", "value": "-1"},
                    ]
                }
            ],
            "properties": "{columns}",
        },
        "data": "results",
        "paginator": {"kind": "last_id", "id_path": "n", "id_body": "filterGroups[0].filters[1].value"},
    }
    made = read(server, {}, {"things": THINGS["things"] | search})
    assert ids(made.rows("things")) == IDS
    assert made.rows("things", UNTIL) == made.rows("things", UNTIL)
    bodies = [asked.body for asked in server.requests]
    assert [body["filterGroups"][0]["filters"][0]["value"] for body in bodies][4:6] == ["0", "1791165600000"]
    assert bodies[0]["properties"] == ["id", "n"]
    assert [asked.method for asked in server.requests[:2]] == ["POST", "POST"]


def test_cursor_in_a_body(serve: Serve, read: Reading) -> None:
    def answer(asked: Asked) -> Any:
        start = int(asked.body.get("after", 0))
        # The last page has no `paging`. A page may have no rows, although more follow.
        paging = {"paging": {"next": {"after": str(start + 3)}}} if start < 6 else {}
        return {"results": [] if start == 3 else ROWS[start : start + 3]} | paging

    server = serve(answer)
    paginator = {"kind": "cursor", "cursor_path": "paging.next.after", "cursor_body": "after"}
    reader = {"method": "POST", "body": {"limit": 3}, "data": "results", "paginator": paginator}
    made = read(server, reader, THINGS)
    assert ids(made.rows("things")) == ["r0", "r1", "r2", "r6"]
    # The body of the declaration is as before: a second read starts at the beginning.
    assert ids(made.rows("things")) == ["r0", "r1", "r2", "r6"]
    assert [asked.body for asked in server.requests[:3]] == [{"limit": 3}, {"limit": 3, "after": "3"}, {"limit": 3, "after": "6"}]


@pytest.mark.parametrize("relative", [True, False])
def test_links_and_the_end(serve: Serve, read: Reading, relative: bool) -> None:
    """Links may be relative. The last page names a next one all the same."""

    def answer(asked: Asked) -> Any:
        start = int(asked.one("from") or 0)
        link = f"/services/data/query?from={start + 3}"
        return {"records": ROWS[start : start + 3], "done": start >= 6, "next": link if relative else server.url + link}

    server = serve(answer)
    paginator = {"kind": "next_link", "next_path": "next", "stop": {"path": "done", "is": True}}
    reader = {
        "base_path": "/services/data",
        "path": "query",
        "params": {"q": "select"},
        "data": "records",
        "paginator": paginator,
    }
    assert ids(read(server, reader, THINGS).rows("things")) == IDS
    assert [asked.query for asked in server.requests] == [{"q": ["select"]}, {"from": ["3"]}, {"from": ["6"]}]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"done": False}, "says at `done` that more pages follow, but names none"),
        ({}, "has nothing at `done` instead of true or false"),
        ({"done": "yes"}, "has a value of type str at `done` instead of true or false"),
    ],
)
def test_a_flag_that_ends_too_early(serve: Serve, read: Reading, body: dict[str, Any], message: str) -> None:
    server = serve(lambda _: {"data": ROWS} | body)
    reader = {"paginator": {"kind": "next_link", "next_path": "next", "stop": {"path": "done", "is": True}}}
    with pytest.raises(Exception, match=message):
        read(server, reader, THINGS).rows("things")


def test_header_link(serve: Serve, read: Reading) -> None:
    def answer(asked: Asked) -> Any:
        start = int(asked.one("from") or 0)
        link = {"Link": f'<{server.url}/things?from={start + 3}>; rel="next"'} if start < 6 else {}
        return JSONResponse(ROWS[start : start + 3], headers=link)

    server = serve(answer)
    assert ids(read(server, {"data": "$", "paginator": {"kind": "header_link"}}, THINGS).rows("things")) == IDS


def test_header_cursor(serve: Serve, read: Reading) -> None:
    def answer(asked: Asked) -> Any:
        start = int(asked.one("locator") or 0)
        return JSONResponse({"data": ROWS[start : start + 3]}, headers={"Next": str(start + 3) if start < 6 else "null"})

    server = serve(answer)
    reader = {"paginator": {"kind": "header_cursor", "header": "Next", "cursor_param": "locator", "end": "null"}}
    assert ids(read(server, reader, THINGS).rows("things")) == IDS
    assert len(server.requests) == 3


def test_offset(serve: Serve, read: Reading) -> None:
    """The rows are read again until a read finds no new one."""

    def answer(asked: Asked) -> Any:
        start = int(asked.one("offset") or 0)
        return {"data": ROWS[start : start + int(asked.one("limit") or 0)]}

    server = serve(answer)
    reader = {"paginator": {"kind": "offset"}, "page_size": {"param": "limit", "value": 4}}
    assert ids(read(server, reader, THINGS).rows("things")) == IDS
    assert [asked.one("offset") for asked in server.requests] == ["0", "4", "8"] * 2


def test_single(serve: Serve, read: Reading) -> None:
    server = serve(lambda _: {"data": ROWS, "next": "x"})
    assert ids(read(server, {"paginator": {"kind": "single"}}, THINGS).rows("things")) == IDS
    assert len(server.requests) == 1


def test_resumes_at_the_cursor_of_the_last_load(serve: Serve, read: Reading) -> None:
    """Zendesk's exports: the last page names the cursor at which the next load starts, without a time."""

    def answer(asked: Asked) -> Any:
        start = int(asked.one("cursor") or 0)
        return {"things": ROWS[start : start + 3], "after_cursor": str(min(start + 3, 7)), "end_of_stream": start + 3 >= 7}

    server = serve(answer)
    reader = {
        "data": "things",
        "first": "2026-10-01",
        "params": {"start_time": "{since:epoch_seconds}", "per_page": 3},
        "paginator": {
            "kind": "cursor",
            "cursor_path": "after_cursor",
            "cursor_param": "cursor",
            "stop": {"path": "end_of_stream", "is": True},
            "resume": True,
        },
    }
    made = read(server, reader, THINGS)
    pieces = made.pieces("things")
    assert [piece.token for piece in pieces] == [None, "7"]
    assert ids(pieces[0].rows.to_pylist()) == IDS
    assert [asked.query for asked in server.requests] == [
        {"start_time": ["1790812800"], "per_page": ["3"]},
        {"cursor": ["3"], "per_page": ["3"]},
        {"cursor": ["6"], "per_page": ["3"]},
    ]
    ROWS.append({"id": "r7", "n": 7})
    try:
        pieces = made.pieces("things", token="7")
    finally:
        ROWS.pop()
    assert ids(pieces[0].rows.to_pylist()) == ["r7"]
    assert server.requests[-1].query == {"cursor": ["7"], "per_page": ["3"]}
