"""Writes a company as CSV: one file per table, and demo_cases.md."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from include.demo.arrow import text_column
from include.demo.cases import cases_document
from include.demo.company import Company

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 50_000


def write_csv(company: Company, folder: Path) -> list[Path]:
    """Write `<table>.csv` for every table, and demo_cases.md for a generated company. Returns the files.

    The files are UTF-8 with a header row, RFC 4180 quoting and line feeds. Instants are ISO 8601 in UTC. NULL is empty.

    Raises:
        OSError: the folder is not writable.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, table in company.tables.items():
        write_table(table, folder / f"{name}.csv")
        files.append(folder / f"{name}.csv")
    if company.cases:
        document = folder / "demo_cases.md"
        document.write_text(cases_document(company), encoding="utf-8")
        files.append(document)
    return files


def write_table(table: pa.Table, file: Path) -> None:
    """Write one table as CSV. The file is replaced atomically, so no reader sees a partial file."""
    partial = file.with_name(f".{file.name}.partial")
    with partial.open("w", encoding="utf-8", newline="") as output:
        _write(table, output)
    partial.replace(file)


def csv_text(table: pa.Table) -> str:
    """One table as CSV text."""
    output = io.StringIO(newline="")
    _write(table, output)
    return output.getvalue()


def _write(table: pa.Table, output: TextIO) -> None:
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(table.column_names)
    for start in range(0, table.num_rows, BATCH):
        rows = table.slice(start, BATCH)
        columns = [text_column(rows[name]).to_pylist() for name in table.column_names]
        writer.writerows(zip(*columns, strict=True))
