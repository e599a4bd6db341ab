# ruff: noqa: TID253 - this module is imported only when a load runs.
"""Conforms the rows of a reader to one raw table. All readers share this step.

Declared columns are cast to their declared types. A value that cannot be cast is kept as text in a second column.
Undeclared columns are kept. Records without a key are rejected. Every row gets columns that name its origin.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from include.contract import ColumnType
from include.ingestion.casting import ARROW_TYPES, UTC_MICROSECONDS, as_text, cast, plain
from include.ingestion.report import SchemaChange
from include.sources.names import warehouse_name
from include.sources.readers.pieces import Piece, ReadError, Rejected, dump
from include.sources.schema import Table
from include.sources.versions import times_at

#: Suffix of the columns that keep values which cannot be cast to the declared type.
VARIANT_SUFFIX = "__v_text"
#: From this number of rows on, a required column with no value in more than half of them stops the table.
LEAST_ROWS = 20


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
        is_whole: the whole table is read, not a range of cursor values.
        seen: the declared columns that the source has sent.
    """

    table: Table
    stamp: Stamp
    known: dict[str, ColumnType]
    is_whole: bool = True
    rejected: list[Rejected] = field(default_factory=list)
    rows: int = 0
    rows_read: int = 0
    cursor: datetime | None = None
    seen: set[str] = field(default_factory=set)
    _without: Counter[str] = field(default_factory=Counter)
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

    def check_required(self) -> None:
        """Raise ReadError if a cursor, key or `nullable: false` column was never sent, or has no value in most of the rows.

        A table with `empty_keys: skip` takes rows with a key only. A key that no row of many has sent has another name now.
        """
        problems = []
        if self.table.empty_keys == "skip" and self.rows_read >= LEAST_ROWS:
            absent = [name for name in self.table.primary_key if name not in self.seen]
            problems += [
                f"{name} (a key) is missing in all {self.rows_read} rows, so that `empty_keys: skip` would leave out all"
                for name in absent
            ]
        for name, role in self._required.items():
            if self.rows_read and name not in self.seen:
                problems.append(f"{name} ({role}) is missing in all {self.rows_read} rows")
            elif self.rows_read >= LEAST_ROWS and self._without[name] > self.rows_read / 2:
                kind = self.table.columns[name].type
                problems.append(f"{name} ({role}) has no value of type {kind} in {self._without[name]} of {self.rows_read} rows")
        if problems:
            file, undeclared = f"{self.stamp.batch_id.partition('@')[0]}.yml", ", ".join(self._undeclared) or "none"
            where = "source_name" if self.table.mapping is None else "from"
            raise ReadError(
                f"{'; '.join(problems)}. Nothing of the table is loaded. If the source has renamed a column, name it in {file}: "
                f"tables.{self.table.name}.columns.<column>.{where}. Columns that it sends undeclared: {undeclared}"
            )

    @property
    def _required(self) -> dict[str, str]:
        """Column → why it is required."""
        if self.table.empty_keys == "skip":
            return {}
        needed = {name: "nullable: false" for name, column in self.table.columns.items() if not column.nullable}
        needed |= dict.fromkeys(self.table.primary_key, "a key")
        return needed | ({self.table.cursor: "the cursor"} if self.table.cursor else {})

    def _count_without(self, name: str, sent: pa.ChunkedArray, cast: pa.Array) -> None:
        """Count the rows in which a required column has no value. A key or cursor also needs a value of the declared type.

        A SQL reader always reads the rows without a cursor value. If it reads only a range, their share says nothing.
        """
        usable = cast if name in self.table.primary_key or name == self.table.cursor else sent
        ignored = sent.null_count if name == self.table.cursor and not self.is_whole else 0
        self._without[name] += usable.null_count - ignored

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
            missing = [name for name in self.table.columns if name not in self.seen]
            found += [
                SchemaChange(n, "missing_column", "declared, but not sent; loaded as NULL", self.rows_read) for n in missing
            ]
        return found

    def _declared(self, rows: pa.Table) -> dict[str, pa.Array]:
        columns: dict[str, pa.Array] = {}
        variants: dict[str, pa.Array] = {}
        required = self._required
        for name, column in self.table.columns.items():
            source_name = column.source_name or name
            if source_name not in rows.column_names:
                columns[name] = pa.nulls(len(rows), ARROW_TYPES[column.type])
                self._without[name] += len(rows)
                continue
            self.seen.add(name)
            self._cast(name, rows[source_name], column.type, columns, variants)
            if name in required:
                self._count_without(name, rows[source_name], columns[name])
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
            "_restored_at": pa.nulls(count, UTC_MICROSECONDS),
        }

    def _rows_with_key(self, piece: Piece, conformed: pa.Table) -> pa.Array | None:
        """A mask of the rows that have a complete key; None if all have one. The other rows are added to `rejected`."""
        missing = None
        for key in self.table.primary_key:
            if conformed[key].null_count:
                absent = pc.is_null(conformed[key])
                missing = absent if missing is None else pc.or_(missing, absent)
        if missing is None or self.table.empty_keys == "skip":
            return None if missing is None else pc.invert(missing)
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
