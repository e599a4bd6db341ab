"""dim_date, dim_facilities and dim_organizations on hand-worked days and places."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.recompute.dates import calendar_day, dim_date, dim_facilities, dim_organizations
from tests.recompute.factory import business_hours, organization
from tests.recompute.sources import SourceData

AS_OF = datetime(2026, 10, 1, tzinfo=UTC)
SOURCES = SourceData.of(
    AS_OF,
    organizations=[organization(), organization(organization_id="u")],
    holidays=[{"organization_id": "t", "holiday_date": date(2026, 10, 3), "name": "Unity"}],
)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        # 2027 begins on a Friday, so its first days belong to the last ISO week of 2026, the 53rd.
        (date(2027, 1, 1), {"iso_year": 2026, "iso_week": 53, "iso_week_start": date(2026, 12, 28)}),
        (date(2024, 12, 30), {"iso_year": 2025, "iso_week": 1, "iso_weekday": 1, "day_name": "Monday"}),
        (date(2024, 12, 31), {"day_of_year": 366, "quarter": 4, "quarter_start": date(2024, 10, 1)}),
        (date(2026, 10, 3), {"is_weekend": True, "month_name": "October", "iso_weekday": 6}),
        (date(2026, 2, 1), {"fiscal_year": 2027, "fiscal_quarter": 1, "fiscal_month": 1}),
        (date(2026, 10, 3), {"fiscal_year": 2027, "fiscal_quarter": 3, "fiscal_month": 9}),
        (date(2027, 1, 31), {"fiscal_year": 2027, "fiscal_quarter": 4, "fiscal_month": 12}),
    ],
)
def test_the_periods_of_a_day(day: date, expected: dict[str, Any]) -> None:
    assert expected.items() <= calendar_day(day).items()


def test_every_organization_has_every_day_to_the_end_of_next_year() -> None:
    rows = dim_date(SOURCES)
    days = [row["date_day"] for row in rows if row["organization_id"] == "u"]
    assert (days[0], days[-1], len(days)) == (date(2019, 1, 1), date(2027, 12, 31), 9 * 365 + 2)
    assert len(rows) == 2 * len(days)


def test_a_holiday_applies_to_its_own_organization() -> None:
    names = {row["organization_id"]: row["holiday_name"] for row in dim_date(SOURCES) if row["date_day"] == date(2026, 10, 3)}
    assert names == {"t": "Unity", "u": None}


def test_every_organization_has_an_unknown_facility() -> None:
    assert [row["facility_key"] for row in dim_facilities(SOURCES)] == ["t|unknown", "u|unknown"]


def test_opening_hours_since_is_the_first_valid_from() -> None:
    rows = dim_organizations(SourceData.of(AS_OF, organizations=SOURCES["organizations"], business_hours=business_hours()))
    assert [row["opening_hours_since"] for row in rows] == [date(2020, 1, 1), None]
