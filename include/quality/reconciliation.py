# ruff: noqa: S608 - SQL is put together from names and rules of the platform's own, never from data.
"""Two ways to the same number: measured once per run into `ops.reconciliation`, where expectations look for differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from include.quality.parameters import bound
from include.warehouse.statements import execute

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


def measure(client: Client, gate: str, reconciliations: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """Write both sides of every reconciliation of a gate, in place of what an earlier attempt of the run wrote.

    Args:
        client: a BigQuery client.
        gate: the gate.
        reconciliations: name → SQL that gives `part`, `left_value`, `right_value` and `row_count`.
        values: the run, as `parameters.values_of` gives it.

    Returns:
        Name → what the warehouse said, of those that could not be measured.
    """
    from google.cloud import bigquery

    complaints = {}
    for name, sql in reconciliations.items():
        statement = f"""
            merge ops.reconciliation as t
            using (
                select
                    cast(sides.part as string) as part,
                    cast(sides.left_value as float64) as left_value,
                    cast(sides.right_value as float64) as right_value,
                    cast(sides.row_count as int64) as row_count
                from ({sql}) as sides
            ) as s
            on false
            when not matched by source and t.run_id = @run_id and t.as_of = @as_of and t.gate = @gate
                and t.reconciliation = @name then delete
            when not matched then insert (
                run_id, as_of, gate, reconciliation, part, left_value, right_value, difference, row_count, evaluated_at
            )
            values (
                @run_id, @as_of, @gate, @name, s.part, s.left_value, s.right_value, s.left_value - s.right_value,
                s.row_count, current_timestamp()
            )
        """
        named = {"gate": gate, "name": name}
        parameters = [bigquery.ScalarQueryParameter(key, "STRING", value) for key, value in named.items()]
        complaint = complaint_of(client, statement, [*bound(values), *parameters])
        if complaint is not None:
            complaints[name] = complaint
    return complaints


def complaint_of(client: Client, sql: str, parameters: Sequence[ScalarQueryParameter]) -> str | None:
    """Run a statement; what the warehouse says if it cannot be run, else None."""
    from google.api_core.exceptions import GoogleAPICallError
    from google.cloud import bigquery

    try:
        execute(client, sql, bigquery.QueryJobConfig(query_parameters=list(parameters)))
    except GoogleAPICallError as error:
        details = [detail for detail in error.errors if isinstance(detail, dict)]
        text = str(details[0].get("message") or error.message) if details else str(error.message)
        return text.strip().splitlines()[0]
    return None
