# ruff: noqa: TID253 - this module is imported only when a load runs.
"""Reads tables of a SQL database through dlt's `sql_table` with its Arrow backend."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from include.sources.readers.engines import engine_of
from include.sources.readers.pieces import Piece, ReadError, Window

if TYPE_CHECKING:
    from include.connection import SourceConnection
    from include.contract import ColumnType
    from include.sources.reader_settings import SqlReader
    from include.sources.schema import Table

#: Rows that one query selects by key.
KEYS_AT_ONCE = 2_000


class SqlTables:
    """Reads the tables of one schema. All threads share one engine; each read has its own connection."""

    def __init__(self, settings: SqlReader, connection: SourceConnection) -> None:
        self._settings = settings
        self._engine = engine_of(connection)

    def check(self) -> None:
        """Raise ReadError if the database cannot be reached."""
        try:
            with self._engine.connect():
                pass
        except sa.exc.SQLAlchemyError as error:
            raise ReadError(f"the database cannot be reached: {_first_line(error)}") from None

    def read(self, table: Table, window: Window, seen: dict[str, str]) -> Iterator[Piece]:
        """Yield the rows whose cursor lies in the window. Rows without a cursor value are always read."""

        yield from self._select(table, lambda relation: _in_window(table, relation, window))

    def keys(self, table: Table) -> Iterator[pa.Table]:
        """Yield all keys that the table holds now, regardless of the cursor."""
        names = [_source_name(table, key) for key in table.primary_key]
        for piece in self._select(table, lambda relation: [], included_columns=names):
            yield piece.rows.select(names).rename_columns(list(table.primary_key))

    def read_keys(self, table: Table, window: Window, keys: Iterable[tuple[str, ...]]) -> Iterator[Piece]:
        """Yield the rows of these keys. The database compares their texts with its own types, and can use its index."""
        names = [_source_name(table, key) for key in table.primary_key]
        remaining = iter(keys)
        before = Window(None, window.until)
        while some := list(islice(remaining, KEYS_AT_ONCE)):

            def of_keys(relation: sa.Table, wanted: list[tuple[str, ...]] = some) -> list[Any]:
                columns = [sa.type_coerce(relation.c[name], sa.Text()) for name in names]
                return [sa.tuple_(*columns).in_(wanted), *_in_window(table, relation, before)]

            yield from self._select(table, of_keys)

    def _select(self, table: Table, where: Callable[[sa.Table], list[Any]], **arguments: Any) -> Iterator[Piece]:
        from dlt.sources.sql_database import sql_table

        name, schema = table.table or table.name, table.schema_name or self._settings.schema_name
        kinds: dict[str, ColumnType] = {}

        def query(_: Any, relation: sa.Table) -> sa.Select[Any]:
            kinds.update({c.name: kind for c in relation.c if (kind := _text_kind(c.type)) is not None})
            return sa.select(*map(_selected, relation.c)).where(*where(relation))

        try:
            resource = sql_table(
                self._engine,
                table=name,
                schema=schema,
                backend="pyarrow",
                chunk_size=self._settings.chunk_rows,
                query_adapter_callback=query,
                type_adapter_callback=_read_as,
                **arguments,
            )
            for item in resource:
                if isinstance(item, pa.Table):
                    yield Piece(item, kinds=kinds)
        except sa.exc.NoSuchTableError:
            raise ReadError(f"the database has no table {schema}.{name}") from None

    def is_transient(self, error: BaseException) -> bool:
        """True if the connection was refused or lost."""
        seen: BaseException | None = error
        while seen is not None:
            if isinstance(seen, sa.exc.OperationalError | sa.exc.InterfaceError):
                return True
            if isinstance(seen, sa.exc.DBAPIError) and seen.connection_invalidated:
                return True
            seen = seen.__cause__ or seen.__context__
        return False

    def close(self) -> None:
        """Close the connection pool."""
        self._engine.dispose()


def _text_kind(kind: Any) -> ColumnType | None:
    """The column type of a column that is selected as text; None if it is selected unchanged.

    A database may hold values that Python or Arrow cannot represent: NaN, infinity, a hundred digits, 0000-00-00, an unsigned number
    beyond 64 bits, a time of 838 hours. One such value would stop the whole table. As text all values can be read, and are then cast like
    those of other readers.
    """
    if isinstance(kind, sa.Numeric):
        return "decimal"
    if isinstance(kind, sa.DateTime):
        return "timestamp"
    if isinstance(kind, sa.Date):
        return "date"
    if isinstance(kind, mysql.BIT) or (isinstance(kind, mysql.BIGINT) and kind.unsigned):
        return "integer"
    if isinstance(kind, mysql.TIME | mysql.SET):
        return "string"
    return "json" if isinstance(kind, sa.JSON) else None


def _selected(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """The expression that a query selects for a column."""
    if isinstance(column.type, sa.Float):
        return sa.type_coerce(column, sa.Float(asdecimal=False)).label(column.name)
    if _text_kind(column.type) is None:
        return column
    # MySQL casts bits to bytes. Their sum with 0 is the number.
    value = sa.type_coerce(column, sa.BigInteger()) + 0 if isinstance(column.type, mysql.BIT) else column
    return sa.cast(value, sa.Text).label(column.name)


def _read_as(kind: Any) -> Any:
    """The SQL type that dlt must expect for a selected column of this type."""
    if _text_kind(kind) is not None:
        return sa.Text()
    if isinstance(kind, mysql.YEAR):
        return sa.Integer()
    # In SQLAlchemy 2.1, Float is no longer a subclass of Numeric, but dlt still expects it.
    return sa.Numeric(asdecimal=False) if isinstance(kind, sa.Float) else kind


def _in_window(table: Table, relation: sa.Table, window: Window) -> list[Any]:
    name = _source_name(table, table.cursor) if table.cursor else None
    if name is None or name not in relation.c:
        return []
    cursor = relation.c[name]
    bounds = [cursor < window.until]
    if window.since is not None:
        bounds.append(cursor >= window.since)
    return [sa.or_(cursor.is_(None), sa.and_(*bounds))]


def _source_name(table: Table, column: str) -> str:
    return table.columns[column].source_name or column


def _first_line(error: BaseException) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]
