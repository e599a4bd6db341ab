"""A tiny company, from raw to every mart, on Google's reference evaluator and on the local warehouse: the same rows come out.

    .venv/bin/python -m tests.google.company

Both warehouses get the same raw rows by load jobs, and dbt builds everything on both. Every table is compared cell by cell:
FLOAT64 to a relative 1e-9, all else exactly. A difference is a fault of the local warehouse, or SQL that means two things.
"""

from __future__ import annotations

import argparse
import io
import math
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from google.cloud import bigquery
from pyarrow import csv, parquet

from include.demo.__main__ import main as demo
from include.runs import RunContext
from include.sources import load_sources
from include.warehouse import client
from tests.google.warehouses import Warehouse, embedded, evaluated

AS_OF = "2026-10-01"
DATASETS = ("core", "marts_build", "metrics_build")
TOLERANCE = 1e-9
#: What the REST API calls a type (the local warehouse says INT64 where BigQuery says INTEGER) → Arrow's.
ARROW_TYPES = {
    "STRING": pa.string(),
    "INTEGER": pa.int64(),
    "INT64": pa.int64(),
    "NUMERIC": pa.decimal128(38, 9),
    "FLOAT": pa.float64(),
    "FLOAT64": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "BOOL": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us", "UTC"),
    "DATE": pa.date32(),
}
_WITHOUT_TESTS = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")

Rows = list[dict[str, Any]]


def carry(warehouse: Warehouse, company: Path, as_of: str = AS_OF) -> tuple[dict[str, Rows], list[str]]:
    """Load the company's files into raw and build everything.

    Returns:
        Table → rows, and what dbt could not build.
    """
    bq = warehouse.prepare()
    run = RunContext(f"run__{as_of}", datetime.fromisoformat(as_of).replace(tzinfo=UTC))
    for source in load_sources().values():
        for name in source.tables:
            _load(bq, f"{source.dataset}.{name}", company / f"{name}.csv", run.batch_id(source.name), run.as_of)
    results = warehouse.dbt("build", *_WITHOUT_TESTS, as_of=as_of)
    failures = [
        f"{name}: {result['message']}" for name, result in results.items() if result["status"] not in {"success", "no-op"}
    ]
    return contents(), failures


def _load(bq: bigquery.Client, table: str, path: Path, batch: str, moment: datetime) -> None:
    """Load a file of the company into its raw table, as one batch."""
    fields = bq.get_table(f"{bq.project}.{table}").schema
    types = {field.name: ARROW_TYPES[field.field_type] for field in fields}
    read = csv.ConvertOptions(column_types=types, strings_can_be_null=True, quoted_strings_can_be_null=True, null_values=[""])
    rows = csv.read_csv(path, parse_options=csv.ParseOptions(newlines_in_values=True), convert_options=read)
    landing = {
        "_extracted_at": moment,
        "_loaded_at": moment,
        "_batch_id": batch,
        "_source_file_id": path.name,
        "_is_deleted": False,
    }
    columns = {
        name: rows[name] if name in rows.column_names else pa.array([landing.get(name)] * len(rows), kind)
        for name, kind in types.items()
    }
    body = io.BytesIO()
    parquet.write_table(pa.table(columns), body)
    body.seek(0)
    config = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_APPEND")
    bq.load_table_from_file(body, f"{bq.project}.{table}", job_config=config).result()


def contents() -> dict[str, Rows]:
    """The rows of every table of the layers that are compared."""
    bq = client(tool="tests")
    tables = [f"{dataset}.{table.table_id}" for dataset in DATASETS for table in bq.list_tables(dataset)]
    return {name: [dict(row.items()) for row in bq.query(f"select * from {name}").result()] for name in tables}


def differences(name: str, one: Rows, other: Rows) -> list[str]:
    """How two tables differ, rows in any order; empty if they do not."""
    columns = sorted({column for row in (*one, *other) for column in row})
    inexact = [column for column in columns if any(isinstance(row.get(column), float) for row in (*one, *other))]
    exact = [column for column in columns if column not in inexact]
    left, right = _grouped(one, exact), _grouped(other, exact)
    only_left, only_right = [], []
    for key in [*left, *(key for key in right if key not in left)]:
        mine, theirs = (sorted(side.get(key, []), key=lambda row: _floats(row, inexact)) for side in (left, right))
        same = len(mine) == len(theirs) and all(
            _close(row.get(column), match.get(column)) for row, match in zip(mine, theirs, strict=True) for column in inexact
        )
        if not same:
            only_left += mine
            only_right += theirs
    return _told(name, only_left, only_right)


def _grouped(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
    made = defaultdict(list)
    for row in rows:
        made[repr([_plain(row.get(column)) for column in columns])].append(row)
    return made


def _plain(value: Any) -> Any:
    """Equal numbers as equal texts: 1.50 and 1.5."""
    return value.normalize() + 0 if hasattr(value, "normalize") else value


def _floats(row: Mapping[str, Any], columns: Sequence[str]) -> list[tuple[bool, float]]:
    return [(row.get(column) is not None, row.get(column) or 0.0) for column in columns]


def _close(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=1e-12) or (math.isnan(one) and math.isnan(other))


def _told(name: str, left: list[Mapping[str, Any]], right: list[Mapping[str, Any]]) -> list[str]:
    """One line per row that only one side has, with the columns in which the other side's row of the same key differs."""
    by_key = {repr(next(iter(row.values()))): row for row in right}
    made = []
    for row in left:
        match = by_key.pop(repr(next(iter(row.values()))), None)
        if match is None:
            made.append(f"{name}: only the evaluator has {dict(row)}")
            continue
        cells = {
            column: (value, match.get(column)) for column, value in row.items() if _plain(value) != _plain(match.get(column))
        }
        made.append(f"{name} {next(iter(row.values()))}: evaluator and local warehouse have {cells}")
    return made + [f"{name}: only the local warehouse has {dict(row)}" for row in by_key.values()]


def main() -> int:
    """Carry the company through both; the exit code."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--scale", default="0.02")
    arguments.add_argument("--seed", default="7")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="tiny-company-") as folder:
        home = Path(folder)
        demo(["generate", "--out", str(home / "company"), "--scale", options.scale, "--seed", options.seed, "--as-of", AS_OF])
        with embedded(home / "embedded") as warehouse:
            local, wrong = carry(warehouse, home / "company")
        with evaluated(home / "evaluated") as warehouse:
            google, failures = carry(warehouse, home / "company")
            seconds = warehouse.cpu_seconds()
    wrong += failures
    for name in sorted({*local, *google}):
        wrong += differences(name, google.get(name, []), local.get(name, []))
    rows = sum(len(table) for table in google.values())
    print(f"{len(google)} tables with {rows:,} rows compared; {len(wrong)} differences; {seconds:.0f} s of CPU in the evaluator")
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
