# ruff: noqa: S608 - SQL is put together from names and rules of the platform's own, never from data.
"""Runs a gate: one checkpoint of Great Expectations, then quarantine, verdict and audit tables."""

from __future__ import annotations

import contextlib
import io
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from google.api_core.exceptions import GoogleAPICallError

from include.ops import append
from include.quality import quarantine
from include.quality.parameters import typed, values_of
from include.quality.reconciliation import sides_query
from include.quality.verdict import RECONCILIATION, GateBlocked, GateVerdict, Outcome
from include.run_context import RunContext
from include.warehouse import rows

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

    from include.quality.scope import Scope

log = logging.getLogger(__name__)

_SAMPLES = 3


def run_gate(gate: str, run: RunContext, client: Client | None = None, scope: Scope | None = None) -> GateVerdict:
    """Run one gate; see `run_gates`.

    Returns:
        The verdict, if the pipeline may continue.

    Raises:
        GateBlocked: an expectation of action `block` failed, or one could not be evaluated.
    """
    (verdict,) = run_gates([gate], run, client, scope)
    if verdict.verdict == "block":
        raise GateBlocked(verdict)
    return verdict


def run_gates(
    gates: Sequence[str], run: RunContext, client: Client | None = None, scope: Scope | None = None
) -> list[GateVerdict]:
    """Run gates as one checkpoint, quarantine rows, and write verdicts and reconciliations to the audit tables in one statement each.

    The results of an earlier attempt of the same run are replaced. Rows in quarantine are checked again: if their
    parent has arrived, they leave it.

    Args:
        gates: `raw_<source>`, `conformed`, `core` or `marts`.
        run: the run that is checked.
        client: a BigQuery client; one is made if not given.
        scope: the tables that the run builds, if not all: only the rules on these apply.

    Returns:
        The verdicts, in the order of the gates. `block` raises no error here.
    """
    from include.quality.context import checkpoint_of
    from include.warehouse import client as new_client

    bq = client or new_client(gate=gates[0] if len(gates) == 1 else "raw")
    values = {gate: values_of(run, gate) for gate in gates}
    with checkpoint_of(gates, bq, scope) as checkpoint:
        _restore(checkpoint, bq, whole=scope is None)
        found = _evaluate(checkpoint, run, values)
    verdicts = []
    for gate in gates:
        outcomes = [outcome for name, outcome in found if name == gate]
        quarantined, outcomes = _quarantine(bq, gate, outcomes, values[gate])
        outcomes = [_explained(bq, gate, outcome, values[gate]) for outcome in outcomes]
        verdicts.append(GateVerdict(gate, tuple(outcomes), quarantined))
    _write(verdicts, run, bq)
    for verdict in verdicts:
        if verdict.verdict != "block":
            log.log(logging.INFO if verdict.verdict == "pass" else logging.WARNING, verdict.message)
    return verdicts


def _restore(checkpoint: Any | None, bq: Client, whole: bool) -> None:
    """Restore the rows that the gates have in quarantine, so that they are checked again."""
    quarantined: dict[str, set[str]] = {}
    for definition in checkpoint.validation_definitions if checkpoint else ():
        for rule in definition.suite.expectations:
            if rule.meta["action"] == "quarantine":
                quarantined.setdefault(rule.meta["gate"], set()).add(rule.meta["relation"])
    for gate, relations in quarantined.items():
        quarantine.restore(bq, gate, None if whole else relations)


def _write(verdicts: Sequence[GateVerdict], run: RunContext, bq: Client) -> None:
    now = datetime.now(UTC)
    found = [(verdict.gate, outcome) for verdict in verdicts for outcome in verdict.outcomes]
    reconciled = [(gate, outcome) for gate, outcome in found if outcome.expectation_type == RECONCILIATION]
    audit = {
        "ops.reconciliation": [row for gate, outcome in reconciled for row in outcome.reconciliation(gate, run, now)],
        "ops.gate_results": [outcome.row(gate, run, now) for gate, outcome in found],
    }
    for (name, records), written in zip(audit.items(), (reconciled, found), strict=True):
        # If the scope leaves no rule of a gate, there is no earlier result to replace either.
        if written:
            where = {"run_id": run.run_id, "as_of": run.as_of, "gate": sorted({gate for gate, _ in written})}
            append(name, records, replace_where=where, client=bq)


def _evaluate(checkpoint: Any | None, run: RunContext, values: Mapping[str, Mapping[str, str]]) -> list[tuple[str, Outcome]]:
    """Gate and outcome of every expectation; `values` has the run's parameters for the SQL of each gate."""
    from great_expectations.core.run_identifier import RunIdentifier

    if checkpoint is None:
        return []
    identifier = RunIdentifier(run_name=run.run_id, run_time=datetime.now(UTC))
    # Great Expectations prints hints for notebooks, which would flood the task's log.
    with contextlib.redirect_stdout(io.StringIO()):
        result = checkpoint.run(expectation_parameters={gate: dict(found) for gate, found in values.items()}, run_id=identifier)
    items = [item for part in result.run_results.values() for item in part.results]
    return [(item.expectation_config.meta["gate"], outcome_of(item)) for item in items]


def outcome_of(item: Any) -> Outcome:
    """Convert a result of Great Expectations."""
    config = item.expectation_config
    meta = config.meta
    found: dict[str, Any] = item.result or {}
    query = config.kwargs.get("query")
    count = found.get("observed_value" if query else "unexpected_count")
    return Outcome(
        name=meta["name"],
        relation=meta["relation"],
        action=meta["action"],
        reason=meta["reason"],
        expectation_type=config.type,
        column=config.kwargs.get("column"),
        key=tuple(meta["key"]),
        query=query,
        success=bool(item.success),
        unexpected_count=None if count is None else int(count),
        observed=_observed(found),
        error=_error_in(item.exception_info or {}),
        samples=tuple(dict.fromkeys(str(value)[:200] for value in found.get("partial_unexpected_list", [])))[:_SAMPLES],
        sides=tuple(found.get("details", {}).get("sides", ())),
    )


def _observed(found: Mapping[str, Any]) -> str:
    missing = found.get("details", {}).get("mismatched", {}).get("missing")
    if missing:
        return f"missing: {', '.join(sorted(missing))}"
    if "observed_value" in found:
        value = found["observed_value"]
        return value if isinstance(value, str) else json.dumps(value, default=str)
    if "unexpected_count" in found:
        return f"{found['unexpected_count']} of {found.get('element_count')}"
    return ""


def _error_in(info: Mapping[str, Any]) -> str | None:
    """The message of the exception that prevented the evaluation of an expectation, if there was one."""
    entries: Iterable[Any] = [info] if "raised_exception" in info else info.values()
    for entry in entries:
        if isinstance(entry, Mapping) and entry.get("raised_exception"):
            lines = str(entry.get("exception_message") or "unknown error").strip().splitlines()
            return next((line for line in lines if line.strip()), "unknown error")
    return None


def _quarantine(bq: Client, gate: str, outcomes: list[Outcome], values: Mapping[str, str]) -> tuple[int, list[Outcome]]:
    """Quarantine the rows of failed rules. If the warehouse refuses, the outcomes of these rules get the error, which blocks.

    The other outcomes do not change.

    Returns:
        The number of quarantined rows, and the outcomes.
    """
    failed = [outcome for outcome in outcomes if outcome.action == "quarantine" and not outcome.error]
    try:
        return quarantine.quarantine_rows(bq, gate, failed, values), outcomes
    except GoogleAPICallError as error:
        message = _message_of(error)
        return 0, [replace(o, error=message) if o in failed and not o.success else o for o in outcomes]


def _explained(client: Client, gate: str, outcome: Outcome, values: Mapping[str, str]) -> Outcome:
    """Add to a failed outcome the keys or the message that a person needs to fix it. Only failed outcomes cost a query.

    For rows that broke a rule: the keys of a few. For an error: the warehouse's own message, which Great Expectations
    drops.
    """
    if outcome.error is not None:
        statement = f"select count(*) from (\n{outcome.query or f'select * from {outcome.relation} limit 1'}\n)"
        error = _error_of(client, statement, values)
        if error is None and outcome.query and outcome.expectation_type == RECONCILIATION:
            error = _shape_error_of(client, gate, outcome.name, outcome.query, values)
        return replace(outcome, error=error or outcome.error)
    if outcome.success or outcome.query is None or outcome.samples or outcome.action == "quarantine":
        return outcome
    shown = quarantine.key_of_broken(outcome) if outcome.key else "to_json_string(broken)"
    sql = f"select {shown} as shown from (\n{outcome.query}\n) as broken order by shown limit {_SAMPLES}"
    try:
        found = rows(sql, typed(values), client)
    except GoogleAPICallError as error:
        return replace(outcome, error=_message_of(error))
    return replace(outcome, samples=tuple(str(row["shown"])[:200] for row in found))


def _error_of(client: Client, sql: str, values: Mapping[str, str]) -> str | None:
    """Run a query; returns the warehouse's message if it fails, else None."""
    try:
        rows(sql, typed(values), client)
    except GoogleAPICallError as error:
        return _message_of(error)
    return None


def _shape_error_of(client: Client, gate: str, name: str, query: str, values: Mapping[str, str]) -> str | None:
    """The error of a reconciliation that the warehouse evaluates, but that does not return the sides."""
    error = _error_of(client, sides_query(query), values)
    columns = "part, and the numbers left_value, right_value and row_count"
    return error and f"great_expectations/gates/{gate}.yml: {name}: reconcile must return {columns}: {error}"


def _message_of(error: GoogleAPICallError) -> str:
    """The warehouse's own message."""
    details = [detail for detail in error.errors if isinstance(detail, dict)]
    text = str(details[0].get("message") or error.message) if details else str(error.message)
    return text.strip().splitlines()[0]
