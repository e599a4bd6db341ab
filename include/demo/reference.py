"""Reference data: exchange rates, opening hours, holidays and SLA policies."""

from __future__ import annotations

from datetime import date

from include.demo import clock
from include.demo.clock import DAY
from include.demo.people import Org
from include.demo.world import World

FX_BEGINS = clock.at(2018, 12, 24)
LATE_CURRENCY = "SEK"
LATE_CURRENCY_BEGINS = clock.at(2026, 6, 1)
"""The first day with a rate for the Swedish krona. Earlier amounts cannot be converted."""

TARGETS = {"critical": (60, 240), "high": (120, 1440), "medium": (240, 4320), "low": (480, 7200)}
"""Default minutes to first response and to resolution."""

_LEVELS = {"EUR": 1.11, "GBP": 1.28, "CHF": 1.09, "CAD": 0.745, "JPY": 0.0082, LATE_CURRENCY: 0.094}


def reference(world: World, orgs: list[Org]) -> None:
    """Write fx_rates, business_hours, holidays and sla_policies."""
    _fx_rates(world)
    for org in orgs:
        _business_hours(world, org)
        _holidays(world, org)
        _sla_policies(world, org)


def _fx_rates(world: World) -> None:
    """Write one rate per currency and weekday: a random walk around a fixed level."""
    rows = world.rows["fx_rates"]
    dice = {currency: world.dice("fx", currency) for currency in _LEVELS}
    drift = dict.fromkeys(_LEVELS, 0.0)
    day = FX_BEGINS
    while not world.stop(day):
        if clock.weekday(day) < 5:
            rows.append({"rate_date": clock.day_of(day), "currency": "USD", "rate_to_usd": 100_000_000})
            for currency, level in _LEVELS.items():
                drift[currency] = drift[currency] * 0.995 + dice[currency].between(-0.006, 0.006)
                if currency == LATE_CURRENCY and day < LATE_CURRENCY_BEGINS:
                    continue
                rate = int(level * (1 + drift[currency]) * 1_000_000 + 0.5) * 100
                rows.append({"rate_date": clock.day_of(day), "currency": currency, "rate_to_usd": rate})
        day += DAY


def _business_hours(world: World, org: Org) -> None:
    start, later = date(2019, 1, 1), date(2025, 4, 1)
    if org.index % 2 == 0:
        hours = [(start, weekday, "09:00", "17:30") for weekday in range(1, 6)]
        hours += [(later, weekday, "08:30", "18:00") for weekday in range(1, 6)] + [(later, 6, "09:00", "12:00")]
    else:
        windows = (("08:00", "12:00"), ("13:00", "18:00"))
        hours = [(start, weekday, opens, closes) for weekday in range(1, 6) for opens, closes in windows]
        hours.append((start, 6, "10:00", "14:00"))
    for valid_from, weekday, opens, closes in hours:
        if world.stop(_instant(valid_from)):
            continue
        row = {"organization_id": org.id, "weekday": weekday, "opens_at": opens, "closes_at": closes}
        world.rows["business_hours"].append({**row, "valid_from": valid_from})


def _holidays(world: World, org: Org) -> None:
    """Write the fixed holidays from 2019 to the end of the year after the as-of time."""
    for year in range(2019, world.as_of.year + 2):
        for month, day, name in org.home.holidays:
            row = {"organization_id": org.id, "holiday_date": date(year, month, day), "name": name}
            world.rows["holidays"].append(row)


def policies(org: Org, priority: str) -> list[tuple[date, int, int, str]]:
    """The SLA policies of a priority, oldest first: valid from, minutes to first response and to resolution, clock.

    All organizations start with the default targets. Those with an even index later use the business clock. The others later
    get stricter targets.
    """
    first, resolution = TARGETS[priority]
    if org.index % 2 == 0:
        later = (date(2025, 7, 1), first, resolution // 2 if priority == "low" else resolution, "business")
    else:
        later = (date(2026, 4, 1), first // 2, resolution * 3 // 4, "calendar")
    return [(date(2019, 1, 1), first, resolution, "calendar"), later]


def _sla_policies(world: World, org: Org) -> None:
    for priority in TARGETS:
        for valid_from, respond, resolve, kind in policies(org, priority):
            if world.stop(_instant(valid_from)):
                continue
            row = {"organization_id": org.id, "priority": priority, "first_response_minutes": respond}
            row.update({"resolution_minutes": resolve, "clock": kind, "valid_from": valid_from})
            world.rows["sla_policies"].append(row)


def _instant(day: date) -> int:
    return clock.at(day.year, day.month, day.day)
