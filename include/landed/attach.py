# ruff: noqa: S608 - SQL contains only names that the source files and the warehouse's schema declare, never data.
"""Makes the tables that a loader has landed the raw tables of a source: one view per table. No row is copied."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from google.api_core.exceptions import GoogleAPICallError, NotFound

from include.ingestion import audit
from include.ingestion.report import LoadError, LoadReport, SchemaChange, TableReport
from include.landed.types import type_of
from include.landed.view import LandedView, NotLanded, Schema, view_of
from include.warehouse import client as new_client
from include.warehouse import execute, rows

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

    from include.run_context import RunContext
    from include.sources.reader_settings import LandedReader
    from include.sources.schema import Source, Table

log = logging.getLogger(__name__)


def attach(source: Source, reader: LandedReader, run: RunContext) -> LoadReport:
    """Create or replace the views of a source, and record up to when its loader has written.

    A table that nobody changes gets no new rows. So the newest row of all tables of the source is the loader's last sync.

    Raises:
        LoadError: a table is missing or is not as the source file says. The views of all others are there.
    """
    started = time.monotonic()
    client = new_client(source=source.name)
    now = datetime.now(UTC)
    report = LoadReport(source.name, run.batch_id(source.name), {name: TableReport(name, now) for name in source.tables})
    known: dict[str, Schema] = {}
    for table in source.tables.values():
        found = report.tables[table.name]
        try:
            view = _attach(source, reader, table, known, client)
            found.changes = [SchemaChange(name, "missing_column", "the loader's table lacks it", 0) for name in view.missing]
            found.complete = True
        except (NotLanded, GoogleAPICallError) as error:
            found.failure = error.message if isinstance(error, GoogleAPICallError) else str(error)
    _measure(source, report, client)
    audit.write_findings(report, client)
    audit.write_loads(report, run, client)
    report.seconds = time.monotonic() - started
    log.info("Seen %s: %s", report.batch_id, report.summary())
    if failures := [f"{name}: {table.failure}" for name, table in report.tables.items() if table.failure]:
        raise LoadError(
            f"{len(failures)} of {len(report.tables)} tables of {source.name} cannot be read:\n" + "\n".join(failures)
        )
    return report


def _attach(source: Source, reader: LandedReader, table: Table, known: dict[str, Schema], client: Client) -> LandedView:
    for name in (table.table or table.name, *(join.table for join in table.joins.values())):
        if name not in known:
            known[name] = _schema(reader, name, client)
    view = view_of(source, reader, table, known, client.project)
    execute(f"create or replace view `{source.dataset}`.`{table.name}` as\n{view.sql}", client=client)
    return view


def _schema(reader: LandedReader, name: str, client: Client) -> Schema:
    try:
        landed = client.get_table(f"{reader.project or client.project}.{reader.dataset}.{name}")
    except NotFound:
        raise NotLanded(f"there is no table {reader.dataset}.{name}. `table` is its name in the dataset") from None
    return {field.name: type_of(field.field_type, field.mode) for field in landed.schema}


def _measure(source: Source, report: LoadReport, client: Client) -> None:
    """Fill in the numbers of rows, and the time of the loader's last sync."""
    complete = [table for table in report.tables.values() if table.complete]
    if not complete:
        return
    counts = "\nunion all\n".join(
        f"select '{each.table}' as name, countif(not _is_deleted) as row_count, max(_loaded_at) as synced_at "
        f"from `{source.dataset}`.`{each.table}`"
        for each in complete
    )
    found = {row["name"]: row for row in rows(counts, client=client)}
    synced = [row["synced_at"] for row in found.values() if row["synced_at"] is not None]
    for each in complete:
        each.rows_read, each.is_whole = found[each.table]["row_count"], True
        if synced:
            each.extracted_at = each.loaded_at = max(synced)
        else:
            each.complete, each.failure = False, "no table of the source has a row: the loader has not synced yet"
