"""The start of a refresh, with and without a nightly run to build on."""

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
REUSED = {"core.dim_facilities", "conformed.conformed_accounts"}
NIGHTLY = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture
def bq(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    with connected(monkeypatch) as client:
        yield client


def opened(as_of: datetime) -> dict[str, Any] | None:
    run = SimpleNamespace(dag_id=DAG_ID, run_id=f"scheduled {as_of}", data_interval_end=as_of)
    context = {"dag_run": run, "run_id": run.run_id, "params": {}, "ti": SimpleNamespace(log_url="http://airflow/tasks/prepare")}
    return open_run(context, REUSED)


def test_without_a_nightly_run_it_is_skipped_with_the_reason(bq: Client) -> None:
    assert opened(NIGHTLY.replace(hour=10)) is None
    (row,) = ops.runs(client=bq)
    assert (row["dag_id"], row["state"]) == (DAG_ID, "skipped")
    assert row["message"] == (
        "Run skipped: no complete run of transform has succeeded yet. "
        "It reuses 2 tables and views of the nightly run, such as conformed.conformed_accounts."
    )


def test_after_a_nightly_run_it_starts(bq: Client) -> None:
    nightly = RunContext("nightly", NIGHTLY)
    ops.start_run(nightly, "transform", seeds="all of them", client=bq)
    assert opened(NIGHTLY.replace(hour=1)) is None, "the nightly run has not ended"
    ops.finish_run(nightly, "transform", "success", client=bq)
    parameters = opened(NIGHTLY.replace(hour=10))
    assert parameters is not None and parameters["as_of"] == "2026-10-01T10:00:00+00:00"
    assert [row["state"] for row in ops.runs(DAG_ID, client=bq)] == ["running", "skipped"]


def test_a_refresh_of_an_earlier_day_than_another_refresh_is_a_full_refresh(bq: Client) -> None:
    for dag_id, as_of in (("transform", NIGHTLY), ("refresh_hourly", NIGHTLY.replace(day=3))):
        run = RunContext(f"{dag_id} {as_of}", as_of)
        ops.start_run(run, dag_id, seeds="all of them", client=bq)
        ops.finish_run(run, dag_id, "success", client=bq)
    found = [opened(NIGHTLY.replace(day=day)) for day in (2, 3)]
    assert [run and run["full_refresh"] for run in found] == [True, False]


def test_a_later_run_that_builds_no_table_makes_no_refresh_a_full_refresh(bq: Client) -> None:
    for dag_id, as_of in (
        ("transform", NIGHTLY),
        ("ingest_crm", NIGHTLY.replace(day=3)),
        ("maintenance", NIGHTLY.replace(day=4)),
    ):
        run = RunContext(f"{dag_id} {as_of}", as_of)
        ops.start_run(run, dag_id, seeds="all of them" if dag_id == "transform" else None, client=bq)
        ops.finish_run(run, dag_id, "success", client=bq)
    run_parameters = opened(NIGHTLY.replace(hour=10))
    assert run_parameters is not None and run_parameters["full_refresh"] is False


def test_the_last_nightly_run_is_found_behind_any_number_of_refreshes(bq: Client) -> None:
    for dag_id, as_of, seeds in (("transform", NIGHTLY, "all"), ("refresh_hourly", NIGHTLY.replace(hour=5), "all")):
        run = RunContext("run", as_of)
        ops.start_run(run, dag_id, seeds=seeds, client=bq)
        ops.finish_run(run, dag_id, "success", client=bq)
    assert [row["dag_id"] for row in ops.runs_so_far(limit=0, client=bq)] == ["refresh_hourly", "transform"]
    for number in range(2):
        ops.start_run(RunContext(f"r{number}", NIGHTLY), "ingest_crm", client=bq)
    assert [row["run_id"] for row in ops.runs_so_far(limit=1, client=bq)] == ["r1", "run", "run"]
