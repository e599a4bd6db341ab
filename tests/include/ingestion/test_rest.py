"""Loads from a REST API: pagination, throttling, errors and broken responses."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from include.ingestion import LoadError, load
from include.run_context import RunContext
from include.sources import SourceConnection
from include.sources.readers.rest.client import prefixes
from tests.include.ingestion.world import TOKEN, Api, Warehouse, columns, day

BEARER = {
    "type": "rest",
    "base_path": "/v1",
    "auth": "bearer",
    "paginator": {"kind": "cursor", "cursor_path": "next_cursor", "cursor_param": "cursor"},
    "page_size": {"param": "limit", "value": 20},
    "params": {"updated_since": "{since}"},
    "max_attempts": 4,
    "max_wait_seconds": 1,
}
BASIC = BEARER | {
    "base_path": "/api/v2",
    "auth": "basic",
    "data": "results",
    "paginator": {"kind": "next_link", "next_path": "links.next"},
    "page_size": {"param": "per_page", "value": 20},
}
NUMBERED = BEARER | {
    "base_path": "/numbered",
    "auth": "none",
    "total_path": "total",
    "paginator": {"kind": "page_number", "max_reads": 4},
    "page_size": {"param": "per_page", "value": 20},
}
RECEIPTS = {
    "description": "One row per receipt.",
    "primary_key": ["id"],
    "cursor": "updated_at",
    "overlap": "1h",
    "columns": columns(id="string", total="decimal", paid="boolean", lines="json", note="string", updated_at="timestamp"),
}


def receipt(number: int, at: Any, **more: Any) -> dict[str, Any]:
    instant = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"id": f"i{number:03d}", "total": f"{number}.10", "paid": True, "lines": [{"n": 1}], "note": None} | {
        "updated_at": instant,
        **more,
    }


def loaded(source: Any, api: Api, as_of: int) -> Any:
    return load(source, SourceConnection.of(source.connection, api.connection()), RunContext("test", day(as_of)))


def test_cursor_pages(warehouse: Warehouse, write_source: Callable[..., Any], api: Api, name: str) -> None:
    source = write_source(BEARER, {"receipts": RECEIPTS, "credits": RECEIPTS | {"path": "credit_notes"}})
    api.resources["receipts"] = [receipt(n, day(1) + timedelta(minutes=n)) for n in range(100)]
    api.resources["credit_notes"] = []
    # Five pages. Each page repeats the last record of the page before. Four requests fail.
    api.repeat_last_of_page = True
    api.faults = {2: 429, 4: 500, 5: "truncated", 7: "dropped"}
    first = loaded(source, api, 2)
    assert not api.faults
    assert first.tables["receipts"].rows == 104
    assert first.tables["credits"].rows == 0
    receipts = warehouse.latest(f"raw_{name}.receipts")
    assert len(receipts) == 100
    row = receipts["i042"]
    assert (str(row["total"]), row["paid"], row["lines"], row["note"]) == ("42.100000000", True, '[{"n":1}]', None)
    assert warehouse.value(f"select count(*) from raw_{name}.credits") == 0

    # The second run requests changes from an hour before the last change, and so finds late rows of that hour.
    api.repeat_last_of_page = False
    api.requests.clear()
    api.resources["receipts"] += [
        receipt(7, day(2), paid="no idea", total=1e3),
        receipt(500, day(1) + timedelta(minutes=60), extra={"deep": [1]}, **{"Weird Name!": 5}),
        receipt(600, day(3)),
        receipt(700, day(2)) | {"id": None},
    ]
    second = loaded(source, api, 3).tables["receipts"]
    assert {sent["updated_since"] for sent in api.requests if sent["resource"] == "receipts"} == {"2026-10-01T00:39:00.000000Z"}
    receipts = warehouse.latest(f"raw_{name}.receipts")
    assert len(receipts) == 101
    assert (receipts["i007"]["paid"], receipts["i007"]["paid__v_text"], receipts["i007"]["total"]) == (None, "no idea", 1000)
    assert (receipts["i500"]["extra"], receipts["i500"]["weird_name"]) == ('{"deep":[1]}', 5)
    assert len(second.rejected) == 1
    assert second.columns("new_column") == ["extra", "weird_name"]
    assert second.columns("type_change") == ["paid"]


def test_linked_pages(warehouse: Warehouse, write_source: Callable[..., Any], api: Api, name: str) -> None:
    source = write_source(BASIC, {"receipts": RECEIPTS | {"cursor": None, "overlap": "0h"}})
    api.resources["receipts"] = [receipt(n, day(1)) for n in range(50)] + ["no object"]
    report = loaded(source, api, 2).tables["receipts"]
    assert (report.rows, [r.reason for r in report.rejected]) == (50, ["not a JSON object"])
    assert len(warehouse.latest(f"raw_{name}.receipts")) == 50
    assert [sent.get("page") for sent in api.requests] == [None, "2", "3"]


def test_read_errors_are_reported(
    warehouse: Warehouse, write_source: Callable[..., Any], api: Api, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    api.resources["receipts"] = [receipt(n, day(1)) for n in range(50)]
    source = write_source(BEARER, {"receipts": RECEIPTS})

    with caplog.at_level(logging.DEBUG):
        api.faults = dict.fromkeys(range(1, 100), "not_json")
        with pytest.raises(LoadError, match=r"receipts: .*not a complete JSON document"):
            loaded(source, api, 2)
        api.faults = {}
        api.answers_at = "items"
        with pytest.raises(LoadError, match=r"receipts: .*no records at `data`"):
            loaded(source, api, 2)
        api.answers_at, api.loop = None, True
        with pytest.raises(LoadError, match=r"receipts: .*pagination never ends"):
            loaded(source, api, 2)
        api.loop = False
        with pytest.raises(LoadError, match=r"receipts: .*401"):
            load(source, SourceConnection.of(name, api.connection(password="wrong-t0ken")), RunContext("test", day(2)))
        with pytest.raises(LoadError, match="no password, which is the bearer token"):
            load(source, SourceConnection.of(name, api.connection(password=None)), RunContext("test", day(2)))
        with pytest.raises(LoadError, match=r"receipts: .*cannot be reached"):
            load(source, SourceConnection.of(name, api.connection(host="http://127.0.0.1:1")), RunContext("test", day(2)))
    assert warehouse.value(f"select count(*) from raw_{name}.receipts") == 0
    assert TOKEN not in caplog.text
    assert "wrong-t0ken" not in caplog.text
    # No cursor has moved: as soon as the API works, all rows are read.
    assert loaded(source, api, 2).tables["receipts"].rows == 50


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": None}, "a response has nothing at `data` instead of a list of records"),
        ({"data": {"id": "i1"}}, "a response has a value of type dict at `data` instead of a list of records"),
        ({"total": 51}, "the API says at `meta.total` that it has 51 records, but sent 50"),
        ({"total": "50"}, "a response has a value of type str at `meta.total` instead of the number of records"),
        ({"next_cursor": None}, "says at `meta.more` that more pages follow, but names none at `next_cursor`"),
        ({"more": False}, "says at `meta.more` that no page follows, but names one at `next_cursor`"),
        ({"more": None}, "a response has nothing at `meta.more` instead of true or false"),
    ],
    ids=["null", "object", "fewer", "text", "no_cursor", "no_more", "no_flag"],
)
def test_ends_too_early(
    warehouse: Warehouse, write_source: Callable[..., Any], api: Api, name: str, change: dict[str, Any], message: str
) -> None:
    """A read that may lack pages is an error. The second of three pages is wrong. Nothing is loaded, and the cursor does not move."""
    source = write_source(BEARER | {"total_path": "meta.total", "has_more_path": "meta.more"}, {"receipts": RECEIPTS})
    api.resources["receipts"] = [receipt(n, day(1)) for n in range(50)]

    def body(number: int, sent: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
        meta = {"total": 50, "more": sent["next_cursor"] is not None}
        if number == 2 or "total" in change:
            meta |= {key: value for key, value in change.items() if key in meta}
            sent = sent | {key: value for key, value in change.items() if key not in meta}
        return sent | {"meta": meta}

    api.changed = lambda number, sent: body(number, sent, change)
    with pytest.raises(LoadError) as caught:
        loaded(source, api, 2)
    assert message in str(caught.value)
    assert warehouse.value(f"select count(*) from raw_{name}.receipts") == 0
    api.changed = lambda number, sent: body(number, sent, {})
    assert loaded(source, api, 2).tables["receipts"].rows == 50


def move(records: list[Any], place: int) -> None:
    """Move a record to the first place, as a change does in an API that sorts by the last change."""
    records.insert(0, records.pop(place))


def test_records_move_between_pages(warehouse: Warehouse, write_source: Callable[..., Any], api: Api, name: str) -> None:
    """While page 2 is read, a record of page 3 moves to page 1, and those before it move on. None is lost, none is loaded twice."""
    source = write_source(NUMBERED, {"receipts": RECEIPTS})
    api.resources["receipts"] = [receipt(n, day(1)) for n in range(50)]

    def moving(number: int, body: dict[str, Any]) -> dict[str, Any]:
        if number == 2:
            move(api.resources["receipts"], 45)
        return body

    api.changed = moving
    report = loaded(source, api, 2).tables["receipts"]
    assert (report.rows, len(warehouse.latest(f"raw_{name}.receipts"))) == (50, 50)
    # Three pages and an empty one: the first read lacks the record, the second finds it, and the third finds nothing new.
    assert [int(sent["page"]) for sent in api.requests] == [1, 2, 3, 4] * 3
    assert "updated_since" not in api.requests[0]

    # A single page cannot lose a record, and is read once.
    api.requests.clear()
    api.changed = lambda _, body: body
    api.resources["receipts"] = [receipt(0, day(2))]
    assert loaded(source, api, 3).tables["receipts"].rows == 1
    assert len(api.requests) == 2


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("moves", "records still moved between the pages of the API after 4 reads"),
        ("total", "the API says at `total` that it has 51 records, but sent 50"),
        ("repeats", "the API returns the same records for two page numbers, so its pagination never ends"),
    ],
)
def test_numbered_pages_that_are_not_complete(
    warehouse: Warehouse, write_source: Callable[..., Any], api: Api, name: str, fault: str, message: str
) -> None:
    """Nothing is loaded, and the cursor does not move."""
    source = write_source(NUMBERED, {"receipts": RECEIPTS})
    api.resources["receipts"] = [receipt(n, day(1)) for n in range(50)]
    first = api.resources["receipts"][:20]

    def changed(number: int, body: dict[str, Any]) -> dict[str, Any]:
        if fault == "moves":
            api.resources["receipts"].append(receipt(100 + number, day(1)))
        return body | {"moves": {}, "total": {"total": 51}, "repeats": {"data": first}}[fault]

    api.changed = changed
    with pytest.raises(LoadError) as caught:
        loaded(source, api, 2)
    assert message in str(caught.value)
    assert warehouse.value(f"select count(*) from raw_{name}.receipts") == 0
    api.changed = lambda number, body: body
    api.resources["receipts"] = [receipt(n, day(1)) for n in range(50)]
    assert loaded(source, api, 2).tables["receipts"].rows == 50


def test_credentials_stay_with_their_host(warehouse: Warehouse, write_source: Callable[..., Any], api: Api, name: str) -> None:
    """A link and a redirect to another port are refused, and the other server gets no request. The file may allow its host."""
    other = Api(resources={"receipts": [receipt(n, day(1)) for n in range(50)]})
    other.start()
    try:
        api.resources = other.resources
        source = write_source(BASIC, {"receipts": RECEIPTS})
        elsewhere = f"127.0.0.1:{other.port}"
        link = f"http://{elsewhere}/api/v2/receipts?per_page=20&page=2&secret=x"
        refused = rf"a link or redirect of the API leads to http://{elsewhere}, .*reader.allowed_hosts"
        api.changed = lambda _, body: body | {"links": {"next": link}}
        with pytest.raises(LoadError, match=refused) as caught:
            loaded(source, api, 2)
        assert "secret" not in str(caught.value)
        api.changed = lambda _, body: body
        api.faults = {len(api.requests) + 2: link}
        with pytest.raises(LoadError, match=refused):
            loaded(source, api, 2)
        assert other.requests == []

        api.changed = lambda _, body: body | {"links": {"next": link}}
        allowed = write_source(BASIC | {"allowed_hosts": [elsewhere]}, {"receipts": RECEIPTS})
        assert loaded(allowed, api, 2).tables["receipts"].rows == 50
        assert len(other.requests) == 2

        # A redirect to the allowed host is followed with the credentials. That host may not redirect to a third one.
        api.changed = lambda _, body: body
        api.faults = {len(api.requests) + 2: link}
        assert loaded(allowed, api, 2).tables["receipts"].rows == 50
        assert len(other.requests) == 4
        other.faults = {len(other.requests) + 1: link.replace(str(other.port), "1")}
        api.faults = {len(api.requests) + 2: link}
        with pytest.raises(LoadError, match=r"leads to http://127.0.0.1:1, which is not the host"):
            loaded(allowed, api, 2)
    finally:
        other.stop()


def test_the_port_of_the_scheme_may_be_left_out() -> None:
    assert prefixes("https", "a.example") == {"https://a.example/", "https://a.example:443/"}
    assert prefixes("https", "a.example:443") == {"https://a.example/", "https://a.example:443/"}
    assert prefixes("http", "a.example:443") == {"http://a.example:443/"}
