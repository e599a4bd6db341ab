"""Writes the results of an ingestion run to the audit tables. A run that is repeated writes each result only once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from include.ingestion.report import LoadReport
from include.run_context import batch_instant
from include.warehouse import rows

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

    from include.run_context import RunContext

#: Longer payloads are truncated. The source file still holds the whole payload.
_PAYLOAD_CHARACTERS = 20_000


def loaded_before(source: str, batch_id: str, client: Client) -> dict[str, datetime]:
    """Table → the as-of time (UTC) of its last load, among loads whose as-of time is not after that of this batch."""
    sql = """
        select table_name, max(batch_id) as batch_id from ops.loads
        where source = @source and batch_id <= @batch_id
        group by table_name
    """
    found = rows(sql, {"source": source, "batch_id": batch_id}, client)
    return {row["table_name"]: batch_instant(row["batch_id"]) for row in found}


def write_findings(report: LoadReport, client: Client) -> None:
    """Write rejected records and schema changes. Call it before the rows are loaded, so that a killed run loses neither.

    A repeated run finds the same records, so rows that the tables already hold are not written again. A new column is
    recorded once, for the first batch that contains it.
    """
    from include import ops

    now = datetime.now(UTC)
    rejected = [row for table in report.tables.values() for row in _rejected(report, table.table, table.rejected, now)]
    if rejected:
        known = {_identity(row) for row in _known_rejects(client, report)}
        ops.append("quarantine.rejected_records", [r for r in rejected if _identity(r) not in known], client=client)
    changes = [
        {
            "batch_id": report.batch_id,
            "source": report.source,
            "table_name": table.table,
            "column_name": change.column,
            "change": change.change,
            "detail": change.detail,
            "rows_affected": change.rows,
            "detected_at": now,
        }
        for table in report.tables.values()
        for change in table.changes
    ]
    if changes:
        recorded = _recorded_changes(client, report)
        new = [row for row in changes if (row["table_name"], row["column_name"], row["change"]) not in recorded]
        ops.append("ops.schema_changes", new, client=client)


def write_loads(report: LoadReport, run: RunContext, client: Client) -> None:
    """Write one row per table that was read completely. A repeated run replaces the rows of its tables."""
    from include import ops

    read = [table for table in report.tables.values() if table.complete]
    loads = [
        {
            "batch_id": report.batch_id,
            "run_id": run.run_id,
            "source": report.source,
            "table_name": table.table,
            "rows_loaded": table.rows,
            "rows_deleted": table.tombstones,
            "rows_rejected": len(table.rejected),
            "rows_recovered": table.recovered,
            "rows_read": table.rows_read,
            "is_whole": table.is_whole,
            "extracted_at": table.extracted_at,
            "loaded_at": table.loaded_at or datetime.now(UTC),
        }
        for table in read
    ]
    where = {"batch_id": report.batch_id, "source": report.source, "table_name": list(report.tables)}
    ops.append("ops.loads", loads, replace_where=where, client=client)


def _rejected(report: LoadReport, table: str, rejected: Iterable[Any], now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "source": report.source,
            "table_name": table,
            "source_file_id": item.file_id or f"{table}@{report.batch_id}",
            "line_number": item.line,
            "reason": item.reason,
            "payload": item.payload[:_PAYLOAD_CHARACTERS] if item.payload is not None else None,
            "batch_id": report.batch_id,
            "rejected_at": now,
        }
        for item in rejected
    ]


def _identity(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("table_name", "source_file_id", "line_number", "reason", "payload"))


def _known_rejects(client: Client, report: LoadReport) -> list[dict[str, Any]]:
    sql = (
        "select table_name, source_file_id, line_number, reason, payload from quarantine.rejected_records "
        "where source = @source and batch_id = @batch"
    )
    return rows(sql, {"source": report.source, "batch": report.batch_id}, client)


def _recorded_changes(client: Client, report: LoadReport) -> set[tuple[str, str, str]]:
    sql = (
        "select distinct table_name, column_name, change from ops.schema_changes "
        "where source = @source and (batch_id = @batch or change = 'new_column')"
    )
    found = rows(sql, {"source": report.source, "batch": report.batch_id}, client)
    return {(row["table_name"], row["column_name"], row["change"]) for row in found}
