"""A company whose tables are CSV files of a folder."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from include.csv_data import listed, read_folder
from include.demo.company import Company


class CsvError(ValueError):
    """One or more files break the input contract. The message has one line per column and kind of error."""


def read_csv(folder: Path) -> Company:
    """The company in the `<table>.csv` files of a folder, with warnings about missing files and unknown columns.

    The delivery day of a usage event is the day on which it occurred.

    Raises:
        CsvError: the folder or a required column is missing, or values are invalid.
    """
    try:
        found = read_folder(folder)
    except OSError as error:
        raise CsvError(str(error)) from error
    if found.problems:
        raise CsvError("\n".join(listed(found.problems)))
    tables = {name: rows.data for name, rows in found.tables.items()}
    events = tables["usage_events"]["occurred_at"].cast("date32").to_pylist()
    delivered: list[date] = [day for day in events if day is not None]
    return Company(tables=tables, as_of=None, delivered_on=delivered, warnings=found.all_notes)
