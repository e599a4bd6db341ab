# ruff: noqa: S608 - the names are those of tables that this reads from the warehouse's own catalog.
"""Retention of snapshots: deletes the versions that ended long ago, never the current ones."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from include.settings import settings
from include.warehouse import execute

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

DATASET = "snapshots"
PREFIX = "snap_"


def delete_old_versions(as_of: datetime, client: Client) -> dict[str, int]:
    """Delete from every snapshot the versions that ended more than `SNAPSHOTS_KEPT_DAYS` before `as_of`.

    A current version (`dbt_valid_to` is NULL) stays however old it is. A repeated call deletes nothing more.

    Returns:
        Snapshot → number of deleted versions.
    """
    oldest = as_of - timedelta(days=settings().snapshots_kept_days)
    removed = {}
    for table in client.list_tables(DATASET):
        # Other history in the dataset, such as daily scores, has no versions that end.
        if not table.table_id.startswith(PREFIX):
            continue
        sql = f"delete from `{DATASET}`.`{table.table_id}` where dbt_valid_to is not null and dbt_valid_to < @oldest"
        job = execute(sql, {"oldest": oldest}, client)
        removed[table.table_id] = int(job.num_dml_affected_rows or 0)
    return removed
