"""dim_organizations, dim_date and dim_facilities: the organizations, days and facilities that facts refer to."""

from __future__ import annotations

import calendar
from datetime import date, timedelta

from tests.recompute.clock import BusinessClock, clocks
from tests.recompute.seeds import iana_name
from tests.recompute.sources import Row, SourceData, natural

FIRST_DAY = date(2019, 1, 1)
# The fiscal year begins in February. It repeats a dbt var on purpose: a wrong value in either place shows as a difference.
FISCAL_YEAR_STARTS_IN = 2


def calendar_day(day: date) -> Row:
    """The calendar, ISO and fiscal periods of a day."""
    iso = day.isocalendar()
    quarter = (day.month - 1) // 3 + 1
    fiscal_month = (day.month - FISCAL_YEAR_STARTS_IN) % 12 + 1
    return {
        "date_day": day,
        "year": day.year,
        "quarter": quarter,
        "month": day.month,
        "day_of_month": day.day,
        "day_of_year": (day - date(day.year, 1, 1)).days + 1,
        "month_name": calendar.month_name[day.month],
        "day_name": calendar.day_name[day.weekday()],
        "month_start": day.replace(day=1),
        "quarter_start": date(day.year, 3 * quarter - 2, 1),
        "iso_week_start": day - timedelta(days=day.weekday()),
        "iso_year": iso.year,
        "iso_week": iso.week,
        "iso_weekday": iso.weekday,
        "fiscal_year": day.year + (day.month >= FISCAL_YEAR_STARTS_IN),
        "fiscal_quarter": (fiscal_month - 1) // 3 + 1,
        "fiscal_month": fiscal_month,
        "is_weekend": iso.weekday > 5,
    }


def dim_date(sources: SourceData) -> list[Row]:
    """The rows of dim_date, by organization and day: 2019 to the end of the year after the as-of time."""
    holidays = {(row["organization_id"], row["holiday_date"]): row["name"] for row in sources["holidays"]}
    count = (date(sources.as_of.year + 1, 12, 31) - FIRST_DAY).days + 1
    days = [calendar_day(FIRST_DAY + timedelta(days=number)) for number in range(count)]
    return [
        {
            **day,
            "organization_id": tenant,
            "is_holiday": (tenant, day["date_day"]) in holidays,
            "holiday_name": holidays.get((tenant, day["date_day"])),
        }
        for tenant in sources.by_key("organizations")
        for day in days
    ]


def _business_clock_issue(organization: Row, clock: BusinessClock) -> str | None:
    if iana_name(organization["timezone"]) is None:
        return "unknown_time_zone"
    return None if clock.is_known else "unreadable_opening_hours"


def dim_organizations(sources: SourceData) -> list[Row]:
    """The rows of dim_organizations, by organization."""
    by_organization = clocks(sources)
    rows: list[Row] = []
    for tenant, row in sources.by_key("organizations").items():
        first_hours = min(
            (hours["valid_from"] for hours in sources["business_hours"] if hours["organization_id"] == tenant), default=None
        )
        rows.append(
            {
                **{name: row[name] for name in ("organization_id", "reporting_currency", "created_at", "updated_at")},
                "source_timezone": row["timezone"],
                "timezone": iana_name(row["timezone"]),
                "business_clock_issue": _business_clock_issue(row, by_organization[tenant]),
                "organization_name": row["name"],
                "opening_hours_since": first_hours,
            }
        )
    return rows


def dim_facilities(sources: SourceData) -> list[Row]:
    """The rows of dim_facilities, by facility, with one `unknown` row for each organization."""
    rows = [
        {
            **{name: row[name] for name in ("organization_id", "facility_id", "city", "region")},
            "facility_key": natural(row["organization_id"], row["facility_id"]),
            "facility_name": row["name"] or "Unknown",
            "is_unknown": False,
            "created_at": row["created_at"],
            "updated_at": row["updated_at"],
        }
        for row in sources["facilities"]
    ]
    for tenant in sources.by_key("organizations"):
        rows.append(
            {
                **dict.fromkeys(("city", "region", "created_at", "updated_at")),
                "organization_id": tenant,
                "facility_id": "unknown",
                "facility_key": natural(tenant, "unknown"),
                "facility_name": "Unknown",
                "is_unknown": True,
            }
        )
    return rows
