"""What went wrong in a run, as occurrences: failed tasks, blocked gates, rows set aside, a night that takes too long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from include.alerts.occurrence import Occurrence, identifier, plain, sanitized
from include.alerts.sla import moment
from include.sources import Source, load_sources
from include.terms import CRITICALITIES, Criticality

if TYPE_CHECKING:
    from include.quality import GateVerdict, Outcome

#: What the scope of everything that happens in a DAG's runs begins with.
DAG = "dag "
_DETAILS = 5


def failed_task(context: Mapping[str, Any], now: datetime) -> Occurrence:
    """A task that has failed for the last time, or the gate that has blocked it.

    Only the kind of the exception and its first line without values are told; the rest is behind the link to the log.
    """
    from airflow.sdk.log import redact

    from include.quality import GateBlocked

    task, error = context["task_instance"], context.get("exception")
    about: dict[str, Any] = {
        "event_id": identifier("failed", task.dag_id, task.run_id, task.task_id, task.map_index, task.try_number),
        "scope": f"{DAG}{task.dag_id}",
        "cause_key": f"run {task.dag_id} {task.run_id}",
        "owner": context["task"].owner,
        "severity": tier_of(context["dag"].tags),
        "at": now,
        "log_url": task.log_url,
    }
    blocked = error if isinstance(error, GateBlocked) else getattr(error, "__cause__", None)
    if isinstance(blocked, GateBlocked):
        verdict = blocked.verdict
        broken = [outcome for outcome in verdict.failures if outcome.verdict == "block"]
        return Occurrence(
            kind="gate_blocked",
            name=f"gate {verdict.gate}",
            promised=f"the {len(verdict.outcomes):,} expectations of the gate hold",
            actual=f"{len(broken)} blocked in {task.dag_id}; analysts still read the last publication",
            cause=f"{broken[0].name} on {broken[0].relation}" if broken else "",
            details=_details(_line(outcome, _keys(outcome)) for outcome in broken),
            **about,
        )
    said = sanitized(str(redact(str(error)))) if error is not None else ""
    return Occurrence(
        kind="task_failed",
        name=f"{task.dag_id}.{task.task_id}",
        actual=f"failed for good at try {task.try_number}, {moment(now)}",
        cause=f"{type(error).__name__}: {said}" if error is not None else "",
        **about,
    )


def set_aside(
    verdict: GateVerdict, run_id: str, log_url: str | None, keys: Mapping[str, list[str]], now: datetime
) -> list[Occurrence]:
    """What a gate's quarantine rules found: rows set aside, and rules that hold again.

    Args:
        verdict: what the gate decided.
        run_id: the run.
        log_url: the log of the gate's task.
        keys: rule → keys of a few rows that it holds in quarantine.
        now: the time of the verdict.
    """
    sources = load_sources()
    found = []
    for outcome in verdict.outcomes:
        if outcome.action != "quarantine" or outcome.error is not None:
            continue
        source = _source_of(outcome.relation, sources)
        count = outcome.unexpected_count or 0
        found.append(
            Occurrence(
                event_id=identifier("set aside", verdict.gate, outcome.name, run_id, outcome.success, count),
                kind="recovered" if outcome.success else "quarantined",
                scope=f"rule {verdict.gate}.{outcome.name}",
                cause_key=f"set aside {verdict.gate} {run_id}",
                name=outcome.relation,
                owner=source.owner if source else "data_platform",
                severity="medium",
                # Ten times as many rows are news.
                level=len(str(count)),
                at=now,
                promised=f"rule {outcome.name}",
                actual="holds for all rows" if outcome.success else f"{count:,} rows set aside; the run has gone on without them",
                cause="" if outcome.success else plain(outcome.reason),
                log_url=log_url,
                details=() if outcome.success else _details([_samples(outcome, keys.get(outcome.name, []))]),
            )
        )
    return found


def late_run(context: Mapping[str, Any], minutes: int, base_url: str, now: datetime) -> Occurrence:
    """A run that has not ended by its deadline, as Airflow's deadline callback gets to know it."""
    run = context["dag_run"]
    dag_id, run_id = str(run["dag_id"]), str(run["dag_run_id"] if "dag_run_id" in run else run["run_id"])
    began = run.get("start_date") or run.get("queued_at")
    return Occurrence(
        event_id=identifier("deadline", dag_id, run_id),
        kind="deadline",
        scope=f"{DAG}{dag_id}",
        cause_key=f"run {dag_id} {run_id}",
        name=dag_id,
        owner="data_platform",
        severity="critical",
        at=now,
        promised=f"ends within {minutes} minutes",
        actual=f"{run.get('state') or 'running'} since {moment(_instant(began))}"
        if began
        else str(run.get("state") or "running"),
        cause="the run's grid shows what is running or has failed",
        log_url=f"{base_url.rstrip('/')}/dags/{quote(dag_id)}/runs/{quote(run_id)}",
    )


def well_again(failed: Occurrence, run_id: str, finished_at: datetime) -> Occurrence:
    """A run that has succeeded after something of its DAG had failed: it ends that."""
    dag_id = failed.scope.removeprefix(DAG)
    return Occurrence(
        event_id=identifier("succeeded", dag_id, run_id, finished_at.isoformat()),
        kind="recovered",
        scope=failed.scope,
        cause_key=failed.cause_key,
        name=dag_id,
        owner=failed.owner,
        severity=failed.severity,
        at=finished_at,
        actual=f"a run has succeeded, {moment(finished_at)}",
    )


def tier_of(tags: Iterable[str]) -> Criticality:
    """The criticality that a DAG's tag `tier:…` names; high without one."""
    tiers = {tag.removeprefix("tier:") for tag in tags if tag.startswith("tier:")}
    return cast("Criticality", next((tier for tier in reversed(CRITICALITIES) if tier in tiers), "high"))


def personal_columns() -> frozenset[str]:
    """The names of the columns that any source marks as personal data."""
    tables = (table for source in load_sources().values() for table in source.tables.values())
    return frozenset(column.name for table in tables for column in table.columns.values() if column.pii)


def _keys(outcome: Outcome) -> list[str]:
    """The sample keys of an outcome; none if its rows have no key, for then the samples are whole rows or values."""
    return list(outcome.samples) if outcome.key and outcome.query else []


def _samples(outcome: Outcome, keys: list[str]) -> str:
    """`For example k1, k2.`, unless a column of the key holds personal data."""
    if not keys or personal_columns() & set(outcome.key):
        return ""
    return f"For example {'|'.join(outcome.key)}: {', '.join(plain(key, 60) for key in keys)}"


def _line(outcome: Outcome, keys: list[str]) -> str:
    if outcome.error is not None:
        return f"{outcome.name} on {outcome.relation} could not be evaluated: {sanitized(outcome.error)}"
    count = f"{outcome.unexpected_count:,} rows" if outcome.unexpected_count is not None else "not met"
    return plain(f"{outcome.name} on {outcome.relation}: {count}. {outcome.reason} {_samples(outcome, keys)}", 500)


def _details(lines: Iterable[str]) -> tuple[str, ...]:
    kept = [line for line in lines if line]
    more = [f"and {len(kept) - _DETAILS} more"] if len(kept) > _DETAILS else []
    return tuple(kept[:_DETAILS] + more)


def _source_of(relation: str, sources: Mapping[str, Source]) -> Source | None:
    """The source that a staging view `staging.stg_<source>__<table>` is made from."""
    name = relation.partition(".")[2].removeprefix("stg_").partition("__")[0]
    return sources.get(name)


def _instant(value: Any) -> datetime:
    at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
