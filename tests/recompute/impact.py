"""mart_release_impact: the tickets of a release day by day, against the same weekdays before."""

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
    """A day's tickets against those of its baseline days, as far as these were observed."""
    middle, spread = mean([Fraction(value) for value in baseline]), deviation(baseline)
    threshold = None
    if len(baseline) == WEEKS and spread is not None:
        threshold = (decimal(middle) or Decimal(0)) + SD_MULTIPLE * spread
    return {
        "baseline_days_observed": len(baseline),
        "baseline_mean_tickets": middle,
        "baseline_sd_tickets": spread,
        "excess_tickets": None if middle is None else count - middle,
        "spike_threshold": threshold,
        "is_spike": None if threshold is None else count > threshold and count >= FEWEST,
    }


class _Tickets:
    """How many tickets of an organization each day has: all, those that name a release, and those of one."""

    def __init__(self, tickets: Sequence[Row]) -> None:
        self.all = Counter(ticket["created_date"] for ticket in tickets)
        self.named = Counter(ticket["created_date"] for ticket in tickets if ticket["release_version"] is not None)
        self.of = Counter((ticket["release_version"], ticket["created_date"]) for ticket in tickets)

    def baseline(self, release: str, first_seen: date, day: date) -> list[int]:
        """The tickets of the same weekdays before a day, from the organization's first ticket on."""
        days = [day - 7 * DAY * week for week in range(1, WEEKS + 1)]
        observed = [earlier for earlier in days if self.all and min(self.all) <= earlier]
        return [self.of[release, earlier] if earlier >= first_seen else self.named[earlier] for earlier in observed]


def mart_release_impact(world: World) -> list[Row]:
    """The rows of mart_release_impact, by release and day from its first to the last that the night sees."""
    seen = [ticket for ticket in fct_tickets(world) if ticket["created_at"] < world.as_of]
    by_tenant = {tenant: _Tickets(own) for (tenant,), own in grouped(seen, "organization_id").items()}
    last = (world.as_of - timedelta(microseconds=1)).date()
    rows: list[Row] = []
    for release in dim_releases(world):
        tenant, version, first = (release[name] for name in ("organization_id", "release_version", "first_seen_date"))
        tickets = by_tenant.get(tenant, _Tickets([]))
        for number in range((last - first).days + 1):
            day = first + number * DAY
            count = tickets.of[version, day]
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
                    "all_ticket_count": tickets.all[day],
                    "ticket_share_pct": share(count, tickets.all[day]),
                    **judged(count, tickets.baseline(version, first, day)),
                }
            )
    return rows
