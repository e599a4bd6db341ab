"""Support data: tickets, priority changes, categories, root causes, and survey responses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from include.demo import clock, names
from include.demo.accounts import Account, AccountPool
from include.demo.clock import DAY, EPOCH, HOUR, MINUTE
from include.demo.dice import Dice, Weighted
from include.demo.people import Org
from include.demo.reference import TARGETS
from include.demo.releases import SPIKE, version_at
from include.demo.sla_events import report_slas
from include.demo.world import World

Changes = list[tuple[int, dict[str, Any]]]

PRIORITIES = ("critical", "high", "medium", "low")
SPIKE_DAYS = 9
CATEGORIES = (
    ("Application", None, 0),
    ("Sign-in", "Application", 18),
    ("Dashboards", "Application", 17),
    ("Integrations", "Application", 14),
    ("Mobile app", "Application", 13),
    ("Billing", None, 14),
    ("Refunds", "Billing", 5),
    ("Hardware", None, 12),
    ("How-to", None, 7),
)
ROOT_CAUSES = (
    ("SW-REG", "Regression", "software", "high", ("Dashboards", "Mobile app")),
    ("SW-CFG", "Configuration", "software", "medium", ("Dashboards", "Integrations")),
    ("SW-AUT", "Expired credentials", "software", "medium", ("Sign-in",)),
    ("SW-PRF", "Slow query", "software", "medium", ("Dashboards",)),
    ("IN-API", "Partner API change", "integration", "high", ("Integrations",)),
    ("IN-LIM", "Rate limit", "integration", "low", ("Integrations",)),
    ("HW-DEF", "Defective unit", "hardware", "high", ("Hardware",)),
    ("HW-SHP", "Damaged in transit", "hardware", "medium", ("Hardware",)),
    ("BI-TAX", "Wrong tax", "billing", "medium", ("Billing", "Refunds")),
    ("BI-DUP", "Charged twice", "billing", "high", ("Billing", "Refunds")),
    ("US-DOC", "Documentation gap", "user", "low", ("How-to", "Sign-in")),
    ("OP-OUT", "Outage", "operations", "critical", ("Sign-in", "Mobile app", "Integrations")),
)
_SUBJECTS = {
    "Sign-in": ("Cannot sign in", "Password reset mail does not arrive", "SSO loop"),
    "Dashboards": ("Dashboard stays empty", "Numbers differ from last week", "Export fails"),
    "Integrations": ("Sync stopped", "Webhook returns 500", "Missing records after import"),
    "Mobile app": ("App crashes on start", "No notifications", "Screen frozen"),
    "Billing": ("Invoice has the wrong address", "Charged twice", "Question about tax"),
    "Refunds": ("Refund has not arrived", "Please cancel and refund"),
    "Hardware": ("Sensor offline", "Gateway does not boot", "Box arrived damaged"),
    "How-to": ("How do I share a report?", "Where is the audit log?"),
}
_CATEGORY = Weighted({name: weight for name, _, weight in CATEGORIES if weight})
_CHANNEL = Weighted({"email": 34, "chat": 18, "phone": 16, "web": 17, "app": 11, "social": 4})
_PRIORITY = Weighted({"critical": 6, "high": 20, "medium": 46, "low": 28})
_SPIKE_CHANNEL = Weighted({"app": 55, "web": 20, "chat": 15, "email": 10})
_SPIKE_PRIORITY = Weighted({"critical": 15, "high": 45, "medium": 30, "low": 10})
_CSAT = Weighted({1: 6, 2: 8, 3: 16, 4: 34, 5: 36})
_NPS = Weighted({0: 2, 1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 9, 7: 15, 8: 20, 9: 21, 10: 17})


@dataclass(frozen=True)
class Desk:
    """The support desk of one organization: its categories and root causes by name."""

    org: Org
    categories: dict[str, str]
    causes: dict[str, list[str]]


def desks(world: World, orgs: list[Org]) -> dict[str, Desk]:
    """Write ticket_categories and root_causes. Returns the desks by organization."""
    result = {}
    for org in orgs:
        categories = {name: world.key("cat", org.index, name) for name, _, _ in CATEGORIES}
        for name, parent, _ in CATEGORIES:
            values = {"category_id": categories[name], "organization_id": org.id, "name": name, "parent_name": parent}
            world.add("ticket_categories", EPOCH, values)
        causes: dict[str, list[str]] = {name: [] for name in categories}
        for code, name, category, severity, category_names in ROOT_CAUSES:
            cause = world.key("rc", org.index, code)
            values = {"root_cause_id": cause, "organization_id": org.id, "code": code, "name": name}
            world.add("root_causes", EPOCH, {**values, "category": category, "severity": severity})
            for category_name in category_names:
                causes[category_name].append(cause)
        result[org.id] = Desk(org, categories, causes)
    return result


def spike_size(world: World, day: int) -> int:
    """Extra tickets per organization on a day of the 1.2 spike; day 0 is the release. It is a spike at every scale."""
    return max(12 - day, round((24 - 2.2 * day) * world.scale))


def tickets(world: World, pool: AccountPool, by_org: dict[str, Desk]) -> None:
    """Write tickets, their priority changes and their surveys."""
    spike = sum(spike_size(world, day) for day in range(SPIKE_DAYS)) * len(by_org)
    regular = max(15_000 * world.scale - spike, 5_000 * world.scale)
    for month in world.months():
        first = clock.month_start(month)
        days = (clock.month_start(month + 1) - first) // DAY
        dice = world.dice("tickets", month)
        requesters = [
            account
            for account in pool.before(first)
            if account.customer_periods and account.customer_periods[0][0] < first + 15 * DAY
        ]
        requesters = [account for account in requesters if account.is_customer(first + 15 * DAY) or dice.chance(0.15)]
        if not requesters:
            continue
        weights = pool.weighted(requesters)
        for number in range(world.budget(regular, month, growth=0.5)):
            account = requesters[dice.draw(weights)]
            day = first + dice.whole(0, days - 1) * DAY
            if clock.weekday(day) >= 5 and dice.chance(0.7):
                day = first + dice.whole(0, days - 1) * DAY
            when = account.org.office_time(dice, day) if dice.chance(0.8) else day + dice.whole(0, DAY - 1)
            _ticket(world, by_org[account.org.id], account, f"{month}/{number}", when, in_spike=False)
    _spike(world, pool, by_org)
    _piles(world, pool, by_org)


def _piles(world: World, pool: AccountPool, by_org: dict[str, Desk]) -> None:
    """Tickets of accounts whose tickets pile up: some in every month, and slow to be solved."""
    for account in pool.accounts:
        for sign in (sign for sign in account.signs if sign.name == "tickets"):
            dice = world.dice("pile", account.index, sign.begin)
            for number in range(dice.whole(4, 8)):
                when = sign.begin + int((sign.end - sign.begin) * dice.random())
                _ticket(world, by_org[account.org.id], account, f"pile/{account.index}/{sign.begin}/{number}", when, False)


def _spike(world: World, pool: AccountPool, by_org: dict[str, Desk]) -> None:
    for org_id, desk in by_org.items():
        customers = [account for account in pool.before(SPIKE) if account.org.id == org_id and account.is_customer(SPIKE)]
        if not customers:
            continue
        for day in range(SPIKE_DAYS):
            dice = world.dice("spike", desk.org.index, day)
            for number in range(spike_size(world, day)):
                when = SPIKE + day * DAY + dice.whole(11 * HOUR, 23 * HOUR)
                _ticket(world, desk, dice.pick(customers), f"spike/{desk.org.index}/{day}/{number}", when, in_spike=True)


def _minutes(dice: Dice, target: int) -> int:
    """A random duration in minutes: mostly within the target, with a long tail beyond it."""
    return 3 + int(target * (dice.random() * 0.8 if dice.chance(0.8) else 0.8 + dice.skewed(0, 400) / 100))


def _ticket(world: World, desk: Desk, account: Account, name: str, when: int, in_spike: bool) -> None:
    dice = world.dice("ticket", name)
    org, ticket = desk.org, world.key("tkt", name)
    category = dice.pick(("Dashboards", "Mobile app")) if in_spike else dice.draw(_CATEGORY)
    channel = dice.draw(_SPIKE_CHANNEL if in_spike else _CHANNEL)
    priority = dice.draw(_SPIKE_PRIORITY if in_spike else _PRIORITY)
    version = None
    if in_spike:
        version = "1.2"
    elif channel in ("app", "web", "chat"):
        version = version_at(when, behind=1 if dice.chance(0.2) else 0)
    agents = org.staff("support_agent", when)
    cause = None
    if dice.chance(0.85):
        cause = desk.causes[category][0] if in_spike else dice.pick(desk.causes[category])
    products = org.goods if category == "Hardware" else org.software
    values = {
        "ticket_id": ticket,
        "organization_id": org.id,
        "account_id": account.id if dice.chance(0.98) else None,
        "contact_id": account.contact(dice, when),
        "facility_id": account.facility if dice.chance(0.95) else None,
        "product_id": dice.pick(products).id if dice.chance(0.85) else None,
        "category_id": desk.categories[category] if dice.chance(0.97) else None,
        "channel": channel,
        "priority": priority,
        "status": "open",
        "subject": dice.pick(_SUBJECTS[category]),
        "app_version": version,
        "created_at": when,
        "reopened_count": 0,
    }
    is_slow = account.sign("tickets", when) is not None
    changes, resolved = _ticket_changes(dice, when, priority, cause, dice.pick(agents).id, is_slow)
    report_slas(world, org, values, name, changes)
    if resolved is not None and dice.chance(0.05):
        steps = [(when + dice.whole(5, 60) * MINUTE, priority, _other(dice, priority))]
        changes += priority_changes(world, org, ticket, when, priority, steps)
    if resolved is not None and dice.chance(0.3):
        changes += _csat(world, dice, account, values, name, resolved)
    world.add("tickets", when, values, changes)


def _other(dice: Dice, priority: str) -> str:
    position = PRIORITIES.index(priority)
    step = 1 if position == 0 else -1 if position == 3 or dice.chance(0.7) else 1
    return PRIORITIES[position + step]


def _ticket_changes(
    dice: Dice, when: int, priority: str, cause: str | None, agent: str, is_slow: bool
) -> tuple[Changes, int | None]:
    """The changes of a ticket, and its final resolution time (None if it is never resolved)."""
    first_target, target = TARGETS[priority]
    answered = when + _minutes(dice, first_target) * MINUTE
    solved = max(answered + dice.whole(5, 90) * MINUTE, when + _minutes(dice, target) * MINUTE)
    if is_slow:
        solved += dice.whole(8, 40) * DAY
    changes: Changes = [(when + dice.whole(1, 5) * MINUTE, {"assignee_user_id": agent})]
    unanswered = dice.chance(0.02)
    if not unanswered:
        changes.append((answered, {"first_responded_at": answered}))
    middle = dice.pick(("pending", "pending", "on_hold", "escalated", None, None, None))
    if middle is not None:
        changes.append((answered + (solved - answered) // 2, {"status": middle}))
    if dice.chance(0.015):
        return changes, None
    changes.append((solved, {"status": "resolved", "resolved_at": solved, "root_cause_id": cause}))
    if dice.chance(0.05):
        again = solved + dice.whole(3, 60) * HOUR
        changes.append((again, {"status": "open", "resolved_at": None, "reopened_count": 1}))
        solved = again + dice.whole(1, 72) * HOUR
        changes.append((solved, {"status": "resolved", "resolved_at": solved}))
    changes.append((solved + 7 * DAY, {"status": "closed"}))
    return changes, solved


def priority_changes(world: World, org: Org, ticket: str, when: int, first: str, steps: list[tuple[int, str, str]]) -> Changes:
    """Write the priority history: the first value, then each step. Returns the changes of the ticket."""
    changes: Changes = []
    for number, (instant, before, after) in enumerate([(when, None, first), *steps]):
        values = {
            "change_id": world.key("chg", ticket, number),
            "organization_id": org.id,
            "ticket_id": ticket,
            "from_priority": before,
            "to_priority": after,
            "changed_at": instant,
        }
        world.add("ticket_priority_changes", instant, values)
        if before is not None:
            changes.append((instant, {"priority": after}))
    return changes


def _csat(world: World, dice: Dice, account: Account, ticket: dict[str, Any], name: str, resolved: int) -> Changes:
    """Write the CSAT survey, sent an hour after the resolution. Returns the changes of the ticket: its score, if answered."""
    sent = resolved + HOUR
    answered = sent + dice.whole(5 * MINUTE, 4 * DAY)
    score = dice.draw(_CSAT) if dice.chance(0.6) else None
    if score is not None and account.sign("surveys", sent) is not None:
        score = min(score, 2)
    comment = dice.pick(names.COMMENTS) if dice.chance(0.3) else None
    survey(world, ticket, "csat", name, sent, answered, score, comment)
    return [] if score is None else [(answered, {"csat_score": score})]


def survey(
    world: World,
    about: dict[str, Any],
    kind: str,
    name: str,
    sent: int,
    answered: int,
    score: int | None,
    comment: str | None = None,
) -> str:
    """Write a survey response. Returns its key.

    The score is never NULL in the contract, so it is 0 until the survey is answered (`responded_at` is set).
    """
    response = world.key("rsp", kind, name)
    values = {
        "response_id": response,
        "organization_id": about["organization_id"],
        "account_id": about.get("account_id"),
        "facility_id": about.get("facility_id"),
        "contact_id": about.get("contact_id"),
        "ticket_id": about.get("ticket_id"),
        "survey_type": kind,
        "score": 0,
        "sent_at": sent,
    }
    changes = [] if score is None else [(answered, {"score": score, "comment": comment, "responded_at": answered})]
    world.add("survey_responses", sent, values, changes)
    return response


def nps_surveys(world: World, pool: AccountPool) -> None:
    """Write one NPS survey per customer and quarter."""
    for month in world.months():
        first = clock.month_start(month)
        for account in pool.before(first):
            if (account.index + month) % 3 or not account.is_customer(first + 10 * DAY):
                continue
            dice = world.dice("nps", account.index, month)
            sent = first + 10 * DAY + dice.whole(8, 15) * HOUR
            about = {
                "organization_id": account.org.id,
                "account_id": account.id,
                "facility_id": account.facility,
                "contact_id": account.contact(dice, sent),
            }
            answered = sent + dice.whole(HOUR, 9 * DAY)
            score = dice.draw(_NPS) if dice.chance(0.45) else None
            if score is not None and account.sign("surveys", sent) is not None:
                score = min(score, 4)
            comment = dice.pick(names.COMMENTS) if dice.chance(0.25) else None
            survey(world, about, "nps", f"{account.index}/{month}", sent, answered, score, comment)
