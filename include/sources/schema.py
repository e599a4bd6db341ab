"""The schema of the source YAML files, as pydantic models. One file describes one source.

This module imports no library except pydantic, because every parse of the DAG files reads the sources.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    InstanceOf,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from include.contract import KEY_TYPES, KNOWN_AHEAD, TENANT, ColumnType
from include.sources.expressions import Raw, identifier
from include.sources.landed import join_problems
from include.sources.mapping import Expression, From, TableMapping
from include.sources.reader_settings import Reader
from include.sources.rest_settings import RestReader, RestTable, request_problems
from include.sources.strict import Strict
from include.terms import NIGHTLY_SCHEDULE, Criticality, Duration

_IDENTIFIER = r"^[a-z][a-z0-9_]*$"

Identifier = Annotated[str, Field(pattern=_IDENTIFIER)]
RefreshEvery = Annotated[Duration, Field(gt=timedelta(0))]


class Column(Strict):
    """One column of a table, under its name in the warehouse."""

    type: ColumnType
    description: str = Field(min_length=3)
    nullable: bool = True
    pii: bool = False
    accepted_values: tuple[str, ...] | None = None
    #: Name in the source system, if it differs.
    source_name: str | None = None

    _name: str = PrivateAttr("")

    @property
    def name(self) -> str:
        return self._name


class Freshness(Strict):
    """The times since a table's last load after which `dbt source freshness` warns and fails."""

    warn_after: Duration
    error_after: Duration

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.warn_after > self.error_after:
            raise ValueError("warn_after is longer than error_after")
        return self


_LoaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_ $-]*$")]


class Join(Strict):
    """Another table of the loader, whose columns a landed table shows too: at most one row per row of the table."""

    table: _LoaderName
    #: Column of the joined table → column of this table, or of an earlier join as `join.column`.
    key: dict[str, str] = Field(min_length=1)


class Defaults(Strict):
    """Default values for the keys of every table of the source."""

    cursor: str | None = None
    overlap: Duration = timedelta(0)
    detect_deletes: bool = False
    max_deleted_share: float | None = Field(None, gt=0, le=1)
    refresh_every: RefreshEvery | None = None
    history: bool = False


class Table(RestTable):
    """One table: its name in the source, its primary key, its cursor and its columns."""

    description: str = Field(min_length=3)
    #: The entity of the contract that the table's rows are of. None: the platform only loads the table.
    entity: str | None = None
    #: `columns`, `where` and `deleted_when` of a source file that maps them. `columns` are then those of the source that the mapping reads.
    mapping: InstanceOf[TableMapping] | None = None
    #: It contains `organization_id`, except in a table without this column: its rows belong to no tenant, such as exchange rates.
    primary_key: tuple[str, ...] = Field(min_length=1)
    columns: dict[Identifier, Column] = Field(min_length=1)
    #: The timestamp column that grows with every change of a row. Without it, the table is read whole.
    cursor: str | None = None
    #: A load starts this long before the last cursor value, to read rows that were committed late.
    overlap: Duration = timedelta(0)
    detect_deletes: bool = False
    #: Delete detection is refused if it would delete more than this share of the live keys. By default 0.05 for files of dated rows,
    #: such as exchange rates, because history does not shrink; otherwise 0.5.
    max_deleted_share: float | None = Field(None, gt=0, le=1)
    #: A critical source is blocked if a whole read of the table finds no row, unless the table may be empty.
    may_be_empty: bool = False
    #: Rows without a value in the key are rejected and counted, or left out: `skip` is for tables that only take the rows that have it.
    empty_keys: Literal["reject", "skip"] = "reject"
    #: Refreshes with a shorter interval do not load the table. Without it, every refresh loads the table.
    refresh_every: RefreshEvery | None = None
    #: The timestamp or date column that places a version in time: a run sees the versions before its as-of time. Without it,
    #: the column of the last change. `none`: the rows are known ahead, such as calendars, and every run sees them.
    event_time: str | None = None
    #: The timestamp column of what a row reports. A run does not see a row that has not happened before its as-of time, even if the
    #: source wrote it earlier. Without it, every row has happened.
    happens_at: str | None = None
    #: A run also does not see rows that were loaded for a later as-of time: for events, which have no time of their last change.
    by_delivery: bool = False
    freshness: Freshness | None = None
    #: Airflow connection id, if it is not the source's.
    connection: str | None = Field(None, min_length=1)
    #: sql: the table's schema, if it is not the reader's.
    schema_name: str | None = Field(None, alias="schema")
    #: sql: the table's name in the source, if it differs.
    table: str | None = None
    #: files: pattern of the table's files below the connection's folder.
    glob: str | None = None
    #: landed: the loader keeps all versions of a row. Otherwise it keeps the newest state only.
    history: bool = False
    #: landed: name → another table of the loader. Its columns are written as `name.column`.
    joins: dict[Identifier, Join] = Field(default_factory=dict)

    _name: str = PrivateAttr("")
    _id_prefix: str | None = PrivateAttr(None)

    @property
    def name(self) -> str:
        return self._name

    @property
    def deleted_share_limit(self) -> float:
        """The largest share of the live keys that a load may delete."""
        if self.max_deleted_share is not None:
            return self.max_deleted_share
        return 0.05 if self.glob is not None and self.event_time != KNOWN_AHEAD else 0.5

    @property
    def id_prefix(self) -> str | None:
        """What the source puts before its ids."""
        return self._id_prefix

    @property
    def raw(self) -> Raw:
        """A column of the source, and whether it is loaded as a text → its name in SQL."""
        return {(column.source_name or name, column.type == "string"): identifier(name) for name, column in self.columns.items()}

    def mapped(self, column: str) -> Expression | None:
        """Where a contract column comes from. None: it is unknown."""
        if self.mapping is not None:
            return self.mapping.columns.get(column)
        return From(column=self.columns[column].source_name or column) if column in self.columns else None

    @property
    def changed_at(self) -> str | None:
        """The raw column of a row's last change: the cursor, or a timestamp `updated_at`. A mapped table may have another (versions.change_time)."""
        updated_at = self.columns.get("updated_at")
        return self.cursor or ("updated_at" if updated_at is not None and updated_at.type == "timestamp" else None)

    @property
    def event_column(self) -> Column | None:
        """The raw column that places a version in time, in a table without mapping. None: the rows are known ahead."""
        name = self.event_time or self.changed_at
        return None if name is None or name == KNOWN_AHEAD else self.columns[name]

    def is_loaded_every(self, interval: timedelta) -> bool:
        """True if a refresh with this interval loads the table."""
        return self.refresh_every is None or self.refresh_every <= interval

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name, column in self.columns.items():
            column._name = name
        for problem in join_problems({name: join.key for name, join in self.joins.items()}):
            raise ValueError(problem)
        for key in self.primary_key:
            if key not in self.columns:
                raise ValueError(f"primary_key names {key}, which is not a column of the table")
            if self.columns[key].type not in KEY_TYPES:
                raise ValueError(
                    f"primary_key column {key} is a {self.columns[key].type}: a key must be a string, integer, date or time"
                )
        # A mapped table may have a column of this name that means something else, such as the company of a ticket.
        if self.mapping is None and TENANT in self.columns and TENANT not in self.primary_key:
            raise ValueError(f"primary_key lacks {TENANT}: two tenants may use the same {', '.join(self.primary_key)}")
        if self.cursor is not None:
            if self.cursor not in self.columns:
                raise ValueError(f"cursor names {self.cursor}, which is not a column of the table")
            if self.columns[self.cursor].type != "timestamp":
                raise ValueError(f"cursor column {self.cursor} must be a timestamp, it is a {self.columns[self.cursor].type}")
        elif self.overlap:
            raise ValueError("overlap has no effect without a cursor: remove it or name the cursor")
        if self.mapping is not None:
            return self
        if self.event_time is None and self.changed_at is None:
            raise ValueError(
                "event_time is missing: name the column that says when a row happened, or write `event_time: none` for rows that "
                "are known ahead, such as calendars"
            )
        if self.event_time is not None and self.event_time != KNOWN_AHEAD:
            if self.event_time not in self.columns:
                raise ValueError(f"event_time names {self.event_time}, which is not a column of the table")
            if (kind := self.columns[self.event_time].type) not in ("timestamp", "date"):
                raise ValueError(f"event_time column {self.event_time} must be a timestamp or a date, it is a {kind}")
        if self.happens_at is not None:
            if self.happens_at not in self.columns:
                raise ValueError(f"happens_at names {self.happens_at}, which is not a column of the table")
            if (kind := self.columns[self.happens_at].type) != "timestamp":
                raise ValueError(f"happens_at column {self.happens_at} must be a timestamp, it is a {kind}")
        return self


#: Keys of a table that only some types of reader use: key → reader types.
_READER_KEYS = {
    "table": ("sql", "landed"),
    "schema_name": ("sql",),
    "glob": ("files",),
    "history": ("landed",),
    "joins": ("landed",),
    **dict.fromkeys(RestTable.model_fields, ("rest",)),
}


class Source(Strict):
    """One source: its owner, schedule, connection, reader and tables."""

    description: str = Field(min_length=3)
    owner: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
    tier: Criticality
    #: Cron expression, UTC. Without it, the source is loaded for the nightly run.
    schedule: str = NIGHTLY_SCHEDULE
    #: Airflow connection id. Landed tables have none: they are in the warehouse.
    connection: str = ""
    freshness: Freshness
    #: A whole read with a larger drop against the median of earlier ones blocks a critical source, and warns for other sources.
    max_volume_drop: float = Field(0.5, gt=0, lt=1)
    reader: Reader
    #: Put before every id of the source's rows, so that no other source has the same ids. `organization_id` has none.
    id_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$")] | None = None
    tables: dict[Identifier, Table] = Field(min_length=1)

    _name: str = PrivateAttr("")
    _declared: dict[str, Table] = PrivateAttr(default_factory=dict)

    @property
    def name(self) -> str:
        """The source's name: the name of its file."""
        return self._name

    @property
    def declared(self) -> dict[str, Table]:
        """All tables of the file, also in a copy that has only some of them."""
        return self._declared

    @property
    def dataset(self) -> str:
        """The dataset of its raw tables."""
        return f"raw_{self._name}"

    def only(self, tables: Collection[str], overlap: timedelta | None = None) -> Self:
        """A copy of the source with only these tables. The overlap of each table is at most `overlap`.

        Raises:
            KeyError: the source does not have one of the tables.
        """
        narrowed = {}
        for name in self.tables:
            if name in tables:
                table = self.tables[name]
                shorter = table.overlap if overlap is None else min(overlap, table.overlap)
                narrowed[name] = table.model_copy(update={"overlap": shorter})
        if missing := set(tables) - set(narrowed):
            raise KeyError(f"{self._name} has no table {', '.join(sorted(missing))}")
        return self.model_copy(update={"tables": narrowed})

    @model_validator(mode="before")
    @classmethod
    def _apply_defaults(cls, data: Any) -> Any:
        """Copy the keys of `defaults` into every table that does not set them."""
        if not isinstance(data, dict) or "defaults" not in data:
            return data
        data = dict(data)
        try:
            defaults = Defaults.model_validate(data.pop("defaults")).model_dump(exclude_unset=True)
        except ValidationError as error:
            first = error.errors()[0]
            raise ValueError(f"defaults.{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        tables = data.get("tables")
        if isinstance(tables, dict):
            data["tables"] = {
                name: _with_defaults(table, defaults) if isinstance(table, dict) else table for name, table in tables.items()
            }
        return data

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(self.schedule.split()) != 5:
            raise ValueError(f"schedule {self.schedule!r} is not a cron expression of five fields")
        landed = self.reader.type == "landed"
        if bool(self.connection) == landed:
            raise ValueError("connection: landed tables are in the warehouse: remove it" if landed else "connection is missing")
        self._declared.update(self.tables)
        for name, table in self.tables.items():
            table._name = name
            table._id_prefix = self.id_prefix
            if landed and table.mapping is None:
                raise ValueError(f"tables.{name}.entity is missing: a landed table feeds an entity of the contract")
            if landed and (table.overlap or table.detect_deletes or table.max_deleted_share is not None):
                raise ValueError(
                    f"tables.{name}: overlap, detect_deletes and max_deleted_share are for systems that the platform loads"
                )
            for key, reader in _READER_KEYS.items():
                if key in table.model_fields_set and getattr(table, key) and self.reader.type not in reader:
                    raise ValueError(
                        f"tables.{name}.{key.removesuffix('_name').rstrip('_')} is for {' and '.join(reader)} readers; this one is {self.reader.type}"
                    )
            if self.reader.type == "files" and table.glob is None:
                raise ValueError(f"tables.{name}.glob is missing: it selects the files of the table")
            if self.reader.type == "files" and table.cursor is not None:
                raise ValueError(f"tables.{name}.cursor: new files are found by path and checksum, not by a cursor")
        if isinstance(self.reader, RestReader):
            for key, message in request_problems(self.reader, self.tables):
                raise ValueError(f"tables.{key}: {message}")
        return self

    def freshness_of(self, table: Table) -> Freshness:
        """The freshness thresholds of the table, or those of the source."""
        return table.freshness or self.freshness


def _with_defaults(table: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    merged = {**defaults, **table}
    if merged.get("cursor") is None and "overlap" not in table:
        merged.pop("overlap", None)
    return merged
