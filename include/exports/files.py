"""Reads the names of the columns of a file, and copies it in the form that the files reader takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from include.sources.readers.delimited import batches
from include.sources.readers.texts import Unreadable, decode

#: Endings that are read as CSV. The delimiter is found in the header.
CSV_ENDINGS = frozenset({".csv", ".tsv", ".txt"})
JSON_ENDINGS = frozenset({".json", ".jsonl", ".ndjson"})
#: Records whose keys are the columns of a JSON file.
_LOOKED_AT = 200


def columns_of(path: Path) -> tuple[list[str], str | None]:
    """The names of a file's columns, and a note on its encoding if it is guessed. Of a JSON file: the keys of its first records.

    Raises:
        Unreadable: the file is no such file.
        OSError: the file cannot be read.
    """
    if path.suffix.lower() in CSV_ENDINGS:
        text = decode(path.read_bytes())
        return next(batches(text, 1)).header, text.guess() if text.guessed else None
    names: dict[str, None] = {}
    for number, record in enumerate(_records(path)):
        names.update(dict.fromkeys(map(str, record)))
        if number == _LOOKED_AT:
            break
    return list(names), None


def copy(path: Path, folder: Path, name: str) -> None:
    """Copy a file to a folder as CSV or JSON lines. A JSON list, or an answer of an API that holds one, becomes lines.

    Args:
        name: the copy's name without its ending.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if path.suffix.lower() in CSV_ENDINGS:
        (folder / f"{name}.csv").write_bytes(path.read_bytes())
        return
    data = path.read_bytes()
    if _is_lines(data):
        (folder / f"{name}.jsonl").write_bytes(data)
        return
    with (folder / f"{name}.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in _records(path))


def _is_lines(data: bytes) -> bool:
    """True if the first line is a whole JSON object and others may follow; broken lines are then the reader's business."""
    first, _, rest = data.strip().partition(b"\n")
    try:
        found = json.loads(first)
    except ValueError:
        return False
    return isinstance(found, dict) and (bool(rest.strip()) or _listed(found) is None)


def _records(path: Path) -> Iterator[dict[str, Any]]:
    data = path.read_bytes()
    if _is_lines(data):
        for line in data.splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict):
                yield record
        return
    try:
        found = json.loads(data)
    except ValueError as error:
        raise Unreadable(f"no JSON: {error}") from None
    records = _listed(found) if isinstance(found, dict) else found
    if not isinstance(records, list):
        raise Unreadable("no list of records: export JSON lines, a list, or an object that holds one list")
    yield from (record for record in records if isinstance(record, dict))


def _listed(found: dict[str, Any]) -> list[Any] | None:
    """The one list of records in an answer of an API, such as `{"users": […], "next_page": null}`. None: it is itself a record."""
    lists = [value for value in found.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
    return lists[0] if len(lists) == 1 and "id" not in found else None
