"""Incremental models filter the partition column by constants when their table exists, so that BigQuery reads only these partitions.

A subquery instead of a constant would read, and bill, all partitions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

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
COMPARED_WITH = r"\b{column}\s*(?:=|<=|>=|<|>|between|in)\s*((?:date|timestamp) '[^']*'|\S+)"
MAY = ["timestamp '2026-05-01'", "timestamp '2026-06-01'"]


def test_the_health_history_deletes_from_one_partition_and_merges_without_a_match(monkeypatch: pytest.MonkeyPatch) -> None:
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
        found = rows("select score_date, count(*) from snapshots.int_customers__health_daily group by score_date order by 1", bq)

    assert found == [(date(2026, 9, 29), 1), (date(2026, 9, 30), 1)]
    statements = sent("int_customers__health_daily")
    (deletion,) = {words for words in statements if "delete from" in words}
    assert filters(deletion, "score_date") == ["date '2026-09-30'"]
    (merge,) = {words for words in statements if "merge into" in words}
    assert re.search(r"\bon \(false\)", merge)


def test_the_churn_history_keeps_a_run_once_and_deletes_from_one_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = {"organization_id": str, "account_id": str, "subscription_count": int, "data_coverage": float}
    columns |= {"churn_risk_score": float}
    customer = {"organization_id": "o", "account_id": "a", "subscription_count": 1, "data_coverage": 75.0}
    model = "int_customers__churn_history"
    with connected(monkeypatch, "core", "snapshots") as bq:
        for as_of, score in (("2026-09-30", 1.5), ("2026-10-01", 2.5), ("2026-10-01", 3.5)):
            write_table(bq, "core.int_customers__churn_scores", columns, [{**customer, "churn_risk_score": score}])
            build(as_of, model)
        found = rows(f"select score_date, churn_risk_score from snapshots.{model} order by 1", bq)

    assert found == [(date(2026, 9, 29), 1.5), (date(2026, 9, 30), 3.5)]
    (deletion,) = {words for words in sent(model) if "delete from" in words}
    assert filters(deletion, "score_date") == ["date '2026-09-30'"]
    (merge,) = {words for words in sent(model) if "merge into" in words}
    assert re.search(r"\bon \(false\)", merge)


def test_tickets_are_merged_and_deleted_in_the_partitions_that_they_touch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each ticket is in the table once, whichever way its partition changed. The statements name the months of changed tickets only."""
    with connected(monkeypatch, "core", "conformed") as bq:
        opened = {"organization_id": str, "utc_date": date, "open_microseconds_before": int}
        opened |= dict.fromkeys(("segment_from", "segment_until", "open_until"), datetime)
        write_table(bq, "core.dim_open_time", opened, [])
        write_table(bq, "core.dim_facilities", {"organization_id": str, "facility_id": str, "facility_key": str}, [])

        def build_from(as_of: str, closed: Mapping[str, datetime | None]) -> dict[str, datetime | None]:
            """Build fct_tickets from tickets with these ids and closing times; returns the ids and closing times in the table."""
            tickets = [_ticket(number, closed_at) for number, closed_at in closed.items()]
            write_table(bq, "core.int_support__tickets", ticket_columns(), tickets)
            write_table(bq, "conformed.conformed_tickets", {"organization_id": str, "ticket_id": str}, tickets)
            build(as_of, "fct_tickets")
            found = rows("select ticket_id, resolution_closed_at from core.fct_tickets order by ticket_id", bq)
            assert len(found) == len(tickets)
            return dict(found)

        march, may, july = (datetime(2026, month, 5, tzinfo=UTC) for month in (3, 5, 7))
        first = {"moves": march, "opens": march, "closes": None, "open": None, "settled": july, "goes": may, "goes_open": None}
        assert build_from("2026-10-01", first) == first

        second = {"moves": may, "opens": None, "closes": may, "open": None, "settled": july, "goes": may, "goes_open": None}
        assert build_from("2026-10-02", second) == second
        (merge,) = {words for words in sent("fct_tickets") if "merge into" in words}
        assert filters(merge, "resolution_closed_at") == ["timestamp '2026-03-01'", "timestamp '2026-04-01'", *MAY]
        assert merge.count("resolution_closed_at is null") == 1
        assert not [words for words in sent("fct_tickets") if "delete from" in words]

        third = {name: closed_at for name, closed_at in second.items() if not name.startswith("goes")}
        assert build_from("2026-10-03", third) == third
        (script,) = {words for words in sent("fct_tickets") if "merge into" in words}
        merge, deletion = script.split(";")
        assert (filters(merge, "resolution_closed_at"), filters(deletion, "resolution_closed_at")) == (MAY, MAY)
        assert (merge.count("resolution_closed_at is null"), deletion.count("resolution_closed_at is null")) == (1, 1)


def _ticket(number: str, closed_at: datetime | None) -> dict[str, Any]:
    closed = dict.fromkeys(("resolved_at", "response_closed_at", "resolution_closed_at"), closed_at)
    return {
        "organization_id": "a",
        "ticket_id": number,
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
        "is_open": closed_at is None,
        "is_resolved": closed_at is not None,
        "has_opening_hours": False,
        "input_fingerprint": str(closed_at),
        **closed,
    }


def filters(statement: str, column: str) -> list[str]:
    """The values that a statement compares a column with."""
    return re.findall(COMPARED_WITH.format(column=column), statement)
