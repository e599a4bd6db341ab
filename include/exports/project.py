"""Makes a project of its own for a folder of exports: its source files, the dbt project that follows from them, and the files to load."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from include.contract import TENANT, contract
from include.exports.errors import ExportError
from include.exports.files import CSV_ENDINGS, copy
from include.exports.folder import Delivery, Found
from include.exports.forms import written
from include.exports.mappings import MAPPING_FILE, Export, Organization
from include.settings import settings
from include.sources import SourceError, load_sources
from include.sources.dbt_sources import MACRO_FILE
from include.sources.generated import write
from include.sources.staging import FEEDS_FILE

#: The folder's tables with the contract's own columns are served by the demo company's systems, as without exports.
_ORGANIZATIONS = "organizations"
_SYSTEMS_OF_ACCOUNTS = "account_systems"
_STAGING = Path("models/staging")
_GENERATED = frozenset({Path(MACRO_FILE), Path(FEEDS_FILE)})
_NEEDED = f"""\
The exports do not say whose they are. Write {MAPPING_FILE} into the folder:

organization:
  name: Your company
  timezone: Europe/Berlin    # where it works
  currency: EUR              # in which it reports"""


@dataclass(frozen=True)
class Project:
    """The files of a company whose data are exports, in the folder `home`."""

    home: Path

    @classmethod
    def at(cls, home: Path) -> Project | None:
        """The project in a folder; None if there is none."""
        return cls(home) if (home / "sources").is_dir() else None

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of the sources that read exports."""
        return tuple(sorted(path.name for path in self.landing.iterdir()))

    @property
    def landing(self) -> Path:
        """The exported files, in a folder per source and table."""
        return self.home / "landing"

    @property
    def contract_folder(self) -> Path:
        """The folder of the CSV files that have the contract's own columns."""
        return self.home / "contract"

    @property
    def sources_dir(self) -> Path:
        """The folder of the source files."""
        return self.home / "sources"

    @property
    def dbt_dir(self) -> Path:
        """The folder of the dbt project."""
        return self.home / "dbt"

    def environment(self) -> dict[str, str]:
        """The environment variables that make the platform work on this project."""
        return {
            "PLATFORM_SOURCES_DIR": str(self.sources_dir),
            "PLATFORM_DBT_DIR": str(self.dbt_dir),
            # The golden cases are about the systems that the platform comes with.
            "DBT_GOLDEN_CASES": "0",
            **{f"AIRFLOW_CONN_{name.upper()}": self._connection(name) for name in self.sources},
        }

    def _connection(self, source: str) -> str:
        return json.dumps({"conn_type": "generic", "extra": {"url": (self.landing / source).resolve().as_uri()}})


def prepare(found: Found, home: Path) -> Project:
    """Write the project of a folder. An earlier one is replaced; its dbt files keep their times if they are the same.

    Args:
        found: the files of the folder.
        home: the folder to write to.

    Raises:
        ExportError: `mapping.yml` lacks the organization, or a mapping does not fit the contract.
    """
    project = write_sources(found, home)
    _write_dbt(project, _order(found))
    return project


def write_sources(found: Found, home: Path) -> Project:
    """Write the files to load and the source files that read them. Raises as `prepare`."""
    if found.organization is None and (_ORGANIZATIONS not in found.contract_files or _needs_organization(found)):
        raise ExportError(_NEEDED)
    project = Project(home)
    home.mkdir(parents=True, exist_ok=True)
    _write_contract_files(found, project.contract_folder)
    _write_landing(found, project.landing)
    _write_sources(found, project)
    return project


def _needs_organization(found: Found) -> bool:
    return any(
        TENANT in contract()[each.table.entity].columns and TENANT not in each.forms
        for tables in found.deliveries.values()
        for each in tables.values()
    )


def source_of(name: str, export: Export, deliveries: Mapping[str, Delivery], organization: Organization | None) -> dict[str, Any]:
    """The source file of a system, with the tables and columns that its files have."""
    files = (path for each in deliveries.values() for path in each.files)
    formats = sorted({"csv" if path.suffix.lower() in CSV_ENDINGS else "jsonl" for path in files})
    reader: dict[str, Any] = {"type": "files", "formats": formats}
    return {
        "description": f"{export.title}, from exported files.",
        "owner": "data_platform",
        "tier": "high",
        "connection": name,
        "freshness": {"warn_after": "26h", "error_after": "50h"},
        "reader": reader | ({"encoding": export.encoding} if export.encoding else {}),
        **({"id_prefix": export.id_prefix} if export.id_prefix else {}),
        "tables": {table: _table(table, each, organization) for table, each in deliveries.items()},
    }


def _table(name: str, delivery: Delivery, organization: Organization | None) -> dict[str, Any]:
    table, entity = delivery.table, contract()[delivery.table.entity]
    columns = dict(delivery.forms)
    if TENANT in entity.columns and organization is not None:
        columns.setdefault(TENANT, {"value": organization.id})
    names = delivery.all_columns
    chosen = {written(column, names): values for column, values in (table.where or {}).items()}
    named = table.deleted_when if isinstance(table.deleted_when, str) else (table.deleted_when or {}).get("column")
    deleted = written(named, names) if named else None
    dated = entity.event_time is not None or "updated_at" in columns
    return {
        "entity": table.entity,
        "glob": f"{name}/*",
        "detect_deletes": table.detect_deletes,
        **({"where": chosen} if chosen else {}),
        **(
            {"deleted_when": deleted if named == table.deleted_when else {**table.deleted_when, "column": deleted}}
            if deleted
            else {}
        ),
        **({"empty_keys": table.empty_keys} if table.empty_keys else {}),
        **({} if dated else {"event_time": "none"}),
        "may_be_empty": True,
        "columns": columns,
    }


def _write_contract_files(found: Found, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for entity, path in found.contract_files.items():
        shutil.copyfile(path, folder / f"{entity}.csv")
    given = found.organization
    if given is not None and _ORGANIZATIONS not in found.contract_files:
        # The organization's rows are known ahead of every run.
        since = datetime(1970, 1, 1, tzinfo=UTC).isoformat()
        with (folder / f"{_ORGANIZATIONS}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["organization_id", "name", "timezone", "reporting_currency", "created_at", "updated_at"])
            writer.writerow([given.id, given.name or given.id, given.timezone, given.currency, since, since])


def _write_landing(found: Found, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for source, tables in found.deliveries.items():
        for name, delivery in tables.items():
            for copied, path in delivery.copies().items():
                copy(path, folder / source / name, copied)


def _write_sources(found: Found, project: Project) -> None:
    folder = project.sources_dir
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shipped = load_sources(settings().sources_dir)
    served = {*found.contract_files, _ORGANIZATIONS}
    for name, source in shipped.items():
        data = yaml.safe_load((settings().sources_dir / f"{name}.yml").read_text(encoding="utf-8"))
        tables = {table: data["tables"][table] for table in source.tables if source.tables[table].entity in served}
        if tables:
            _dump({**data, "tables": tables}, folder / f"{name}.yml")
    for name, tables in found.deliveries.items():
        if name in shipped:
            raise ExportError(f"{MAPPING_FILE}: sources.{name}: the platform has a source of this name: choose another")
        _dump(source_of(name, found.exports[name], tables, found.organization), folder / f"{name}.yml")
    try:
        load_sources(folder)
    except SourceError as error:
        raise ExportError(f"A mapping does not fit the contract. Correct it in {MAPPING_FILE}:\n{error}") from None


def _dump(data: Mapping[str, Any], path: Path) -> None:
    path.write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=140), encoding="utf-8")


def _write_dbt(project: Project, systems: list[str]) -> None:
    """A copy of the dbt project with the staging views of the sources. Only files that differ are written, so dbt need not parse again."""
    shipped, copied = settings().dbt_dir, project.dbt_dir
    texts = {
        path.relative_to(shipped): path.read_bytes()
        for path in shipped.rglob("*")
        if path.is_file() and not _is_made(path, shipped)
    }
    name = Path("dbt_project.yml")
    content = yaml.safe_load(texts[name])
    known = content["vars"][_SYSTEMS_OF_ACCOUNTS]
    content["vars"][_SYSTEMS_OF_ACCOUNTS] = [*known, *(each for each in systems if each not in known)]
    texts[name] = yaml.safe_dump(content, sort_keys=False, allow_unicode=True).encode()
    present = {path.relative_to(copied) for path in copied.rglob("*") if path.is_file() and not _is_made(path, copied)}
    for path in present - texts.keys():
        (copied / path).unlink()
    for path, text in texts.items():
        if path not in present or (copied / path).read_bytes() != text:
            (copied / path).parent.mkdir(parents=True, exist_ok=True)
            (copied / path).write_bytes(text)
    sources = load_sources(project.sources_dir)
    for folder in (copied / _STAGING).glob("*"):
        if folder.name not in sources:
            shutil.rmtree(folder)
    write(sources, copied)


def _is_made(path: Path, project: Path) -> bool:
    """True for files that dbt or the sources make."""
    place = path.relative_to(project)
    return place.parts[0] in ("target", "logs") or place.is_relative_to(_STAGING) or place in _GENERATED


def _order(found: Found) -> list[str]:
    """The sources with exports, those with deals first: accounts of other systems are matched to those of the CRM."""

    def is_other(name: str) -> bool:
        return all(each.table.entity != "deals" for each in found.deliveries[name].values())

    return sorted(found.deliveries, key=lambda name: (is_other(name), name))
