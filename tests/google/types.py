"""Types in three forms: SQL text, fields of a REST schema, and the analyzer's protocol buffers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from zetasql.wasi._pb2.zetasql.public import type_pb2 as proto

_KINDS = {
    "INT64": proto.TYPE_INT64,
    "INTEGER": proto.TYPE_INT64,
    "INT": proto.TYPE_INT64,
    "BOOL": proto.TYPE_BOOL,
    "BOOLEAN": proto.TYPE_BOOL,
    "FLOAT64": proto.TYPE_DOUBLE,
    "FLOAT": proto.TYPE_DOUBLE,
    "STRING": proto.TYPE_STRING,
    "BYTES": proto.TYPE_BYTES,
    "DATE": proto.TYPE_DATE,
    "DATETIME": proto.TYPE_DATETIME,
    "TIME": proto.TYPE_TIME,
    "TIMESTAMP": proto.TYPE_TIMESTAMP,
    "NUMERIC": proto.TYPE_NUMERIC,
    "DECIMAL": proto.TYPE_NUMERIC,
    "BIGNUMERIC": proto.TYPE_BIGNUMERIC,
    "BIGDECIMAL": proto.TYPE_BIGNUMERIC,
    "JSON": proto.TYPE_JSON,
    "GEOGRAPHY": proto.TYPE_GEOGRAPHY,
    "INTERVAL": proto.TYPE_INTERVAL,
}
_NAMES = {kind: name for name, kind in reversed(_KINDS.items())}
#: SQL type → its name in the REST API, if that differs.
_REST_NAMES = {"INT64": "INTEGER", "BOOL": "BOOLEAN", "FLOAT64": "FLOAT", "STRUCT": "RECORD"}


@dataclass(frozen=True)
class Column:
    """A column of a table. `type` is SQL without parameters, such as `NUMERIC`; `STRUCT` has `fields`, an array the mode `REPEATED`."""

    name: str
    type: str
    mode: str = "NULLABLE"
    description: str = ""
    fields: tuple[Column, ...] = field(default=())

    @property
    def proto(self) -> proto.TypeProto:
        element = _struct(self.fields) if self.fields else _scalar(self.type)
        return _array(element) if self.mode == "REPEATED" else element

    def rest(self) -> dict[str, Any]:
        """The column as a field of a REST schema."""
        made: dict[str, Any] = {"name": self.name, "type": _REST_NAMES.get(self.type, self.type), "mode": self.mode}
        if self.description:
            made["description"] = self.description
        if self.fields:
            made["fields"] = [inner.rest() for inner in self.fields]
        return made

    @property
    def sql(self) -> str:
        """The type as INFORMATION_SCHEMA writes it."""
        element = f"STRUCT<{', '.join(f'{f.name} {f.sql}' for f in self.fields)}>" if self.fields else self.type
        return f"ARRAY<{element}>" if self.mode == "REPEATED" else element


def of_rest(schema: Sequence[dict[str, Any]]) -> tuple[Column, ...]:
    """The columns of a REST schema."""
    return tuple(
        Column(
            item["name"],
            _NAMES.get(_KINDS.get(item["type"].upper(), -1), "STRUCT"),
            item.get("mode") or "NULLABLE",
            item.get("description") or "",
            of_rest(item.get("fields") or ()),
        )
        for item in schema
    )


def of_proto(name: str, kind: proto.TypeProto, mode: str = "NULLABLE") -> Column:
    """A resolved column or a field of a struct as a column."""
    if kind.type_kind == proto.TYPE_ARRAY:
        return of_proto(name, kind.array_type.element_type, "REPEATED")
    if kind.type_kind == proto.TYPE_STRUCT:
        return Column(name, "STRUCT", mode, fields=tuple(of_proto(f.field_name, f.field_type) for f in kind.struct_type.field))
    # BigQuery names a column without a name by its position.
    nameless = re.fullmatch(r"\$col(\d+)", name)
    return Column(f"f{int(nameless[1]) - 1}_" if nameless else name, _NAMES[kind.type_kind], mode)


def of_parameter(kind: dict[str, Any]) -> proto.TypeProto:
    """The type of a query parameter in a job's configuration."""
    if kind["type"] == "ARRAY":
        return _array(of_parameter(kind["arrayType"]))
    if kind["type"] == "STRUCT":
        made = proto.TypeProto(type_kind=proto.TYPE_STRUCT)
        for item in kind["structTypes"]:
            made.struct_type.field.add(field_name=item.get("name", ""), field_type=of_parameter(item["type"]))
        return made
    return _scalar(kind["type"])


def of_sql(text: str) -> Column:
    """A column of a scalar type, without a name. Parameters of the type are left out.

    Raises:
        KeyError: not a scalar type.
    """
    name = re.sub(r"\s*\(.*\)\s*$", "", text.strip()).upper()
    return Column("", _NAMES[_KINDS[name]])


def _scalar(name: str) -> proto.TypeProto:
    return proto.TypeProto(type_kind=_KINDS[name.upper()])


def _array(element: proto.TypeProto) -> proto.TypeProto:
    made = proto.TypeProto(type_kind=proto.TYPE_ARRAY)
    made.array_type.element_type.CopyFrom(element)
    return made


def _struct(fields: Sequence[Column]) -> proto.TypeProto:
    made = proto.TypeProto(type_kind=proto.TYPE_STRUCT)
    for item in fields:
        made.struct_type.field.add(field_name=item.name, field_type=item.proto)
    return made
