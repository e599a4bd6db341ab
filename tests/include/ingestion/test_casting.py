"""Casts: valid values are converted, and each invalid value is marked."""

from __future__ import annotations

import datetime as dt
import time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from include.ingestion.casting import ARROW_TYPES, cast
from include.ingestion.conform import Conformer, Stamp, loaded_type, warehouse_name
from include.sources import Table
from include.sources.readers.pieces import table_of

Z = dt.UTC
NOON = dt.datetime(2026, 1, 1, 12, tzinfo=Z)


@pytest.mark.parametrize(
    ("kind", "values", "expected", "failed"),
    [
        ("integer", ["1", " 2 ", "+3", "4.0", "", None], [1, 2, 3, 4, None, None], []),
        ("integer", ["1.5", "x", "9" * 20, "7"], [None, None, None, 7], [0, 1, 2]),
        ("integer", [1.0, 2.5, None], [1, None, None], [1]),
        ("integer", [True], [None], [0]),
        ("decimal", ["12.50", "1e3", "-.5", "+7"], ["12.5", "1000", "-0.5", "7"], []),
        ("decimal", ["0.1234567895", "0.1234567894"], ["0.123456790", "0.123456789"], []),
        ("decimal", ["abc", "9" * 40, "NaN", "1"], [None, None, None, "1"], [0, 1, 2]),
        ("decimal", [0.1, 1e16, None], ["0.1", "10000000000000000", None], []),
        ("decimal", [Decimal("1.123456789123")], ["1.123456789"], []),
        ("float", ["1.5", "-inf", "x"], [1.5, float("-inf"), None], [2]),
        ("boolean", ["true", "F", "1", "no", "maybe", None], [True, False, True, False, None, None], [4]),
        ("boolean", [0, 1, 2], [False, True, None], [2]),
        ("timestamp", ["2026-01-01T12:00:00Z", "2026-01-01 14:00:00+02", "2026-01-01T12:00:00"], [NOON] * 3, []),
        ("timestamp", ["2026-01-01T06:30:00.0000009-05:30", "2026-01-01 12:00"], [NOON] * 2, []),
        ("timestamp", ["2026-02-31T00:00:00Z", "soon", "infinity", "2026-01-01"], [None] * 3 + [NOON.replace(hour=0)], [0, 1, 2]),
        ("timestamp", [NOON.replace(tzinfo=None), None], [NOON, None], []),
        ("timestamp", [1_790_000_000], [None], [0]),
        ("date", ["2026-01-01", "2026-01-01T00:00:00Z", "2026-01-01T05:00:00Z"], [dt.date(2026, 1, 1)] * 2 + [None], [2]),
        ("date", [dt.datetime(2026, 1, 1), dt.datetime(2026, 1, 1, 3)], [dt.date(2026, 1, 1), None], [1]),
        ("time", ["09:00", "9:05", "09:00:00", "09:00:30", "25:00"], ["09:00", "09:05", "09:00", None, None], [3, 4]),
        ("time", [dt.time(9, 30), dt.time(9, 30, 5)], ["09:30", None], [1]),
        ("json", ['{"a": 1}', "x", "", None], ['{"a": 1}', None, None, None], [1]),
        ("json", [{"a": 1}, None], ['{"a":1}', None], []),
        ("string", [1, 2], ["1", "2"], []),
        ("string", ["", None], ["", None], []),
        ("string", [b"caf\xc3\xa9", b"\xff"], ["café", "ff"], []),
        ("string", [{"a": [1]}], ['{"a":[1]}'], []),
        ("string", [None], [None], []),
    ],
)
def test_cast(kind: Any, values: list[Any], expected: list[Any], failed: list[int]) -> None:
    result = cast(pa.chunked_array([pa.array(values)]), kind)
    assert result.values.type == ARROW_TYPES[kind]
    wanted = [None if v is None else Decimal(v) for v in expected] if kind == "decimal" else expected
    assert result.values.to_pylist() == wanted
    assert [i for i, bad in enumerate(result.failed.to_pylist() if result.failed is not None else []) if bad] == failed
    assert result.failures == len(failed)


def test_many_bad_values_cost_little() -> None:
    values = pa.array([f"2026-02-{30 + i % 2}T00:00:00Z" if i % 2 else "2026-01-01T00:00:00Z" for i in range(200_000)])
    started = time.process_time()
    result = cast(values, "timestamp")
    assert result.failures == 100_000
    assert time.process_time() - started < 5


def test_records_become_columns() -> None:
    records = [
        {"n": 1, "mixed": 1, "deep": {"a": 1}, "big": 2**70, "j": {"x": 1}, "broken": "\ud800"},
        {"n": 2.5, "mixed": "x", "late": True, "j": "text", "broken": None},
    ]
    rows = table_of(records, frozenset({"j"}))
    assert rows.to_pydict() == {
        "n": [1.0, 2.5],
        "mixed": ["1", "x"],
        "deep": ['{"a":1}', None],
        "big": [str(2**70), None],
        "j": ['{"x":1}', "text"],
        "broken": ["?", None],
        "late": [None, True],
    }


def test_names_and_types_of_undeclared_columns() -> None:
    names = ["Weird Name!", "camelCase", "_loaded_at", "2nd", "ÄÖ", "a__b"]
    assert [warehouse_name(name) for name in names] == ["weird_name", "camel_case", "loaded_at", "c_2nd", "column", "a_b"]
    kinds = [
        pa.int8(),
        pa.float32(),
        pa.bool_(),
        pa.decimal128(5, 2),
        pa.timestamp("s"),
        pa.date64(),
        pa.time64("us"),
        pa.string(),
    ]
    expected = ["integer", "float", "boolean", "decimal", "timestamp", "date", "string", "string"]
    assert [loaded_type(kind) for kind in kinds] == expected


def test_a_tombstone_has_the_times_that_order_its_versions() -> None:
    """Otherwise a tombstone would precede the version that it deletes, or a backfill would see it before the deletion."""
    kinds = {"id": "string", "happened_on": "date", "updated_at": "timestamp", "created_at": "timestamp"}
    columns = {name: {"type": kind, "description": "A column."} for name, kind in kinds.items()}
    about = {"description": "A table.", "primary_key": ["id"], "event_time": "happened_on", "columns": columns}
    conformer = Conformer(Table.model_validate(about), Stamp("shop@x", NOON, NOON), {})
    (tombstone,) = conformer.tombstones(pa.table({"id": ["a"]}), NOON).to_pylist()
    assert {name: tombstone[name] for name in kinds} == {
        "id": "a",
        "happened_on": NOON.date(),
        "updated_at": NOON,
        "created_at": None,
    }
    assert tombstone["_is_deleted"]
