"""fct_deals and mart_sales_forecast on hand-worked deals."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from tests.recompute.deals import fct_deals
from tests.recompute.factory import account, deal, facility, organization, user
from tests.recompute.sources import Row, SourceData

AS_OF = datetime(2026, 9, 15, tzinfo=UTC)


def sources(*deals: Row) -> SourceData:
    named = [{**row, "deal_id": str(number)} for number, row in enumerate(deals)]
    known = {"organizations": [organization()], "accounts": [account()], "facilities": [facility()], "users": [user()]}
    return SourceData.of(AS_OF, deals=named, **known)


def values(row: Row, *columns: str) -> tuple[Any, ...]:
    return tuple(row[column] for column in columns)


def test_a_stage_is_known_in_any_case_and_by_its_synonyms() -> None:
    rows = fct_deals(
        sources(*(deal(stage, "2026-09-01") for stage in ("Closed Won", "closedlost", "Negotiation/Review", "discovery")))
    )
    assert [values(row, "stage", "is_open", "is_closed", "is_won", "weighted_amount") for row in rows] == [
        ("closed_won", False, True, True, 100),
        ("closed_lost", False, True, False, 0),
        ("negotiation", True, False, False, 50),
        ("unknown", None, None, None, None),
    ]


def test_an_open_deal_is_overdue_after_its_expected_close() -> None:
    rows = fct_deals(
        sources(
            deal("proposal", "2026-09-01", expected_close_date=date(2026, 9, 14)),
            deal("proposal", "2026-09-01", expected_close_date=date(2026, 9, 15)),
            deal("closed_won", "2026-09-01", expected_close_date=date(2026, 9, 14)),
        )
    )
    assert [row["is_overdue"] for row in rows] == [True, False, False]
