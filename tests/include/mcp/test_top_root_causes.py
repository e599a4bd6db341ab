"""`kpi.top_root_causes`, called by a real client."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from google.cloud.bigquery import Client

from include.mcp.root_causes import month_before
from tests.include.mcp.published import answer, call, publish

TOOL = "kpi.top_root_causes"
TABLE = "marts.mart_top_root_causes"

# Month, organization, category, parent category, cause, rank in the category, product category, tickets, open tickets,
# tickets of the organization in the month.
CAUSES = [
    ("2026-09", "albion", "Billing", "null", "Double charge", 1, "Software", 7, 2, 20),
    ("2026-09", "albion", "Billing", "null", "Double charge", 1, "Hardware", 1, 1, 20),
    ("2026-09", "albion", "Billing", "null", "Late invoice", 2, "Software", 4, 0, 20),
    ("2026-09", "albion", "Billing", "null", "unknown", "null", "Software", 3, 3, 20),
    ("2026-09", "albion", "Login", "Access", "Expired", 1, "Software", 3, 1, 20),
    ("2026-09", "albion", "Login", "Access", "Locked", 2, "Software", 1, 0, 20),
    ("2026-09", "albion", "Login", "Access", "Lost", 2, "Software", 1, 0, 20),
    ("2026-09", "hudson", "Billing", "null", "Double charge", 1, "Software", 5, 5, 5),
    ("2026-08", "albion", "Billing", "null", "Late invoice", 1, "Software", 9, 0, 9),
    ("2026-10", "albion", "Billing", "null", "Late invoice", 1, "Software", 1, 1, 1),
    ("2026-07", "hudson", "Billing", "null", "Late invoice", 1, "Software", 2, "null", 2),
]


@pytest.fixture(autouse=True)
def published(bq: Client) -> None:
    rows = " union all ".join(
        f"""select date '{month}-01' as month, '{month}' < '2026-10' as is_complete, '{organization}' as organization_id,
        '{category}' as category_id, '{category}' as category_name,
        {"cast(null as string)" if parent == "null" else f"'{parent}'"} as parent_category_name,
        '{cause}' as root_cause_id, '{cause}' as root_cause_name, 'RC' as root_cause_code, 'process' as root_cause_category,
        cast({rank} as int64) as category_rank, '{product}' as product_category, {tickets} as ticket_count, cast({still_open} as int64) as open_count,
        {all_tickets} as period_ticket_count, {tickets} - 1 as csat_response_count, greatest({tickets} - 2, 0) as satisfied_count, 1 as release_related_count,
        {tickets if still_open == "null" else 0} as unknown_status_ticket_count, 0 as unknown_version_ticket_count"""
        for month, organization, category, parent, cause, rank, product, tickets, still_open, all_tickets in CAUSES
    )
    publish(bq, TABLE, rows)


def causes(found: dict[str, Any]) -> list[tuple[str, str, int, str]]:
    return [(row["organization_id"], row["category_name"], row["category_rank"], row["root_cause_name"]) for row in found["rows"]]


def test_open_tickets_are_missing_if_no_status_is_known(http: str) -> None:
    (row,) = answer(http, TOOL, month="2026-07")["rows"]
    assert (row["ticket_count"], row["open_count"], row["open_pct"], row["release_related_pct"]) == (2, None, None, 50.0)


def test_the_causes_of_the_last_complete_month_by_category(http: str) -> None:
    expected = [
        ("albion", "Billing", 1, "Double charge"),
        ("albion", "Billing", 2, "Late invoice"),
        ("albion", "Login", 1, "Expired"),
        ("albion", "Login", 2, "Locked"),
        ("albion", "Login", 2, "Lost"),
        ("hudson", "Billing", 1, "Double charge"),
    ]
    found = answer(http, TOOL)
    assert causes(found) == expected
    # Summed over both product categories: 7 + 1 tickets, 2 + 1 of them open. 6 + 0 scores, 5 of them satisfied.
    assert found["rows"][0] == {
        "organization_id": "albion",
        "month": "2026-09-01",
        "is_complete": True,
        "category_name": "Billing",
        "parent_category_name": None,
        "category_rank": 1,
        "root_cause_code": "RC",
        "root_cause_name": "Double charge",
        "root_cause_category": "process",
        "ticket_count": 8,
        "period_ticket_count": 20,
        "period_share_pct": 40.0,
        "open_count": 3,
        "open_pct": 37.5,
        "satisfied_pct": 83.33,
        "release_related_pct": 25.0,
    }
    assert found["query"]["parameters"] == {"month": "2026-09-01", "category": None, "organization_id": None, "row_limit": 5}
    assert found["freshness"]["as_of"] == "2026-10-01T00:00:00Z"
    assert set(found["definition"]["columns"]) == set(found["rows"][0])
    assert [text.partition(":")[0] for text in found["definition"]["metrics"]] == ["**Root causes**"]


def test_month_category_organization_and_limit_filter_the_rows(http: str) -> None:
    asked: list[dict[str, Any]] = [
        {"month": "2026-08"},
        {"month": "2026-10"},
        {"month": "2025-01"},
        {"category": "bILLING", "organization_id": "albion"},
        {"category": "access"},
        {"limit": 1},
        {"category": "Billing' or '1' = '1"},
    ]
    results = call(http, *((TOOL, arguments) for arguments in asked))
    names = [
        [row["root_cause_name"] for row in result.structured_content["rows"]] for result in results if result.structured_content
    ]
    assert names == [
        ["Late invoice"],
        ["Late invoice"],
        [],
        ["Double charge", "Late invoice"],
        ["Expired", "Locked", "Lost"],
        ["Double charge", "Expired", "Double charge"],
        [],
    ]
    assert results[1].structured_content is not None
    assert results[1].structured_content["rows"][0]["is_complete"] is False


@pytest.mark.parametrize(
    ("as_of", "month"),
    [
        (datetime(2026, 10, 1, tzinfo=UTC), date(2026, 9, 1)),
        (datetime(2026, 10, 31, 23, tzinfo=UTC), date(2026, 9, 1)),
        (datetime(2026, 1, 2, tzinfo=UTC), date(2025, 12, 1)),
    ],
)
def test_the_month_before_has_ended(as_of: datetime, month: date) -> None:
    assert month_before(as_of) == month
