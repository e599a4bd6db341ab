# ruff: noqa: S608 - SQL is built from the declared figures, never from data.
"""Records the figures of a publication, and its restatements with their reasons."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from include.ops import append
from include.restatements.evidence import Publication, changed_rows, explain, months_of
from include.restatements.figures import Figure, Figures, changes_sql, load_figures
from include.restatements.page import page_path, write_page
from include.restatements.versions import code_versions
from include.run_context import RunContext
from include.warehouse import Row, rows

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

log = logging.getLogger(__name__)


def record_figures(run: RunContext, tables: Collection[str], client: Client) -> int:
    """Record the figures of ended months that a run has published, and those that it has restated.

    The page of restatements is written if a figure is restated, or if there is no page yet.
    `ops.published_figures` gets the figures that differ from the last recorded ones. A repetition replaces the rows of the run.

    Args:
        run: the run that has published.
        tables: the published tables, such as `marts.mart_nrr_summary`.
        client: a BigQuery client.

    Returns:
        The number of restated figures.
    """
    figures = load_figures()
    published = {table: found for table, found in figures.tables.items() if table in tables}
    if not published:
        return 0
    now = datetime.now(UTC)
    about = {"run_id": run.run_id, "as_of": run.as_of, "published_at": now}
    versions = code_versions(published)
    previous = _previous(run, published, client)
    recorded: list[dict[str, Any]] = []
    restated: list[dict[str, Any]] = []
    changes = _changes(run, published, client)
    for table, of_table in published.items():
        by_metric = {figure.metric: figure for figure in of_table}
        found = [change for change in changes if change["metric"] in by_metric]
        figure_columns = ("metric", "organization_id", "month", "part", "value", "base_count")
        recorded += [about | {name: change[name] for name in figure_columns} for change in found]
        if table in previous:
            wanted = [change for change in found if change["is_restated"]]
            rows_of = _restatements(figures, by_metric, wanted, run, versions.get(table), previous[table], client)
            restated += [about | row for row in rows_of]
    metrics = [figure.metric for of_table in published.values() for figure in of_table]
    where = {"run_id": run.run_id, "metric": metrics}
    # Restatements first: if the run is killed between the two, its repetition finds the same changes.
    append("ops.restatements", restated, replace_where=where, client=client)
    append("ops.published_figures", recorded, replace_where=where, client=client)
    if restated or not page_path().exists():
        write_page(client)
    if restated:
        log.warning("%d published figures of ended months have changed: see ops.restatements.", len(restated))
    return len(restated)


def _changes(run: RunContext, published: dict[str, tuple[Figure, ...]], client: Client) -> list[Row]:
    parts = [f"select * from (\n{changes_sql(table, found, table)}\n)" for table, found in published.items()]
    return rows("\nunion all\n".join(parts), {"run_id": run.run_id, "as_of": run.as_of}, client)


def _previous(run: RunContext, tables: Collection[str], client: Client) -> dict[str, Publication]:
    """Table → its last publication by another run."""
    sql = """
        select concat(dataset, '.', table_name) as name, run_id, as_of, published_at, code_version
        from ops.publications
        where state = 'published' and run_id != @run_id and concat(dataset, '.', table_name) in unnest(@tables)
        qualify row_number() over (partition by dataset, table_name order by published_at desc) = 1
    """
    found = rows(sql, {"run_id": run.run_id, "tables": sorted(tables)}, client)
    return {row["name"]: Publication(row["run_id"], row["as_of"], row["published_at"], row["code_version"]) for row in found}


def _restatements(
    figures: Figures,
    by_metric: dict[str, Figure],
    changes: list[Row],
    run: RunContext,
    version: str | None,
    previous: Publication,
    client: Client,
) -> list[dict[str, Any]]:
    """The rows of `ops.restatements` for the changes of one table."""
    if not changes:
        return []
    names = {name for change in changes for name in by_metric[change["metric"]].rows}
    months = {
        month
        for change in changes
        for figure in [by_metric[change["metric"]]]
        for name in figure.rows
        for month in months_of(figure, figures.rows[name], change["month"], change["part"])
    }
    changed = changed_rows(figures, names, months, run.as_of, previous, client)
    restated = []
    for change in changes:
        figure, old, new = by_metric[change["metric"]], change["old_value"], change["value"]
        restated.append(
            {
                **{name: change[name] for name in ("metric", "organization_id", "month", "part", "old_value")},
                "unit": figure.unit,
                "new_value": new,
                "difference": None if old is None or new is None else new - old,
                **explain(figures, figure, change, changed, run.as_of, version, previous),
                "previous_run_id": previous.run_id,
                "previous_as_of": previous.as_of,
                "code_version": version,
                "previous_code_version": previous.code_version,
            }
        )
    return restated
