# ruff: noqa: S608 - SQL is put together from names and rules of the platform's own, never from data.
"""Two ways to the same number: measured once per run into `ops.reconciliation`, where expectations look for differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from google.api_core.exceptions import GoogleAPICallError

from include.ops import append
from include.quality.parameters import bound, values_of
from include.runs import RunContext

if TYPE_CHECKING:
    from google.cloud.bigquery import Client, ScalarQueryParameter


def differences(gate: str, name: str, tolerance: float) -> str:
    """SQL of a reconciliation's parts whose two sides differ by more than the tolerance, or of which one is unknown."""
    # The alias is needed: the table has a column of its own name, which the bare table would hide.
    return (
        "select measured.part, measured.left_value, measured.right_value, measured.difference, measured.row_count\n"
        "from ops.reconciliation as measured\n"
        "where measured.run_id = @run_id and measured.as_of = @as_of\n"
        f"    and measured.gate = '{gate}' and measured.reconciliation = '{name}'\n"
        f"    and coalesce(abs(measured.difference) > {tolerance}, true)"
    )


def measure(client: Client, wanted: Sequence[tuple[str, str, str]], run: RunContext) -> dict[tuple[str, str], str]:
    """Write both sides of every reconciliation of some gates, in place of what an earlier attempt of the run wrote.

    They are read one by one and written together: `ops.reconciliation` changes once, however many there are.

    Args:
        client: a BigQuery client.
        wanted: gate, name, and SQL that gives `part`, `left_value`, `right_value` and `row_count`.
        run: the run.

    Returns:
        Gate and name → what the warehouse said, of those that could not be measured.
    """
    rows: list[dict[str, Any]] = []
    complaints = {}
    for gate, name, sql in wanted:
        now = datetime.now(UTC)
        try:
            measured = _sides(client, sql, values_of(run, gate))
        except GoogleAPICallError as error:
            complaints[gate, name] = _words(error)
            continue
        about = {"run_id": run.run_id, "as_of": run.as_of, "gate": gate, "reconciliation": name, "evaluated_at": now}
        rows += [about | sides for sides in measured]
    if wanted:
        where = {"run_id": run.run_id, "as_of": run.as_of, "gate": sorted({gate for gate, _, _ in wanted})}
        append("ops.reconciliation", rows, replace_where=where, client=client)
    return complaints


def _sides(client: Client, sql: str, values: Mapping[str, str]) -> list[dict[str, Any]]:
    from google.cloud import bigquery

    statement = f"""
        select
            cast(sides.part as string) as part,
            cast(sides.left_value as float64) as left_value,
            cast(sides.right_value as float64) as right_value,
            cast(sides.left_value as float64) - cast(sides.right_value as float64) as difference,
            cast(sides.row_count as int64) as row_count
        from ({sql}) as sides
    """
    job = client.query(statement, job_config=bigquery.QueryJobConfig(query_parameters=bound(values)))
    return [dict(row.items()) for row in job.result()]


def complaint_of(client: Client, sql: str, parameters: Sequence[ScalarQueryParameter]) -> str | None:
    """Run a query; what the warehouse says if it cannot be run, else None."""
    from google.cloud import bigquery

    try:
        client.query(sql, job_config=bigquery.QueryJobConfig(query_parameters=list(parameters))).result()
    except GoogleAPICallError as error:
        return _words(error)
    return None


def _words(error: GoogleAPICallError) -> str:
    details = [detail for detail in error.errors if isinstance(detail, dict)]
    text = str(details[0].get("message") or error.message) if details else str(error.message)
    return text.strip().splitlines()[0]
