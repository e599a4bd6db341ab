# ruff: noqa: S608 - SQL contains only names that the source files and the warehouse's schema declare, never data.
"""SQL of the view that shows a loader's table as a raw table: the columns that its mapping reads, and those that a load adds.

All later steps read the view as they read a raw table, so no model, gate or explanation knows of loaders.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from include.landed.loaders import LOADERS, Loader
from include.landed.types import TypeRefused, cast_of
from include.run_context import BATCH_INSTANT
from include.sources.expressions import WAREHOUSE_TYPES, identifier
from include.sources.landed import ALTERED, UNREADABLE, joined
from include.sources.reader_settings import LandedReader
from include.sources.schema import Column, Source, Table

#: Column of a landed table → its GoogleSQL type. Names are as the warehouse writes them.
Schema = Mapping[str, str]


class NotLanded(ValueError):
    """The table is not as the source file says. The message names the column and the remedy."""


@dataclass
class LandedView:
    """The view of one table.

    Attributes:
        sql: its query.
        missing: columns that the loader's table lacks. They are unknown.
    """

    sql: str = ""
    missing: list[str] = field(default_factory=list)


def view_of(source: Source, reader: LandedReader, table: Table, schemas: Mapping[str, Schema], project: str) -> LandedView:
    """The view of a landed table.

    Args:
        schemas: the columns of the table and of those that it joins, by their names in the dataset.
        project: the platform's project, if the reader names none.

    Raises:
        NotLanded: a column of the loader or of the key is missing, or a column has a type that cannot be read.
    """
    return _Renderer(source, reader, table, schemas, project).view()


class _Renderer:
    def __init__(self, source: Source, reader: LandedReader, table: Table, schemas: Mapping[str, Schema], project: str) -> None:
        self._source, self._table, self._project = source, table, reader.project or project
        self._dataset, self._name = reader.dataset, reader.loader
        self._loader: Loader = LOADERS[reader.loader]
        self._schemas = {
            name: {column.lower(): (column, kind) for column, kind in schema.items()} for name, schema in schemas.items()
        }
        self._found = LandedView()
        self._unreadable: list[str] = []
        self._period = self._loader.period if table.history else None

    def view(self) -> LandedView:
        self._check()
        columns = {identifier(name): self._column(column) for name, column in self._table.columns.items()}
        columns |= self._load_columns()
        listed = ",\n    ".join(f"{sql} as {name}" for name, sql in columns.items())
        self._found.sql = "\n".join([f"select\n    {listed}", f"from {self._rows()}", *self._joins(), *self._conditions()])
        return self._found

    @property
    def _own(self) -> str:
        """The table's name in the dataset."""
        return self._table.table or self._table.name

    def _relation(self, name: str) -> str:
        return f"`{self._project}`.`{self._dataset}`.`{name}`"

    def _check(self) -> None:
        needed = {self._own: {*self._loader.needed, *(self._period or ())}}
        needed |= {join.table: {*self._loader.needed} for join in self._table.joins.values() if join.table != self._own}
        for name, columns in needed.items():
            if missing := sorted(columns - self._schemas[name].keys()):
                hint = ". `history: true` is for tables in history mode" if self._period else ""
                raise NotLanded(f"{self._dataset}.{name} has no column {', '.join(missing)}, which {self._name} adds{hint}")
        period = self._loader.period
        if period and not self._period and period[0] in self._schemas[self._own]:
            raise NotLanded(f"{self._dataset}.{self._own} keeps all versions, because it has {period[0]}: write `history: true`")

    def _place(self, column: str) -> tuple[str, str] | None:
        """SQL of a column, and its type. None: the table lacks it."""
        join, name = joined(column, self._table.joins)
        of = self._table.joins[join].table if join else self._own
        known = self._schemas[of].get(name.lower())
        return known and (f"{join or 'landed'}.`{known[0]}`", known[1])

    def _column(self, column: Column) -> str:
        source_name = str(column.source_name)
        place = self._place(source_name)
        if place is None:
            if not column.nullable:
                raise NotLanded(f"{self._dataset}.{self._own} has no column {source_name}, which is part of the key")
            if source_name in self._deciding:
                raise NotLanded(f"{self._dataset}.{self._own} has no column {source_name}, which `where` or `deleted_when` reads")
            self._found.missing.append(column.name)
            return f"cast(null as {WAREHOUSE_TYPES[column.type].lower()})"
        value, kind = place
        if self._period and source_name == self._period[0]:
            # The version that says that a row is deleted begins when the last one ends.
            value = f"if(_is_deleted, landed.{self._period[1]}, {value})"
        try:
            cast = cast_of(value, kind, column.type)
        except TypeRefused as error:
            raise NotLanded(f"{self._dataset}.{self._own}: {source_name} {error}") from None
        if cast.may_fail:
            self._unreadable.append(f"if({cast.given} is not null and {cast.sql} is null, '{column.name}', null)")
        return cast.sql

    def _load_columns(self) -> dict[str, str]:
        loader, own = self._loader, self._schemas[self._own]
        loaded_at = loader.loaded_at.format(row="landed")
        deleted = [sql.format(row="landed") for name, sql in loader.deleted.items() if name in own]
        altered = [sql.format(row="landed") for name, sql in loader.altered.items() if name in own]
        unreadable = (
            f"nullif(array_to_string([{', '.join(self._unreadable)}], ', '), '')" if self._unreadable else "cast(null as string)"
        )
        return {
            "_extracted_at": loader.extracted_at.format(row="landed"),
            "_loaded_at": loaded_at,
            "_batch_id": f"concat('{self._source.name}@', format_timestamp('{BATCH_INSTANT}', {loaded_at}))",
            "_source_file_id": f"'{self._dataset}.{self._own}'",
            "_is_deleted": " or ".join([*(["_is_deleted"] if self._period else []), *deleted]) or "false",
            "_restored_at": "cast(null as timestamp)",
            "_dlt_load_id": loader.load_id.format(row="landed"),
            UNREADABLE: unreadable,
            ALTERED: " + ".join(altered) or "0",
        }

    @property
    def _deciding(self) -> set[str]:
        """The columns that decide whether a row counts. An unknown value would leave all rows out, or bring deleted ones back."""
        mapping = self._table.mapping
        if mapping is None:
            return set()
        return {each.column for each in (*mapping.where, *([mapping.deleted_when] if mapping.deleted_when else []))}

    def _rows(self) -> str:
        """The rows of the loader's table. A row that was deleted has one version more, from the end of the last one."""
        relation = self._relation(self._own)
        if self._period is None:
            return f"{relation} as landed"
        start = self._period[0]
        key = ", ".join(f"`{name}`" for name in self._key())
        return (
            f"(select *, lead({start}) over (partition by {key} order by {start}) as _next_start from {relation}) as landed\n"
            "cross join unnest([false, true]) as _is_deleted"
        )

    def _key(self) -> list[str]:
        """The columns of the table that identify a row."""
        names = [str(self._table.columns[name].source_name) for name in self._table.primary_key]
        if any(joined(name, self._table.joins)[0] for name in names):
            raise NotLanded(f"{self._dataset}.{self._own} keeps all versions, so no column of a join may be part of the key")
        return [place[0].partition(".")[2].strip("`") for name in names if (place := self._place(name))]

    def _joins(self) -> list[str]:
        joins = self._completed_loads()
        for name, join in self._table.joins.items():
            pairs = {self._known(join.table, left): self._matched(name, right) for left, right in join.key.items()}
            condition = " and ".join(
                f"cast({name}.`{left}` as string) = cast({right} as string)" for left, right in pairs.items()
            )
            joins.append(f"left join ({self._one_per_key(join.table, list(pairs))}) as {name} on {condition}")
        return joins

    def _completed_loads(self) -> list[str]:
        """The join that leaves out the rows of loads that are not complete."""
        if self._loader.completed is None:
            return []
        loads = self._relation(self._loader.completed)
        return [f"inner join {loads} as loads on landed._dlt_load_id = loads.load_id and loads.status = 0"]

    def _known(self, table: str, column: str) -> str:
        known = self._schemas[table].get(column.lower())
        if known is None:
            raise NotLanded(f"{self._dataset}.{table} has no column {column}, which a join names")
        return known[0]

    def _matched(self, join: str, column: str) -> str:
        place = self._place(column)
        if place is None:
            raise NotLanded(f"{self._dataset}.{self._own} has no column {column}, which the join {join} names")
        return place[0]

    def _one_per_key(self, table: str, key: list[str]) -> str:
        """The rows of a joined table, one per key: one that is not deleted precedes, then the one that the loader has written last."""
        loader, own = self._loader, self._schemas[table]
        gone = [sql.format(row="landed") for name, sql in loader.deleted.items() if name in own]
        order = [" or ".join(gone)] if gone else []
        if "_fivetran_active" in own:
            order.append("coalesce(landed._fivetran_active, true) desc")
        order.append(f"{loader.extracted_at.format(row='landed')} desc")
        partition = ", ".join(f"landed.`{name}`" for name in key)
        lines = [f"select landed.* from {self._relation(table)} as landed", *self._completed_loads()]
        lines += [self._superseded(table) or "where true"]
        lines += [f"qualify row_number() over (partition by {partition} order by {', '.join(order)}) = 1"]
        return "\n".join(lines)

    def _superseded(self, table: str) -> str:
        generation = self._loader.generation
        if (
            generation is None
            or generation not in self._schemas[table]
            or (self._loader.only_versions and not self._table.history)
        ):
            return ""
        return f"where landed.{generation} = (select max(newest.{generation}) from {self._relation(table)} as newest)"

    def _conditions(self) -> list[str]:
        if self._period is None:
            return [condition] if (condition := self._superseded(self._own)) else []
        _, end, active = self._period
        # A version ends a millisecond before the next one. Between others, the row was deleted.
        return [
            f"where not _is_deleted or (not landed.{active} and (landed._next_start is null "
            f"or timestamp_diff(landed._next_start, landed.{end}, millisecond) > 1))"
        ]
