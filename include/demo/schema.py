"""The tables of the demo company: those of the input contract, and the system that holds each.

The generator, CSV, PostgreSQL, the HTTP servers and the landing files all use it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from include.contract import ColumnType, contract

System = Literal["crm", "billing", "support", "product", "reference"]
Type = ColumnType

_SYSTEMS: dict[System, str] = {
    "crm": "organizations facilities users accounts contacts products leads deals deal_stage_history activities outreach orders"
    " order_items compliance_checks",
    "billing": "subscriptions invoices",
    "support": "tickets ticket_priority_changes ticket_sla_events ticket_categories root_causes survey_responses",
    "product": "usage_events",
    "reference": "fx_rates business_hours holidays sla_policies",
}


@dataclass(frozen=True)
class Column:
    """One column: its name and type, and whether the contract requires a value in every row."""

    name: str
    type: Type
    required: bool = False


@dataclass(frozen=True)
class Table:
    """One table: its source system, its columns in order, and the columns of its primary key."""

    name: str
    system: System
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def id(self) -> str:
        """The column that identifies a row among the rows of its tenant; a table of the reference system has none."""
        return self.key[-1]

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """The columns by name."""
        return {column.name: column for column in self.columns}


def _table(system: System, name: str) -> Table:
    entity = contract()[name]
    columns = tuple(Column(column, declared.type, declared.required) for column, declared in entity.columns.items())
    return Table(name, system, columns, entity.key)


TABLES: dict[str, Table] = {name: _table(system, name) for system, names in _SYSTEMS.items() for name in names.split()}


def tables_of(system: System) -> list[Table]:
    """The tables of one system, in the order of the contract."""
    return [table for table in TABLES.values() if table.system == system]
