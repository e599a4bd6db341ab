# ruff: noqa: S608 - SQL holds only names and literals of the mapping, which include/sources/expressions.py escapes.
"""The rows of exported files under the contract's columns, by the same SQL as in the warehouse's staging views, on DuckDB."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from include.contract import contract
from include.csv_data import Problem, Rows
from include.csv_data.values import quoted, refusal
from include.exports.errors import ExportError
from include.settings import settings
from include.sources import Source, SourceConnection, Table
from include.sources.expressions import condition
from include.sources.versions import expression

if TYPE_CHECKING:
    import pyarrow as pa

    from include.sources.readers.pieces import Piece

#: Columns of the mapped rows besides the contract's.
_LINE, _FILE = "_line", "_file"
#: The function of local times: BigQuery's `timestamp(datetime, zone)`.
_INSTANT = "instant_of"
#: Functions whose prefix the translator does not know.
_SAFE_EPOCH = re.compile(r"\bsafe\.(timestamp_(?:seconds|millis|micros))\(")


@dataclass(frozen=True)
class Mapped:
    """The rows of one table of an export.

    Attributes:
        rows: its rows under the contract's columns.
        problems: values and records that cannot be read. A run loads the rows without them.
    """

    rows: Rows
    problems: list[Problem]


def mapped(source: Source, folder: Path, names: Mapping[str, Mapping[str, str]]) -> Iterator[Mapped]:
    """The rows of each table of a source whose files are in a folder. Rows that the mapping leaves out are not among them.

    A later file does not replace the rows of an earlier one: the caller sees every record.

    Args:
        names: table → file in the folder, without its ending → its name in problems and rows.
    """
    from include.sources.readers import open_reader
    from include.sources.readers.pieces import Window

    connection = SourceConnection(source.connection, extra={"url": folder.resolve().as_uri()})
    reader = open_reader(source, connection)
    window = Window(None, datetime.now(UTC))
    for table in source.tables.values():
        entity = str(table.entity)
        problems: list[Problem] = []
        parts = []
        shown = names[table.name]
        for piece in reader.read(table, window, {}):
            problems += [
                Problem(entity, _file(rejected.file_id, shown), rejected.line or 1, None, "record", rejected.reason)
                for rejected in piece.rejected
            ]
            if len(piece.rows):
                parts.append(_evaluated(table, _raw(table, piece, shown, problems)))
        yield Mapped(_joined(table, parts), problems)
    reader.close()


def _raw(table: Table, piece: Piece, shown: Mapping[str, str], problems: list[Problem]) -> pa.Table:
    """The columns of the raw table, as a load casts them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from include.ingestion.casting import ARROW_TYPES, cast

    columns: dict[str, Any] = {}
    count = len(piece.rows)
    files = [_file(each, shown) for each in piece.file_ids.to_pylist()] if piece.file_ids is not None else [""] * count
    lines = piece.lines.to_pylist() if piece.lines is not None else [1] * count
    for name, column in table.columns.items():
        source_name = column.source_name or name
        if source_name not in piece.rows.column_names:
            columns[name] = pa.nulls(count, ARROW_TYPES[column.type])
            continue
        result = cast(piece.rows[source_name], column.type)
        columns[name] = result.values
        if result.failed is None or result.text is None:
            continue
        for row in pc.indices_nonzero(result.failed).to_pylist():
            text = result.text[row].as_py() or ""
            reason = refusal(text, column.type)
            problems.append(Problem(str(table.entity), files[row], lines[row], source_name, reason, f"{quoted(text)} {reason}"))
    return pa.table({**columns, _LINE: pa.array(lines, pa.int64()), _FILE: pa.array(files, pa.string())})


def _file(file_id: str | None, shown: Mapping[str, str]) -> str:
    """The name of a file for `table/name.ending#checksum`."""
    return shown[Path((file_id or "").rpartition("#")[0]).stem]


def _evaluated(table: Table, raw: pa.Table) -> pa.Table:
    """The rows under the contract's columns, in the order of the file."""
    import duckdb

    from include.ingestion.casting import ARROW_TYPES

    columns = contract()[str(table.entity)].columns
    selected = ",\n".join([*(f"{expression(table, name)} as {name}" for name in columns), _LINE, _FILE])
    connection = duckdb.connect()
    try:
        connection.execute("set timezone = 'UTC'")
        connection.create_function(_INSTANT, _instant, ["TIMESTAMP", "VARCHAR"], "TIMESTAMPTZ")
        connection.register("raw", raw)
        sql = f"select {selected} from raw where {_taken(table)} order by {_FILE}, {_LINE}"
        found = connection.execute(in_duckdb(sql)).to_arrow_table()
    except duckdb.Error as error:
        raise ExportError(f"The mapping of {table.name} cannot be evaluated: {error}") from error
    finally:
        connection.close()
    for position, (name, declared) in enumerate(columns.items()):
        found = found.set_column(position, name, found[name].cast(ARROW_TYPES[declared.type]))
    return found


def _instant(local: datetime, zone: str) -> datetime:
    """The instant of a local time, as BigQuery has it: of two, the first; a time that clocks skip has the offset before the change."""
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _taken(table: Table) -> str:
    """The condition that a record is a row: it has a key, the mapping takes it, and its system has not deleted it."""
    conditions = [f"{name} is not null" for name in table.primary_key]
    if table.mapping is not None:
        conditions += [condition(each, table.raw) for each in table.mapping.where]
        if table.mapping.deleted_when is not None:
            conditions.append(f"not {condition(table.mapping.deleted_when, table.raw)}")
    return " and ".join(conditions)


def in_duckdb(sql: str) -> str:
    """A BigQuery statement with calls of the mapping's macros, in DuckDB's SQL."""
    from sqlglot import exp, parse_one

    tree = parse_one(_SAFE_EPOCH.sub(r"\1(", with_macros(sql)), read="bigquery")
    for kind in tree.find_all(exp.DataType):
        if kind.this == exp.DataType.Type.DECIMAL and not kind.expressions:
            kind.replace(exp.DataType.build("decimal(38, 9)"))
    for instant in tree.find_all(exp.Timestamp):
        if zone := instant.args.get("zone"):
            instant.replace(exp.func(_INSTANT, instant.this, zone))
    return str(tree.sql(dialect="duckdb"))


def with_macros(sql: str) -> str:
    """A statement in which the mapping's macros are expanded."""
    from jinja2 import Environment

    # The statement becomes text of the database, never of a page.
    return Environment(autoescape=False).from_string(_macros() + sql).render()


@cache
def _macros() -> str:
    return (settings().dbt_dir / "macros" / "mapping.sql").read_text(encoding="utf-8")


def _joined(table: Table, parts: list[pa.Table]) -> Rows:
    import pyarrow as pa

    from include.ingestion.casting import ARROW_TYPES

    columns = contract()[str(table.entity)].columns
    names = {name: ARROW_TYPES[declared.type] for name, declared in columns.items()}
    data = pa.concat_tables(parts) if parts else pa.table({name: pa.array([], kind) for name, kind in names.items()})
    lines = data[_LINE].to_pylist() if parts else []
    files = data[_FILE].to_pylist() if parts else []
    present = frozenset(table.mapping.columns if table.mapping is not None else columns)
    return Rows(str(table.entity), ", ".join(dict.fromkeys(files)) or None, data.select(list(names)), lines, present, files)


def united(entity: str, first: Rows, others: Mapping[str, list[Rows]]) -> Rows:
    """The rows of an entity from all files. A column is present if some file has it."""
    import pyarrow as pa

    found = [rows for rows in (first, *others.get(entity, ())) if rows.file is not None]
    if not found or len(found) == 1:
        return found[0] if found else first
    names = list(contract()[entity].columns)
    data = pa.concat_tables([rows.data.select(names) for rows in found])
    files = [rows.file_of(number) for rows in found for number in range(rows.data.num_rows)]
    lines = [line for rows in found for line in rows.lines]
    shown = ", ".join(dict.fromkeys(str(rows.file) for rows in found))
    return Rows(entity, shown, data, lines, frozenset().union(*(rows.present for rows in found)), files)
