"""Each malformed file is loaded correctly, or rejected with file, line and reason. It never stops another file."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from include.ingestion.conform import Conformer, Stamp
from include.sources import SourceConnection, Table
from include.sources.reader_settings import FilesReader
from include.sources.readers.files import FolderFiles
from include.sources.readers.pieces import Rejected, Window
from tests.include.sources.malformed import csv_cases, json_cases, parquet_cases
from tests.include.sources.malformed.cases import Case

NOW = datetime(2026, 10, 2, tzinfo=UTC)
TYPES = {
    "id": "string",
    "name": "string",
    "amount": "decimal",
    "n": "integer",
    "at": "timestamp",
    "flag": "boolean",
    "doc": "json",
}
TABLE = Table.model_validate(
    {
        "description": "One row per thing.",
        "primary_key": ["id"],
        "event_time": "none",
        "glob": "**/*",
        "columns": {name: {"type": kind, "description": f"The {name}."} for name, kind in TYPES.items()},
    }
)
CASES = [*csv_cases.CASES, *json_cases.CASES, *parquet_cases.CASES]


def read(folder: Path) -> tuple[list[dict[str, str]], list[Rejected]]:
    """The rows that are loaded, without NULLs and metadata, and the rejected records."""
    settings = FilesReader(type="files", formats=("csv", "jsonl", "parquet"))
    reader = FolderFiles(settings, SourceConnection.of("files", {"extra": {"url": folder.as_uri()}}))
    conformer = Conformer(TABLE, Stamp("files@1", NOW, NOW), {})
    rows = []
    for piece in reader.read(TABLE, Window(None, NOW), {}):
        for row in conformer.conform(piece).to_pylist():
            rows.append({name: str(value) for name, value in row.items() if value is not None and not name.startswith("_")})
    return rows, conformer.rejected


def agrees(rejected: list[Rejected], expected: list[tuple[int | None, str]], file: str) -> bool:
    """Whether these records are rejected, in any order, each with the file's name, its line and the reason."""
    found = sorted(rejected, key=lambda each: each.line or 0)
    return len(found) == len(expected) and all(
        (each.line, True, f"{file}#") == (line, part in each.reason, re.sub(r"[^#]*$", "", each.file_id or ""))
        for each, (line, part) in zip(found, expected, strict=True)
    )


def test_the_corpus_is_large() -> None:
    assert len(CASES) >= 200
    assert len({str(case) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_malformed_file(case: Case, tmp_path: Path) -> None:
    (tmp_path / case.file).write_bytes(case.data)
    rows, rejected = read(tmp_path)
    assert rows == case.rows
    assert agrees(rejected, case.rejected, case.file), rejected


def test_no_file_stops_another(tmp_path: Path) -> None:
    """All files at once, in one folder, give the rows and rejected records of each."""
    for number, case in enumerate(CASES):
        (tmp_path / f"{number:03}").mkdir()
        (tmp_path / f"{number:03}" / case.file).write_bytes(case.data)
    rows, rejected = read(tmp_path)
    assert len(rows) == sum(len(case.rows) for case in CASES)
    assert len(rejected) == sum(len(case.rejected) for case in CASES)


def test_a_large_csv_file_is_read_in_parts(tmp_path: Path) -> None:
    """Rows, lines and an unnamed column whose only value is in the last part."""
    rows = [f"{number},x," for number in range(50_000)]
    (tmp_path / "a.csv").write_text("\n".join(["id,name,", *rows, "50000,x", "50001,x,y"]))
    found, rejected = read(tmp_path)
    assert len(found) == 50_001
    assert found[-1] == {"id": "50001", "name": "x", "column_3": "y"}
    assert [(each.line, each.reason) for each in rejected] == [(50_002, "2 fields instead of 3")]
