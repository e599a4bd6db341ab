"""Edge cases of tickets and surveys. All of them happen before October 2026."""

from __future__ import annotations

from typing import Any

from include.demo.accounts import Account, AccountPool
from include.demo.cases_sales import AWKWARD_TEXT
from include.demo.clock import DAY, MINUTE, at, day_of
from include.demo.people import Org
from include.demo.releases import SPIKE
from include.demo.sla_events import report_slas
from include.demo.support import Changes, Desk, priority_changes, spike_size, survey
from include.demo.world import World


def support_cases(world: World, orgs: list[Org], pool: AccountPool, desks: dict[str, Desk]) -> None:
    """Write the cases of SLA clocks, reopening, priorities and surveys. Label the spike after version 1.2."""
    london = next(account for account in pool.accounts if account.org is orgs[0] and account.customer_periods)
    newyork = next(account for account in pool.accounts if account.org is orgs[1] and account.customer_periods)
    _clocks(world, desks, london, newyork)
    _reopened(world, desks, london)
    _merged(world, desks, newyork)
    _priorities(world, desks, newyork)
    _surveys(world, desks, london)
    for org in orgs:
        key = world.key("tkt", f"spike/{org.index}/0/0")
        count = spike_size(world, 0)
        see = f"one of {count} tickets about version 1.2 that {org.home.name} got on {day_of(SPIKE)}, the day of its release"
        world.case("spike of tickets after app version 1.2", "tickets", key, see, SPIKE + DAY)


def _ticket(
    world: World,
    desk: Desk,
    account: Account,
    label: str,
    created: int,
    answered: int,
    resolved: int,
    priority: str = "medium",
    subject: str = "Report is late",
    changes: Changes | None = None,
) -> tuple[str, dict[str, Any]]:
    ticket = world.key("tkt", "case", label)
    values = {
        "ticket_id": ticket,
        "organization_id": desk.org.id,
        "account_id": account.id,
        "contact_id": account.contacts[0][1],
        "facility_id": account.facility,
        "product_id": desk.org.software[0].id,
        "category_id": desk.categories["Dashboards"],
        "root_cause_id": None,
        "assignee_user_id": desk.org.staff("support_agent", created)[0].id,
        "channel": "email",
        "priority": priority,
        "status": "open",
        "subject": subject,
        "created_at": created,
        "reopened_count": 0,
    }
    cause = desk.causes["Dashboards"][0]
    history: Changes = [
        (answered, {"first_responded_at": answered, "status": "pending"}),
        (resolved, {"status": "resolved", "resolved_at": resolved, "root_cause_id": cause}),
        *(changes or []),
    ]
    world.add("tickets", created, values, history)
    return ticket, values


def _clocks(world: World, desks: dict[str, Desk], london: Account, newyork: Account) -> None:
    for account, label, title, created, answered, resolved, see in (
        (
            london,
            "weekend",
            "ticket over a weekend",
            at(2026, 5, 15, 16, 50),
            at(2026, 5, 15, 16, 58),
            at(2026, 5, 18, 8, 10),
            "Friday 17:50 to Monday 09:10 in London: 3,800 minutes by the calendar, 230 in business hours"
            " (10 on Friday, 180 on Saturday, 40 on Monday)",
        ),
        (
            london,
            "spring",
            "ticket over a daylight-saving switch",
            at(2026, 3, 27, 17, 0),
            at(2026, 3, 27, 17, 20),
            at(2026, 3, 30, 8, 30),
            "Friday 17:00 GMT to Monday 09:30 BST in London: 3,810 minutes by the calendar, 300 in business hours",
        ),
        (
            newyork,
            "autumn",
            "ticket over a daylight-saving switch",
            at(2025, 10, 31, 20, 0),
            at(2025, 10, 31, 20, 30),
            at(2025, 11, 3, 15, 0),
            "Friday 16:00 EDT to Monday 10:00 EST in New York: 4,020 minutes by the calendar, 480 in business hours",
        ),
    ):
        desk = desks[account.org.id]
        ticket, _ = _ticket(world, desk, account, label, created, answered, resolved)
        world.case(title, "tickets", ticket, see, resolved)


def _reopened(world: World, desks: dict[str, Desk], account: Account) -> None:
    again, resolved = at(2026, 4, 16, 10), at(2026, 4, 17, 15)
    changes: Changes = [
        (again, {"status": "open", "resolved_at": None, "reopened_count": 1}),
        (resolved, {"status": "resolved", "resolved_at": resolved}),
    ]
    desk = desks[account.org.id]
    ticket, _ = _ticket(
        world, desk, account, "reopened", at(2026, 4, 14, 9), at(2026, 4, 14, 9, 30), at(2026, 4, 14, 16), changes=changes
    )
    see = "resolved 2026-04-14, reopened 2026-04-16, resolved for good 2026-04-17 15:00; reopened_count 1"
    world.case("reopened ticket", "tickets", ticket, see, resolved)


def _merged(world: World, desks: dict[str, Desk], account: Account) -> None:
    desk = desks[account.org.id]
    created, closed = at(2026, 5, 20, 15), at(2026, 5, 20, 15, 4)
    target = world.key("tkt", "case", "priority")
    closing: Changes = [(closed, {"status": "closed", "merged_into_ticket_id": target})]
    ticket, values = _ticket(world, desk, account, "merged", created, closed, closed, changes=closing)
    report_slas(world, desk.org, values, "case/merged", [(closed, {"first_responded_at": closed, "resolved_at": closed})])
    see = "closed after four minutes, because it was merged into another ticket: it has no SLA, but the help desk reports one"
    world.case("merged ticket", "tickets", ticket, see, closed)


def _priorities(world: World, desks: dict[str, Desk], account: Account) -> None:
    desk = desks[account.org.id]
    created = at(2026, 5, 6, 14)
    raised, lowered = created + 45 * MINUTE, created + 150 * MINUTE
    key = world.key("tkt", "case", "priority")
    steps = [(raised, "low", "critical"), (lowered, "critical", "high")]
    changes = priority_changes(world, desk.org, key, created, "low", steps)
    ticket, _ = _ticket(
        world,
        desk,
        account,
        "priority",
        created,
        created + 75 * MINUTE,
        created + 600 * MINUTE,
        priority="low",
        changes=changes,
    )
    see = "low, critical after 45 minutes, high after 150: answered (75) while critical, resolved (600) while high"
    world.case("priority change mid-ticket", "tickets", ticket, see, created + 600 * MINUTE)


def _surveys(world: World, desks: dict[str, Desk], account: Account) -> None:
    desk = desks[account.org.id]
    created = at(2026, 6, 2, 9)
    answered, resolved = created + 40 * MINUTE, created + 300 * MINUTE
    ticket, values = _ticket(world, desk, account, "awkward", created, answered, resolved, subject=AWKWARD_TEXT)
    title = "text with quotes, newlines and emoji"
    world.case(title, "tickets", ticket, "subject of four lines with quotes, backslashes, emoji and Chinese", created)
    world.sent_twice["tickets"] = [ticket]
    see = "the page that holds it holds it twice"
    world.case("duplicate delivery (REST)", "tickets", ticket, see, created, "answer")
    about = {name: values[name] for name in ("organization_id", "account_id", "facility_id", "contact_id")}
    sent = resolved + 60 * MINUTE
    for kind, about_it in (("csat", {**about, "ticket_id": ticket}), ("nps", about)):
        response = survey(world, about_it, kind, f"case/unanswered {kind}", sent, sent, None)
        see = "sent, never answered: responded_at is NULL and its score of 0 means nothing"
        world.case("unanswered survey", "survey_responses", response, see, sent)
    response = survey(world, {**about, "ticket_id": ticket}, "csat", "case/awkward", sent, sent + DAY, 2, AWKWARD_TEXT)
    world.case(title, "survey_responses", response, "comment of four lines", sent + DAY)
