"""mart_release_impact: the daily tickets of a release, compared with the organization's usual load on that weekday."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction

from tests.recompute.grouping import grouped
from tests.recompute.money import decimal, mean
from tests.recompute.releases import dim_releases
from tests.recompute.sources import Row, SourceData, natural
from tests.recompute.tenants import share
from tests.recompute.tickets import fct_tickets

DAY = timedelta(days=1)
# These settings repeat a dbt seed on purpose: a wrong value in either place shows as a difference.
WEEKS, SD_MULTIPLE, MIN_TICKETS = 4, 3, 10


def deviation(values: Sequence[int]) -> Decimal | None:
    """The sample standard deviation; None for fewer than two values."""
    if len(values) < 2:
        return None
    mean_value = Fraction(sum(values), len(values))
    variance = sum(((value - mean_value) ** 2 for value in values), Fraction(0)) / (len(values) - 1)
    with localcontext(prec=50):
        return (Decimal(variance.numerator) / Decimal(variance.denominator)).sqrt()


def spike_figures(count: int | None, baseline: Sequence[int]) -> Row:
    """The baseline, the threshold and the spike flag for a release's tickets of one day.

    `count` is None if no ticket of the organization names its version. `baseline` has only the observed days.
    """
    mean_tickets, sd = mean([Fraction(value) for value in baseline]), deviation(baseline)
    threshold = None
    if len(baseline) == WEEKS and sd is not None:
        threshold = (decimal(mean_tickets) or Decimal(0)) + SD_MULTIPLE * sd
    return {
        "baseline_days_observed": len(baseline),
        "baseline_mean_tickets": mean_tickets,
        "baseline_sd_tickets": sd,
        "tickets_above_baseline": None if mean_tickets is None or count is None else count - mean_tickets,
        "spike_threshold": threshold,
        "is_spike": None if threshold is None or count is None else count > threshold and count >= MIN_TICKETS,
    }


def usual_load(by_day: Counter[date], day: date) -> list[int]:
    """The organization's ticket counts on the same weekday of the weeks before. Days before its first ticket are left out."""
    days = [day - 7 * DAY * week for week in range(1, WEEKS + 1)]
    return [by_day[earlier] for earlier in days if by_day and min(by_day) <= earlier]


def mart_release_impact(sources: SourceData) -> list[Row]:
    """The rows of mart_release_impact, by release and day, from the first day of the release to the last day before as_of."""
    seen = [ticket for ticket in fct_tickets(sources) if ticket["created_at"] < sources.as_of]
    loads = {tenant: Counter(row["created_date"] for row in own) for (tenant,), own in grouped(seen, "organization_id").items()}
    of_release = Counter((row["organization_id"], row["release_version"], row["created_date"]) for row in seen)
    naming = {row["organization_id"] for row in seen if row["release_version"] is not None}
    last = (sources.as_of - timedelta(microseconds=1)).date()
    rows: list[Row] = []
    for release in dim_releases(sources):
        tenant, version, first = (release[name] for name in ("organization_id", "release_version", "first_seen_date"))
        load = loads.get(tenant, Counter())
        for number in range((last - first).days + 1):
            day = first + number * DAY
            count = of_release[tenant, version, day] if tenant in naming else None
            rows.append(
                {
                    "organization_id": tenant,
                    "release_key": natural(tenant, version),
                    "release_version": version,
                    "is_watched": release["is_watched"],
                    "first_seen_date": first,
                    "ticket_date": day,
                    "days_since_release": number,
                    "is_complete": datetime.combine(day + DAY, time.min, UTC) <= sources.as_of,
                    "ticket_count": count,
                    "all_ticket_count": load[day] if load else None,
                    "ticket_share_pct": None if count is None else share(count, load[day]),
                    **spike_figures(count, usual_load(load, day)),
                }
            )
    return rows
