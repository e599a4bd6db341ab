"""mart_release_impact: the tickets of a release day by day, against the organization's usual load of the weekday."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction

from tests.recompute.grouping import grouped
from tests.recompute.money import decimal, mean
from tests.recompute.releases import dim_releases
from tests.recompute.tenants import share
from tests.recompute.tickets import fct_tickets
from tests.recompute.world import Row, World, natural

DAY = timedelta(days=1)
# The settings (a seed in the warehouse, written here a second time on purpose).
WEEKS, SD_MULTIPLE, FEWEST = 4, 3, 10


def deviation(values: Sequence[int]) -> Decimal | None:
    """The standard deviation of a sample, of two values at least."""
    if len(values) < 2:
        return None
    middle = Fraction(sum(values), len(values))
    variance = sum(((value - middle) ** 2 for value in values), Fraction(0)) / (len(values) - 1)
    with localcontext(prec=50):
        return (Decimal(variance.numerator) / Decimal(variance.denominator)).sqrt()


def judged(count: int, baseline: Sequence[int]) -> Row:
    """A release's tickets of a day against the load of its baseline days, as far as these were observed."""
    middle, spread = mean([Fraction(value) for value in baseline]), deviation(baseline)
    threshold = None
    if len(baseline) == WEEKS and spread is not None:
        threshold = (decimal(middle) or Decimal(0)) + SD_MULTIPLE * spread
    return {
        "baseline_days_observed": len(baseline),
        "baseline_mean_tickets": middle,
        "baseline_sd_tickets": spread,
        "tickets_above_baseline": None if middle is None else count - middle,
        "spike_threshold": threshold,
        "is_spike": None if threshold is None else count > threshold and count >= FEWEST,
    }


def usual_load(by_day: Counter[date], day: date) -> list[int]:
    """An organization's tickets on the same weekdays before a day, from its first ticket on."""
    days = [day - 7 * DAY * week for week in range(1, WEEKS + 1)]
    return [by_day[earlier] for earlier in days if by_day and min(by_day) <= earlier]


def mart_release_impact(world: World) -> list[Row]:
    """The rows of mart_release_impact, by release and day from its first to the last that the night sees."""
    seen = [ticket for ticket in fct_tickets(world) if ticket["created_at"] < world.as_of]
    loads = {tenant: Counter(row["created_date"] for row in own) for (tenant,), own in grouped(seen, "organization_id").items()}
    of_release = Counter((row["organization_id"], row["release_version"], row["created_date"]) for row in seen)
    last = (world.as_of - timedelta(microseconds=1)).date()
    rows: list[Row] = []
    for release in dim_releases(world):
        tenant, version, first = (release[name] for name in ("organization_id", "release_version", "first_seen_date"))
        load = loads.get(tenant, Counter())
        for number in range((last - first).days + 1):
            day = first + number * DAY
            count = of_release[tenant, version, day]
            rows.append(
                {
                    "organization_id": tenant,
                    "release_key": natural(tenant, version),
                    "release_version": version,
                    "is_watched": release["is_watched"],
                    "first_seen_date": first,
                    "ticket_date": day,
                    "days_since_release": number,
                    "is_complete": datetime.combine(day + DAY, time.min, UTC) <= world.as_of,
                    "ticket_count": count,
                    "all_ticket_count": load[day],
                    "ticket_share_pct": share(count, load[day]),
                    **judged(count, usual_load(load, day)),
                }
            )
    return rows
