"""Currency conversion and percentiles on hand-worked values."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

from tests.recompute.money import Rates, accepted, mean, percentile
from tests.recompute.sources import SourceData

RATES = Rates(
    SourceData.of(
        datetime(2026, 9, 10, tzinfo=UTC),
        fx_rates=[
            {"rate_date": date(2026, 9, 1), "currency": "EUR", "rate_to_usd": Decimal("1.10")},
            {"rate_date": date(2026, 9, 4), "currency": "EUR", "rate_to_usd": Decimal("1.20")},
            {"rate_date": date(2026, 9, 1), "currency": "GBP", "rate_to_usd": Decimal("1.32")},
            {"rate_date": date(2026, 9, 10), "currency": "GBP", "rate_to_usd": Decimal("9")},
        ],
    )
)


def test_the_rate_is_the_last_one_on_or_before_the_day() -> None:
    assert RATES.convert(Decimal(100), "EUR", "USD", date(2026, 9, 3)) == 110
    assert RATES.convert(Decimal(100), "EUR", "USD", date(2026, 9, 4)) == 120


def test_two_foreign_currencies_convert_through_the_dollar() -> None:
    assert RATES.convert(Decimal(100), "GBP", "EUR", date(2026, 9, 2)) == 120


def test_no_conversion_before_the_first_rate() -> None:
    assert RATES.convert(Decimal(100), "EUR", "USD", date(2026, 8, 31)) is None
    assert RATES.convert(Decimal(100), "JPY", "USD", date(2026, 9, 4)) is None


def test_the_same_currency_needs_no_rate() -> None:
    assert RATES.convert(Decimal(100), "USD", "USD", date(2020, 1, 1)) == 100
    assert RATES.convert(Decimal(100), "JPY", "JPY", date(2020, 1, 1)) == 100
    assert RATES.convert(None, "EUR", "USD", date(2026, 9, 4)) is None


def test_rates_from_as_of_on_are_not_visible() -> None:
    assert RATES.to_usd("GBP", date(2026, 9, 8)) == Decimal("1.32")


def test_a_rate_counts_for_seven_days() -> None:
    assert RATES.to_usd("EUR", date(2026, 9, 11)) == Decimal("1.20")
    assert RATES.to_usd("EUR", date(2026, 9, 12)) is None


def published(*rates: str | None) -> list[tuple[date, Decimal | None]]:
    """Rates of successive days from 1 September."""
    return [(date(2026, 9, day), None if rate is None else Decimal(rate)) for day, rate in enumerate(rates, start=1)]


def days(*rates: str | None) -> list[int]:
    """The days of September whose rates are accepted."""
    return [day.day for day, _ in accepted(published(*rates))]


def test_a_slip_of_a_day_is_rejected() -> None:
    # The slip is similar to itself only: 1 of 5. The day after is similar to 4 of 5.
    assert days("1.1", "1.1", "1.1", "1.1", "1100", "1.1") == [1, 2, 3, 4, 6]


def test_a_lasting_new_level_counts_from_its_third_rate_on() -> None:
    # The new level has 1, 2 and 3 of the last 5 rates.
    assert days("1", "1", "1", "1", "0.5", "0.5", "0.5") == [1, 2, 3, 4, 7]


def test_rates_that_are_missing_or_not_positive_are_rejected() -> None:
    assert days("1.25", "0", "-1", None, "1.3") == [1, 5]


def test_a_jump_of_exactly_30_percent_is_accepted() -> None:
    assert days("1", "0.7") == [1, 2]
    assert days("1", "0.699") == [1]


def test_percentiles_are_interpolated() -> None:
    values = [Fraction(n) for n in (40, 10, 20, 30)]
    assert percentile(values, Fraction(1, 2)) == 25
    assert percentile(values, Fraction(3, 4)) == Fraction(65, 2)
    assert percentile(values, Fraction(95, 100)) == Fraction(77, 2)
    assert percentile([Fraction(7)], Fraction(95, 100)) == 7
    assert percentile([], Fraction(1, 2)) is None
    assert mean(values) == 25
    assert mean([]) is None
