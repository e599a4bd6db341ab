"""The mapping of a source's table to an entity of the contract: which of its columns each contract column comes from.

The classes are the YAML below `columns` of a mapped table, as pydantic models. `include/sources/expressions.py` writes them as SQL.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from include.contract import ColumnType
from include.sources.paths import parts_of

#: Units of times as numbers: unit → units per second.
EPOCHS = {"epoch_seconds": 1, "epoch_milliseconds": 1000, "epoch_microseconds": 1_000_000}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


@dataclass(frozen=True)
class Condition:
    """Rows whose column has one of some values. None among the values stands for NULL."""

    column: str
    values: tuple[Any, ...]

    @property
    def type(self) -> ColumnType:
        kinds = {type(value) for value in self.values if value is not None}
        return "boolean" if kinds == {bool} else "integer" if kinds == {int} else "string"


class Constant(_Strict):
    """The same value in every row."""

    value: Any

    @field_validator("value")
    @classmethod
    def _given(cls, value: Any) -> Any:
        if value is None:
            raise ValueError("there is no value. Leave the column out: it is then unknown")
        return value

    def columns(self) -> tuple[str, ...]:
        return ()


class First(_Strict):
    """The first of several columns that is neither NULL nor empty."""

    first: tuple[str, ...] = Field(min_length=1)
    #: The columns are times as a number since 1970.
    unit: Literal["epoch_seconds", "epoch_milliseconds", "epoch_microseconds"] | None = None

    def columns(self) -> tuple[str, ...]:
        return self.first


class Key(_Strict):
    """A key built from several columns, joined by a bar."""

    key: tuple[str, ...] = Field(min_length=1)

    def columns(self) -> tuple[str, ...]:
        return self.key


class From(_Strict):
    """One column of the source, and how its values become those of the contract."""

    column: str = Field(alias="from", min_length=1)
    #: Path of the value in a JSON column, such as `address.country[0].code`.
    path: str | None = None
    #: The source's words → the platform's. Words in quotes are texts; true, false and whole numbers stand for such values; null for no value.
    values: dict[Any, Any] | None = Field(None, min_length=1)
    #: The value for words that `values` lacks. Without it, they stay as they are.
    default: Any = None
    #: Amounts in the currency's smallest unit (cents), or times as a number since 1970.
    unit: Literal["minor", "epoch_seconds", "epoch_milliseconds", "epoch_microseconds"] | None = None
    #: The currency of an amount in `minor` units.
    currency: str | Constant | None = None
    #: The zone of local times; for a date, the zone in which the day of an instant counts.
    timezone: str | None = None
    #: Column of the source → its value or values. In rows without one of them, the contract column is unknown.
    where: dict[str, Any] | None = Field(None, min_length=1)

    @field_validator("path")
    @classmethod
    def _path(cls, path: str | None) -> str | None:
        if path is not None:
            parts_of(path)
        return path

    @field_validator("timezone")
    @classmethod
    def _timezone(cls, name: str | None) -> str | None:
        try:
            return name and ZoneInfo(name).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{name!r} is no IANA time zone{nearest(str(name), available_timezones())}") from None

    @field_validator("where")
    @classmethod
    def _where(cls, where: dict[str, Any] | None) -> dict[str, Any] | None:
        for column, values in (where or {}).items():
            given = values if isinstance(values, list) else [values]
            kinds = {bool if isinstance(value, bool) else str for value in given if value is not None}
            if not given or len(kinds) > 1 or not all(value is None or isinstance(value, str | int) for value in given):
                raise ValueError(f"{column}: expected a text, whole number, true, false or null, or a list of such values")
        return where

    @model_validator(mode="after")
    def _consistent(self) -> From:
        if self.values is None and "default" in self.model_fields_set:
            raise ValueError("default is for words that `values` lacks: add `values`")
        if self.values is not None and (self.unit or self.timezone):
            raise ValueError("`values` maps words, so it has neither a unit nor a timezone")
        if (self.unit == "minor") != (self.currency is not None):
            raise ValueError("`unit: minor` and `currency` belong together: the currency says how many decimals an amount has")
        if self.unit == "minor" and self.timezone:
            raise ValueError("an amount has no timezone")
        return self

    def columns(self) -> tuple[str, ...]:
        currency = (self.currency,) if isinstance(self.currency, str) else ()
        return (self.column, *currency, *(self.where or ()))

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What a row must satisfy, all of it."""
        given = (self.where or {}).items()
        return tuple(Condition(column, tuple(values) if isinstance(values, list) else (values,)) for column, values in given)

    @property
    def keeps_unknown_words(self) -> bool:
        return "default" not in self.model_fields_set

    def key_type(self) -> ColumnType:
        """The type of the words in `values`. Texts, if they are of several types."""
        kinds = {type(word) for word in self.values or {} if word is not None}
        return "boolean" if kinds == {bool} else "integer" if kinds == {int} else "string"


Expression = Constant | First | Key | From


@dataclass(frozen=True)
class TableMapping:
    """The mapping of one table.

    Attributes:
        columns: contract column → where it comes from. Other contract columns are unknown.
        where: conditions that a row must satisfy, all of them.
        deleted_when: a row that satisfies this condition is deleted.
    """

    columns: Mapping[str, Expression]
    where: tuple[Condition, ...] = ()
    deleted_when: Condition | None = None

    def uses(self, types: Mapping[str, ColumnType]) -> Iterator[tuple[str, str, ColumnType]]:
        """Each use of a source column: the key that uses it, the column, and the type that it must have.

        A column that is read as a text and as another type has a use of each.
        """
        for name, expression in self.columns.items():
            yield from ((f"columns.{name}", column, kind) for column, kind in _uses(expression, types[name]))
        for condition in self.where:
            yield "where", condition.column, condition.type
        if self.deleted_when is not None:
            yield "deleted_when", self.deleted_when.column, self.deleted_when.type


def _uses(expression: Expression, kind: ColumnType) -> Iterator[tuple[str, ColumnType]]:
    match expression:
        case First(first=columns):
            yield from ((column, "integer" if expression.unit else kind) for column in columns)
        case Key(key=columns):
            yield from ((column, "string") for column in columns)
        case From():
            yield expression.column, _type_of(expression, kind)
            if isinstance(expression.currency, str):
                yield expression.currency, "string"
            yield from ((condition.column, condition.type) for condition in expression.conditions)


def _type_of(expression: From, kind: ColumnType) -> ColumnType:
    return "json" if expression.path is not None else value_type(expression, kind)


def value_type(expression: From, kind: ColumnType) -> ColumnType:
    """The type of the source's values, before they become values of the contract's type `kind`."""
    if expression.values is not None:
        return expression.key_type()
    if expression.unit in EPOCHS:
        return "integer"
    if expression.unit == "minor":
        return "decimal"
    return "timestamp" if expression.timezone is not None else kind


def written(expression: Expression, kind: ColumnType, instant: datetime) -> dict[str, Any]:
    """The values of source columns from which a mapping reads an instant: what a tombstone holds.

    Args:
        kind: the contract's type, timestamp or date.
        instant: in UTC. A unit that is coarser cuts it off.
    """
    if isinstance(expression, First):
        units = EPOCHS.get(expression.unit or "")
        return {expression.first[0]: _microseconds(instant) * units // 1_000_000 if units else instant}
    if not isinstance(expression, From):
        return {}
    value: Any = instant
    if expression.unit in EPOCHS:
        # Whole microseconds, because a float would round.
        value = _microseconds(instant) * EPOCHS[expression.unit] // 1_000_000
    elif expression.timezone is not None and kind == "timestamp":
        value = instant.astimezone(ZoneInfo(expression.timezone)).replace(tzinfo=UTC)
    if expression.path is not None:
        value = json.dumps(reduce(_nested, reversed(parts_of(expression.path)), str(value)))
    return {expression.column: value}


def _microseconds(instant: datetime) -> int:
    since = instant - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds


def _nested(value: Any, part: str | int) -> Any:
    return {part: value} if isinstance(part, str) else [*[None] * part, value]


def nearest(name: str, known: Any) -> str:
    """The end of a message that names the known name most like an unknown one; empty if none is like it."""
    from difflib import get_close_matches

    found = get_close_matches(name.lower(), {each.lower(): each for each in known}, 1)
    return f". Did you mean {next(each for each in known if each.lower() == found[0])}?" if found else ""
