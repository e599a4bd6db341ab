"""Random timelines, checked by a second implementation without states: is the table late at this minute?"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from include.freshness import FreshnessSla, Publication
from include.freshness.attainment import attainment
from tests.include.freshness.timeline import Timeline, at

START, END = at("12 00:00"), at("26 00:00")
MINUTE = timedelta(minutes=1)
CADENCES = {"daily": (1440, (120, 360, 1560)), "hourly": (60, (30, 60, 120)), "every 15 minutes": (15, (15, 60))}


def scheduled_times(sla: FreshnessSla) -> list[datetime]:
    step = timedelta(minutes=CADENCES[sla.cadence][0])
    first = at("01 02:00" if sla.cadence == "daily" else "01 00:00")
    found = [first + n * step for n in range(int((END - first) / step) + 1)]
    return [time for time in found if sla.calendar == "every_day" or time.isoweekday() <= 5]


def is_late(sla: FreshnessSla, scheduled: list[datetime], publications: list[Publication], now: datetime) -> bool:
    due = max(time for time in scheduled if time + sla.fresh_within <= now)
    shown = [p for p in publications if p.published_at <= now]
    if not shown:
        return True
    data_at = max(shown, key=lambda p: p.published_at).data_at
    wanted = due.replace(hour=0) if sla.cadence == "daily" else due
    return data_at is None or data_at < wanted


def random_timeline(seed: int) -> Timeline:
    rng = random.Random(seed)
    cadence = rng.choice(list(CADENCES))
    interval, choices = CADENCES[cadence]
    calendar = rng.choice(["every_day", "business_days"])
    sla = FreshnessSla("marts", "mart_a", cadence, timedelta(minutes=rng.choice(choices)), "high", "finance", (), calendar)
    usual = rng.choice([None, timedelta(minutes=interval // 3)])
    table = Timeline(sla, since=at("01 00:00"), usual=usual)
    for time in scheduled_times(sla):
        if time < START - timedelta(days=2) or rng.random() < 0.15:
            continue
        delay = rng.choice([5, 5, 5, interval // 2, interval * 2]) // 5 * 5 or 5
        published = time + timedelta(minutes=delay)
        if all(p.published_at != published for p in table.publications):
            data = time.replace(hour=0) if cadence == "daily" else time
            data -= timedelta(days=30) if rng.random() < 0.02 else timedelta(0)
            table.publications.append(Publication(f"run-{time}", data, published, data))
    return table


@pytest.mark.parametrize("seed", range(12))
def test_breached_is_late_at_every_check_and_attainment_is_the_minutes_that_were_not(seed: int) -> None:
    table = random_timeline(seed)
    scheduled = scheduled_times(table.sla)
    span = timedelta(days=14 if table.sla.cadence == "daily" else 2)
    checks = [START + n * 5 * MINUTE for n in range(int(span / (5 * MINUTE)))]
    late = []
    for now in checks:
        recent = [time for time in scheduled if now - timedelta(days=8) <= time <= now]
        table.check(now)
        late.append(is_late(table.sla, recent, table.publications, now))
        assert (bool(table.events) and table.events[-1].state == "breached") == late[-1], now

    states = [event.state for event in table.events]
    assert all(a != b for a, b in pairwise(states)), "a change is a change"
    assert len({event.event_id for event in table.events}) == len(table.events), "no two changes have one id"
    assert all(after == "recovered" for before, after in pairwise(states) if before == "breached")

    # Everything happens at the minutes of the checks, so a count of checks measures time. The time before the first check is
    # not counted.
    begin = next(now for now, was in zip(checks, late, strict=True) if not was)
    attained = attainment(table.events, begin, checks[-1] + 5 * MINUTE)
    assert attained is not None
    counted = [was for now, was in zip(checks, late, strict=True) if now >= begin]
    breaches = "".join("x" if was else " " for was in counted).split()
    assert attained.minutes_monitored == 5 * len(counted)
    assert attained.minutes_monitored - attained.minutes_on_time == 5 * sum(counted)
    assert attained.breach_count == len(breaches)
    assert attained.longest_breach_minutes == 5 * max(map(len, breaches), default=0)


def test_the_random_timelines_have_every_state() -> None:
    """Otherwise the test above proves little."""
    seen = set()
    for seed in range(12):
        table = random_timeline(seed)
        for n in range(288 * 2):
            table.check(START + n * 5 * MINUTE)
        seen |= {(table.sla.cadence, event.state) for event in table.events}
    assert {cadence for cadence, state in seen if state == "breached"} == set(CADENCES)
    assert {"on_time", "at_risk", "breached", "recovered"} == {state for _, state in seen}
