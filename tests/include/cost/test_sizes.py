"""Logical bytes of a table, measured on the local warehouse and compared with bytes counted by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.cloud.bigquery import Client

from include.cost import sizes
from include.cost.sizes import Size
from tests.warehouse import connected


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    with connected(monkeypatch, "shop") as found:
        found.create_dataset("shop", exists_ok=True)
        found.query(
            "create table shop.orders (id string, seen timestamp, day date, amount numeric, paid bool, pieces int64, about json) "
            "partition by date_trunc(day, month)"
        ).result()
        found.query(
            "insert into shop.orders values ('a1', timestamp '2026-01-01 00:00:00', date '2026-01-05', 1.5, true, 3, json '{\"n\":1}'), "
            "('ü', null, date '2026-01-31', null, false, null, null), (null, null, date '2026-02-01', 2, null, 1, null)"
        ).result()
        yield found


def test_a_value_counts_by_its_type_and_null_counts_nothing(bq: Client) -> None:
    # 'a1' takes 2 + 2, 'ü' 2 + 2 bytes of UTF-8; dates, timestamps and integers 8, NUMERIC 16, BOOL 1; JSON is its text, {"n":1} with 2 + 7.
    columns = {"id": 8, "seen": 8, "day": 24, "amount": 32, "paid": 2, "pieces": 16, "about": 9}
    assert sizes.measured(bq, {"shop.orders": ("day", "MONTH")})["shop.orders"] == Size(
        3, columns, {"2026-01-01": 2, "2026-02-01": 1}, "MONTH"
    )
    assert sizes.measured(bq, {"shop.orders": ("seen", "MONTH")})["shop.orders"].partitions == {"2026-01-01": 1, "__NULL__": 2}


def test_a_project_is_measured_by_dry_runs_alone(bq: Client) -> None:
    before = {job.job_id for job in bq.list_jobs()}
    size = sizes.estimated(bq)["shop.orders"]
    assert set(size.columns) == {"id", "seen", "day", "amount", "paid", "pieces", "about"}
    assert size.partitions == {}, "a dry run does not tell them"
    sent = [job for job in bq.list_jobs() if job.job_id not in before]
    assert [job for job in sent if not job.dry_run] == []
