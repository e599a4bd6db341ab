"""Writes the files of the product and reference systems: usage events by delivery day, and reference CSV files.

A file with the same content is not written again. So a reader that tracks files finds only new and changed ones.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from include.demo.arrow import json_column
from include.demo.company import Company
from include.demo.csv_out import csv_text
from include.demo.schema import tables_of

if TYPE_CHECKING:
    import pyarrow as pa

BAD_LINE = '{"event_id": "evt_cut_off_here", "organization_id": '
"""A truncated line, as a killed writer would leave it."""


@dataclass
class Written:
    """The number of written, unchanged and removed files."""

    written: int = 0
    unchanged: int = 0
    removed: int = 0

    def put(self, file: Path, content: bytes) -> None:
        """Write `content` to a file atomically, unless the file already has this content."""
        if file.exists() and file.read_bytes() == content:
            self.unchanged += 1
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(f".{file.name}.partial")
        partial.write_bytes(content)
        partial.replace(file)
        self.written += 1


def write_landing(company: Company, folder: Path, bad_lines: bool = False) -> Written:
    """Write the company's deliveries to `folder`/usage_events/date=YYYY-MM-DD/part-0.(parquet|jsonl).

    Files of other deliveries are removed. Every third day is JSONL, the other days are Parquet. With `bad_lines` the newest
    JSONL file ends with a truncated line.
    """
    root = folder / "usage_events"
    root.mkdir(parents=True, exist_ok=True)
    report = Written()
    days = _by_day(company)
    lines = [day for day in days if _is_jsonl(day)]
    expected = set()
    for day, rows in days.items():
        content = _jsonl(rows) if _is_jsonl(day) else _parquet(rows)
        if bad_lines and lines and day == lines[-1]:
            content += BAD_LINE.encode() + b"\n"
        file = root / f"date={day}" / f"part-0.{'jsonl' if _is_jsonl(day) else 'parquet'}"
        expected.add(file)
        report.put(file, content)
    for file in root.glob("date=*/part-*"):
        if file not in expected:
            file.unlink()
            report.removed += 1
            if not any(file.parent.iterdir()):
                file.parent.rmdir()
    return report


def write_reference(company: Company, folder: Path) -> Written:
    """Write the reference CSV files to `folder`."""
    report = Written()
    for table in tables_of("reference"):
        report.put(folder / f"{table.name}.csv", csv_text(company.tables[table.name]).encode())
    return report


def _is_jsonl(day: date) -> bool:
    return day.toordinal() % 3 == 0


def _by_day(company: Company) -> dict[date, pa.Table]:
    """The events of each delivery day, in order. Repeated events come after the new events of the day."""
    import numpy as np
    import pyarrow as pa

    events = company.tables["usage_events"]
    first = date(1970, 1, 1)
    row = np.array([*range(events.num_rows), *(row for row, _ in company.delivered_again)], dtype=np.int64)
    day = np.array(
        [(day - first).days for day in (*company.delivered_on, *(day for _, day in company.delivered_again))], dtype=np.int64
    )
    order = np.argsort(day, kind="stable")
    sorted_rows = events.take(pa.array(row[order]))
    numbers, starts = np.unique(day[order], return_index=True)
    bounds = [*starts.tolist(), len(order)]
    return {
        first + timedelta(days=number): sorted_rows.slice(start, end - start)
        for number, (start, end) in zip(numbers.tolist(), pairwise(bounds), strict=True)
    }


def _parquet(rows: pa.Table) -> bytes:
    import pyarrow.parquet as pq

    output = io.BytesIO()
    pq.write_table(rows.combine_chunks(), output)
    return output.getvalue()


def _jsonl(rows: pa.Table) -> bytes:
    """One JSON object per line. `properties` is a nested object, not text."""
    columns = [json_column(rows[name]) for name in rows.column_names]
    lines = []
    for values in zip(*columns, strict=True):
        record = dict(zip(rows.column_names, values, strict=True))
        if record["properties"] is not None:
            record["properties"] = json.loads(record["properties"])
        lines.append(json.dumps(record, ensure_ascii=False))
    return "".join(line + "\n" for line in lines).encode()
