"""Write, audit, publish: puts the checked build where analysts read it, all tables or none.

What is published is kept aside first, in clones (no bytes are copied). `ops.publications` is the log that makes it safe
to be killed at any point: rows of state `publishing` exist exactly while tables are being replaced, so whoever finds
them puts everything back.

    keep aside → note `publishing` → replace, table by table → note `published` → let go of what was kept aside
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from include.ops import append, publications
from include.publish.targets import BACKUP_DATASET, BACKUP_PREFIX, DATASETS, PublishError, Target, built, chosen
from include.runs import RunContext
from include.warehouse import client as new_client
from include.warehouse import copy_config, execute

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

log = logging.getLogger(__name__)


def publish(run: RunContext, tables: Iterable[str] | None = None, client: Client | None = None) -> int:
    """Replace the published tables by the built ones: all or none.

    A table that an earlier run published and that is no longer built is taken away, unless `tables` are given. Unless they are, a
    table that a refresh has published for a later instant of the run's day stays: nobody who reads it is taken back to midnight.

    Args:
        run: the run that built them.
        tables: published names, such as `marts.mart_nrr_summary`; by default everything that is built.
        client: a BigQuery client; one is made if not given.

    Returns:
        The number of tables published.

    Raises:
        PublishError: nothing was published; everything that analysts read is as it was.
    """
    bq = client or new_client(task="publish")
    recover(bq)
    targets = built(bq) if tables is None else chosen(tables)
    if not targets:
        raise PublishError(f"Nothing is built in {' or '.join(DATASETS)}, so there is nothing to publish.")
    standing = _standing(bq)
    stale = _stale(bq, targets, standing) if tables is None else []
    if tables is None:
        targets = _without_fresher(bq, run, targets, standing)
    affected = [*targets, *stale]
    if not affected:
        return 0

    for target in affected:
        if target in standing:
            _query(bq, f"create table {target.backup} clone {target.published}")
    _note(bq, run, affected, "publishing", replacing=("publishing", "rolled_back"))
    current: Target | None = None
    try:
        for current in targets:
            _replace(bq, current)
        for current in stale:
            _query(bq, f"drop table if exists {current.published}")
        current = None
        counts = _count(bq, targets)
        _note(bq, run, targets, "published", counts=counts, dropped=stale)
    except BaseException as error:
        # Also when the task is being terminated: what analysts read comes first.
        recover(bq)
        if not isinstance(error, Exception):
            raise
        what = f"{current.dataset}.{current.name}" if current else "The publication"
        raise PublishError(f"{what} could not be published, so nothing was: {_reason(error)}") from error
    _let_go(bq)
    log.info("Published %d tables as of %s; took away %d.", len(targets), run.as_of.isoformat(), len(stale))
    return len(targets)


def recover(client: Client | None = None) -> list[str]:
    """Put everything back that a publication which never ended had replaced. Does nothing if there was none.

    Returns:
        The tables put back, `dataset.table`.
    """
    bq = client or new_client(task="publish")
    kept = {table.table_id for table in bq.list_tables(BACKUP_DATASET) if table.table_id.startswith(BACKUP_PREFIX)}
    unfinished = _rows(bq, "select * from ops.publications where state = 'publishing'")
    restored = []
    for row in unfinished:
        target = Target(row["dataset"], row["table_name"])
        if target.backup_name in kept:
            _restore(bq, target)
        else:
            # It was not published before.
            _query(bq, f"drop table if exists {target.published}")
        restored.append(f"{target.dataset}.{target.name}")
    now = datetime.now(UTC)
    for run_id in sorted({row["run_id"] for row in unfinished}):
        rows = [row | {"state": "rolled_back", "published_at": now} for row in unfinished if row["run_id"] == run_id]
        append("ops.publications", rows, replace_where={"run_id": run_id, "state": "publishing"}, client=bq)
    if restored:
        log.warning("An unfinished publication was undone: %s", ", ".join(restored))
    if kept:
        _let_go(bq)
    return restored


def _replace(bq: Client, target: Target) -> None:
    from google.api_core.exceptions import BadRequest, Conflict

    try:
        _query(bq, f"create or replace table {target.published} clone {target.built}")
    except (BadRequest, Conflict) as error:
        if not isinstance(error, Conflict) and "different partitioning" not in str(error):
            raise
        # A table that is partitioned otherwise than the one it stands for cannot be replaced, only made anew.
        _query(bq, f"drop table if exists {target.published}")
        _query(bq, f"create table {target.published} clone {target.built}")


def _restore(bq: Client, target: Target) -> None:
    """By a copy job, which replaces atomically, whatever stands there now, and costs nothing."""
    config = copy_config(task="publish")
    config.write_disposition = "WRITE_TRUNCATE"
    bq.copy_table(
        f"{bq.project}.{BACKUP_DATASET}.{target.backup_name}",
        f"{bq.project}.{target.dataset}.{target.name}",
        job_config=config,
    ).result()


def _let_go(bq: Client) -> None:
    for table in bq.list_tables(BACKUP_DATASET):
        if table.table_id.startswith(BACKUP_PREFIX):
            bq.delete_table(table.reference, not_found_ok=True)


def _standing(bq: Client) -> set[Target]:
    """What stands in the published datasets now, whoever put it there."""
    return {Target(dataset, table.table_id) for dataset in DATASETS.values() for table in bq.list_tables(dataset)}


def _stale(bq: Client, targets: Sequence[Target], standing: set[Target]) -> list[Target]:
    """What earlier runs published that is no longer built. Tables that others put there are left alone."""
    ours = {Target(row["dataset"], row["table_name"]) for row in publications(bq)}
    return sorted((ours & standing) - set(targets))


def _without_fresher(bq: Client, run: RunContext, targets: Sequence[Target], standing: set[Target]) -> list[Target]:
    """The targets less those that already show a later instant of the day that the run looks at."""
    fresher = {
        Target(row["dataset"], row["table_name"])
        for row in publications(bq)
        if row["as_of"] > run.as_of and row["as_of"].date() == run.as_of.date()
    }
    kept = sorted(fresher & standing & set(targets))
    if kept:
        names = ", ".join(f"{target.dataset}.{target.name}" for target in kept)
        log.info("Left as refreshed since %s: %s", run.as_of.isoformat(), names)
    return [target for target in targets if target not in kept]


def _count(bq: Client, targets: Sequence[Target]) -> dict[Target, int]:
    """Rows of what was published, as the tables' metadata says, which costs no query."""
    tables = {target: bq.get_table(f"{bq.project}.{target.dataset}.{target.name}") for target in targets}
    return {target: int(table.num_rows) for target, table in tables.items()}


def _note(
    bq: Client,
    run: RunContext,
    targets: Sequence[Target],
    state: str,
    counts: dict[Target, int] | None = None,
    dropped: Sequence[Target] = (),
    replacing: Sequence[str] | None = None,
) -> None:
    """Write the run's rows of `ops.publications`, in one statement, in place of those it has for these tables."""
    now = datetime.now(UTC)
    rows = [
        {
            "table_name": target.name,
            "dataset": target.dataset,
            "build_dataset": target.build_dataset,
            "run_id": run.run_id,
            "as_of": run.as_of,
            "row_count": (counts or {}).get(target),
            "published_at": now,
            "state": "dropped" if target in dropped else state,
        }
        for target in [*targets, *dropped]
    ]
    where: dict[str, Any] = {"run_id": run.run_id, "table_name": [row["table_name"] for row in rows]}
    if replacing is not None:
        # A run that publishes again keeps its earlier publication in the books until the new one is whole.
        where["state"] = list(replacing)
    append("ops.publications", rows, replace_where=where, client=bq)


def _reason(error: Exception) -> str:
    text = str(getattr(error, "message", "") or error)
    return next((line.strip() for line in text.splitlines() if line.strip()), type(error).__name__)


def _rows(bq: Client, sql: str) -> list[dict[str, Any]]:
    return [dict(row.items()) for row in _query(bq, sql)]


def _query(bq: Client, sql: str) -> Any:
    return execute(bq, sql).result()
