"""The business clock on hand-worked intervals."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.recompute.clock import BusinessClock
from tests.recompute.seeds import iana_name, seed
from tests.recompute.sources import _parser

ALWAYS = date(2020, 1, 1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def window(weekday: int, opens: str, closes: str, valid_from: date = ALWAYS) -> dict[str, Any]:
    return {
        "weekday": weekday,
        "opens_at": time.fromisoformat(opens),
        "closes_at": time.fromisoformat(closes),
        "valid_from": valid_from,
    }


WEEK = [window(day, "09:00", "17:00") for day in range(1, 6)]
ROUND_THE_CLOCK = [window(day, "00:00", "23:00") for day in range(1, 8)]


def clock(hours: list[dict[str, Any]], *holidays: date, zone: str = "Europe/Berlin") -> BusinessClock:
    return BusinessClock(zone, hours, set(holidays))


def test_a_ticket_over_a_weekend_counts_friday_afternoon_and_monday_morning() -> None:
    # Friday 2026-09-18 16:30 to Monday 10:00 in Berlin (UTC+2): half an hour and an hour.
    assert clock(WEEK).minutes(at("2026-09-18T14:30"), at("2026-09-21T08:00")) == 90


def test_a_ticket_inside_a_weekend_counts_nothing() -> None:
    assert clock(WEEK).minutes(at("2026-09-19T08:00"), at("2026-09-20T20:00")) == 0


def test_opening_hours_move_in_utc_when_daylight_saving_begins() -> None:
    # In Berlin 09:00 is 08:00 UTC on the last Friday of winter time. On the Monday after it is 07:00 UTC.
    spring = clock(WEEK)
    assert spring.windows(date(2026, 3, 27)) == [(at("2026-03-27T08:00"), at("2026-03-27T16:00"))]
    assert spring.windows(date(2026, 3, 30)) == [(at("2026-03-30T07:00"), at("2026-03-30T15:00"))]
    # Friday 16:00 local (15:00 UTC) to Monday 10:00 local (08:00 UTC): one hour and one hour.
    assert spring.minutes(at("2026-03-27T15:00"), at("2026-03-30T08:00")) == 120


def test_opening_hours_move_in_utc_when_daylight_saving_ends() -> None:
    # Friday 16:00 local (14:00 UTC) to Monday 10:00 local (09:00 UTC): one hour and one hour.
    assert clock(WEEK).minutes(at("2026-10-23T14:00"), at("2026-10-26T09:00")) == 120


def test_a_window_across_a_daylight_saving_change_has_its_real_length() -> None:
    # 00:00 to 23:00 local has 22 hours on the spring change and 24 hours on the autumn change.
    whole = clock(ROUND_THE_CLOCK)
    assert whole.minutes(at("2026-03-28T23:00"), at("2026-03-29T21:00")) == 22 * 60
    assert whole.minutes(at("2026-10-24T22:00"), at("2026-10-25T22:00")) == 24 * 60


def test_new_york_changes_its_clocks_on_other_days() -> None:
    # New York loses an hour on 2026-03-08: Friday 16:00 local is 21:00 UTC, Monday 10:00 local is 14:00 UTC.
    assert clock(WEEK, zone="America/New_York").minutes(at("2026-03-06T21:00"), at("2026-03-09T14:00")) == 120


def test_a_holiday_is_closed() -> None:
    monday = date(2026, 9, 21)
    assert clock(WEEK, monday).minutes(at("2026-09-18T14:30"), at("2026-09-22T08:00")) == 90


def test_a_lunch_break_between_two_windows_does_not_count() -> None:
    split = [window(1, "09:00", "12:00"), window(1, "13:00", "17:00")]
    assert clock(split).minutes(at("2026-09-21T07:00"), at("2026-09-21T15:00")) == 7 * 60


def test_overlapping_windows_count_once() -> None:
    double = [window(1, "09:00", "13:00"), window(1, "12:00", "17:00")]
    assert clock(double).minutes(at("2026-09-21T00:00"), at("2026-09-22T00:00")) == 8 * 60


def test_a_window_past_midnight_belongs_to_its_opening_day() -> None:
    overnight = [window(day, "22:00", "06:00") for day in range(1, 8)]
    # Monday 23:00 to Tuesday 23:00 local: seven hours of the first window and one of the second.
    assert clock(overnight).minutes(at("2026-09-21T21:00"), at("2026-09-22T21:00")) == 8 * 60
    assert clock(overnight, date(2026, 9, 21)).minutes(at("2026-09-21T21:00"), at("2026-09-22T21:00")) == 60


def test_opening_hours_apply_from_their_first_local_day() -> None:
    late = clock([window(1, "09:00", "17:00", date(2026, 9, 21))])
    assert not late.has_hours(at("2026-09-20T21:59"))
    assert late.has_hours(at("2026-09-20T22:00"))


def test_the_latest_schedule_on_or_before_a_day_applies() -> None:
    changing = [window(1, "09:00", "17:00"), window(1, "10:00", "12:00", date(2026, 9, 21))]
    assert clock(changing).minutes(at("2026-09-14T00:00"), at("2026-09-15T00:00")) == 8 * 60
    assert clock(changing).minutes(at("2026-09-21T00:00"), at("2026-09-22T00:00")) == 2 * 60


def test_a_newer_schedule_without_a_weekday_closes_it() -> None:
    shorter = [window(6, "09:00", "12:00"), window(1, "09:00", "17:00", date(2026, 9, 21))]
    assert clock(shorter).minutes(at("2026-09-19T00:00"), at("2026-09-20T00:00")) == 3 * 60
    assert clock(shorter).minutes(at("2026-09-26T00:00"), at("2026-09-27T00:00")) == 0


def test_seconds_count_and_are_not_rounded() -> None:
    exact = clock(WEEK).minutes(at("2026-09-21T07:00:00"), at("2026-09-21T07:01:30"))
    assert exact * 2 == 3


def test_an_end_before_the_start_gives_negative_minutes() -> None:
    # 08:30 to 10:00 local, with one open hour.
    assert clock(WEEK).minutes(at("2026-09-21T08:00"), at("2026-09-21T06:30")) == -60


def test_open_around_the_clock_until_24_00() -> None:
    """Sydney's clocks go back on 2024-04-07 at 03:00. The day has 25 hours, and a day of 24 hours over it has 1,440 minutes."""
    hours = [
        {"organization_id": "o", "weekday": str(day), "opens_at": "00:00", "closes_at": "24:00", "valid_from": "2024-01-01"}
        for day in range(1, 8)
    ]
    rows = [{name: _parser(name)(text) for name, text in row.items()} for row in hours]
    sydney = BusinessClock("Australia/Sydney", rows, set())
    assert sydney.elapsed(at("2024-04-06T10:00"), at("2024-04-07T10:00")) == 1440
    assert sydney.elapsed(at("2024-04-06T13:00"), at("2024-04-07T14:00")) == 25 * 60


@pytest.mark.parametrize(
    ("column", "text"), [("opens_at", "24:00"), ("closes_at", "25:00"), ("opens_at", "nine"), ("weekday", "8")]
)
def test_one_value_that_cannot_be_read_makes_the_clock_unknown(column: str, text: str) -> None:
    spoilt = {**window(1, "09:00", "17:00"), column: _parser(column)(text)}
    assert (
        BusinessClock("UTC", [window(2, "09:00", "17:00"), spoilt], set()).elapsed(at("2026-09-21T00:00"), at("2026-09-23T00:00"))
        is None
    )


def test_a_clock_without_a_timezone_is_unknown_and_its_day_is_that_of_utc() -> None:
    lost = BusinessClock(None, [window(1, "09:00", "17:00")], set())
    assert lost.elapsed(at("2026-09-21T00:00"), at("2026-09-22T00:00")) is None
    assert lost.day(at("2026-09-21T23:59")) == date(2026, 9, 21)


@pytest.mark.parametrize(
    ("timezone", "expected"),
    [
        ("australia/sydney", "Australia/Sydney"),
        ("AUS Eastern Standard Time", "Australia/Sydney"),
        ("Eastern Time (US & Canada)", "America/New_York"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("Bern", "Europe/Zurich"),
        ("Mars/Olympus", None),
        (None, None),
    ],
)
def test_timezones_have_names_of_iana_windows_and_rails(timezone: str | None, expected: str | None) -> None:
    assert iana_name(timezone) == expected


def test_the_seed_knows_every_iana_name() -> None:
    names = [name for name in files("tzdata").joinpath("zones").read_text().split() if name != "Factory"]
    assert [iana_name(name) for name in names] == names
    assert all(ZoneInfo(row["iana_name"]).key == row["iana_name"] for row in seed("time_zones"))
