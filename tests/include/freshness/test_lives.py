"""Lives of tables made up by dice, judged by a second opinion that knows no states: minute by minute, is it late?"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from tests.include.sla.timeline import Timeline, at

from include.freshness import Promise, Publication
from include.freshness.attainment import attainment

START, END = at("12 00:00"), at("26 00:00")
MINUTE = timedelta(minutes=1)
PROMISES = {"daily": (1440, (120, 360, 1560)), "hourly": (60, (30, 60, 120)), "every 15 minutes": (15, (15, 60))}


def ticks_of(promise: Promise) -> list[datetime]:
    step = timedelta(minutes=PROMISES[promise.cadence][0])
    first = at("01 02:00" if promise.cadence == "daily" else "01 00:00")
    found = [first + n * step for n in range(int((END - first) / step) + 1)]
    return [tick for tick in found if promise.calendar == "every_day" or tick.isoweekday() <= 5]


def is_late(promise: Promise, ticks: list[datetime], publications: list[Publication], now: datetime) -> bool:
    due = max(tick for tick in ticks if tick + promise.fresh_within <= now)
    shown = [p for p in publications if p.published_at <= now]
    if not shown:
        return True
    data_at = max(shown, key=lambda p: p.published_at).data_at
    wanted = due.replace(hour=0) if promise.cadence == "daily" else due
    return data_at is None or data_at < wanted


def life(seed: int) -> Timeline:
    dice = random.Random(seed)
    cadence = dice.choice(list(PROMISES))
    interval, choices = PROMISES[cadence]
    calendar = dice.choice(["every_day", "business_days"])
    promise = Promise("marts", "mart_a", cadence, timedelta(minutes=dice.choice(choices)), "high", "finance", (), calendar)
    usual = dice.choice([None, timedelta(minutes=interval // 3)])
    table = Timeline(promise, since=at("01 00:00"), usual=usual)
    for tick in ticks_of(promise):
        if tick < START - timedelta(days=2) or dice.random() < 0.15:
            continue
        delay = dice.choice([5, 5, 5, interval // 2, interval * 2]) // 5 * 5 or 5
        published = tick + timedelta(minutes=delay)
        if all(p.published_at != published for p in table.publications):
            data = tick.replace(hour=0) if cadence == "daily" else tick
            data -= timedelta(days=30) if dice.random() < 0.02 else timedelta(0)
            table.publications.append(Publication(f"run-{tick}", data, published, data))
    return table


@pytest.mark.parametrize("seed", range(12))
def test_breached_is_late_at_every_look_and_attainment_is_the_minutes_that_were_not(seed: int) -> None:
    table = life(seed)
    ticks = ticks_of(table.promise)
    span = timedelta(days=14 if table.promise.cadence == "daily" else 2)
    looks = [START + n * 5 * MINUTE for n in range(int(span / (5 * MINUTE)))]
    late = []
    for now in looks:
        recent = [tick for tick in ticks if now - timedelta(days=8) <= tick <= now]
        table.look(now)
        late.append(is_late(table.promise, recent, table.publications, now))
        assert (bool(table.events) and table.events[-1].state == "breached") == late[-1], now

    states = [event.state for event in table.events]
    assert all(a != b for a, b in pairwise(states)), "a change is a change"
    assert len({event.event_id for event in table.events}) == len(table.events), "no two changes have one id"
    assert all(after == "recovered" for before, after in pairwise(states) if before == "breached")

    # Everything happens on the minutes of the looks, so counting looks is measuring time. What was late before the first
    # look is not known to the count.
    begin = next(now for now, was in zip(looks, late, strict=True) if not was)
    kept = attainment(table.events, begin, looks[-1] + 5 * MINUTE)
    assert kept is not None
    counted = [was for now, was in zip(looks, late, strict=True) if now >= begin]
    stretches = "".join("x" if was else " " for was in counted).split()
    assert kept.minutes_promised == 5 * len(counted)
    assert kept.minutes_promised - kept.minutes_on_time == 5 * sum(counted)
    assert kept.breach_count == len(stretches)
    assert kept.longest_breach_minutes == 5 * max(map(len, stretches), default=0)


def test_the_dice_make_tables_late() -> None:
    """Otherwise the above proves little."""
    seen = set()
    for seed in range(12):
        table = life(seed)
        for n in range(288 * 2):
            table.look(START + n * 5 * MINUTE)
        seen |= {(table.promise.cadence, event.state) for event in table.events}
    assert {cadence for cadence, state in seen if state == "breached"} == set(PROMISES)
    assert {"on_time", "at_risk", "breached", "recovered"} == {state for _, state in seen}
