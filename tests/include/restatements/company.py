"""A company with orders and exchange rates in raw, and the revenue table that a run builds and publishes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from google.cloud.bigquery import Client

from include.ops import append
from include.restatements import record, record_figures
from include.run_context import RunContext
from include.warehouse import execute

DATASETS = ("raw_crm", "raw_reference", "metrics", "metrics_build")
TABLE = "metrics.mtr_revenue_by_month"
#: The real time at which the first run publishes; that of day 2 is a day later, and so on.
FIRST = datetime(2026, 10, 1, 3, tzinfo=UTC)

_BUILD = """
    create or replace table {dataset}.mtr_revenue_by_month as
    select
        orders.organization_id,
        date_trunc(date(orders.ordered_at), month) as month,
        timestamp(date_add(date_trunc(date(orders.ordered_at), month), interval 1 month)) <= @as_of as is_complete,
        sum(if(orders.status = 'refunded', 0, (orders.subtotal_amount - orders.discount_amount) * rates.rate_to_usd)) as order_revenue,
        countif(orders.status != 'refunded') as order_count
    from (
        select * from raw_crm.orders where updated_at < @as_of
        qualify row_number() over (partition by order_id order by updated_at desc, _extracted_at desc, _is_deleted desc) = 1
    ) as orders
    inner join (
        select * from raw_reference.fx_rates where true
        qualify row_number() over (partition by rate_date, currency order by _extracted_at desc) = 1
    ) as rates on rates.currency = orders.currency and rates.rate_date = date(orders.ordered_at)
    where not orders._is_deleted
    group by orders.organization_id, month
"""


class Company:
    """Its raw rows; a day is the day of October 2026 on which rows are loaded, and a run publishes."""

    def __init__(self, bq: Client) -> None:
        self.bq = bq
        bq.query(
            "create table raw_crm.orders (order_id string, organization_id string, account_id string, status string, currency string, "
            "subtotal_amount numeric, discount_amount numeric, ordered_at timestamp, updated_at timestamp, _extracted_at timestamp, _loaded_at timestamp, "
            "_is_deleted bool, _restored_at timestamp, _source_file_id string);"
            "create table raw_reference.fx_rates (rate_date date, currency string, rate_to_usd numeric, _extracted_at timestamp, "
            "_loaded_at timestamp, _is_deleted bool, _source_file_id string)"
        ).result()
        self.rate(1, "2026-08-10", "2")
        self.rate(1, "2026-09-10", "2")
        self.order(1, "a1", "2026-08-10", "100")
        self.order(1, "a2", "2026-09-10", "50")

    def order(
        self,
        day: int,
        key: str,
        ordered: str,
        subtotal: str,
        status: str = "shipped",
        organization: str = "acme",
        deleted: bool = False,
    ) -> None:
        """Load a version of an order on a day, two hours before the day's publication."""
        loaded = f"timestamp '2026-10-{day:02} 01:00:00+00'"
        changed = f"timestamp_sub({loaded}, interval 12 hour)"
        values = f"'acc', '{status}', 'EUR', numeric '{subtotal}', numeric '0', timestamp '{ordered} 10:00:00+00'"
        if deleted:
            values = "null, null, null, null, null, null"
        self.bq.query(
            f"insert into raw_crm.orders values ('{key}', '{organization}', {values}, {changed}, {loaded}, {loaded}, "
            f"{str(deleted).lower()}, null, null)"
        ).result()

    def rate(self, day: int, date: str, rate: str) -> None:
        """Load a version of the euro's rate on a day."""
        loaded = f"timestamp '2026-10-{day:02} 01:00:00+00'"
        self.bq.query(
            f"insert into raw_reference.fx_rates values (date '{date}', 'EUR', numeric '{rate}', {loaded}, {loaded}, false, null)"
        ).result()

    def build(self, day: int, dataset: str = "metrics") -> RunContext:
        """Build the table of a day's run."""
        run = RunContext(f"nightly__{day}", datetime(2026, 10, day, tzinfo=UTC))
        execute(_BUILD.format(dataset=dataset), {"as_of": run.as_of}, self.bq)
        return run

    def publish(self, day: int, monkeypatch: pytest.MonkeyPatch, code: str | None = "c1") -> int:
        """Publish the table of a day's run, and record its figures. Returns the number of restatements."""
        run = self.build(day)
        now = FIRST + timedelta(days=day - 1)
        row = {
            "table_name": "mtr_revenue_by_month",
            "dataset": "metrics",
            "build_dataset": "metrics_build",
            "run_id": run.run_id,
            "as_of": run.as_of,
            "published_at": now,
            "state": "published",
            "code_version": code,
        }
        append("ops.publications", [row], replace_where={"run_id": run.run_id}, client=self.bq)
        monkeypatch.setattr(record, "code_versions", lambda tables: {TABLE: code} if code else {})
        monkeypatch.setattr(record, "datetime", _Clock(now))
        return record_figures(run, [TABLE], self.bq)


class _Clock:
    """`datetime` at one instant."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self, _zone: object) -> datetime:
        return self._at
