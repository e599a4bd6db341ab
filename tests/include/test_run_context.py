"""The as-of time of a run."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from include.run_context import RunContext, batch_instant, run_page


def context(parameters: dict[str, Any] | None = None, **dag_run: Any) -> dict[str, Any]:
    defaults = {
        "run_id": "r1",
        "partition_key": None,
        "data_interval_end": None,
        "run_after": datetime(2026, 10, 2, 2, tzinfo=UTC),
    }
    return {"params": parameters or {}, "dag_run": SimpleNamespace(**{**defaults, **dag_run})}


def test_the_as_of_time_of_a_nightly_run_is_midnight() -> None:
    run = RunContext.of(context(data_interval_end=datetime(2026, 10, 2, 2, 30, tzinfo=UTC)))
    assert run.as_of == datetime(2026, 10, 2, tzinfo=UTC)
    assert run.partition_key == "2026-10-02T00:00:00+00:00"
    assert run.batch_id("crm") == "crm@2026-10-02T000000Z"


def test_the_as_of_time_of_a_refresh_is_its_scheduled_instant() -> None:
    scheduled = datetime(2026, 10, 2, 10, 15, tzinfo=UTC)
    run = RunContext.of(context(dag_id="refresh_hourly", data_interval_end=scheduled))
    assert run.as_of == scheduled
    assert run.batch_id("crm") == "crm@2026-10-02T101500Z"
    assert batch_instant(run.batch_id("crm")) == scheduled
    by_hand = RunContext.of(context(dag_id="refresh_hourly", run_after=datetime(2026, 10, 2, 10, 15, 7, 123456, tzinfo=UTC)))
    assert by_hand.as_of == datetime(2026, 10, 2, 10, 15, 7, tzinfo=UTC), "batches are named by the second"
    given = RunContext.of(context({"as_of": "2026-10-01T09:00:00Z"}, dag_id="refresh_hourly", data_interval_end=scheduled))
    assert given.as_of == datetime(2026, 10, 1, 9, tzinfo=UTC)


def test_the_partition_key_has_priority_over_the_schedule() -> None:
    assert RunContext.of(context(partition_key="2026-09-30T00:00:00+00:00")).as_of == datetime(2026, 9, 30, tzinfo=UTC)


def test_the_parameter_has_priority() -> None:
    run = RunContext.of(context({"as_of": "2026-01-31", "full_refresh": True}, partition_key="2026-09-30T00:00:00+00:00"))
    assert run.as_of == datetime(2026, 1, 31, tzinfo=UTC)
    assert run.full_refresh


def test_an_instant_with_an_offset_is_converted_to_utc() -> None:
    assert RunContext.of(context({"as_of": "2026-01-31T01:00:00+02:00"})).as_of == datetime(2026, 1, 30, 23, tzinfo=UTC)


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="timezone"):
        RunContext("r1", datetime(2026, 1, 1))


def test_an_invalid_date_is_refused() -> None:
    with pytest.raises(ValueError, match="yesterday"):
        RunContext.of(context({"as_of": "yesterday"}))


def test_a_run_has_a_page() -> None:
    task = SimpleNamespace(log_url="http://airflow/dags/transform/runs/r%2B1/tasks/prepare?try_number=1")
    assert run_page({"ti": task}) == "http://airflow/dags/transform/runs/r%2B1"
