"""Builds single models on the tests' warehouse. A test writes the tables that they read."""

from __future__ import annotations

import atexit
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from google.cloud import bigquery

from include.settings import ROOT

TYPES: Mapping[type, tuple[str, pa.DataType]] = {
    str: ("STRING", pa.string()),
    int: ("INT64", pa.int64()),
    float: ("FLOAT64", pa.float64()),
    bool: ("BOOL", pa.bool_()),
    datetime: ("TIMESTAMP", pa.timestamp("us", "UTC")),
    date: ("DATE", pa.date32()),
    time: ("TIME", pa.time64("us")),
}


def write_table(bq: bigquery.Client, name: str, columns: Mapping[str, type], rows: Sequence[Mapping[str, Any]]) -> None:
    """Replace a table, `dataset.table`, by these rows. A column that is missing from a row is NULL."""
    bq.create_dataset(name.split(".")[0], exists_ok=True)
    declared = ", ".join(f"{column} {TYPES[kind][0]}" for column, kind in columns.items())
    bq.query(f"create or replace table {name} ({declared})").result()
    if not rows:
        return
    table = pa.table({column: pa.array([row.get(column) for row in rows], TYPES[kind][1]) for column, kind in columns.items()})
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    buffer.seek(0)
    config = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_APPEND")
    bq.load_table_from_file(buffer, f"{bq.project}.{name}", job_config=config).result()


@lru_cache(maxsize=1)
def _artifacts() -> Path:
    """dbt's folder of artifacts. All tests share it, so that the project is parsed once; it begins with the last parse, if there is one."""
    folder = Path(tempfile.mkdtemp(prefix="dbt-models-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    parsed = ROOT / "dbt" / "target" / "partial_parse.msgpack"
    if parsed.exists():
        shutil.copy(parsed, folder)
    return folder


def build(as_of: str, *names: str) -> None:
    """Run models and seeds by name, without their tests.

    Args:
        as_of: the as-of time of the run, ISO 8601.
        names: the models and seeds to build. All other tables that they read exist.
    """
    folders = ["--project-dir", "dbt", "--profiles-dir", "dbt", "--target-path", _artifacts(), "--log-path", _artifacts()]
    done = subprocess.run(
        [Path(sys.prefix) / "bin" / "dbt", "build", *folders, "--exclude-resource-type", "test", "unit_test", "--select", *names],
        cwd=ROOT,
        env={**os.environ, "DBT_AS_OF": as_of},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr


def sent(model: str) -> list[str]:
    """The statements that the last build sent for a model, in lower case, with single spaces, without dbt's comment."""
    log = (_artifacts() / "dbt.log").read_text().rpartition("Running with dbt")[2]
    ends = r"(?=\n\S*\d\d:\d\d:\d\d\.\d+ \S*\[|\Z)"
    statements = re.findall(rf"On model\.\w+\.{model}: (?:/\*.*?\*/)?(.*?){ends}", log, re.DOTALL)
    return [" ".join(statement.lower().split()) for statement in statements]
