"""A company whose folder holds exports: its project is written before a run, and used by every command."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from rich.console import Console

from include.exports import ExportError, Found, find, prepare
from include.local.errors import StackError
from include.local.home import Company
from include.settings import settings


def read_exports(company: Company, console: Console) -> None:
    """Write the project of a company whose folder holds exports, and use it in this process. Say which files are read as what.

    Raises:
        StackError: the organization is unknown, or a mapping is invalid.
    """
    if company.data is None:
        return
    try:
        found = find(Path(company.data))
        for line in described(found):
            console.print(f"  {line}", highlight=False, markup=False)
        if not found.deliveries:
            shutil.rmtree(company.home / "project", ignore_errors=True)
            return
        if company.landed:
            raise StackError("LANDED shows the contract's own tables, and DATA holds exports of other systems: leave LANDED out.")
        prepare(found, company.home / "project")
    except (ExportError, OSError) as error:
        raise StackError(str(error)) from error
    use_project(company)


def described(found: Found) -> list[str]:
    """A line per system of which there are exports, and one per file that is not read."""
    lines = []
    for source, tables in found.deliveries.items():
        files = dict.fromkeys(path.name for each in tables.values() for path in each.files)
        entities = dict.fromkeys(each.table.entity for each in tables.values())
        lines.append(f"{found.exports[source].title}: {', '.join(files)} → {', '.join(entities)}")
    return lines + found.notes


def use_project(company: Company | None) -> None:
    """Let this process work on the project of a company, if it has one."""
    if company is not None and company.project is not None:
        os.environ.update(company.project.environment())
        settings.cache_clear()
