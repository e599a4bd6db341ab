# ruff: noqa: S608 - SQL is put together from names and rules of the platform's own, never from data.
"""Quarantines conformed rows that break a rule, with the reason. The conformed view still shows them; its clean view leaves them out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from include.quality.parameters import typed
from include.quality.verdict import Outcome
from include.sources.versions import key_text
from include.warehouse import execute

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

_TABLE = "quarantine.quarantined_rows"
# A rule that reads the quarantine (for rows whose parent is in it) is applied until it finds no more rows.
_MAX_PASSES = 10


def restore(client: Client, gate: str, relations: Iterable[str] | None = None) -> None:
    """Restore the gate's rows from quarantine, all or those of some relations (`conformed.<view>`)."""
    parameters: dict[str, Any] = {"gate": gate}
    condition = "gate = @gate"
    if relations is not None:
        parameters["relations"] = sorted(relation.split(".")[1] for relation in relations)
        condition += " and relation in unnest(@relations)"
    sql = f"delete from {_TABLE} where {condition}"
    execute(sql, parameters, client)


def quarantine_rows(client: Client, gate: str, outcomes: Sequence[Outcome], values: Mapping[str, str]) -> int:
    """Quarantine the rows that break a quarantine rule, and the rows that then lack their parent.

    Args:
        client: a BigQuery client.
        gate: the gate.
        outcomes: the outcomes of its quarantine rules. If none failed, the function does nothing.
        values: the run's parameters, from `parameters.values_of`.

    Returns:
        The number of quarantined rows.
    """
    failed = [outcome for outcome in outcomes if not outcome.success]
    total = sum(_quarantine_rows_of(client, gate, outcome, values) for outcome in failed)
    dependent = [outcome for outcome in outcomes if failed and _TABLE in (outcome.query or "")]
    for _ in range(_MAX_PASSES):
        added = sum(_quarantine_rows_of(client, gate, outcome, values) for outcome in dependent)
        total += added
        if added == 0:
            break
    return total


def key_of_broken(outcome: Outcome) -> str:
    """SQL of the key of a row `broken` as text."""
    return key_text([f"broken.`{column}`" for column in outcome.key])


def _quarantine_rows_of(client: Client, gate: str, outcome: Outcome, values: Mapping[str, str]) -> int:
    """Quarantine the rows of one rule that are not in quarantine yet; returns their number."""
    sql = f"""
        insert into {_TABLE} (
            relation, row_key, organization_id, reason, expectation, gate, row_json, run_id, as_of, quarantined_at
        )
        select
            @relation, row_key, json_value(row_json, '$.organization_id'), @reason, @expectation, @gate, row_json,
            @run_id, @as_of, current_timestamp()
        from (
            select {key_of_broken(outcome)} as row_key, to_json_string(broken) as row_json
            from (
                {outcome.query}
            ) as broken
        ) as found
        where not exists (
            select 1 from {_TABLE} as present where present.relation = @relation and present.row_key = found.row_key
        )
    """
    about = {
        "relation": outcome.relation.split(".")[1],
        "reason": outcome.reason,
        "expectation": outcome.name,
        "gate": gate,
    }
    job = execute(sql, typed(values) | about, client)
    return int(job.num_dml_affected_rows or 0)
