"""Write, audit, publish: clones the checked build into the datasets that analysts read, all tables or none.

The published tables are backed up first, as clones (no bytes are copied). `ops.publications` makes it safe to be killed at
any point: rows of state `publishing` exist exactly while tables are being replaced. The next caller that finds such rows
restores the backups.

    back up → record `publishing` → replace, table by table → record `published` → delete the backups → record the figures
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from include.manifest import PUBLISHED
from include.ops import append, publications
from include.publish.targets import BACKUP_DATASET, BACKUP_PREFIX, PublishError, Target, built, chosen
from include.restatements import code_versions, record_figures
from include.run_context import RunContext
from include.warehouse import client as new_client
from include.warehouse import copy_config, execute, rows

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

log = logging.getLogger(__name__)

#: The states of a row of `ops.publications`.
State = Literal["publishing", "published", "dropped", "rolled_back"]


def publish(run: RunContext, tables: Iterable[str] | None = None, client: Client | None = None) -> int:
    """Replace the published tables by the built ones: all or none.

    A table that a refresh has published for a later instant of the run's day is kept, so that it does not go back to the data of
    midnight. Without `tables`, a table from an earlier run that is no longer built is removed.

    Args:
        run: the run that built them.
        tables: published names, such as `marts.mart_nrr_summary`; by default every built table.
        client: a BigQuery client; one is made if not given.

    Returns:
        The number of tables published.

    Raises:
        PublishError: nothing was published; the published tables are unchanged.
    """
    bq = client or new_client(task="publish")
    recover(bq)
    targets = built(bq) if tables is None else chosen(tables)
    if tables is None and not targets:
        raise PublishError(f"Nothing is built in {' or '.join(PUBLISHED)}, so there is nothing to publish.")
    existing = _existing(bq)
    stale = _stale(bq, targets, existing) if tables is None else []
    targets = _without_fresher(bq, run, targets, existing)
    affected = [*targets, *stale]
    if not affected:
        return 0

    for target in affected:
        if target in existing:
            execute(f"create table {target.backup} clone {target.published}", client=bq)
    _record(bq, run, affected, "publishing", replacing=("publishing", "rolled_back"))
    current: Target | None = None
    try:
        for current in targets:
            _replace(bq, current)
        for current in stale:
            execute(f"drop table if exists {current.published}", client=bq)
        current = None
        counts = _count(bq, targets)
        _record(bq, run, targets, "published", counts=counts, dropped=stale)
    except BaseException as error:
        # BaseException: restore the published tables also when the task is being terminated.
        recover(bq)
        if not isinstance(error, Exception):
            raise
        what = current.key if current else "The publication"
        raise PublishError(f"{what} could not be published, so nothing was: {_reason(error)}") from error
    _delete_backups(bq)
    record_figures(run, [target.key for target in targets], bq)
    log.info("Published %d tables as of %s; removed %d.", len(targets), run.as_of.isoformat(), len(stale))
    return len(targets)


def recover(client: Client | None = None) -> list[str]:
    """Undo an unfinished publication: restore the tables that it had replaced. Without one, do nothing.

    Returns:
        The restored tables, `dataset.table`.
    """
    bq = client or new_client(task="publish")
    backups = {table.table_id for table in bq.list_tables(BACKUP_DATASET) if table.table_id.startswith(BACKUP_PREFIX)}
    unfinished = rows("select * from ops.publications where state = 'publishing'", client=bq)
    restored = []
    for row in unfinished:
        target = Target(row["dataset"], row["table_name"])
        if target.backup_name in backups:
            _restore(bq, target)
        else:
            # Without a backup, the table was not published before.
            execute(f"drop table if exists {target.published}", client=bq)
        restored.append(target.key)
    now = datetime.now(UTC)
    for run_id in sorted({row["run_id"] for row in unfinished}):
        undone = [row | {"state": "rolled_back", "published_at": now} for row in unfinished if row["run_id"] == run_id]
        append("ops.publications", undone, replace_where={"run_id": run_id, "state": "publishing"}, client=bq)
    if restored:
        log.warning("An unfinished publication was undone: %s", ", ".join(restored))
    if backups:
        _delete_backups(bq)
    return restored


def _replace(bq: Client, target: Target) -> None:
    from google.api_core.exceptions import BadRequest, Conflict

    try:
        execute(f"create or replace table {target.published} clone {target.built}", client=bq)
    except (BadRequest, Conflict) as error:
        if not isinstance(error, Conflict) and "different partitioning" not in str(error):
            raise
        # BigQuery cannot replace a table by one with other partitioning, so it is dropped and created again.
        execute(f"drop table if exists {target.published}", client=bq)
        execute(f"create table {target.published} clone {target.built}", client=bq)


def _restore(bq: Client, target: Target) -> None:
    """Restore a table from its backup. A copy job replaces atomically, whatever the partitioning, and costs nothing."""
    config = copy_config(task="publish")
    config.write_disposition = "WRITE_TRUNCATE"
    bq.copy_table(
        f"{bq.project}.{BACKUP_DATASET}.{target.backup_name}",
        f"{bq.project}.{target.dataset}.{target.name}",
        job_config=config,
    ).result()


def _delete_backups(bq: Client) -> None:
    for table in bq.list_tables(BACKUP_DATASET):
        if table.table_id.startswith(BACKUP_PREFIX):
            bq.delete_table(table.reference, not_found_ok=True)


def _existing(bq: Client) -> set[Target]:
    """All tables that exist in the published datasets, whoever created them."""
    return {Target(dataset, table.table_id) for dataset in PUBLISHED.values() for table in bq.list_tables(dataset)}


def _stale(bq: Client, targets: Sequence[Target], existing: set[Target]) -> list[Target]:
    """Tables that earlier runs published and that are no longer built. Tables that others created do not count."""
    ours = {Target(row["dataset"], row["table_name"]) for row in publications(bq)}
    return sorted((ours & existing) - set(targets))


def _without_fresher(bq: Client, run: RunContext, targets: Sequence[Target], existing: set[Target]) -> list[Target]:
    """The targets without those that already show a later instant of the run's day."""
    fresher = {
        Target(row["dataset"], row["table_name"])
        for row in publications(bq)
        if row["as_of"] > run.as_of and row["as_of"].date() == run.as_of.date()
    }
    kept = sorted(fresher & existing & set(targets))
    if kept:
        names = ", ".join(target.key for target in kept)
        log.info("Not published, because a refresh published them later than %s: %s", run.as_of.isoformat(), names)
    return [target for target in targets if target not in kept]


def _count(bq: Client, targets: Sequence[Target]) -> dict[Target, int]:
    """Row counts of the published tables, from their metadata, which costs no query."""
    tables = {target: bq.get_table(f"{bq.project}.{target.dataset}.{target.name}") for target in targets}
    return {target: int(table.num_rows) for target, table in tables.items()}


def _record(
    bq: Client,
    run: RunContext,
    targets: Sequence[Target],
    state: State,
    counts: dict[Target, int] | None = None,
    dropped: Sequence[Target] = (),
    replacing: Sequence[State] | None = None,
) -> None:
    """Write the run's rows of `ops.publications` for these tables. One statement replaces its earlier rows."""
    now = datetime.now(UTC)
    versions = code_versions() if state == "published" else {}
    records = [
        {
            "table_name": target.name,
            "dataset": target.dataset,
            "build_dataset": target.build_dataset,
            "run_id": run.run_id,
            "as_of": run.as_of,
            "row_count": (counts or {}).get(target),
            "published_at": now,
            "state": "dropped" if target in dropped else state,
            "code_version": versions.get(target.key),
        }
        for target in [*targets, *dropped]
    ]
    where: dict[str, Any] = {"run_id": run.run_id, "table_name": [row["table_name"] for row in records]}
    if replacing is not None:
        # A run that publishes again keeps the rows of its earlier publication until the new one is complete.
        where["state"] = list(replacing)
    append("ops.publications", records, replace_where=where, client=bq)


def _reason(error: Exception) -> str:
    text = str(getattr(error, "message", "") or error)
    return next((line.strip() for line in text.splitlines() if line.strip()), type(error).__name__)
