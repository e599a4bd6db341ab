"""The mean, median, P75 and P95 of a measure, over the rows where it is known."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from tests.recompute.grouping import known
from tests.recompute.money import mean, percentile
from tests.recompute.sources import Row

PERCENTILES = {"median": Fraction(1, 2), "p75": Fraction(3, 4), "p95": Fraction(95, 100)}


def distribution(rows: Sequence[Row], measure: str) -> Row:
    """The columns `mean_<measure>`, `median_<measure>`, `p75_<measure>` and `p95_<measure>`; None if no value is known."""
    values = known(rows, measure)
    figures = {f"{name}_{measure}": percentile(values, cut) for name, cut in PERCENTILES.items()}
    return {f"mean_{measure}": mean(values), **figures}
