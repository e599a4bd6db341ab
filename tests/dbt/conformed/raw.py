"""Raw tables for tests, created as the sources declare them, and filled from the demo company's CSV files or from given rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from google.cloud import bigquery

from include.sources.dbt_sources import WAREHOUSE_TYPES
from tests.dbt.conformed.contract import Conformed

LOAD_TYPES = {
    "_extracted_at": "TIMESTAMP",
    "_loaded_at": "TIMESTAMP",
    "_batch_id": "STRING",
    "_source_file_id": "STRING",
    "_is_deleted": "BOOL",
    "_restored_at": "TIMESTAMP",
}
_ARROW = {
    "STRING": pa.string(),
    "INT64": pa.int64(),
    "NUMERIC": pa.decimal128(38, 9),
    "FLOAT64": pa.float64(),
    "BOOL": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us", "UTC"),
    "DATE": pa.date32(),
}
_READ: Mapping[str, Any] = {
    "STRING": str,
    "INT64": int,
    "NUMERIC": Decimal,
    "FLOAT64": float,
    "BOOL": lambda text: text.lower() == "true",
    "TIMESTAMP": datetime.fromisoformat,
    "DATE": date.fromisoformat,
}
NOW = datetime(2026, 10, 1, 2, tzinfo=UTC)


def column_types(view: Conformed) -> dict[str, str]:
    """Column → warehouse type, including the columns that a load adds."""
    return {name: WAREHOUSE_TYPES[kind] for name, kind in view.types.items()} | LOAD_TYPES


def create_raw_table(bq: bigquery.Client, view: Conformed) -> None:
    """Create the (empty) raw table."""
    bq.create_dataset(view.dataset, exists_ok=True)
    columns = ", ".join(f"{name} {kind}" for name, kind in column_types(view).items())
    bq.query(f"create or replace table {view.dataset}.{view.table} ({columns})").result()


def load_csv(bq: bigquery.Client, view: Conformed, path: Path) -> None:
    """Append a CSV export as one batch."""
    with path.open(newline="", encoding="utf-8") as file:
        append_rows(bq, view, list(csv.DictReader(file)))


def append_rows(bq: bigquery.Client, view: Conformed, rows: list[dict[str, Any]]) -> None:
    """Append rows given as text, as one batch. A missing or empty value is NULL."""
    load = {"_extracted_at": NOW, "_loaded_at": NOW, "_batch_id": f"{view.source}@test", "_source_file_id": "test"}
    types = column_types(view)
    arrays = {
        name: pa.array([_read(row.get(name), kind) for row in rows], _ARROW[kind])
        for name, kind in types.items()
        if name not in LOAD_TYPES
    }
    for name, value in {**load, "_is_deleted": False, "_restored_at": None}.items():
        arrays[name] = pa.array([value] * len(rows), _ARROW[types[name]])
    body = io.BytesIO()
    pq.write_table(pa.table(arrays), body)
    body.seek(0)
    config = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_APPEND")
    bq.load_table_from_file(body, f"{bq.project}.{view.dataset}.{view.table}", job_config=config).result()


def _read(text: str | None, kind: str) -> Any:
    return None if text in (None, "") else _READ[kind](text)
