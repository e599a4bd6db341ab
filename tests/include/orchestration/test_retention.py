"""Old versions are deleted from snapshots, current versions never."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from google.cloud.bigquery import Client

from include.orchestration import delete_old_versions
from tests.warehouse import connected, rows

AS_OF = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    with connected(monkeypatch, "snapshots") as client:
        yield client


def instant(day: str | None) -> str:
    return f"timestamp '{day}'" if day else "cast(null as timestamp)"


def create(bq: Client, table: str, *versions: tuple[str, str | None]) -> None:
    """Create a snapshot with versions that began and ended on these days."""
    values = ", ".join(
        f"struct({instant(since)} as dbt_valid_from, {instant(until)} as dbt_valid_to)" for since, until in versions
    )
    bq.query(f"create or replace table snapshots.{table} as select * from unnest([{values}])").result()


def test_versions_that_ended_over_a_year_ago_are_deleted(bq: Client) -> None:
    create(bq, "snap_a", ("2020-01-01", "2025-09-30"), ("2025-09-30", "2025-10-01"), ("2025-10-01", None), ("2019-01-01", None))
    create(bq, "snap_b", ("2020-01-01", None))
    assert delete_old_versions(AS_OF, bq) == {"snap_a": 1, "snap_b": 0}
    left = rows("select date(dbt_valid_from) from snapshots.snap_a order by 1", bq)
    assert [str(row[0]) for row in left] == ["2019-01-01", "2025-09-30", "2025-10-01"]
    assert delete_old_versions(AS_OF, bq) == {"snap_a": 0, "snap_b": 0}


def test_the_retention_time_is_a_setting(bq: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from include.settings import settings

    create(bq, "snap_a", ("2026-01-01", "2026-09-01"), ("2026-09-01", None))
    monkeypatch.setenv("SNAPSHOTS_KEPT_DAYS", "10")
    settings.cache_clear()
    assert delete_old_versions(AS_OF, bq) == {"snap_a": 1}


def test_history_that_is_no_snapshot_is_kept(bq: Client) -> None:
    bq.query("create or replace table snapshots.int_daily as select date '2019-01-01' as score_date").result()
    create(bq, "snap_a", ("2020-01-01", "2021-01-01"))
    assert delete_old_versions(AS_OF, bq) == {"snap_a": 1}
    assert [str(row[0]) for row in rows("select score_date from snapshots.int_daily", bq)] == ["2019-01-01"]
