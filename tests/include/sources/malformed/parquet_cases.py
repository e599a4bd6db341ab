"""Parquet files of other writers, and damaged ones."""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.include.sources.malformed.cases import Case, ids


def written(columns: dict[str, Any] | pa.Table, **options: Any) -> bytes:
    target = io.BytesIO()
    pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), target, **options)
    return target.getvalue()


def one(about: str, column: str, value: Any, loaded: str | None, **more: str) -> Case:
    """A file of one row. `value` is an Arrow array of one value."""
    found = {} if loaded is None else {column: loaded}
    return Case(about, "a.parquet", written({"id": ["1"], column: value}), [{"id": "1"} | found | more])


def _not_utf8() -> pa.Array:
    bad = pa.array([b"x", b"\xff\xfe", b"z"], pa.binary())
    return pa.Array.from_buffers(pa.string(), 3, bad.buffers())


GOOD = written({"id": ["1", "2"]})
NOON = datetime(2026, 10, 1, 12)

CASES = [
    Case("plain", "a.parquet", GOOD, ids(1, 2)),
    Case("an upper-case ending", "A.PARQUET", GOOD, ids(1, 2)),
    Case("no rows", "a.parquet", written({"id": pa.array([], pa.string())})),
    Case("no columns", "a.parquet", written(pa.table({}))),
    Case("an empty file", "a.parquet", b"", [], [(None, "not a Parquet file")]),
    Case("a text", "a.parquet", b"id,name\n1,x\n", [], [(None, "not a Parquet file")]),
    Case("a file that was cut", "a.parquet", GOOD[:-20], [], [(None, "not a Parquet file")]),
    Case("a file without its start", "a.parquet", GOOD[40:], [], [(None, "not a Parquet file")]),
    Case("only the marks", "a.parquet", b"PAR1PAR1", [], [(None, "not a Parquet file")]),
    Case("damaged pages", "a.parquet", GOOD[:4] + b"\0" * 40 + GOOD[44:], [], [(None, "not a Parquet file")]),
    Case(
        "two columns alike",
        "a.parquet",
        written(pa.table([["1"], ["2"]], names=["id", "id"])),
        [],
        [(None, "several columns are named id")],
    ),
    Case(
        "text that is not UTF-8",
        "a.parquet",
        written({"id": ["1", "2", "3"], "name": _not_utf8()}),
        [{"id": "1", "name": "x"}, {"id": "3", "name": "z"}],
        [(2, "column name: text that is not UTF-8")],
    ),
    Case("no key", "a.parquet", written({"id": ["1", None]}), ids(1), [(2, "no value for the key id")]),
    one("a dictionary", "name", pa.array(["x"]).dictionary_encode(), "x"),
    one("large text", "name", pa.array(["x"], pa.large_string()), "x"),
    one("text as bytes", "name", pa.array([b"x"]), "x"),
    one("a number as text", "amount", pa.array(["1.5"]), "1.500000000"),
    one("a number that is none", "amount", pa.array(["x"]), None, amount__v_text="x"),
    one("NaN", "amount", pa.array([float("nan")]), None, amount__v_text="nan"),
    one("a float", "amount", pa.array([0.1]), "0.100000000"),
    one("a decimal of another scale", "amount", pa.array([Decimal("1.25")], pa.decimal128(10, 2)), "1.250000000"),
    one("a decimal of 256 bits", "amount", pa.array([Decimal("1.25")], pa.decimal256(60, 2)), "1.250000000"),
    one("an unsigned number beyond 64 bits", "n", pa.array([2**64 - 1], pa.uint64()), None, n__v_text=str(2**64 - 1)),
    one("a small number", "n", pa.array([7], pa.int8()), "7"),
    one("nanoseconds", "at", pa.array([NOON], pa.timestamp("ns")), "2026-10-01 12:00:00+00:00"),
    one("a zone", "at", pa.array([NOON], pa.timestamp("us", "Europe/Berlin")), "2026-10-01 12:00:00+00:00"),
    one("a date as a time", "at", pa.array([date(2026, 10, 1)]), "2026-10-01 00:00:00+00:00"),
    one("a duration as a time", "at", pa.array([timedelta(1)]), None, at__v_text="86400000000"),
    one("a flag as a number", "flag", pa.array([1]), "True"),
    one("a structure", "doc", pa.array([{"a": [1]}]), '{"a":[1]}'),
    one("a map", "doc", pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())), '[["a",1]]'),
    one("a column of NULLs", "name", pa.nulls(1), None),
    Case("several row groups", "a.parquet", written({"id": ["1", "2", "3"]}, row_group_size=1), ids(1, 2, 3)),
    Case(
        "old times (INT96)",
        "a.parquet",
        written({"id": ["1"], "at": pa.array([NOON], pa.timestamp("ns"))}, use_deprecated_int96_timestamps=True),
        [{"id": "1", "at": "2026-10-01 12:00:00+00:00"}],
    ),
]
