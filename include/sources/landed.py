"""What follows for a table of a source file if a loader has landed it in BigQuery: its time of change, and what a run sees of it.

The columns that loaders add are in `include/landed/loaders.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from include.contract import KNOWN_AHEAD, Entity

#: Columns that a landed table has in the raw dataset, besides those of every raw table: the names of columns whose value cannot be read,
#: and the number of values that the loader has altered.
UNREADABLE, ALTERED = "_unreadable", "_altered_values"
#: Names of tables in the SQL of the views.
_TAKEN = ("landed", "loads", "newest")
#: The column of a version's time, in tables in which the loader keeps all versions, unless the source file names a cursor.
VERSION_TIMES = {"fivetran": "_fivetran_start", "airbyte": "_airbyte_extracted_at", "stitch": "_sdc_received_at"}
#: Loaders that themselves say from when to when a version was in force. No other time orders the versions.
KEEPS_PERIODS = ("fivetran",)


def of_loader(reader: Any, entity: Entity, given: dict[str, Any], problems: list[tuple[str, str]]) -> dict[str, Any]:
    """A table of a source file with the keys that follow from its loader. Other readers' tables stay as they are.

    A loader that keeps only the newest state overwrites the past: a run then sees the newest state of each row that existed at its
    as-of time.

    Args:
        reader: the reader of the source file.
        given: the keys of the table, with the source's defaults.
        problems: gets the problems, as key and message.
    """
    if not (isinstance(reader, dict) and reader.get("type") == "landed"):
        return given
    columns = given.get("columns")
    table = {"by_delivery": False, "joins": {}, **given}
    table["columns"] = columns if isinstance(columns, dict) else {name: name for name in entity.columns}
    if given.get("history") is True:
        return _with_versions(str(reader.get("loader")), table, problems)
    if "event_time" not in given and entity.event_time is None:
        table["event_time"] = "created_at" if "created_at" in table["columns"] else KNOWN_AHEAD
    return table


def _with_versions(loader: str, table: dict[str, Any], problems: list[tuple[str, str]]) -> dict[str, Any]:
    time = VERSION_TIMES.get(loader)
    if loader in KEEPS_PERIODS:
        columns = {name: form for name, form in table["columns"].items() if name != "updated_at" or form != "updated_at"}
        if table.get("cursor") is not None or "updated_at" in columns:
            problems.append(
                ("updated_at" if "updated_at" in columns else "cursor", f"remove it: {time} is the time of each version")
            )
        return table | {"columns": columns, "cursor": time}
    if table.get("cursor") is None:
        if time is None:
            problems.append(
                (
                    "cursor",
                    f"is missing: it orders the versions that {loader} keeps. Name the column that grows with every change",
                )
            )
        return table | {"cursor": time}
    return table


def joined(column: str, joins: Collection[str]) -> tuple[str | None, str]:
    """The join and the column of a name such as `price.currency`. No join: a column of the table itself."""
    name, dot, rest = column.partition(".")
    return (name, rest) if dot and name in joins else (None, column)


def unknown_joins(columns: Collection[str], joins: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The problems of columns with a dot whose first part names no join."""
    return [
        ("columns", f"{column}: `joins` has no {column.partition('.')[0]}")
        for column in columns
        if "." in column and joined(column, joins)[0] is None
    ]


def join_problems(joins: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """The problems of joins, given as name → column of the joined table → column that it equals."""
    earlier: list[str] = []
    for name, key in joins.items():
        if name in _TAKEN:
            yield f"joins.{name}: the name is taken: give the join another one"
        for column in key.values():
            if "." in column and joined(column, earlier)[0] is None:
                yield f"joins.{name}.key: {column} is of no earlier join"
        earlier.append(name)
