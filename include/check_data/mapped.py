"""Columns that the mappings of exports read and the files lack, and the lines that add words to `mapping.yml`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from include.check_data.columns import without
from include.check_data.findings import Finding
from include.contract import contract
from include.exports import Delivery, Found
from include.exports.forms import reads
from include.exports.mappings import MAPPING_FILE, with_words


def missing_columns(found: Found) -> Iterator[Finding]:
    """The columns that a mapping reads and a file lacks: one finding per table and kind of file."""
    for tables in found.deliveries.values():
        for delivery in tables.values():
            kinds: dict[tuple[tuple[str, tuple[str, ...]], ...], list[Path]] = {}
            for path in delivery.files:
                lacking = tuple((column, tuple(names)) for column, names in delivery.lacking(path).items())
                kinds.setdefault(lacking, []).append(path)
            for lacking, paths in kinds.items():
                if lacking:
                    yield _missing(delivery, dict(lacking), [found.shown(path) for path in paths])


def _missing(delivery: Delivery, lacking: dict[str, tuple[str, ...]], files: list[str]) -> Finding:
    entity = delivery.table.entity
    sought = dict.fromkeys(" or ".join(names) for names in lacking.values())
    also = f", nor have {len(files) - 1} other files" if len(files) > 1 else ""
    message = f"the file has no column {', '.join(sought)}{also}; unknown in its rows: {', '.join(lacking)}"
    if filled := [column for column in lacking if column not in delivery.forms]:
        message += without(filled, contract()[entity])
    remedy = f"export these columns, or map others in {MAPPING_FILE}"
    return Finding(entity, None, "warn", "missing_column", len(lacking), None, message, remedy, files[0])


def mapped_columns(found: Found, entity: str) -> set[str]:
    """The columns of an entity that the mappings of a folder's files read."""
    deliveries = (each for tables in found.deliveries.values() for each in tables.values() if each.table.entity == entity)
    return {column for delivery in deliveries for column in delivery.table.columns}


def with_lines(findings: Iterable[Finding], found: Found) -> tuple[list[Finding], str]:
    """The findings, of which those on unknown words of exports have a remedy in `mapping.yml`, and its lines: YAML, empty without any."""
    lines: dict[str, Any] = {}
    given = []
    for finding in findings:
        place = _place(finding, found) if finding.words else None
        if place is not None:
            source, table = place
            finding = replace(finding, remedy=f"add the lines below the notes to {MAPPING_FILE}")
            tables = lines.setdefault(source, {"tables": {}})["tables"]
            column = tables.setdefault(table, {"columns": {}})["columns"].setdefault(str(finding.column), {"values": {}})
            column["values"] |= dict(finding.words)
        given.append(finding)
    text = yaml.safe_dump({"sources": lines}, sort_keys=False, allow_unicode=True, width=140) if lines else ""
    return given, text


def _place(finding: Finding, found: Found) -> tuple[str, str] | None:
    """The source and the table whose mapping can take the words of a finding."""
    for source, tables in found.deliveries.items():
        for name, delivery in tables.items():
            given = delivery.table.columns.get(str(finding.column))
            if (
                delivery.table.entity == finding.table
                and finding.file in {found.shown(path) for path in delivery.files}
                and reads(given)
                and with_words(given, {"values": {}}) != {"values": {}}
            ):
                return source, name
    return None
