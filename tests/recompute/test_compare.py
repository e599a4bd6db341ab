"""The comparison must report every kind of difference."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from tests.recompute.compare import CENT, compare

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)
ROW = {"id": "a", "amount": Decimal("1.10"), "name": None, "seen": NOON, "met": True}
COLUMNS = ["amount", "name", "seen", "met"]


def differences(**changes: Any) -> list[str]:
    return compare([ROW], [{**ROW, **changes}], ["id"], COLUMNS)


def test_equal_rows_have_no_difference() -> None:
    assert differences() == []
    assert differences(seen=NOON.astimezone(timezone(timedelta(hours=2))), extra=1) == []
    assert differences(amount=Fraction(11, 10)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"amount": Decimal("1.11")},
        {"amount": None},
        {"amount": "1.10"},
        {"name": ""},
        {"seen": NOON + timedelta(microseconds=1)},
        {"met": None},
        {"met": 1},
    ],
)
def test_each_changed_value_is_one_difference(change: dict[str, Any]) -> None:
    assert len(differences(**change)) == 1


def test_a_missing_column_is_a_difference_even_if_null_is_expected() -> None:
    without = {name: value for name, value in ROW.items() if name != "name"}
    assert compare([ROW], [without], ["id"], COLUMNS) == ["id='a': name should be None, the warehouse has no such column"]


def test_missing_extra_and_duplicate_rows_are_differences() -> None:
    other = {**ROW, "id": "b"}
    assert compare([ROW], [other], ["id"], COLUMNS) == [
        "id='a': missing in the warehouse",
        "id='b': only in the warehouse",
    ]
    assert compare([ROW], [ROW, ROW], ["id"], COLUMNS) == ["id='a': twice among the actual rows"]


def test_the_tolerance_applies_to_numbers_only_and_includes_its_bound() -> None:
    near = {**ROW, "amount": Decimal("1.105")}
    far = {**ROW, "amount": Decimal("1.1051")}
    assert compare([ROW], [near], ["id"], COLUMNS, CENT) == []
    assert len(compare([ROW], [far], ["id"], COLUMNS, CENT)) == 1
    assert compare([ROW], [near], ["id"], COLUMNS, {"amount": CENT}) == []
    assert len(compare([ROW], [near], ["id"], COLUMNS, {"seen": CENT})) == 1
