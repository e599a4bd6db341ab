"""Reads the sides of a reconciliation from the warehouse's answer, and finds those that differ."""

from __future__ import annotations

import json

import pytest

from include.quality.reconciliation import differing, read


@pytest.mark.parametrize(
    ("difference", "differs"),
    [(0.0, False), (0.5, False), (-0.5, False), (0.51, True), (-0.51, True), (None, True), ("NaN", True), ("-Infinity", True)],
)
def test_an_unknown_difference_and_one_that_is_no_number_differ(difference: float | str | None, differs: bool) -> None:
    """JSON has no NaN and no infinity: BigQuery writes them as texts."""
    text = json.dumps([{"part": "a", "left_value": 1.0, "right_value": difference, "difference": difference, "row_count": 1}])
    assert bool(differing(read(text), tolerance=0.5)) is differs


def test_no_sides_are_no_difference() -> None:
    assert differing(read(None), tolerance=0) == []
