"""What a landing tells of itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from include.sources.readers.pieces import Rejected


class LandingError(RuntimeError):
    """Some tables of a source could not be landed; the others were. The message names each table and its cause."""


@dataclass(frozen=True)
class SchemaChange:
    """A difference between what a source sent and what its YAML declares.

    Attributes:
        column: the column, under its name in the warehouse.
        change: `new_column`, `missing_column` or `type_change`.
        detail: what was declared and what came.
        rows: rows of the batch concerned.
    """

    column: str
    change: str
    detail: str
    rows: int


@dataclass
class TableReport:
    """What happened to one table: counts of rows, what differed from the declaration, seconds.

    `complete` tells that it was read to its end; `failure` why it was not, or why its deletes were refused.
    """

    table: str
    extracted_at: datetime
    loaded_at: datetime | None = None
    rows: int = 0
    tombstones: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    changes: list[SchemaChange] = field(default_factory=list)
    files: int = 0
    seconds: float = 0.0
    complete: bool = False
    failure: str | None = None

    def columns(self, change: str) -> list[str]:
        """The columns that had this kind of change."""
        return [item.column for item in self.changes if item.change == change]


@dataclass
class LandingReport:
    """What one landing of one source did."""

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
        """The report as plain values, for a task's return value and the run's summary."""
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
                    "rejected": len(table.rejected),
                    "new_columns": table.columns("new_column"),
                    "missing_columns": table.columns("missing_column"),
                    "type_changes": table.columns("type_change"),
                    "seconds": round(table.seconds, 2),
                }
                for name, table in self.tables.items()
            },
        }
