"""The schema of the contract's YAML files, as pydantic models. A file holds the entities of one domain.

This module imports no library except pydantic, because every parse of the DAG files reads the contract.
"""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

#: The types of columns. `time` is a local time of day; `json` is JSON text.
ColumnType = Literal["string", "integer", "decimal", "float", "boolean", "timestamp", "date", "time", "json"]
#: Types that a key may have: their text is the same in every system.
KEY_TYPES = frozenset({"string", "integer", "date", "time"})
#: The column of the tenant. Two tenants may use the same ids, so a key of a table that has the column contains it.
TENANT = "organization_id"
#: The version of the contract. It rises when rows that the last version allowed are no longer allowed, or mean something else: a column is
#: renamed, removed or becomes required, or its type or its words change.
VERSION = 1
#: The name of an entity's rows in `unknown_without`.
ROWS = "rows"
#: The event time of tables whose rows are known ahead.
KNOWN_AHEAD = "none"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ContractColumn(_Strict):
    """One column of an entity."""

    type: ColumnType
    description: str = Field(min_length=3)
    #: A row without the value breaks the contract.
    required: bool = False
    #: The entity whose rows the value identifies: the row itself, or a row that it refers to.
    id_of: str | None = None
    pii: bool = False
    accepted_values: tuple[str, ...] | None = None


class Entity(_Strict):
    """One kind of row that the platform understands, such as an account. Any number of systems may hold rows of it."""

    description: str = Field(min_length=3)
    key: tuple[str, ...] = Field(min_length=1)
    columns: dict[str, ContractColumn] = Field(min_length=1)
    #: The column that places a version in time; see `Table.event_time` of a source.
    event_time: str | None = None
    #: The timestamp column of what a row reports; see `Table.happens_at` of a source.
    happens_at: str | None = None
    #: A run does not see rows that were loaded for a later as-of time; see `Table.by_delivery` of a source.
    by_delivery: bool = False
    #: Only some companies have it, so nobody misses its table.
    optional: bool = False
    #: Column, or `rows` for the entity itself → the figures that are unknown without it, in words.
    unknown_without: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        named = {"key": self.key, "event_time": (self.event_time,), "happens_at": (self.happens_at,)}
        for place, names in named.items():
            for name in names:
                if name not in (None, KNOWN_AHEAD) and name not in self.columns:
                    raise ValueError(f"{place} names {name}, which is not a column of the entity")
        for name in self.unknown_without:
            if name not in (ROWS, *self.columns):
                raise ValueError(f"unknown_without names {name}, which is not a column of the entity")
        if TENANT in self.columns and TENANT not in self.key:
            raise ValueError(f"key lacks {TENANT}: two tenants may use the same {', '.join(self.key)}")
        return self

    def as_table(self) -> dict[str, Any]:
        """The entity as a table of a source file, whose columns have the names and types of the contract."""
        table: dict[str, Any] = {"description": self.description, "primary_key": list(self.key), "by_delivery": self.by_delivery}
        table |= {key: value for key in ("event_time", "happens_at") if (value := getattr(self, key)) is not None}
        table["columns"] = {
            name: column.model_dump(exclude={"required", "id_of"}) | {"nullable": not column.required}
            for name, column in self.columns.items()
        }
        return table
