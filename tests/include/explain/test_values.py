"""Figures as people read them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from include.explain.values import cell, figure


@pytest.mark.parametrize(
    ("value", "column", "currency", "text"),
    [
        (Decimal("564596.820000000"), "mrr_amount", "GBP", "GBP 564,596.82"),
        (141.28, "nrr_pct", None, "141.28 %"),
        (Decimal("0.5"), "mrr_amount", "GBP", "GBP 0.50"),
        (2026, "fiscal_year", None, "2026"),
        (4.25, "mean_hours_to_response", None, "4.25 h"),
        (-3.0, "nps", None, "-3.00"),
        (12345, "order_count", None, "12,345"),
        (0.123456, "mean_resolution_hours", None, "0.1235 h"),
        (0.0, "churn_risk_score", None, "0.00 points"),
        (None, "nrr_pct", None, "unknown (NULL)"),
    ],
)
def test_a_figure_has_its_unit(value: object, column: str, currency: str | None, text: str) -> None:
    assert figure(value, column, currency) == text


def test_cells() -> None:
    found = [
        cell(value) for value in (None, True, date(2026, 9, 1), datetime(2026, 9, 1, 3, 4, tzinfo=UTC), "a" * 50, Decimal(2))
    ]
    assert found == ["–", "yes", "2026-09-01", "2026-09-01 03:04", f"{'a' * 37}…", "2.00"]
    assert cell(2026, "iso_year") == "2026" and cell(2026, "order_count") == "2,026"
