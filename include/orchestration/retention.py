# ruff: noqa: S608 - the table names come from the warehouse's own catalog.
"""Deletes old versions from snapshots. Current versions are kept."""

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

    A current version (`dbt_valid_to` is NULL) is kept, however old it is.

    Returns:
        Snapshot → number of deleted versions.
    """
    oldest = as_of - timedelta(days=settings().snapshots_kept_days)
    deleted = {}
    for table in client.list_tables(DATASET):
        # The dataset also holds history without versions, such as daily scores.
        if not table.table_id.startswith(PREFIX):
            continue
        sql = f"delete from `{DATASET}`.`{table.table_id}` where dbt_valid_to is not null and dbt_valid_to < @oldest"
        job = execute(sql, {"oldest": oldest}, client)
        deleted[table.table_id] = int(job.num_dml_affected_rows or 0)
    return deleted
