"""Derives a raw table from a mapping: its columns, their types, its key and its cursor, under the names of the warehouse."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from include.contract import KEY_TYPES, KNOWN_AHEAD, ColumnType, Entity
from include.sources.expressions import literal
from include.sources.landed import unknown_joins
from include.sources.mapping import Condition, Constant, Expression, First, From, Key, TableMapping, nearest, value_type
from include.sources.names import mapped_name

#: The key of each form of a mapped column. A column that has none of them is declared, not mapped.
_FORMS: dict[str, type[Constant | First | Key | From]] = {"value": Constant, "first": First, "key": Key, "from": From}


class MappingError(ValueError):
    """A mapping is invalid: for each problem its key below the table, and a message."""

    def __init__(self, problems: Collection[tuple[str, str]]) -> None:
        super().__init__("\n".join(f"{key}: {message}" for key, message in problems))
        self.problems = problems


def is_mapped(given: Mapping[str, Any]) -> bool:
    """True if a table of a source file maps its columns, or chooses among its rows."""
    columns = given.get("columns")
    forms = columns.values() if isinstance(columns, dict) else ()
    return "where" in given or "deleted_when" in given or any(map(_is_form, forms))


def _is_form(given: Any) -> bool:
    return isinstance(given, str) or (isinstance(given, dict) and bool(_FORMS.keys() & given.keys()))


def derived(name: str, entity: Entity, given: dict[str, Any]) -> dict[str, Any]:
    """A mapped table of a source file as a raw table.

    Args:
        name: the entity's name.
        given: the keys of the table, with the source's defaults.

    Returns:
        The keys of a `Table`. Its columns are those of the source that the mapping names; its `mapping` is a `TableMapping`.

    Raises:
        MappingError: with every problem.
    """
    problems: list[tuple[str, str]] = []
    types: dict[str, ColumnType] = {column: declared.type for column, declared in entity.columns.items()}
    mapping = _parsed(given, name, entity, problems)
    if problems:
        raise MappingError(problems)
    problems += _wrong_columns(mapping, entity)
    event_time = given.get("event_time", entity.event_time)
    cursor = given.get("cursor")
    if event_time not in (None, KNOWN_AHEAD) and event_time not in mapping.columns:
        problems.append(("columns", f"{event_time} is missing: it says when a row happened"))
    if event_time is None and cursor is None and "updated_at" not in mapping.columns:
        problems.append(
            (
                "columns",
                "updated_at is missing: it says which version of a row a run sees. Map it or name a cursor; write "
                "`event_time: none` if the source has no such time, so that every run sees the newest version",
            )
        )
    uses: list[tuple[str, str, ColumnType]] = list(mapping.uses(types))
    if isinstance(cursor, str):
        uses.append(("cursor", cursor, "timestamp"))
    if "joins" in given:
        problems += unknown_joins({column for _, column, _ in uses}, given["joins"] or {})
    columns = _raw_columns(uses, mapping, entity, problems)
    if problems:
        raise MappingError(problems)
    names = {(column["source_name"], column["type"] == "string"): raw for raw, column in columns.items()}
    key = dict.fromkeys(names[each] for each in _key_columns(mapping, entity))
    table = {"description": entity.description, "by_delivery": entity.by_delivery, **given}
    table |= {
        "entity": name,
        "columns": columns,
        "primary_key": list(key),
        "mapping": mapping,
        "cursor": names.get((str(cursor), False)),
    }
    table |= {
        place: value for place in ("event_time", "happens_at") if (value := given.get(place, getattr(entity, place))) is not None
    }
    return {place: value for place, value in table.items() if place not in ("where", "deleted_when")}


def _parsed(given: dict[str, Any], name: str, entity: Entity, problems: list[tuple[str, str]]) -> TableMapping:
    columns: dict[str, Expression] = {}
    forms = given.get("columns", {column: column for column in entity.columns})
    for column, form in forms.items() if isinstance(forms, dict) else ():
        key = f"columns.{column}"
        if column not in entity.columns:
            problems.append((key, f"{name} has no such column{nearest(str(column), entity.columns)}"))
            continue
        try:
            columns[column] = _expression(form)
        except ValidationError as error:
            for item in error.errors():
                place = ".".join(map(str, (key, *(part for part in item["loc"] if part != "[key]"))))
                problems.append((place, _message(item, form)))
        except ValueError as error:
            problems.append((key, str(error)))
    cursor = given.get("cursor")
    if isinstance(cursor, str) and "updated_at" in entity.columns:
        columns.setdefault("updated_at", From(column=cursor))
    where: list[Condition] = []
    chosen = given.get("where", {})
    if not isinstance(chosen, dict):
        problems.append(("where", "expected columns of the source, each with its value or a list of values"))
        chosen = {}
    for column, values in chosen.items():
        where += _condition(f"where.{column}", str(column), values, problems)
    deleted: list[Condition] = []
    match given.get("deleted_when"):
        case None:
            pass
        case str() as column:
            deleted = [Condition(column, (True,))]
        case {"column": str() as column, "in": list() as values, **rest} if not rest:
            deleted = _condition("deleted_when.in", column, values, problems)
        case _:
            problems.append(("deleted_when", "expected a column of true and false, or {column: …, in: [values]}"))
    return TableMapping(columns, tuple(where), deleted[0] if deleted else None)


def _expression(form: Any) -> Expression:
    if isinstance(form, str):
        form = {"from": form}
    forms = _FORMS.keys() & form.keys() if isinstance(form, dict) else set()
    if len(forms) != 1:
        raise ValueError(
            f"expected a column of the source, or a mapping with one of {', '.join(_FORMS)}, got {form!r}. "
            "A table maps all columns that it has, or none"
        )
    return _FORMS[forms.pop()].model_validate(form)


def _message(item: Any, form: Any) -> str:
    if item["type"] == "extra_forbidden":
        known = [field.alias or name for name, field in _FORMS[(_FORMS.keys() & form.keys()).pop()].model_fields.items()]
        return f"unknown key{nearest(str(item['loc'][-1]), known)}"
    return str(item["ctx"]["error"]) if item["type"] == "value_error" else f"{item['msg']}, got {item['input']!r}"


def _condition(key: str, column: str, values: Any, problems: list[tuple[str, str]]) -> list[Condition]:
    chosen = tuple(values) if isinstance(values, list) else (values,)
    condition = Condition(column, chosen)
    try:
        for value in chosen:
            if value is not None:
                literal(value, condition.type)
        if not chosen:
            raise ValueError("the list of values is empty")
    except ValueError as error:
        problems.append((key, str(error)))
        return []
    return [condition]


def _wrong_columns(mapping: TableMapping, entity: Entity) -> Iterator[tuple[str, str]]:
    """The problems of mapped columns with their contract columns."""
    for column in entity.key:
        expression = mapping.columns.get(column)
        if expression is None:
            yield "columns", f"{column} is missing: it is part of the key"
        elif isinstance(expression, First) or (
            isinstance(expression, From) and (expression.path is not None or expression.where)
        ):
            yield f"columns.{column}", "a part of the key comes from one column, or is built with `key`"
    if not any(isinstance(mapping.columns.get(column), From | Key) for column in entity.key):
        yield "columns", f"the key {', '.join(entity.key)} is the same in every row"
    for name, expression in mapping.columns.items():
        declared = entity.columns[name]
        kind = declared.type
        try:
            for value in _given_values(expression):
                literal(value, kind)
                if declared.accepted_values and value not in declared.accepted_values:
                    accepted = ", ".join(declared.accepted_values)
                    raise ValueError(f"{value!r} is none of {accepted}{nearest(str(value), declared.accepted_values)}")
            _check_form(expression, kind)
        except ValueError as error:
            yield f"columns.{name}", str(error)


def _given_values(expression: Expression) -> Iterator[Any]:
    """The values of the contract that a source file writes itself."""
    if isinstance(expression, Constant):
        yield expression.value
    elif isinstance(expression, From):
        yield from (value for value in (*(expression.values or {}).values(), expression.default) if value is not None)


def _check_form(expression: Expression, kind: ColumnType) -> None:
    """Raise ValueError if a form does not fit a contract column of this type."""
    if isinstance(expression, Key) and kind != "string":
        raise ValueError(f"`key` builds a text, and the column is a {kind}")
    if isinstance(expression, First) and expression.unit and kind != "timestamp":
        raise ValueError(f"`unit: {expression.unit}` of `first` is for instants, and the column is a {kind}")
    if not isinstance(expression, From):
        return
    for word, meant in (expression.values or {}).items():
        if word is not None:
            literal(word, expression.key_type())
        if isinstance(word, str) and word != word.strip():
            raise ValueError(f"values: {word!r} has blanks around it, which are removed before words are compared")
        if meant is None:
            raise ValueError(f"values: {word!r} has no word of the platform")
    if expression.unit == "minor" and kind != "decimal":
        raise ValueError(f"`unit: minor` is for amounts, and the column is a {kind}")
    if expression.unit not in (None, "minor") and kind not in ("timestamp", "date"):
        raise ValueError(f"`unit: {expression.unit}` is for times, and the column is a {kind}")
    if expression.timezone is not None and kind not in ("timestamp", "date"):
        raise ValueError(f"`timezone` is for times, and the column is a {kind}")
    if expression.unit is not None and expression.timezone is not None and kind == "timestamp":
        raise ValueError("a time in epoch units is the same in every timezone: remove `timezone`")
    if isinstance(expression.currency, Constant) and len(str(expression.currency.value)) != 3:
        raise ValueError(f"currency: {expression.currency.value!r} is no ISO 4217 code")


def _raw_columns(
    uses: Collection[tuple[str, str, ColumnType]], mapping: TableMapping, entity: Entity, problems: list[tuple[str, str]]
) -> dict[str, dict[str, Any]]:
    """Name in the warehouse → declaration of the raw column.

    A column that is read as a text and as another type is loaded twice, so that the text is as it came.
    """
    types: dict[str, tuple[ColumnType, str]] = {}
    for key, column, kind in uses:
        known, first = types.setdefault(column, (kind, key))
        if known == "string":
            types[column] = kind, key
        elif kind not in (known, "string"):
            problems.append((key, f"{column} is read as {kind} here and as {known} for {first}.{_remedy({known, kind})}"))
    texts = {column for _, column, kind in uses if kind == "string" and types[column][0] != "string"}
    keys = set(_key_columns(mapping, entity))
    columns: dict[str, dict[str, Any]] = {}
    for column, kind, suffix in [
        *((column, kind, "") for column, (kind, _) in types.items()),
        *((column, "string", "_text") for column in types if column in texts),
    ]:
        name = mapped_name(column) + suffix
        key = types[column][1]
        if name in columns:
            problems.append((key, f"{column} and {columns[name]['source_name']} would both be {name} in the warehouse.{_VIEW}"))
        is_key = (column, kind == "string") in keys
        if is_key and kind not in KEY_TYPES:
            problems.append((key, f"{column} is a {kind}: a key must be a string, integer, date or time"))
        readers = [target for target, each in mapping.columns.items() if column in each.columns()]
        shown = entity.columns[readers[0]].description if len(readers) == 1 else f"{column}, as the source has it."
        pii = any(entity.columns[target].pii for target in readers)
        columns[name] = {"type": kind, "description": shown, "source_name": column, "pii": pii, "nullable": not is_key}
    return columns


_VIEW = " Give the source a view that has the column under another name"


def _remedy(kinds: Collection[str]) -> str:
    """What to write if a column is read as two types."""
    return " For the date, add the `timezone` in which the day counts" if set(kinds) == {"date", "timestamp"} else _VIEW


def _key_columns(mapping: TableMapping, entity: Entity) -> Iterator[tuple[str, bool]]:
    """The columns of the source that identify a row, and whether they are read as texts."""
    for part in entity.key:
        match mapping.columns.get(part):
            case Key(key=columns):
                yield from ((column, True) for column in columns)
            case From() as expression:
                yield expression.column, value_type(expression, entity.columns[part].type) == "string"
