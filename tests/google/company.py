"""Builds a tiny company from raw to every mart on Google's reference evaluator and on the local warehouse, and compares all rows.

    .venv/bin/python -m tests.google.company

Load jobs bring the same raw rows into both warehouses. dbt builds everything on both, then incremental models and snapshots a second time.
Every table is compared cell by cell: FLOAT64 to a relative 1e-9, all other types exactly. A difference is an error of the local warehouse, or
SQL that is ambiguous.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import yaml
from google.cloud import bigquery
from pyarrow import csv, parquet

from include.demo.__main__ import main as demo
from include.run_context import RunContext
from include.sources import load_sources
from include.warehouse import client
from tests.google.differences import Rows, differences
from tests.google.warehouses import WITHOUT_TESTS, Warehouse, embedded, evaluated

AS_OF = "2026-10-01"
#: The number of differences shown per table.
SHOWN = 5
LISTED = Path(__file__).with_name("not_equal.yml")
DATASETS = ("staging", "conformed", "core", "marts_build", "metrics_build", "snapshots")
#: The nodes that a second run with the same as-of time changes by DML.
_CHANGED = ("--select", "config.materialized:incremental", "config.materialized:snapshot")
#: Name of a type in the REST API (the local warehouse says INT64 where BigQuery says INTEGER) → Arrow's type.
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


def carry(warehouse: Warehouse, company: Path, as_of: str = AS_OF) -> tuple[dict[str, Rows], list[str]]:
    """Load the company's files into raw and build everything.

    Returns:
        Table → rows, and the nodes that dbt could not build.
    """
    bq = warehouse.prepare()
    run = RunContext(f"run__{as_of}", datetime.fromisoformat(as_of).replace(tzinfo=UTC))
    for source in load_sources().values():
        for name in source.tables:
            _load(bq, f"{source.dataset}.{name}", company / f"{name}.csv", run.batch_id(source.name), run.as_of)
    first = warehouse.dbt("build", *WITHOUT_TESTS, as_of=as_of)
    second = warehouse.dbt("build", *WITHOUT_TESTS, *_CHANGED, as_of=as_of)
    failures = [
        f"{name}: {result['message']}"
        for results in (first, second)
        for name, result in results.items()
        if result["status"] not in {"success", "no-op"}
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
    """The rows of every table in the compared datasets."""
    bq = client(tool="tests")
    tables = [f"{dataset}.{table.table_id}" for dataset in DATASETS for table in bq.list_tables(dataset)]
    return {name: [dict(row.items()) for row in bq.query(f"select * from {name}").result()] for name in tables}


def compared(google: dict[str, Rows], local: dict[str, Rows]) -> list[str]:
    """Differences that not_equal.yml does not list, and columns that it lists although they are equal."""
    listed: dict[str, dict[str, list[str]]] = {}
    for item in yaml.safe_load(LISTED.read_text()):
        for kind in ("inexact", "ignored"):
            for column in item.get(kind, ()):
                table, _, name = column.rpartition(".")
                listed.setdefault(table, {"inexact": [], "ignored": []})[kind].append(name)
    wrong = []
    for name in sorted({*local, *google}):
        rows, known = (google.get(name, []), local.get(name, [])), listed.get(name, {})
        if (name in google) != (name in local):
            wrong.append(f"{name} is only {'on the evaluator' if name in google else 'in the local warehouse'}")
            continue
        found = differences(name, *rows, **known)
        wrong += found[:SHOWN] + ([f"{name}: {len(found) - SHOWN} more"] if len(found) > SHOWN else [])
        for kind, columns in known.items():
            for column in columns:
                fewer = {**known, kind: [other for other in columns if other != column]}
                if not differences(name, *rows, **fewer):
                    wrong.append(f"{name}.{column} is listed in {LISTED.name} and is equal")
    return wrong


def main() -> int:
    """Build the company on both and compare; returns the exit code."""
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
    wrong += failures + compared(google, local)
    rows = sum(len(table) for table in google.values())
    print(f"{len(google)} tables with {rows:,} rows compared; {len(wrong)} differences; {seconds:.0f} s of CPU in the evaluator")
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
