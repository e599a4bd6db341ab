"""Compares the business minutes of fct_tickets with zoneinfo, over thousands of random intervals in ten timezones.

The timezones' clocks change in spring and autumn of either hemisphere, by half an hour, at midnight, or never. Opening hours include
lunch breaks, windows past midnight, windows into a clock change, and overlaps. Later schedules replace earlier ones.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from google.cloud import bigquery

from tests.dbt.models.builds import build, write_table
from tests.recompute.clock import BusinessClock
from tests.warehouse import connected, rows

SEED = 5
TICKETS_PER_ZONE = 600
FIRST_DAY, AS_OF = date(2024, 10, 1), date(2026, 10, 1)
END = datetime(2026, 10, 1, tzinfo=UTC)
TIMEZONES = (
    *("Europe/Berlin", "Europe/London", "America/New_York", "America/St_Johns", "America/Santiago"),
    *("Asia/Kolkata", "Asia/Tokyo", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Auckland"),
)
EVENTS = ("response", "resolution")
CHANGES = tuple(
    datetime(*day, tzinfo=UTC)
    for day in (
        *((2024, 10, 6), (2024, 10, 27), (2024, 11, 3), (2025, 3, 9), (2025, 3, 30), (2025, 4, 6), (2025, 9, 7), (2025, 9, 28)),
        *((2025, 10, 5), (2025, 10, 26), (2025, 11, 2), (2026, 3, 8), (2026, 3, 29), (2026, 4, 5), (2026, 9, 6), (2026, 9, 27)),
    )
)


def _windows(dice: random.Random, valid_from: date) -> list[dict[str, Any]]:
    """The opening hours of a random week: office hours, lunch breaks, windows past midnight, overlaps, whole days, closed days."""
    result = []
    for weekday in range(1, 8):
        kind = dice.choices(("office", "split", "overnight", "overlap", "whole", "closed"), (8, 4, 3, 2, 1, 3))[0]
        hours = {
            "office": [
                (time(dice.randrange(6, 10), dice.choice((0, 15, 30))), time(dice.randrange(16, 23), dice.choice((0, 45, 59))))
            ],
            "split": [(time(8, 30), time(12, 15)), (time(13, 5), time(18))],
            "overnight": [(time(dice.randrange(20, 24)), time(dice.randrange(1, 7), 30)), (time(1, 30), time(2, 30))],
            "overlap": [(time(9), time(14)), (time(12), time(17)), (time(17), time(18))],
            "whole": [(time(0), time(0))],
            "closed": [],
        }[kind]
        result += [
            {"weekday": weekday, "opens_at": opens, "closes_at": closes, "valid_from": valid_from} for opens, closes in hours
        ]
    return result


def _moment(dice: random.Random) -> datetime:
    """A random instant in the two years. A third of them are within 36 hours of a clock change in one of the timezones."""
    span = (AS_OF - FIRST_DAY).days * 86_400
    start = datetime.combine(FIRST_DAY, time(), UTC)
    if dice.random() > 1 / 3:
        return start + timedelta(seconds=dice.randrange(span), microseconds=dice.choice((0, 0, 1, 999_999)))
    near = dice.choice(CHANGES) + timedelta(minutes=dice.randrange(-2_160, 2_160))
    return min(max(near, start), start + timedelta(seconds=span - 1))


def _length(dice: random.Random) -> timedelta:
    """A random length from zero to a year, with a uniform order of magnitude."""
    return timedelta(seconds=int(10 ** dice.uniform(0, 7.5)) - 1, microseconds=dice.choice((0, 0, 500_000)))


def _hours(dice: random.Random) -> list[dict[str, Any]]:
    starts = [date(2024, 1, 1), *sorted(FIRST_DAY + timedelta(days=dice.randrange(60, 700)) for _ in range(2))]
    return [window for valid_from in starts for window in _windows(dice, valid_from)]


@dataclass(frozen=True)
class Desk:
    """Ten support desks, one per timezone, with opening hours, holidays and tickets."""

    hours: dict[str, list[dict[str, Any]]]
    holidays: dict[str, set[date]]
    tickets: list[dict[str, Any]]

    @classmethod
    def at_random(cls, dice: random.Random) -> Desk:
        """Random desks. The same generator gives the same desks."""
        hours = {zone: _hours(dice) for zone in TIMEZONES}
        holidays = {zone: {FIRST_DAY + timedelta(days=dice.randrange(730)) for _ in range(20)} for zone in TIMEZONES}
        tickets: list[dict[str, Any]] = []
        for zone in TIMEZONES:
            for number in range(TICKETS_PER_ZONE):
                created_at = _moment(dice)
                closed = {
                    f"{event}_closed_at": min(created_at + _length(dice), END - timedelta(microseconds=1)) for event in EVENTS
                }
                tickets.append(
                    {"organization_id": zone, "ticket_id": str(number), "created_at": created_at, "is_resolved": True}
                    | {"has_opening_hours": True, "facility_id": "unknown", "input_fingerprint": "", **closed}
                )
        return cls(hours, holidays, tickets)

    def write(self, bq: bigquery.Client) -> None:
        """Write the tables that fct_tickets and the models before it read."""
        organizations = [
            {"organization_id": zone, "timezone": zone, "opening_hours_since": date(2024, 1, 1)} for zone in TIMEZONES
        ]
        columns = {"organization_id": str, "timezone": str, "opening_hours_since": date, "business_clock_issue": str}
        write_table(bq, "core.dim_organizations", columns, organizations)
        staged = [{name: ticket[name] for name in ("organization_id", "ticket_id", "created_at")} for ticket in self.tickets]
        columns = {"organization_id": str, "ticket_id": str, "created_at": datetime}
        write_table(bq, "conformed.conformed_tickets", columns, staged)
        columns = {"organization_id": str, "valid_from": date, "weekday": int, "opens_time": time, "closes_time": time}
        hours = [
            {"organization_id": zone, "opens_time": window["opens_at"], "closes_time": window["closes_at"], **window}
            for zone in TIMEZONES
            for window in self.hours[zone]
        ]
        write_table(bq, "conformed.conformed_business_hours", columns, hours)
        holidays = [{"organization_id": zone, "holiday_date": day} for zone in TIMEZONES for day in self.holidays[zone]]
        write_table(bq, "conformed.conformed_holidays", {"organization_id": str, "holiday_date": date}, holidays)
        write_table(bq, "core.dim_facilities", {"organization_id": str, "facility_id": str, "facility_key": str}, [])
        write_table(bq, "core.int_support__tickets", ticket_columns(), self.tickets)


def test_business_minutes_agree_with_zoneinfo(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk.at_random(random.Random(SEED))
    with connected(monkeypatch, "core", "conformed") as bq:
        desk.write(bq)
        build(END.isoformat(), "int_calendar__opening_hours", "dim_open_time", "fct_tickets")
        found = rows(
            "select organization_id, ticket_id, response_business_minutes, resolution_business_minutes from core.fct_tickets",
            bq,
        )

    minutes = {(zone, number): values for zone, number, *values in found}
    assert len(minutes) == len(desk.tickets)
    clocks = {zone: BusinessClock(zone, desk.hours[zone], desk.holidays[zone]) for zone in TIMEZONES}
    wrong, open_intervals = [], 0
    for ticket in desk.tickets:
        zone = ticket["organization_id"]
        for event, found_minutes in zip(EVENTS, minutes[zone, ticket["ticket_id"]], strict=True):
            true = float(clocks[zone].minutes(ticket["created_at"], ticket[f"{event}_closed_at"]))
            open_intervals += true > 0
            if found_minutes is None or abs(float(found_minutes) - true) > 1e-6:
                wrong.append((zone, ticket["created_at"], ticket[f"{event}_closed_at"], found_minutes, true))
    assert len(desk.tickets) * len(EVENTS) >= 10_000
    assert open_intervals > len(desk.tickets)
    assert not wrong, f"{len(wrong)} intervals differ, such as {wrong[:5]}"


def ticket_columns() -> dict[str, type]:
    """The columns of int_support__tickets that fct_tickets reads."""
    texts = (
        *("organization_id", "ticket_id", "account_key", "account_id", "contact_id", "facility_id", "product_id", "category_id"),
        *("root_cause_id", "assignee_user_id", "channel", "priority", "status", "subject", "app_version", "release_version"),
        *("csat_tier", "merged_into_ticket_id", "input_fingerprint"),
        *(f"{event}_{column}" for event in EVENTS for column in ("priority", "clock", "policy")),
    )
    return (
        dict.fromkeys(texts, str)
        | dict.fromkeys(("reopened_count", "csat_score", *(f"{event}_target_minutes" for event in EVENTS)), int)
        | dict.fromkeys(
            ("is_open", "is_resolved", "is_merged", "has_response_times", "is_release_related", "has_opening_hours"), bool
        )
        | dict.fromkeys(("created_at", "first_responded_at", "resolved_at", "updated_at"), datetime)
        | dict.fromkeys((f"{event}_closed_at" for event in EVENTS), datetime)
    )
