# ruff: noqa: S608 - SQL is put together from names and rules of the platform's own, never from data.
"""Runs a gate: one checkpoint of Great Expectations, and what follows from it."""

from __future__ import annotations

import contextlib
import io
import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from include.ops import append
from include.quality import quarantine, reconciliation
from include.quality.parameters import bound, values_of
from include.quality.reconciliation import complaint_of
from include.quality.verdict import GateBlocked, GateVerdict, Outcome
from include.runs import RunContext

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

    from include.quality.scope import Scope

log = logging.getLogger(__name__)

_SAMPLES = 3


def run_gate(gate: str, run: RunContext, client: Client | None = None, scope: Scope | None = None) -> GateVerdict:
    """Judge one boundary: run its checkpoint, quarantine, write the verdicts down.

    What it wrote in an earlier attempt of the same run is replaced, and rows that it set aside before are judged anew, so
    that a repaired parent releases its children.

    Args:
        gate: `raw_<source>`, `staging`, `core` or `marts`.
        run: the run that is judged.
        client: a BigQuery client; one is made if not given.
        scope: what the run makes, if it does not make everything: it is judged by the rules on that alone.

    Returns:
        The verdict, when the pipeline may go on.

    Raises:
        GateBlocked: an expectation of action `block` failed, or one could not be evaluated.
    """
    from include.quality.context import checkpoint_of
    from include.warehouse import client as new_client

    bq = client or new_client(gate=gate)
    values = values_of(run, gate)
    outcomes: list[Outcome] = []
    with checkpoint_of(gate, bq, scope) as checkpoint:
        if checkpoint is not None:
            outcomes = _judge(checkpoint, gate, run, bq, whole=scope is None)
    held = quarantine.hold(bq, gate, [o for o in outcomes if o.action == "quarantine" and not o.error], values)
    outcomes = [_in_words(bq, outcome, values) for outcome in outcomes]
    verdict = GateVerdict(gate, tuple(outcomes), held)

    now = datetime.now(UTC)
    rows = [outcome.row(gate, run, now) for outcome in outcomes]
    append("ops.gate_results", rows, replace_where={"run_id": run.run_id, "as_of": run.as_of, "gate": gate}, client=bq)
    if verdict.verdict == "block":
        raise GateBlocked(verdict)
    log.log(logging.INFO if verdict.verdict == "pass" else logging.WARNING, verdict.message)
    return verdict


def _judge(checkpoint: Any, gate: str, run: RunContext, bq: Client, whole: bool) -> list[Outcome]:
    """What became of every expectation of a checkpoint, judging also the rows that the gate has held in quarantine so far."""
    values = values_of(run, gate)
    rules = [e for definition in checkpoint.validation_definitions for e in definition.suite.expectations]
    quarantined = {rule.meta["relation"] for rule in rules if rule.meta["action"] == "quarantine"}
    if quarantined:
        quarantine.release(bq, gate, None if whole else quarantined)
    measured = {rule.meta["name"]: rule.meta["reconcile"] for rule in rules if "reconcile" in rule.meta}
    complaints = reconciliation.measure(bq, gate, measured, values)
    return [
        replace(outcome, success=False, error=complaints[outcome.name]) if outcome.name in complaints else outcome
        for outcome in _evaluate(checkpoint, run, values)
    ]


def _evaluate(checkpoint: Any, run: RunContext, values: Mapping[str, str]) -> list[Outcome]:
    from great_expectations.core.run_identifier import RunIdentifier

    identifier = RunIdentifier(run_name=run.run_id, run_time=datetime.now(UTC))
    # Great Expectations prints hints for people at a notebook; they would drown the task's log.
    with contextlib.redirect_stdout(io.StringIO()):
        result = checkpoint.run(expectation_parameters={"run": dict(values)}, run_id=identifier)
    return [outcome_of(item) for part in result.run_results.values() for item in part.results]


def outcome_of(item: Any) -> Outcome:
    """One of Great Expectations' results as ours."""
    config = item.expectation_config
    meta = config.meta
    found: dict[str, Any] = item.result or {}
    query = config.kwargs.get("unexpected_rows_query")
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
        samples=tuple(dict.fromkeys(str(value) for value in found.get("partial_unexpected_list", [])))[:_SAMPLES],
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
    """The message of the exception that kept an expectation from being evaluated, if there was one."""
    entries: Iterable[Any] = [info] if "raised_exception" in info else info.values()
    for entry in entries:
        if isinstance(entry, Mapping) and entry.get("raised_exception"):
            lines = str(entry.get("exception_message") or "unknown error").strip().splitlines()
            return next((line for line in lines if line.strip()), "unknown error")
    return None


def _in_words(client: Client, outcome: Outcome, values: Mapping[str, str]) -> Outcome:
    """The outcome with what a person needs to mend it; only one that failed costs a query.

    For rows that broke a rule: the keys of a few. For an error: the warehouse's own words, which Great Expectations
    swallows.
    """
    from google.cloud import bigquery

    if outcome.error is not None:
        statement = f"select count(*) from ({outcome.query or f'select * from {outcome.relation} limit 1'})"
        return replace(outcome, error=complaint_of(client, statement, bound(values)) or outcome.error)
    if outcome.success or outcome.query is None or outcome.action == "quarantine":
        return outcome
    shown = quarantine.key_text(outcome.key, "broken") if outcome.key else "to_json_string(broken)"
    sql = f"select {shown} as shown from ({outcome.query}) as broken order by shown limit {_SAMPLES}"
    rows = client.query(sql, job_config=bigquery.QueryJobConfig(query_parameters=bound(values))).result()
    return replace(outcome, samples=tuple(str(row["shown"])[:200] for row in rows))
