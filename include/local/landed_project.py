"""The source files and the dbt project of a company whose tables a loader has landed in the local warehouse.

They are those of the platform, with another reader: `make run LANDED=fivetran` shows what a company changes that starts from its loader's
tables.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from include.demo.landed import WITH_VERSIONS, dataset_of
from include.settings import ROOT
from include.sources import load_sources
from include.sources.generated import write

#: Keys of a source file and of its tables that do not depend on the reader.
_OF_SOURCE = ("description", "owner", "tier", "freshness")


def landed_project(home: Path) -> dict[str, Path]:
    """The environment variables of the project below a company's folder."""
    return {"PLATFORM_SOURCES_DIR": home / "landed" / "sources", "PLATFORM_DBT_DIR": home / "landed" / "dbt"}


def write_landed_project(home: Path, loader: str) -> None:
    """Write the project, so that it follows the platform's own."""
    sources, dbt = landed_project(home).values()
    shutil.rmtree(sources.parent, ignore_errors=True)
    sources.mkdir(parents=True)
    for path in sorted((ROOT / "include" / "sources").glob("*.yml")):
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
        (sources / path.name).write_text(yaml.safe_dump(_landed(path.stem, given, loader), sort_keys=False), encoding="utf-8")
    shutil.copytree(ROOT / "dbt", dbt, ignore=shutil.ignore_patterns("target", "logs"))
    write(load_sources(sources), dbt)


def _landed(name: str, given: dict[str, Any], loader: str) -> dict[str, Any]:
    """A source file of the platform, with the loader's tables in place of its system's."""
    refreshed = given.get("defaults", {}).get("refresh_every")
    tables = {}
    for table, keys in given["tables"].items():
        every = (keys or {}).get("refresh_every", refreshed)
        tables[table] = ({"refresh_every": every} if every else {}) | (_versions(loader) if table in WITH_VERSIONS else {})
    reader = {"type": "landed", "loader": loader, "dataset": dataset_of(loader, name)}
    return {key: given[key] for key in _OF_SOURCE} | {"reader": reader, "tables": tables}


def _versions(loader: str) -> dict[str, Any]:
    return {"history": True} if loader == "fivetran" else {"history": True, "cursor": "updated_at"}
