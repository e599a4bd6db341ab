"""What incremental models send when their table exists: filters on the partition column are constants, so that BigQuery leaves out
the other partitions before it runs. A subquery in their place would read, and bill, all of them."""

from __future__ import annotations

import re
from datetime import date, datetime

import pytest

from tests.dbt.models.builds import build, sent, write_table
from tests.dbt.models.test_business_minutes import ticket_columns
from tests.warehouse import connected, rows

TEXTS = (
    *(
        "organization_id",
        "account_id",
        "account_key",
        "account_name",
        "segment",
        "plan_tier",
        "region",
        "owner_user_id",
        "owner_name",
    ),
    "reporting_currency",
)
COUNTS = (
    *("event_count_ever", "event_count", "active_day_count", "used_category_count", "open_ticket_count", "ticket_count"),
    *("breached_ticket_count", "csat_response_count", "subscription_count"),
)
AMOUNTS = ("mrr_amount", "mrr_3_months_ago_amount", "mrr_at_rate_of_3_months_ago_amount")
COMPARED_WITH = r"\b{column}\s*(?:=|<=|>=|<|>|between|in)\s*(date '[^']*'|\S+)"


def test_the_history_of_health_reads_one_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = {
        **dict.fromkeys(TEXTS, str),
        **dict.fromkeys(COUNTS, int),
        **dict.fromkeys(AMOUNTS, int),
        "mean_csat_score": float,
        "is_revenue_comparable": bool,
    }
    customer = dict.fromkeys(TEXTS, "a") | dict.fromkeys(COUNTS, 1) | dict.fromkeys(AMOUNTS, 10) | {"is_revenue_comparable": True}
    seeds = ("customer_health_settings", "customer_health_tiers")
    with connected(monkeypatch, "core", "snapshots") as bq:
        write_table(bq, "core.int_customers__signals", columns, [customer])
        build("2026-09-30", *seeds, "int_customers__health_daily")
        build("2026-10-01", "int_customers__health_daily")
        build("2026-10-01", "int_customers__health_daily")
        found = rows(bq, "select score_date, count(*) from snapshots.int_customers__health_daily group by score_date order by 1")

    assert found == [(date(2026, 9, 29), 1), (date(2026, 9, 30), 1)]
    statements = sent("int_customers__health_daily")
    (deletion,) = {words for words in statements if "delete from" in words}
    assert filters(deletion, "score_date") == ["date '2026-09-30'"]
    (merge,) = {words for words in statements if "merge into" in words}
    assert re.search(r"\bon \(false\)", merge)


def test_tickets_are_compared_by_key_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ticket of any month may have moved, so no month is left out, and none is chosen by a subquery."""
    opened = {"organization_id": str, "utc_date": date, "open_microseconds_before": int}
    opened |= dict.fromkeys(("segment_from", "segment_until", "open_until"), datetime)
    with connected(monkeypatch, "core", "staging") as bq:
        write_table(bq, "core.int_support__tickets", ticket_columns(), [])
        write_table(bq, "core.dim_open_time", opened, [])
        write_table(bq, "core.dim_facilities", {"organization_id": str, "facility_id": str, "facility_key": str}, [])
        write_table(bq, "staging.stg_support__tickets", {"organization_id": str, "ticket_id": str}, [])
        build("2026-10-01", "fct_tickets")
        build("2026-10-01", "fct_tickets")

    statements = sent("fct_tickets")
    assert all(any(verb in words for words in statements) for verb in ("delete from", "merge into")), statements
    assert [found for words in statements for found in filters(words, "created_date")] == []


def filters(statement: str, column: str) -> list[str]:
    """What a column is compared with in a statement."""
    return re.findall(COMPARED_WITH.format(column=column), statement)
