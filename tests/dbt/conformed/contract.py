"""The views that the contract requires: one per entity, with its key and its columns, and one per raw table that feeds it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from include.settings import ROOT
from include.sources import load_sources
from include.sources.staging import WITH_VERSIONS

CONFORMED = ROOT / "dbt" / "models" / "conformed"
STAGING = ROOT / "dbt" / "models" / "staging"
CLEAN = ROOT / "dbt" / "models" / "intermediate" / "clean"
LINEAGE = ("source_system", "_extracted_at", "_loaded_at", "_batch_id")


@dataclass(frozen=True)
class Conformed:
    """An entity of the contract, and the raw table that feeds it."""

    source: str
    dataset: str
    table: str
    primary_key: tuple[str, ...]
    types: dict[str, str]
    accepted: dict[str, tuple[str, ...]]
    happens_at: str | None

    @property
    def view(self) -> str:
        return f"conformed_{self.table}"

    @property
    def staging(self) -> str:
        return f"stg_{self.source}__{self.table}"

    @property
    def versions(self) -> str | None:
        """The staging view with every version, if models read it."""
        return f"{self.staging}__versions" if self.table in WITH_VERSIONS else None

    @property
    def path(self) -> Path:
        """The file of the conformed view."""
        (found,) = CONFORMED.glob(f"*/{self.view}.sql")
        return found


def conformed_views(folder: Path | None = None) -> list[Conformed]:
    """Every table that feeds an entity of the contract, by default of the sources that the platform comes with: one per entity."""
    return [
        Conformed(
            source=source.name,
            dataset=source.dataset,
            table=table.name,
            primary_key=tuple(table.primary_key),
            types={name: column.type for name, column in table.columns.items()},
            accepted={name: column.accepted_values for name, column in table.columns.items() if column.accepted_values},
            happens_at=table.happens_at,
        )
        for source in load_sources(folder).values()
        for table in source.tables.values()
    ]
