"""Shows a mapping: which column of the source each contract column comes from, and what stays unknown."""

from __future__ import annotations

from collections.abc import Iterator

from include.contract import contract
from include.sources.mapping import Constant, Expression, First, From, Key
from include.sources.schema import Source, Table
from include.sources.staging import view_of
from include.sources.versions import prefix_of


def described(source: Source) -> str:
    """The mapping of every table of a source that feeds an entity, as text."""
    return "\n\n".join("\n".join(_lines(source, table)) for table in source.tables.values() if table.entity is not None)


def _lines(source: Source, table: Table) -> Iterator[str]:
    entity = contract()[str(table.entity)]
    yield f"{table.entity} ← {source.name}.{table.table or table.path or table.glob or table.name} (staging.{view_of(source, table)})"
    if source.reader.type == "landed":
        kept = "all versions" if table.history else "the newest state only: a run for a past day shows the state of today"
        yield f"  {source.reader.loader} keeps {kept}"
    for name, join in table.joins.items():
        yield f"  {name}: {join.table} where {', '.join(f'{left} = {right}' for left, right in join.key.items())}, at most one row"
    if table.mapping is not None:
        for condition in table.mapping.where:
            yield f"  only rows where {condition.column} is {_values(condition.values)}"
        if (gone := table.mapping.deleted_when) is not None:
            yield f"  deleted if {gone.column} is {_values(gone.values)}"
    width = max(map(len, entity.columns))
    for name in entity.columns:
        if (expression := table.mapped(name)) is not None:
            yield f"  {name:<{width}}  ← {_shown(expression, prefix_of(table, name) or '')}"
    if missing := [name for name in entity.columns if table.mapped(name) is None]:
        required = [name for name in missing if entity.columns[name].required]
        yield f"  unknown: {', '.join(missing)}"
        if required:
            yield f"  unknown although the contract asks for it: {', '.join(required)}"


def _shown(expression: Expression, prefix: str) -> str:
    match expression:
        case Constant(value=value):
            return f"always {value!r}"
        case First(first=columns):
            shown = f"the first of {', '.join(columns)} that has a value"
            shown += f", as {expression.unit.removeprefix('epoch_')} since 1970" if expression.unit else ""
        case Key(key=columns):
            shown = " | ".join(columns)
        case From():
            shown = ", ".join(_parts_of(expression))
    return f"{shown}, after {prefix!r}" if prefix else shown


def _parts_of(expression: From) -> Iterator[str]:
    yield expression.column if expression.path is None else f"{expression.column} at {expression.path}"
    if expression.values is not None:
        yield "; ".join(f"{word} → {meant}" for word, meant in expression.values.items())
        if not expression.keeps_unknown_words:
            yield "other words are unknown" if expression.default is None else f"other words → {expression.default}"
    if expression.unit == "minor":
        currency = expression.currency
        yield f"in the smallest unit of {currency.value if isinstance(currency, Constant) else f'the currency in {currency}'}"
    elif expression.unit is not None:
        yield f"as {expression.unit.removeprefix('epoch_')} since 1970"
    if expression.timezone is not None:
        yield f"in {expression.timezone}"
    for condition in expression.conditions:
        yield f"only where {condition.column} is {_values(condition.values)}"


def _values(values: tuple[object, ...]) -> str:
    return " or ".join("NULL" if value is None else repr(value) for value in values)
