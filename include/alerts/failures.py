"""Turns problems of a DAG run into occurrences: failed tasks, blocked gates, quarantined rows, missed deadlines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from include.alerts.freshness import moment
from include.alerts.occurrence import Occurrence, identifier, plain, sanitized
from include.sources import Source, load_sources, personal_columns
from include.sources.feeds import feeds
from include.terms import CRITICALITIES, Criticality

if TYPE_CHECKING:
    from include.quality import GateVerdict, Outcome

#: Prefix of the scope of all problems of one DAG.
DAG = "dag "
_DETAILS = 5


def failed_task(context: Mapping[str, Any], now: datetime) -> Occurrence:
    """A task that failed at its last try, or the gate that blocked it.

    The occurrence holds only the type of the exception and its first line, without values. Its link leads to the full log.
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
            expected=f"all {len(verdict.outcomes):,} expectations of the gate are met",
            actual=f"blocking expectations in {task.dag_id}: {len(broken)}; analysts still read the last publication",
            cause=f"{broken[0].name} on {broken[0].relation}" if broken else "",
            details=_details(_line(outcome, _keys(outcome)) for outcome in broken),
            **about,
        )
    text = sanitized(str(redact(str(error)))) if error is not None else ""
    return Occurrence(
        kind="task_failed",
        name=f"{task.dag_id}.{task.task_id}",
        actual=f"failed at its last try ({task.try_number}), {moment(now)}",
        cause=f"{type(error).__name__}: {text}" if error is not None else "",
        **about,
    )


def quarantine_occurrences(
    verdict: GateVerdict, run_id: str, log_url: str | None, keys: Mapping[str, list[str]], now: datetime
) -> list[Occurrence]:
    """One occurrence per quarantine rule of a gate: rows in quarantine, or a recovery if all rows meet the rule.

    Args:
        verdict: the gate's verdict.
        run_id: the run that was checked.
        log_url: the log of the gate's task.
        keys: rule → sample keys of its rows in quarantine.
        now: the time of the verdict.
    """
    sources = load_sources()
    found = []
    for outcome in verdict.outcomes:
        if outcome.action != "quarantine" or outcome.error is not None:
            continue
        count = outcome.unexpected_count or 0
        found.append(
            Occurrence(
                event_id=identifier("quarantine", verdict.gate, outcome.name, run_id, outcome.success, count),
                kind="recovered" if outcome.success else "quarantined",
                scope=f"rule {verdict.gate}.{outcome.name}",
                cause_key=f"quarantine {verdict.gate} {run_id}",
                name=outcome.relation,
                owner=_owner_of(outcome.relation, sources),
                severity="medium",
                # The number of digits: owners are notified again when the number of rows has grown tenfold.
                level=len(str(count)),
                at=now,
                expected=f"rule {outcome.name}",
                actual="all rows meet the rule"
                if outcome.success
                else f"{count:,} rows quarantined; the run continued without them",
                cause="" if outcome.success else plain(outcome.reason),
                log_url=log_url,
                details=() if outcome.success else _details([_samples(outcome, keys.get(outcome.name, []))]),
            )
        )
    return found


def late_run(context: Mapping[str, Any], minutes: int, base_url: str, now: datetime) -> Occurrence:
    """A run that has not ended by its deadline, from the context of Airflow's deadline callback."""
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
        expected=f"ends within {minutes} minutes",
        actual=f"{run.get('state') or 'running'} since {moment(_utc(began))}" if began else str(run.get("state") or "running"),
        cause="see the run's grid for its running and failed tasks",
        log_url=f"{base_url.rstrip('/')}/dags/{quote(dag_id)}/runs/{quote(run_id)}",
    )


def recovery_of(failed: Occurrence, run_id: str, finished_at: datetime) -> Occurrence:
    """The recovery of a failed DAG, after one of its runs has succeeded."""
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
        actual=f"a run succeeded, {moment(finished_at)}",
    )


def tier_of(tags: Iterable[str]) -> Criticality:
    """The criticality in a DAG's tag `tier:…`; high if it has none."""
    tiers = {tag.removeprefix("tier:") for tag in tags if tag.startswith("tier:")}
    return cast("Criticality", next((tier for tier in reversed(CRITICALITIES) if tier in tiers), "high"))


def _keys(outcome: Outcome) -> list[str]:
    """The sample keys of an outcome. Without a key its samples are whole rows or values, which are not shown."""
    return list(outcome.samples) if outcome.key and outcome.query else []


def _samples(outcome: Outcome, keys: list[str]) -> str:
    """Sample keys as text; empty if a key column holds personal data."""
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


def _owner_of(relation: str, sources: Mapping[str, Source]) -> str:
    """The owner of the sources that feed the conformed view `conformed.conformed_<entity>`; the platform's if they have several."""
    entity = relation.partition(".")[2].removeprefix("conformed_")
    owners = {source.owner for source, _ in feeds(sources).get(entity, ())}
    return owners.pop() if len(owners) == 1 else "data_platform"


def _utc(value: Any) -> datetime:
    at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
