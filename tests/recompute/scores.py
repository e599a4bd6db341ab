"""The parts of the customer health and churn risk scores. Each part is 0 to 100, or None if unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

HUNDRED = Fraction(100)
ZERO = Fraction(0)

# These settings repeat dbt seeds on purpose: a wrong value in either place shows as a difference.
HEALTH_WEIGHTS = {"usage": 30, "support": 20, "revenue": 25, "engagement": 25}
HEALTH_TIERS = (("champion", 80), ("healthy", 60), ("neutral", 40), ("at_risk", 20))
RISK_WEIGHTS = {"recency": 35, "frequency": 25, "holdings": 10, "tickets": 15, "revenue": 15}
CATEGORY_COUNT = 5
USAGE_DAYS = 30

Parts = Mapping[str, Fraction | None]


def _bounded(value: Fraction) -> Fraction:
    return max(ZERO, min(HUNDRED, value))


def usage(events: int, of_group: Sequence[int]) -> Fraction:
    """The percent rank of an account's event count within its group. `of_group` includes the account itself."""
    if len(of_group) == 1:
        return Fraction(50)
    return HUNDRED * sum(other < events for other in of_group) / (len(of_group) - 1)


def support(open_count: int, created: int, breached: int, mean_csat: Fraction | None) -> Fraction | None:
    """The support part, from open tickets, and from breaches and CSAT of the last 90 days; None without tickets."""
    if not open_count and not created:
        return None
    share = Fraction(breached, created) if created else ZERO
    dissatisfied = max(ZERO, 4 - mean_csat) if mean_csat is not None else ZERO
    return max(ZERO, HUNDRED - 10 * open_count - 30 * share - 10 * dissatisfied)


def revenue(growth: Fraction | None) -> Fraction:
    """The revenue part, from the growth over three months as a share. Without earlier revenue (None) it is 60."""
    if growth is None:
        return Fraction(60)
    return min(HUNDRED, 60 + 400 * growth) if growth >= 0 else max(ZERO, 60 + 300 * growth)


def engagement(category_count: int, active_days: int) -> Fraction:
    """The engagement part, from the feature categories used and the active days."""
    return 60 * Fraction(category_count, CATEGORY_COUNT) + 40 * Fraction(active_days, USAGE_DAYS)


def recency(days: Fraction) -> Fraction:
    """Risk from the days since the last login: 0 up to 7 days, 100 from 90 days on."""
    return _bounded(HUNDRED * (days - 7) / 83)


def frequency(recent: int, earlier: int) -> Fraction | None:
    """Risk from the drop in events between two periods of 30 days; None without events."""
    if not recent and not earlier:
        return None
    return _bounded(HUNDRED * (earlier - recent) / earlier) if earlier else ZERO


def holdings(products: int) -> Fraction:
    """Risk from having few products in force."""
    return Fraction({0: 100, 1: 100, 2: 50}.get(products, 0))


def tickets(open_count: int, breached: int) -> Fraction:
    """Risk from open and breached tickets."""
    return _bounded(Fraction(25 * open_count + 25 * breached))


def contraction(growth: Fraction) -> Fraction:
    """Risk from the share of revenue lost in three months."""
    return _bounded(-200 * growth)


def weighted(parts: Parts, weights: Mapping[str, int]) -> dict[str, Fraction | None]:
    """The contribution of each known part to the score. The weights of the known parts are scaled to 100 %."""
    known = covered(parts, weights)
    return {name: None if part is None else part * weights[name] / known for name, part in parts.items()}


def covered(parts: Parts, weights: Mapping[str, int]) -> Fraction:
    """The total weight of the known parts, in percent."""
    return Fraction(sum(weights[name] for name, part in parts.items() if part is not None))


def health_tier(score: Fraction) -> str:
    """The tier of a health score."""
    return next((tier for tier, bound in HEALTH_TIERS if score >= bound), "critical")
