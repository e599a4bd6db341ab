"""What a refresh finds before it begins: a night that it can take from, or none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from google.cloud.bigquery import Client

from include import ops
from include.orchestration import open_run
from include.run_context import RunContext
from tests.warehouse import connected

DAG_ID = "refresh_every_15_minutes"
TAKEN = {"core.dim_facilities", "staging.stg_crm__accounts"}
NIGHT = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture
def bq(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    with connected(monkeypatch) as client:
        yield client


def opened(tick: datetime) -> dict[str, Any] | None:
    run = SimpleNamespace(dag_id=DAG_ID, run_id=f"tick {tick}", data_interval_end=tick)
    context = {"dag_run": run, "run_id": run.run_id, "params": {}, "ti": SimpleNamespace(log_url="http://airflow/tasks/prepare")}
    return open_run(context, TAKEN)


def test_without_a_night_it_skips_its_tick_and_says_why(bq: Client) -> None:
    assert opened(NIGHT.replace(hour=10)) is None
    (row,) = ops.runs(client=bq)
    assert (row["dag_id"], row["state"]) == (DAG_ID, "skipped")
    assert row["message"] == (
        "Scheduled run skipped: no whole run of transform has succeeded yet. "
        "It takes 2 tables and views from the night, such as core.dim_facilities."
    )


def test_after_a_night_it_begins(bq: Client) -> None:
    night = RunContext("night", NIGHT)
    ops.start_run(night, "transform", seeds="all of them", client=bq)
    assert opened(NIGHT.replace(hour=1)) is None, "it has not ended"
    ops.finish_run(night, "transform", "success", client=bq)
    told = opened(NIGHT.replace(hour=10))
    assert told is not None and told["as_of"] == "2026-10-01T10:00:00+00:00"
    assert [row["state"] for row in ops.runs(DAG_ID, client=bq)] == ["running", "skipped"]


def test_a_refresh_of_an_earlier_day_than_another_refresh_rebuilds(bq: Client) -> None:
    for dag_id, as_of in (("transform", NIGHT), ("refresh_hourly", NIGHT.replace(day=3))):
        run = RunContext(f"{dag_id} {as_of}", as_of)
        ops.start_run(run, dag_id, seeds="all of them", client=bq)
        ops.finish_run(run, dag_id, "success", client=bq)
    found = [opened(NIGHT.replace(day=day)) for day in (2, 3)]
    assert [run and run["full_refresh"] for run in found] == [True, False]


def test_the_last_night_is_found_behind_any_number_of_refreshes(bq: Client) -> None:
    for dag_id, as_of, seeds in (("transform", NIGHT, "all"), ("refresh_hourly", NIGHT.replace(hour=5), "all")):
        run = RunContext("run", as_of)
        ops.start_run(run, dag_id, seeds=seeds, client=bq)
        ops.finish_run(run, dag_id, "success", client=bq)
    assert [row["dag_id"] for row in ops.runs_so_far(limit=0, client=bq)] == ["refresh_hourly", "transform"]
    for number in range(2):
        ops.start_run(RunContext(f"r{number}", NIGHT), "ingest_crm", client=bq)
    assert [row["run_id"] for row in ops.runs_so_far(limit=1, client=bq)] == ["r1", "run", "run"]
