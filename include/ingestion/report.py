"""The result of an ingestion run."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from include.sources.readers.pieces import Rejected


class LoadError(RuntimeError):
    """Some tables of a source could not be loaded; the others were loaded. The message names each table and the cause."""


class LoadPostponed(LoadError):
    """The system of a source refuses requests for a while. Another attempt in this run would find the same."""


@dataclass(frozen=True)
class SchemaChange:
    """A difference between what a source sent and what its YAML declares.

    Attributes:
        column: the column, under its name in the warehouse.
        change: `new_column`, `missing_column` or `type_change`.
        detail: the declared and the received form, in words.
        rows: number of affected rows in the batch.
    """

    column: str
    change: str
    detail: str
    rows: int


@dataclass
class TableReport:
    """The result for one table: counts of rows, differences from the declaration, duration in seconds.

    `rows_read` counts the rows that the source has sent, `rows` those that were loaded. `recovered` counts those of the rows that the
    cursor has missed; a comparison of keys has found them. `is_whole`: the whole table was read, not only what is new.
    `complete` is true if the table was read completely. `failure` is the reason why it was not read, or why its deletes
    were refused.
    """

    table: str
    extracted_at: datetime
    loaded_at: datetime | None = None
    rows: int = 0
    rows_read: int = 0
    is_whole: bool = False
    tombstones: int = 0
    recovered: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    changes: list[SchemaChange] = field(default_factory=list)
    files: int = 0
    seconds: float = 0.0
    complete: bool = False
    failure: str | None = None

    def columns(self, change: str) -> list[str]:
        """The columns with this kind of change."""
        return [item.column for item in self.changes if item.change == change]


@dataclass
class LoadReport:
    """The result of one ingestion run of one source."""

    source: str
    batch_id: str
    tables: dict[str, TableReport]
    seconds: float = 0.0

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables.values())

    @property
    def tombstones(self) -> int:
        return sum(table.tombstones for table in self.tables.values())

    @property
    def rejected(self) -> int:
        return sum(len(table.rejected) for table in self.tables.values())

    def summary(self) -> dict[str, Any]:
        """The report as plain values, for the return value of a task and the summary of a run."""
        return {
            "source": self.source,
            "batch_id": self.batch_id,
            "rows": self.rows,
            "tombstones": self.tombstones,
            "rejected": self.rejected,
            "seconds": round(self.seconds, 2),
            "tables": {
                name: {
                    "rows": table.rows,
                    "tombstones": table.tombstones,
                    "recovered": table.recovered,
                    "rejected": len(table.rejected),
                    "new_columns": table.columns("new_column"),
                    "missing_columns": table.columns("missing_column"),
                    "type_changes": table.columns("type_change"),
                    "seconds": round(table.seconds, 2),
                }
                for name, table in self.tables.items()
            },
        }
