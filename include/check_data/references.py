"""Checks of ids that name rows of other tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from include.check_data.findings import Finding, Severity
from include.contract import TENANT, Entity, contract
from include.csv_data import Rows
from include.csv_data.values import quoted


def orphans(rows: Rows, entity: Entity, tables: Mapping[str, Rows]) -> Iterator[Finding]:
    """Ids that name no row of the table that they refer to, within the same organization. Ids of tables that are not given are not checked."""
    for column, declared in entity.columns.items():
        named = declared.id_of
        if named is None or named not in tables or column not in rows.present or (named == rows.entity and column in entity.key):
            continue
        if not tables[named].data.num_rows and named != "organizations":
            count = rows.data.num_rows - rows.data[column].null_count
            if count:
                message = f"{named} has no rows: what the column names is unknown"
                first = next(n for n, value in enumerate(rows.data[column].to_pylist()) if value is not None)
                line, file = rows.lines[first], rows.file_of(first)
                yield Finding(rows.entity, column, "warn", "orphan", count, line, message, f"export the rows of {named}", file)
            continue
        missing = _missing(rows, column, tables[named], named)
        if missing:
            value = quoted(str(rows.data[column][missing[0]].as_py()))
            severity: Severity = "block" if named == "organizations" else "warn"
            remedy = f"export the missing rows of {named}, or empty the column"
            message = f"{value} is not in {named}"
            line, file = rows.lines[missing[0]], rows.file_of(missing[0])
            yield Finding(rows.entity, column, severity, "orphan", len(missing), line, message, remedy, file)


def _missing(rows: Rows, column: str, target: Rows, named: str) -> list[int]:
    """The numbers of the rows whose id names no row, from 0."""
    key = contract()[named].key
    known = set(zip(*(target.data[name].to_pylist() for name in key), strict=True))
    tenants = rows.data[TENANT].to_pylist() if len(key) > 1 else None
    ids = rows.data[column].to_pylist()
    return [
        number
        for number, value in enumerate(ids)
        if value is not None and ((value,) if tenants is None else (tenants[number], value)) not in known
    ]
