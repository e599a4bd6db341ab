"""Writers retry a statement that BigQuery refuses because of concurrent writers. A proxy refuses it twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud.bigquery import Client

from include import ops, warehouse
from include.orchestration import delete_old_versions, take_lock
from include.quality import quarantine
from include.run_context import RunContext
from include.warehouse import client, execute
from include.warehouse.statements import bind
from tests.proxy import Proxy, proxied
from tests.warehouse import connected, rows, running

RUN = RunContext("scheduled__2026-10-01", datetime(2026, 10, 1, tzinfo=UTC))
SERIALIZE = "Could not serialize access to table local:ops.loads due to concurrent update"
OUTSTANDING = (
    "Resources exceeded during query execution: Too many DML statements outstanding against table ops.loads, limit is 20."
)
TOO_MANY = "Exceeded rate limits: too many table update operations for this table."


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    with connected(monkeypatch, "snapshots") as made:
        yield made


@pytest.fixture
def proxy(bq: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    # Keep the waits between retries short.
    monkeypatch.setattr("include.warehouse.statements._LONGEST_WAIT", 0.1)
    with proxied(running().url) as made:
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", made.url)
        yield made


def load(_: Client) -> None:
    row = {"batch_id": "b", "source": "crm", "table_name": "t", "loaded_at": RUN.as_of}
    ops.append("ops.loads", [row], replace_where={"batch_id": "b"})


def snapshots(bq: Client) -> None:
    bq.query("create or replace table snapshots.snap_a as select timestamp '2020-01-01' as dbt_valid_to").result()
    assert delete_old_versions(RUN.as_of, client()) == {"snap_a": 1}


WRITERS: dict[str, tuple[str, Callable[[Client], object]]] = {
    "loads": ("ops.loads", load),
    "run begins": ("ops.pipeline_runs", lambda _: ops.start_run(RUN, "transform")),
    "run ends": ("ops.pipeline_runs", lambda _: ops.finish_run(RUN, "transform", "success")),
    "quarantine": ("delete from quarantine", lambda _: quarantine.restore(client(), "conformed")),
    "lock": ("update ops.locks", lambda _: take_lock(["raw_crm"], "transform", "r", lambda *_: True)),
    "retention": ("delete from `snapshots`", snapshots),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_a_writer_retries(bq: Client, proxy: Proxy, writer: str) -> None:
    text, write = WRITERS[writer]
    proxy.refuse(text, SERIALIZE, times=2)
    write(bq)
    assert proxy.refusals[0].times == 0
    sent = proxy.statements(text)
    assert len(sent) == 3
    assert len(set(sent)) == 1


@pytest.mark.parametrize(
    ("message", "reason"), [(SERIALIZE, "invalidQuery"), (OUTSTANDING, "resourcesExceeded"), (TOO_MANY, "jobRateLimitExceeded")]
)
def test_a_retried_row_is_written_once(bq: Client, proxy: Proxy, message: str, reason: str) -> None:
    proxy.refuse("ops.loads", message, times=2, reason=reason)
    load(bq)
    assert rows("select batch_id from ops.loads", bq) == [("b",)]


def test_an_invalid_statement_is_not_retried(bq: Client, proxy: Proxy) -> None:
    with pytest.raises(BadRequest):
        execute("delete from ops.loads where nothing = 1")
    assert len(proxy.statements("nothing = 1")) == 1


def test_it_gives_up(bq: Client, proxy: Proxy) -> None:
    proxy.refuse("ops.loads", SERIALIZE, times=1000)
    with pytest.raises(BadRequest, match="Could not serialize access"):
        execute("delete from ops.loads where true", patience=1.0)


VALUES = {
    "word": "a",
    "whole": 1,
    "real": 0.5,
    "exact": Decimal("1.5"),
    "yes": True,
    "moment": RUN.as_of,
    "day": date(2026, 10, 1),
    "nothing": None,
    "several": [1, 2],
    "empty": [],
}


def test_the_type_of_a_value_is_the_type_of_its_parameter(bq: Client) -> None:
    assert warehouse.rows(f"select {', '.join(f'@{name} as {name}' for name in VALUES)}", VALUES) == [VALUES]
    typed = {"word": "STRING", "whole": "INT64", "real": "FLOAT64", "exact": "NUMERIC", "yes": "BOOL", "moment": "TIMESTAMP"}
    typed |= {"day": "DATE", "nothing": "STRING", "several": "INT64", "empty": "STRING"}
    assert {item.name: getattr(item, "type_", None) or item.array_type for item in bind(VALUES)} == typed


def test_a_value_without_a_type_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match=r"@when is a timedelta: give one of bool, int, .*, None, or a list of them"):
        bind({"when": RUN.as_of - RUN.as_of})
