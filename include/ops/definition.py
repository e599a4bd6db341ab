"""Dataclasses that define an audit table and its columns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column: its GoogleSQL type (`STRING`, `INT64`, `FLOAT64`, `NUMERIC`, `BOOL`, `DATE`, `TIMESTAMP`) and its description.

    Attributes:
        formerly: its name in the release before, if that was another.
    """

    name: str
    type: str
    description: str
    required: bool = False
    formerly: str = ""


@dataclass(frozen=True)
class OpsTable:
    """An audit table: its columns, the timestamp column of its daily partitions, its clustering columns.

    Attributes:
        formerly: its name in the release before, if that was another. `ensure_tables` renames the table, and leaves a view with
            the former names for one release.
    """

    dataset: str
    name: str
    description: str
    columns: tuple[Column, ...]
    partition_by: str
    cluster_by: tuple[str, ...]
    formerly: str = ""

    @property
    def qualified(self) -> str:
        return f"{self.dataset}.{self.name}"

    @property
    def former(self) -> str:
        """The qualified former name; empty if there is none."""
        return f"{self.dataset}.{self.formerly}" if self.formerly else ""

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
