"""Parts of a response that become columns: items that a value picks, values of inner rows, and lists beside the records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from include.sources import SourceError
from include.sources.paths import parts_of
from include.sources.readers.pieces import ReadError
from tests.include.sources.rest.reading import Read, table
from tests.include.sources.rest.server import Asked, Server

Serve, Reading = Callable[..., Server], Callable[..., Read]

SINGLE = {"paginator": {"kind": "single"}}
BESIDE = {"data": "metrics", "key": "ticket", "set": {"solved": "times.solved"}}


def test_a_path_picks_the_first_item_with_a_value(serve: Serve, read: Reading) -> None:
    fields = [{"id": 7, "value": "red"}, "text", {"id": 8, "value": None}, {"id": 7, "value": "blue"}]
    records = [{"id": "a", "fields": fields}, {"id": "b", "fields": [{"id": 9}]}, {"id": "c", "fields": {"id": 7, "value": "x"}}]
    picked = {"color": "fields[id=7].value", "size": "fields[id=8].value", "whole": "fields[id=9]"}
    found = read(serve(lambda _: {"data": records}), SINGLE, {"things": table("id", "color", set=picked)}).rows("things")
    assert [(row["id"], row["color"], row["size"]) for row in found] == [
        ("a", "red", None),
        ("b", None, None),
        ("c", None, None),
    ]
    with pytest.raises(ValueError, match=r"picks an item by its id: `set` of a REST table can do so"):
        parts_of("fields[id=7].value")


def test_a_value_of_an_inner_row_that_others_lack(serve: Serve, read: Reading) -> None:
    """The column is there even if no row has the value."""
    records = [{"at": "2026-10-01", "rows": [{"id": "a"}, {"id": "b", "from": "low"}]}]
    changes = table("id", "before", record="rows", set={"before": "{row.from}", "next": "{row.to}", "at": "at"})
    found = read(serve(lambda _: {"data": records}), SINGLE, {"changes": changes}).rows("changes")
    assert [(row["id"], row["before"], row["next"], row["at"]) for row in found] == [
        ("a", None, None, "2026-10-01"),
        ("b", "low", None, "2026-10-01"),
    ]


def test_a_list_beside_the_records_tells_columns(serve: Serve, read: Reading) -> None:
    """Each page has the metrics of its own tickets. A ticket without metrics has no values."""

    def answer(asked: Asked) -> Any:
        page = int(asked.query.get("after", ["0"])[0])
        metrics = [{"ticket": page, "times": {"solved": f"day {page}"}}] if page != 1 else []
        return {"data": [{"id": page}], "metrics": metrics, "next": str(page + 1) if page < 2 else None}

    pages = {"paginator": {"kind": "cursor", "cursor_path": "next", "cursor_param": "after"}}
    server = serve(answer)
    cases = table("id:integer", "solved", lookups=[BESIDE])
    found = read(server, pages, {"cases": cases}).rows("cases")
    assert [(row["id"], row["solved"]) for row in found] == [(0, "day 0"), (1, None), (2, "day 2")]
    server.answer = lambda _: {"data": [{"id": 1}]}
    with pytest.raises(ReadError, match="a response has nothing at `metrics` instead of a list of records"):
        read(server, pages, {"cases": cases}).rows("cases")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"lookups": [BESIDE | {"path": "x"}]}, "write `path` and `body` of the request, or neither"),
        (
            {"lookups": [BESIDE], "record": "inner"},
            "tables.things.lookups: without `path`, a lookup adds columns to whole records",
        ),
        ({"set": {"a": "b[id=]"}}, "tables.things.set: 'b[id=]' is no path"),
    ],
)
def test_keys_that_do_not_go_together(serve: Serve, read: Reading, keys: dict[str, Any], message: str) -> None:
    with pytest.raises(SourceError) as caught:
        read(serve(lambda _: {}), SINGLE, {"things": table("id") | keys})
    assert message in str(caught.value)
