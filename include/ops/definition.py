"""What a table of the books is made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column: GoogleSQL type name (`STRING`, `INT64`, `FLOAT64`, `BOOL`, `TIMESTAMP`) and what it means."""

    name: str
    type: str
    description: str
    required: bool = False


@dataclass(frozen=True)
class OpsTable:
    """A table: its columns, the timestamp column that it is partitioned by (by day), its clustering."""

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
        """The column called `name`.

        Raises:
            KeyError: naming the table and the columns that it has.
        """
        for column in self.columns:
            if column.name == name:
                return column
        names = ", ".join(c.name for c in self.columns)
        raise KeyError(f"{self.qualified} has no column {name}; it has {names}.")
