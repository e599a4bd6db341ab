# ruff: noqa: S608 - SQL holds only names of audit tables.
"""The operator's work on a company whose folder has changed: its decisions on accounts and its closed months move to the new warehouse."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from include.local.home import Company, Ports
from include.local.warehouse import EmbeddedWarehouse, environment
from include.ops import append, ensure_tables
from include.warehouse import client, rows

#: Audit table that a person's work writes → the column whose values its rows replace when they are written again.
CARRIED = {"ops.account_decisions": "decided_at", "ops.period_closes": "close_id", "ops.closed_figures": "close_id"}


def start_again_if_changed(company: Company, ports: Ports) -> bool:
    """Delete the warehouse of a folder that was edited since the last run. The operator's work is saved first, for `write_saved`.

    Raises:
        WarehouseError: the warehouse cannot be started. Nothing is deleted then.
    """
    return company.reset_if_folder_changed(lambda: _save(company, ports))


def write_saved(company: Company, variables: Mapping[str, str]) -> int:
    """Write the saved work into the company's warehouse, which is up. If it is interrupted, the next call writes the same rows.

    Args:
        variables: the environment variables that point at the warehouse.

    Returns:
        The number of rows.
    """
    path = _file(company)
    if not path.exists():
        return 0
    os.environ.update(variables)
    ensure_tables()
    saved: dict[str, list[dict[str, Any]]] = json.loads(path.read_text(encoding="utf-8"))
    for table, found in saved.items():
        replaced = CARRIED[table]
        values = {row[replaced] for row in found}
        same = {datetime.fromisoformat(each) for each in values} if replaced.endswith("_at") else values
        append(table, found, replace_where={replaced: same})
    path.unlink()
    return sum(map(len, saved.values()))


def _save(company: Company, ports: Ports) -> None:
    """Add the work in the company's warehouse to the file, which may hold work that no run has written yet."""
    home, path = company.home / "warehouse", _file(company)
    if not home.exists():
        return
    saved = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    warehouse = EmbeddedWarehouse(home, ports.warehouse)
    os.environ.update(environment(home, ports.warehouse))
    warehouse.start()
    try:
        bq = client(tool="carried")
        present = {f"ops.{each.table_id}" for each in bq.list_tables("ops")} if _has_ops(bq) else set()
        for table in CARRIED.keys() & present:
            saved[table] = saved.get(table, []) + rows(f"select * from {table}", client=bq)
    finally:
        warehouse.stop()
    saved = {table: found for table, found in saved.items() if found}
    if saved:
        written = path.with_suffix(".new")
        written.touch(mode=0o600)
        written.write_text(json.dumps(saved, default=str), encoding="utf-8")
        written.replace(path)


def _has_ops(bq: Any) -> bool:
    return any(dataset.dataset_id == "ops" for dataset in bq.list_datasets())


def _file(company: Company) -> Path:
    """Beside the company's folder, which is deleted."""
    return company.home.with_name(f"{company.home.name}.saved.json")
