# ruff: noqa: TID253 - this module is imported only when a load runs.
"""Conforms the rows of a reader to one raw table. All readers share this step.

Declared columns are cast to their declared types. A value that cannot be cast is kept as text in a second column.
Undeclared columns are kept. Records without a key are rejected. Every row gets columns that name its origin.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from include.contract import ColumnType
from include.ingestion.casting import ARROW_TYPES, UTC_MICROSECONDS, as_text, cast, plain
from include.ingestion.report import SchemaChange
from include.sources.names import warehouse_name
from include.sources.readers.pieces import Piece, Rejected, dump
from include.sources.schema import Table
from include.sources.versions import times_at

#: Suffix of the columns that keep values which cannot be cast to the declared type.
VARIANT_SUFFIX = "__v_text"


@dataclass(frozen=True)
class Stamp:
    """Metadata of every row that one ingestion run loads into a table. Times are in UTC."""

    batch_id: str
    extracted_at: datetime
    until: datetime


@dataclass
class _Mismatch:
    rows: int = 0
    arrived_as: str = ""
    example: str = ""


@dataclass
class Conformer:
    """Conforms the pieces of one table, and counts the differences from the declaration.

    Attributes:
        table: the declaration.
        stamp: metadata of every row.
        known: undeclared columns that the raw table already has, and their types. Values are cast to these types.
    """

    table: Table
    stamp: Stamp
    known: dict[str, ColumnType]
    rejected: list[Rejected] = field(default_factory=list)
    rows: int = 0
    rows_read: int = 0
    cursor: datetime | None = None
    _seen: set[str] = field(default_factory=set)
    _mismatches: dict[str, _Mismatch] = field(default_factory=dict)
    _undeclared: dict[str, ColumnType] = field(default_factory=dict)
    _undeclared_rows: dict[str, int] = field(default_factory=dict)

    def conform(self, piece: Piece) -> pa.Table:
        """Convert the rows of a piece to rows of the raw table. Rows without a key are left out and added to `rejected`."""
        self.rejected += piece.rejected
        rows = piece.rows
        self.rows_read += len(rows)
        if len(rows) == 0:
            return self.empty()
        columns, undeclared = self._declared(rows), self._undeclared_columns(piece)
        conformed = pa.table({**columns, **undeclared, **self._metadata(piece, len(rows))})
        keep = self._rows_with_key(piece, conformed)
        if self.table.cursor is not None:
            cursor = conformed[self.table.cursor]
            visible = pc.fill_null(pc.less(cursor, pa.scalar(self.stamp.until, UTC_MICROSECONDS)), True)
            keep = visible if keep is None else pc.and_(keep, visible)
        if keep is not None and not pc.all(keep).as_py():
            conformed = conformed.filter(keep)
        self.rows += len(conformed)
        self._advance_cursor(conformed)
        return conformed

    def empty(self) -> pa.Table:
        """A table without rows that has the declared columns."""
        fields = {name: pa.array([], ARROW_TYPES[column.type]) for name, column in self.table.columns.items()}
        return pa.table({**fields, **self._metadata(Piece(pa.table({})), 0)})

    def tombstones(self, keys: pa.Table, updated_at: datetime) -> pa.Table:
        """One tombstone per row of `keys` (key columns).

        The times that order the versions are `updated_at`, which follows all earlier versions. Other columns are NULL.
        """
        count = len(keys)
        times = times_at(self.table, updated_at)
        columns: dict[str, pa.Array] = {}
        for name, column in self.table.columns.items():
            kind = ARROW_TYPES[column.type]
            if name in keys.column_names:
                columns[name] = cast(keys[name], column.type).values
            elif name in times:
                columns[name] = pa.array([times[name]] * count).cast(kind)
            else:
                columns[name] = pa.nulls(count, kind)
        metadata = self._metadata(Piece(keys), count)
        metadata["_is_deleted"] = pa.array([True] * count, pa.bool_())
        return pa.table({**columns, **metadata})

    def changes(self) -> list[SchemaChange]:
        """Differences from the declaration over all pieces, one entry per column and kind of change."""
        found = [
            SchemaChange(name, "new_column", f"not declared; loaded as {kind}", self._undeclared_rows.get(name, 0))
            for name, kind in self._undeclared.items()
        ]
        for name, mismatch in self._mismatches.items():
            declared = self.table.columns[name].type if name in self.table.columns else self._undeclared[name]
            detail = f"{mismatch.rows} values ({mismatch.arrived_as}) do not cast to {declared}, for example {mismatch.example!r}"
            found.append(SchemaChange(name, "type_change", f"{detail}; kept in {name}{VARIANT_SUFFIX}", mismatch.rows))
        if self.rows_read:
            missing = [name for name in self.table.columns if name not in self._seen]
            found += [
                SchemaChange(n, "missing_column", "declared, but not sent; loaded as NULL", self.rows_read) for n in missing
            ]
        return found

    def _declared(self, rows: pa.Table) -> dict[str, pa.Array]:
        columns: dict[str, pa.Array] = {}
        variants: dict[str, pa.Array] = {}
        for name, column in self.table.columns.items():
            source_name = column.source_name or name
            if source_name not in rows.column_names:
                columns[name] = pa.nulls(len(rows), ARROW_TYPES[column.type])
                continue
            self._seen.add(name)
            self._cast(name, rows[source_name], column.type, columns, variants)
        return {**columns, **variants}

    def _cast(
        self,
        name: str,
        values: pa.ChunkedArray,
        kind: ColumnType,
        columns: dict[str, pa.Array],
        variants: dict[str, pa.Array],
    ) -> None:
        """Add the cast column to `columns`. Add the texts of values that could not be cast to `variants`."""
        result = cast(values, kind)
        columns[name] = result.values
        if result.failed is None or result.text is None:
            return
        text = pc.if_else(result.failed, result.text, pa.scalar(None, pa.string()))
        variants[name + VARIANT_SUFFIX] = text
        mismatch = self._mismatches.setdefault(name, _Mismatch())
        mismatch.rows += result.failures
        mismatch.arrived_as = mismatch.arrived_as or str(values.type)
        mismatch.example = mismatch.example or str(text.drop_null()[0].as_py())[:60]

    def _undeclared_columns(self, piece: Piece) -> dict[str, pa.Array]:
        """Cast the undeclared columns. A column without any value has no type yet and is left out."""
        rows = piece.rows
        declared = {column.source_name or name for name, column in self.table.columns.items()}
        columns: dict[str, pa.Array] = {}
        variants: dict[str, pa.Array] = {}
        for source_name in rows.column_names:
            if source_name in declared or pa.types.is_null(rows[source_name].type):
                continue
            name = self._free_name(warehouse_name(source_name), columns)
            values = rows[source_name]
            kind = self.known.get(name) or self._undeclared.get(name) or piece.kinds.get(source_name)
            kind = kind or loaded_type(plain(values).type)
            self._undeclared.setdefault(name, kind)
            self._undeclared_rows[name] = self._undeclared_rows.get(name, 0) + len(values) - values.null_count
            self._cast(name, values, kind, columns, variants)
        return {**columns, **variants}

    def _free_name(self, name: str, taken: dict[str, pa.Array]) -> str:
        while name in taken or name in self.table.columns:
            name += "_2"
        return name

    def _metadata(self, piece: Piece, count: int) -> dict[str, pa.Array]:
        where = piece.file_ids
        if where is None:
            where = pa.array([f"{self.table.name}@{self.stamp.batch_id}"] * count, pa.string())
        return {
            "_extracted_at": pa.array([self.stamp.extracted_at] * count, UTC_MICROSECONDS),
            "_batch_id": pa.array([self.stamp.batch_id] * count, pa.string()),
            "_source_file_id": where,
            "_is_deleted": pa.array([False] * count, pa.bool_()),
        }

    def _rows_with_key(self, piece: Piece, conformed: pa.Table) -> pa.Array | None:
        """A mask of the rows that have a complete key; None if all have one. The other rows are added to `rejected`."""
        missing = None
        for key in self.table.primary_key:
            if conformed[key].null_count:
                absent = pc.is_null(conformed[key])
                missing = absent if missing is None else pc.or_(missing, absent)
        if missing is None:
            return None
        for position in pc.indices_nonzero(missing.combine_chunks()).to_pylist():
            record = {name: as_text(plain(piece.rows[name].slice(position, 1)))[0].as_py() for name in piece.rows.column_names}
            absent_keys = [key for key in self.table.primary_key if not conformed[key][position].is_valid]
            self.rejected.append(
                Rejected(
                    reason=f"no value for the key {', '.join(absent_keys)}",
                    payload=dump(record),
                    line=piece.lines[position].as_py() if piece.lines is not None else None,
                    file_id=piece.file_ids[position].as_py() if piece.file_ids is not None else None,
                )
            )
        return pc.invert(missing)

    def _advance_cursor(self, rows: pa.Table) -> None:
        if self.table.cursor is None or len(rows) == 0:
            return
        latest = pc.max(rows[self.table.cursor]).as_py()
        if latest is not None and (self.cursor is None or latest > self.cursor):
            self.cursor = latest


def loaded_type(kind: pa.DataType) -> ColumnType:
    """The column type for an undeclared column of this Arrow type; `string` if no other type fits."""
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind):
        return "integer"
    if pa.types.is_floating(kind):
        return "float"
    if pa.types.is_decimal(kind):
        return "decimal"
    if pa.types.is_timestamp(kind):
        return "timestamp"
    if pa.types.is_date(kind):
        return "date"
    return "string"
