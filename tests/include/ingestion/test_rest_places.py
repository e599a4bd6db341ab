"""Loads from a REST API into the warehouse: cursors that outlive a load, deletes by a list of keys, exhausted quotas."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from starlette.responses import JSONResponse

from include.ingestion import LoadPostponed, load
from include.orchestration import load_task
from include.run_context import RunContext
from include.sources import SourceConnection
from tests.include.ingestion.world import Warehouse, columns, day, dies
from tests.include.sources.rest.server import Asked, Server

TICKETS = {
    "description": "One row per ticket.",
    "primary_key": ["id"],
    "event_time": "updated_at",
    "columns": columns(id="string", title="string", updated_at="timestamp"),
}
EXPORT = {
    "type": "rest",
    "data": "tickets",
    "first": "2026-01-01",
    "params": {"start_time": "{since:epoch_seconds}"},
    "paginator": {
        "kind": "cursor",
        "cursor_path": "after_cursor",
        "cursor_param": "cursor",
        "stop": {"path": "end_of_stream", "is": True},
        "resume": True,
    },
}


class Tickets:
    """An export in the order of changes. The last page names the cursor at which the next load starts."""

    def __init__(self) -> None:
        self.rows = [ticket(number) for number in range(5)]
        self.refusal: Any = None

    def __call__(self, asked: Asked) -> Any:
        if self.refusal is not None:
            return self.refusal
        if asked.path == "/keys":
            return {"tickets": [{"id": row["id"]} for row in self.rows]}
        start = int(asked.one("cursor") or 0)
        end = min(start + 2, len(self.rows))
        return {"tickets": self.rows[start:end], "after_cursor": str(end), "end_of_stream": end == len(self.rows)}


def ticket(number: int, title: str = "first") -> dict[str, str]:
    return {"id": f"t{number}", "title": title, "updated_at": (day(1) + timedelta(hours=number)).isoformat()}


@pytest.fixture
def tickets() -> Iterator[tuple[Tickets, Server]]:
    export = Tickets()
    server = Server(export)
    server.start()
    yield export, server
    server.stop()


def loaded(source: Any, server: Server, as_of: int, **run: Any) -> Any:
    connection = SourceConnection.of(source.connection, {"conn_type": "http", "host": server.url})
    return load(source, connection, RunContext("test", day(as_of), **run))


def test_a_cursor_that_outlives_a_load(
    warehouse: Warehouse, write_source: Callable[..., Any], tickets: tuple[Tickets, Server], name: str
) -> None:
    """It is saved with the rows: a load that is killed at any point starts again where the last one ended, and gives the same table."""
    export, server = tickets
    source = write_source(EXPORT, {"cases": TICKETS})
    assert loaded(source, server, 2).tables["cases"].rows == 5
    starts = [dict(asked.query) for asked in server.requests]
    assert starts == [{"start_time": ["1767225600"]}, {"cursor": ["2"]}, {"cursor": ["4"]}]

    # A row that the system has touched, with an old time of change.
    export.rows += [ticket(1, "touched") | {"updated_at": "2026-09-01T00:00:00Z"}, ticket(9)]
    for point in ("read", "all_loaded"):
        server.requests.clear()
        assert dies(point, "cases", lambda: loaded(source, server, 3))
        assert server.requests[0].query == {"cursor": ["5"]}
    server.requests.clear()
    loaded(source, server, 3)
    assert [asked.query for asked in server.requests] == [{"cursor": ["5"]}]
    assert warehouse.value(f"select count(*) from raw_{name}.cases where title = 'touched'") >= 1
    assert len(warehouse.latest(f"raw_{name}.cases", order="updated_at desc, ")) == 6

    # The next load finds nothing new. A full refresh, and a backfill of a day or more, start at the beginning.
    for as_of, run, query in (
        (4, {}, {"cursor": ["7"]}),
        (4, {"full_refresh": True}, {"start_time": ["1767225600"]}),
        (2, {}, {"start_time": ["1767225600"]}),
        (4, {}, {"cursor": ["7"]}),
    ):
        server.requests.clear()
        loaded(source, server, as_of, **run)
        assert server.requests[0].query == query


def test_deletes_by_a_list_of_keys(
    warehouse: Warehouse, write_source: Callable[..., Any], tickets: tuple[Tickets, Server], name: str
) -> None:
    """A row that the list lacks is deleted. A row that the list has and the cursor has missed is read with the whole table."""
    export, server = tickets
    table = TICKETS | {"cursor": "updated_at", "detect_deletes": True, "keys": {"path": "keys", "paginator": {"kind": "single"}}}
    whole = EXPORT | {"paginator": {"kind": "single"}}
    source = write_source(whole, {"cases": table})
    export.rows = [ticket(number) for number in range(2)]
    loaded(source, server, 2)
    export.rows = [ticket(1), ticket(7) | {"updated_at": "2026-09-01T00:00:00Z"}]
    answer = server.answer

    def since(asked: Asked) -> Any:
        found = answer(asked)
        return found if asked.path == "/keys" or asked.one("start_time") == "1767225600" else {"tickets": []}

    server.answer = since
    report = loaded(source, server, 3).tables["cases"]
    assert (report.tombstones, report.recovered) == (1, 1)
    assert set(warehouse.latest(f"raw_{name}.cases")) == {"t1", "t7"}


def test_a_used_up_quota_postpones_the_load(
    warehouse: Warehouse,
    write_source: Callable[..., Any],
    tickets: tuple[Tickets, Server],
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing of the table is loaded, Airflow does not retry the task, and the next load starts where the last one ended."""
    export, server = tickets
    throttling = {"reason_path": "policyName", "quota": ["DAILY"]}
    source = write_source(EXPORT | {"throttling": throttling}, {"cases": TICKETS})
    export.refusal = JSONResponse({"policyName": "DAILY"}, 429, {"Retry-After": "7200"})
    with pytest.raises(LoadPostponed, match=r"cases: the API refuses more requests \(DAILY\)\. It resumes at 20"):
        loaded(source, server, 2)
    assert len(server.requests) == 1
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps({"conn_type": "http", "host": server.url}))
    with pytest.raises(AirflowFailException, match="It resumes at 20"):
        load_task(source, RunContext("test", day(2)))
    export.refusal = None
    assert loaded(source, server, 2).tables["cases"].rows == 5
