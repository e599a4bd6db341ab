"""The staging views that the sources' YAML requires: one per table, with its key and its columns."""

from __future__ import annotations

from dataclasses import dataclass

from include.settings import ROOT
from include.sources import load_sources

STAGING = ROOT / "dbt" / "models" / "staging"
CLEAN = ROOT / "dbt" / "models" / "intermediate" / "clean"
LINEAGE = ("_extracted_at", "_loaded_at", "_batch_id")


@dataclass(frozen=True)
class Staged:
    """A raw table, and the staging view that it must have."""

    source: str
    dataset: str
    table: str
    primary_key: tuple[str, ...]
    types: dict[str, str]
    accepted: dict[str, tuple[str, ...]]
    happens_at: str | None

    @property
    def view(self) -> str:
        return f"stg_{self.source}__{self.table}"

    @property
    def sql(self) -> str:
        return (STAGING / self.source / f"{self.view}.sql").read_text()


def staged_tables() -> list[Staged]:
    """Every table of every source."""
    return [
        Staged(
            source=source.name,
            dataset=source.dataset,
            table=table.name,
            primary_key=tuple(table.primary_key),
            types={name: column.type for name, column in table.columns.items()},
            accepted={name: column.accepted_values for name, column in table.columns.items() if column.accepted_values},
            happens_at=table.happens_at,
        )
        for source in load_sources().values()
        for table in source.tables.values()
    ]
