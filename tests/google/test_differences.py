"""The comparison of two warehouses finds all differences, and only differences."""

from __future__ import annotations

from decimal import Decimal

from tests.google.differences import differences


def test_order_and_the_way_of_writing_a_number_do_not_count() -> None:
    one = [{"k": "a", "n": Decimal("1.50"), "f": 0.1 + 0.2}, {"k": "b", "n": Decimal("100"), "f": None}]
    other = [{"k": "b", "n": Decimal("1E+2"), "f": None}, {"k": "a", "n": Decimal("1.5"), "f": 0.3}]
    assert differences("t", one, other) == []


def test_a_json_object_has_no_order_of_keys() -> None:
    assert differences("t", [{"k": "a", "j": {"x": 1, "y": [2]}}], [{"k": "a", "j": {"y": [2], "x": 1}}]) == []
    assert differences("t", [{"k": "a", "j": {"x": 1}}], [{"k": "a", "j": {"x": 2}}]) != []


def test_a_numeric_is_exact_and_a_float_to_nine_digits() -> None:
    one = {"k": "a", "n": Decimal("1.5"), "f": 1.0}
    assert differences("t", [one], [{**one, "n": Decimal("1.500000001")}]) == [
        "t a: evaluator and local warehouse have {'n': (Decimal('1.5'), Decimal('1.500000001'))}"
    ]
    assert differences("t", [one], [{**one, "f": 1.00000001}]) == [
        "t a: evaluator and local warehouse have {'f': (1.0, 1.00000001)}"
    ]
    assert differences("t", [one], [{**one, "f": None}]) == ["t a: evaluator and local warehouse have {'f': (1.0, None)}"]


def test_listed_columns_are_inexact_or_not_compared() -> None:
    one = {"k": "a", "n": Decimal("1.000000001"), "h": "x"}
    other = {"k": "a", "n": Decimal("1.000000002"), "h": "y"}
    assert differences("t", [one], [other], inexact=["n"], ignored=["h"]) == []
    assert differences("t", [one], [other], inexact=["n"]) != []
    assert differences("t", [one], [{**other, "n": Decimal("1.0000001")}], inexact=["n"], ignored=["h"]) != []


def test_rows_of_one_side_and_rows_twice() -> None:
    row = {"k": "a", "f": 1.0}
    assert differences("t", [row], []) == ["t: only the evaluator has {'k': 'a', 'f': 1.0}"]
    assert differences("t", [], [row]) == ["t: only the local warehouse has {'k': 'a', 'f': 1.0}"]
    assert differences("t", [row, row], [row]) != []
    assert differences("t", [row, row], [row, row]) == []
