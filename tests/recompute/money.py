"""Conversion to an organization's reporting currency, and interpolated percentiles."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction

from tests.recompute.sources import SourceData

# These settings repeat dbt vars on purpose: a wrong value in either place shows as a difference.
VALID = timedelta(days=7)
COMPARED, MAX_JUMP = 5, Fraction(30, 100)


def accepted(published: Sequence[tuple[date, Decimal | None]]) -> list[tuple[date, Decimal]]:
    """The rates of one currency that count, from its published rates in any order.

    A positive rate counts if most of the last five positive rates, its own included, are similar to it. An earlier rate is similar if
    the later one differs by at most 30 % of it.
    """
    positive = sorted((day, rate) for day, rate in published if rate is not None and rate > 0)
    found: list[tuple[date, Decimal]] = []
    for position, (day, rate) in enumerate(positive):
        recent = [other for _, other in positive[max(0, position + 1 - COMPARED) : position + 1]]
        similar = sum(abs(Fraction(rate) - Fraction(other)) <= MAX_JUMP * Fraction(other) for other in recent)
        if similar > Fraction(len(recent), 2):
            found.append((day, rate))
    return found


class Rates:
    """Exchange rates in US dollars: the last accepted rate on or before a day, at most seven days old. USD is 1."""

    def __init__(self, sources: SourceData) -> None:
        self._as_of = sources.as_of
        published: dict[str, list[tuple[date, Decimal | None]]] = {}
        for row in sources["fx_rates"]:
            # A rate is valid from the first instant of its day. Rates from as_of on are not visible.
            if datetime.combine(row["rate_date"], time.min, UTC) < sources.as_of:
                published.setdefault(row["currency"], []).append((row["rate_date"], row["rate_to_usd"]))
        self._rates = {currency: accepted(rates) for currency, rates in published.items()}
        daily = sources.models.get("int_reference__fx_rates_daily")
        #: The rates that a golden case gives by currency and day.
        self._given = (
            None if daily is None else {(row["currency"], row["rate_day"]): Decimal(row["rate_to_usd"]) for row in daily}
        )

    def to_usd(self, currency: str, day: date) -> Decimal | None:
        """US dollars for one unit of `currency` on `day`, or None if no rate counts on that day."""
        if currency == "USD":
            return Decimal(1)
        if self._given is not None:
            return self._given.get((currency, min(day, self._as_of.date())))
        known = self._rates.get(currency, [])
        position = bisect_right(known, day, key=lambda pair: pair[0])
        if not position or day - known[position - 1][0] > VALID:
            return None
        return known[position - 1][1]

    def convert(self, amount: Decimal | Fraction | None, currency: str, reporting: str, day: date) -> Fraction | None:
        """`amount` in the reporting currency at the rates of `day`, exact, or None if a rate is missing."""
        if amount is None:
            return None
        if currency == reporting:
            return Fraction(amount)
        source, target = self.to_usd(currency, day), self.to_usd(reporting, day)
        if source is None or target is None:
            return None
        return Fraction(amount) * Fraction(source) / Fraction(target)


def percentile(values: Sequence[Fraction], share: Fraction) -> Fraction | None:
    """The interpolated percentile of the known values (PERCENTILE_CONT), or None if there are none."""
    if not values:
        return None
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def mean(values: Sequence[Fraction]) -> Fraction | None:
    """The arithmetic mean, or None if there are no values."""
    return sum(values, Fraction(0)) / len(values) if values else None


def decimal(value: Fraction | None) -> Decimal | None:
    """A fraction as a Decimal of 28 digits."""
    return None if value is None else Decimal(value.numerator) / Decimal(value.denominator)
