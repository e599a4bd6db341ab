"""Dataclasses that define an audit table and its columns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column: its GoogleSQL type (`STRING`, `INT64`, `FLOAT64`, `BOOL`, `TIMESTAMP`) and its description."""

    name: str
    type: str
    description: str
    required: bool = False


@dataclass(frozen=True)
class OpsTable:
    """An audit table: its columns, the timestamp column of its daily partitions, its clustering columns."""

    dataset: str
    name: str
    description: str
    columns: tuple[Column, ...]
    partition_by: str
    cluster_by: tuple[str, ...]

    @property
    def qualified(self) -> str:
        return f"{self.dataset}.{self.name}"

    def column(self, name: str) -> Column:
        """The column with this name.

        Raises:
            KeyError: there is no such column; the message names the table and its columns.
        """
        for column in self.columns:
            if column.name == name:
                return column
        names = ", ".join(c.name for c in self.columns)
        raise KeyError(f"{self.qualified} has no column {name}; it has {names}.")
