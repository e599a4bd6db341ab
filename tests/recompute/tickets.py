"""fct_tickets: one row per ticket, with both clocks and the state of each SLA as of the run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from tests.recompute import releases
from tests.recompute.clock import BusinessClock, clocks, exact_minutes
from tests.recompute.seeds import known_as
from tests.recompute.sla import OPEN, RESOLVED, UNKNOWN, own_priorities, policy, priority_at, state
from tests.recompute.sources import Row, SourceData, computed_once, model, natural

RECORDED = (
    *(
        "organization_id",
        "ticket_id",
        "account_id",
        "contact_id",
        "product_id",
        "category_id",
        "root_cause_id",
    ),
    *("assignee_user_id", "channel", "subject", "app_version", "reopened_count", "created_at"),
    *("csat_score", "updated_at"),
)

# The longest fast and normal resolution, in hours. They repeat dbt vars on purpose: a wrong value in either place shows as a difference.
FAST_HOURS, NORMAL_HOURS = 24, 72
# So many resolved tickets without any reply show that a source records none.
SHOW_NO_REPLIES = 3


@dataclass(frozen=True)
class _Case:
    """One ticket with the inputs of its SLA states."""

    ticket: Row
    changes: Sequence[Row]
    policies: Sequence[Row]
    clock: BusinessClock
    has_response_times: bool
    as_of: datetime

    @property
    def status(self) -> str:
        """The status in the platform's words."""
        found = known_as(self.ticket["status"], "ticket_status_synonyms")
        return found if found is not None and found in OPEN | RESOLVED else UNKNOWN

    @property
    def merged_into(self) -> str | None:
        """The other ticket that this ticket names as its target."""
        target = self.ticket.get("merged_into_ticket_id")
        return None if target == self.ticket["ticket_id"] else target

    @property
    def is_merged(self) -> bool:
        """Whether the ticket was merged into another one. It has no clocks."""
        return self.merged_into is not None or self.status == "merged"

    def priority(self, moment: datetime) -> str:
        """The priority at an instant."""
        return priority_at(self.ticket, self.changes, moment, own_priorities(self.policies))

    def sla_columns(self, name: str, closed_at: datetime | None, is_over: bool) -> Row:
        """The columns of one SLA.

        Args:
            name: `response` or `resolution`.
            closed_at: when the clock stopped; None while it runs, or if the time is unknown.
            is_over: whether the clock has stopped, even at an unknown time.
        """
        created_at = self.ticket["created_at"]
        runs = not is_over and self.status != UNKNOWN and (name == "resolution" or self.has_response_times)
        measured_to = self.as_of if runs else closed_at
        priority = self.priority(closed_at or self.as_of)
        terms = policy(self.policies, priority, self.clock.day(created_at))
        has_hours = self.clock.has_hours(created_at)
        deciding = terms.clock if terms is not None and has_hours else "calendar"
        target = None if terms is None or deciding == UNKNOWN else terms.minutes(name)
        calendar = exact_minutes(closed_at - created_at) if closed_at else None
        business = self.clock.elapsed(created_at, closed_at) if closed_at and has_hours else None
        elapsed: Fraction | None = None
        if measured_to is not None and deciding != UNKNOWN:
            on_calendar = exact_minutes(measured_to - created_at)
            elapsed = self.clock.elapsed(created_at, measured_to) if deciding == "business" else on_calendar
        sla_state = "excluded" if self.is_merged else state(elapsed, target, is_over)
        return {
            f"{name}_closed_at": closed_at,
            f"{name}_priority": priority,
            f"{name}_target_minutes": target,
            f"{name}_clock": deciding,
            f"{name}_policy": "none" if terms is None else terms.source,
            f"{name}_calendar_minutes": calendar,
            f"{name}_business_minutes": business,
            f"{name}_elapsed_minutes": elapsed,
            f"{name}_sla_ratio": None if elapsed is None or target is None else elapsed / target,
            f"{name}_state": sla_state,
            f"is_{name}_met": {"met": True, "breached": False}.get(sla_state),
        }


def csat_tier(score: int | None) -> str | None:
    """The class of a ticket's CSAT score; None without a score, or for a score outside the scale."""
    if score is None or not 1 <= score <= 5:
        return None
    return "satisfied" if score >= 4 else "dissatisfied" if score <= 2 else "neutral"


def resolution_speed(hours: Fraction | None) -> str | None:
    """The speed of a resolution on the calendar clock: fast, normal or slow; None if unknown."""
    if hours is None:
        return None
    return "fast" if hours <= FAST_HOURS else "normal" if hours <= NORMAL_HOURS else "slow"


def _is_closed(status: str, resolved_at: datetime | None, as_of: datetime) -> bool:
    return status in RESOLVED and (resolved_at is None or resolved_at < as_of)


def _record_replies(tickets: Sequence[Row], as_of: datetime) -> dict[str, bool]:
    """Organization → False if at least three tickets that were not merged are resolved, but no ticket has a reply."""
    replied: dict[str, bool] = defaultdict(bool)
    resolved: dict[str, int] = defaultdict(int)
    for ticket in tickets:
        tenant, case = ticket["organization_id"], _Case(ticket, [], [], BusinessClock(None, [], set()), True, as_of)
        replied[tenant] |= ticket["first_responded_at"] is not None and ticket["first_responded_at"] < as_of
        resolved[tenant] += _is_closed(case.status, ticket["resolved_at"], as_of) and not case.is_merged
    return {tenant: replied[tenant] or resolved[tenant] < SHOW_NO_REPLIES for tenant in replied}


def _row(case: _Case, facilities: Collection[tuple[str, str]], accounts: Collection[tuple[str, str]]) -> Row:
    ticket, as_of = case.ticket, case.as_of
    tenant = ticket["organization_id"]

    responded_at = ticket["first_responded_at"]
    if responded_at is not None and responded_at >= as_of:
        responded_at = None
    is_closed = _is_closed(case.status, ticket["resolved_at"], as_of)
    resolved_at = ticket["resolved_at"] if is_closed else None
    is_resolved = is_closed or case.is_merged
    nobody_knows = case.status == UNKNOWN and not case.is_merged
    resolution_closed_at = None if case.is_merged else resolved_at
    # If a ticket is resolved without a reply, its response clock stops at resolution.
    ends = (responded_at, resolved_at) if case.has_response_times and not case.is_merged else ()
    response_closed_at = min((moment for moment in ends if moment is not None), default=None)
    facility = ticket["facility_id"] if (tenant, ticket["facility_id"]) in facilities else "unknown"
    hours = exact_minutes(resolution_closed_at - ticket["created_at"]) / 60 if resolution_closed_at else None
    release = releases.release_version(ticket["app_version"])
    return {
        **{name: ticket[name] for name in RECORDED},
        "channel": ticket["channel"].lower() if ticket["channel"] else None,
        "ticket_key": natural(tenant, ticket["ticket_id"]),
        "account_key": natural(tenant, ticket["account_id"]) if (tenant, ticket["account_id"]) in accounts else None,
        "facility_id": facility,
        "facility_key": natural(tenant, facility),
        "priority": case.priority(as_of),
        "created_date": ticket["created_at"].date(),
        "first_responded_at": responded_at,
        "resolved_at": resolved_at,
        "status": case.status,
        "is_open": None if nobody_knows else not is_resolved,
        "is_resolved": None if nobody_knows else is_resolved,
        "is_merged": case.is_merged,
        "merged_into_ticket_id": case.merged_into,
        "has_response_times": case.has_response_times,
        "release_version": release,
        "is_release_related": None if release is None else releases.is_watched(release, ticket["created_at"].date()),
        "is_reopened": None if ticket["reopened_count"] is None else ticket["reopened_count"] > 0,
        "is_escalated": None if case.status == UNKNOWN else case.status == "escalated",
        "resolution_hours": hours,
        "resolution_speed": resolution_speed(hours),
        "csat_tier": csat_tier(ticket["csat_score"]),
        "satisfaction_level": csat_tier(ticket["csat_score"]),
        **case.sla_columns("response", response_closed_at, response_closed_at is not None or is_resolved),
        **case.sla_columns("resolution", resolution_closed_at, is_resolved),
    }


@model
@computed_once
def fct_tickets(sources: SourceData) -> list[Row]:
    """The rows of fct_tickets, by ticket_id."""
    facilities, accounts, by_organization = (
        sources.by_tenant("facilities"),
        sources.by_tenant("accounts"),
        clocks(sources),
    )
    record_replies = _record_replies(sources["tickets"], sources.as_of)
    changes: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for change in sorted(sources["ticket_priority_changes"], key=lambda row: (row["changed_at"], row["change_id"])):
        if change["changed_at"] < sources.as_of:
            changes[change["organization_id"], change["ticket_id"]].append(change)
    policies: dict[str, list[Row]] = defaultdict(list)
    for row in sources["sla_policies"]:
        policies[row["organization_id"]].append(row)
    return [
        _row(
            _Case(
                ticket,
                changes[ticket["organization_id"], ticket["ticket_id"]],
                policies[ticket["organization_id"]],
                by_organization[ticket["organization_id"]],
                record_replies[ticket["organization_id"]],
                sources.as_of,
            ),
            facilities,
            accounts,
        )
        for ticket in sources["tickets"]
    ]
