"""fct_ticket_sla_reconciliation and mart_sla_reconciliation: the platform's SLA outcomes beside those that help desks report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction

from tests.recompute.grouping import grouped
from tests.recompute.months import month_end
from tests.recompute.seeds import known_as
from tests.recompute.sla import own_priorities, priority_at
from tests.recompute.sources import Row, SourceData, model, natural
from tests.recompute.tenants import share
from tests.recompute.tickets import fct_tickets

Identity = tuple[str, str]
METRICS = {"first_response": "response", "resolution": "resolution"}
# Minutes by which two figures may differ. It repeats a dbt var on purpose.
TOLERANCE = 1
NOT_COMPARED = ("not_reported", "merged", "not_measured_here", "not_decided_there")
COMPARED = (
    *("same", "priority_changed", "target", "open_past_target", "resolved_without_reply", "reopened", "clock", "paused"),
    "unexplained",
)


def _reports(sources: SourceData) -> dict[tuple[str, str, str], Row]:
    """The report that counts, by organization, ticket and metric: the last changed, and of those the first by its word."""
    found: dict[tuple[str, str, str], Row] = {}
    for row in sorted(sources["ticket_sla_events"], key=lambda row: row["metric"], reverse=True):
        metric = row["sla_metric"] if "sla_metric" in row else known_as(row["metric"], "sla_metric_synonyms")
        if metric in METRICS:
            identity = row["organization_id"], row["ticket_id"], metric
            if identity not in found or row["updated_at"] >= found[identity]["updated_at"]:
                found[identity] = row
    return found


def _minutes(report: Row) -> Fraction | None:
    return None if report["elapsed_minutes"] is None else Fraction(report["elapsed_minutes"])


def _before(moment: datetime | None, as_of: datetime) -> datetime | None:
    return moment if moment is not None and moment < as_of else None


def _reported_state(report: Row, as_of: datetime) -> str:
    breached, breached_at = report["breached"], report["breached_at"]
    if breached_at is not None and breached_at >= as_of:
        breached = False
    elif breached is None and breached_at is not None:
        breached = True
    if breached is None:
        return "unknown"
    if breached:
        return "breached"
    return "met" if _before(report["fulfilled_at"], as_of) else "pending"


def _priorities(ticket: Row, changes: Sequence[Row], own: Collection[str]) -> set[str]:
    """Every priority that the ticket has had, if only for an instant."""
    if not changes:
        return {ticket["priority"]}
    before = priority_at(ticket, changes, changes[0]["changed_at"] - timedelta(microseconds=1), own)
    later = (priority_at(ticket, changes[:end], changes[end - 1]["changed_at"], own) for end in range(1, len(changes) + 1))
    return {before, *later}


def _priorities_by_ticket(sources: SourceData) -> Mapping[Identity, Collection[str]]:
    """Every priority that each ticket has had, by organization and ticket."""
    given = sources.models.get("int_support__priority_history")
    if given is not None:
        return {
            ticket: {row["priority"] for row in rows} for ticket, rows in grouped(given, "organization_id", "ticket_id").items()
        }
    policies = grouped(sources["sla_policies"], "organization_id")
    changes: dict[Identity, list[Row]] = defaultdict(list)
    for change in sorted(sources["ticket_priority_changes"], key=lambda row: (row["changed_at"], row["change_id"])):
        if change["changed_at"] < sources.as_of:
            changes[change["organization_id"], change["ticket_id"]].append(change)
    return {
        identity: _priorities(ticket, changes[identity], own_priorities(policies.get(identity[:1], [])))
        for identity, ticket in sources.by_tenant("tickets").items()
    }


def _close(left: Fraction | None, right: Fraction | None) -> bool:
    return left is not None and right is not None and abs(left - right) <= TOLERANCE


def _reason(
    ours: Row, report: Row | None, theirs: str | None, stopped_there: datetime | None, priorities: Collection[str]
) -> str:
    """The reason of one row. `ours` has the figures of one SLA without their prefix."""
    if report is None:
        return "not_reported"
    if ours["state"] == "excluded":
        return "merged"
    if ours["state"] == "unknown":
        return "not_measured_here"
    if theirs == "unknown":
        return "not_decided_there"
    if report["target_minutes"] is not None and report["target_minutes"] != ours["target_minutes"]:
        return "priority_changed" if len(priorities) > 1 else "target"

    minutes, stopped_here = _minutes(report), ours["closed_at"]
    differs = None not in (minutes, stopped_here, stopped_there) and not _close(minutes, ours["elapsed_minutes"])
    if theirs == ours["state"] and not differs:
        return "same"
    if stopped_here is None and (ours["state"], theirs) == ("breached", "pending"):
        return "open_past_target"
    if ours["metric"] == "first_response" and stopped_here is not None:
        replied = ours["first_responded_at"]
        if (replied is None or replied > stopped_here) and (stopped_there is None or stopped_there > stopped_here):
            return "resolved_without_reply"
    stopped_first = stopped_there is not None and (stopped_here is None or stopped_there < stopped_here)
    if ours["metric"] == "resolution" and ours["is_reopened"] and stopped_first:
        return "reopened"
    if minutes is not None and stopped_here is not None and stopped_there is not None:
        other = ours["calendar_minutes"] if ours["clock"] == "business" else ours["business_minutes"]
        if _close(minutes, other):
            return "clock"
        least = ours["calendar_minutes"] if ours["business_minutes"] is None else ours["business_minutes"]
        if abs(stopped_there - stopped_here) <= timedelta(minutes=TOLERANCE) and minutes < least:
            return "paused"
    return "unexplained"


@model
def fct_ticket_sla_reconciliation(sources: SourceData) -> list[Row]:
    """The rows of fct_ticket_sla_reconciliation, by organization, ticket and metric."""
    reports, as_of = _reports(sources), sources.as_of
    reporting = {tenant for tenant, _, _ in reports}
    priorities = _priorities_by_ticket(sources)
    rows: list[Row] = []
    for ticket in fct_tickets(sources):
        identity = ticket["organization_id"], ticket["ticket_id"]
        if identity[0] not in reporting:
            continue
        for metric, prefix in METRICS.items():
            report = reports.get((*identity, metric))
            names = ("closed_at", "target_minutes", "clock", "calendar_minutes", "business_minutes", "elapsed_minutes", "state")
            ours = {**ticket, "metric": metric, **{name: ticket[f"{prefix}_{name}"] for name in names}}
            given = report or dict.fromkeys(("target_minutes", "elapsed_minutes", "breached_at", "fulfilled_at", "updated_at"))
            theirs = _reported_state(report, as_of) if report else None
            stopped_there = _before(given["fulfilled_at"], as_of)
            minutes = _minutes(given)
            difference = None
            if minutes is not None and None not in (ours["elapsed_minutes"], ours["closed_at"], stopped_there):
                difference = minutes - ours["elapsed_minutes"]
            reason = _reason(ours, report, theirs, stopped_there, priorities.get(identity, ()))
            rows.append(
                {
                    "organization_id": identity[0],
                    "ticket_id": identity[1],
                    "ticket_key": natural(*identity),
                    "metric": metric,
                    **{name: ours[name] for name in ("created_date", "target_minutes", "clock", "elapsed_minutes")},
                    **{name: ours[name] for name in ("closed_at", "state")},
                    "reported_target_minutes": given["target_minutes"],
                    "reported_elapsed_minutes": minutes,
                    "reported_breached_at": _before(given["breached_at"], as_of),
                    "reported_fulfilled_at": stopped_there,
                    "reported_updated_at": given["updated_at"],
                    "reported_state": theirs,
                    "difference_minutes": difference,
                    "reason": reason,
                    "is_agreed": None if reason in NOT_COMPARED else theirs == ours["state"],
                }
            )
    return rows


def mart_sla_reconciliation(sources: SourceData) -> list[Row]:
    """The rows of mart_sla_reconciliation, by organization, metric and month of ticket creation."""
    groups: dict[tuple[str, str, date], list[Row]] = defaultdict(list)
    for row in fct_ticket_sla_reconciliation(sources):
        groups[row["organization_id"], row["metric"], row["created_date"].replace(day=1)].append(row)
    rows: list[Row] = []
    for (tenant, metric, month), tickets in groups.items():
        compared = [ticket for ticket in tickets if ticket["reason"] in COMPARED]
        counts = {reason: sum(ticket["reason"] == reason for ticket in tickets) for reason in (*NOT_COMPARED, *COMPARED)}
        agreed = sum(ticket["is_agreed"] for ticket in compared)
        columns: Row = {}
        for prefix, state in (("", "state"), ("reported_", "reported_state")):
            met, breached = (sum(ticket[state] == word for ticket in compared) for word in ("met", "breached"))
            columns |= {f"{prefix}met_count": met, f"{prefix}breached_count": breached}
            columns[f"{prefix}compliance_pct"] = share(met, met + breached)
        rows.append(
            {
                "organization_id": tenant,
                "metric": metric,
                "created_month": month,
                "is_complete": month_end(month) <= sources.as_of,
                "ticket_count": len(tickets),
                **{f"{reason}_count": count for reason, count in counts.items()},
                "compared_count": len(compared),
                "agreed_count": agreed,
                "agreement_pct": share(agreed, len(compared)),
                "unexplained_pct": share(counts["unexplained"], len(compared)),
                **columns,
            }
        )
    return rows
