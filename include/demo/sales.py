"""Sales data: leads, outreach, deals with their stage history, and activities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from include.demo import clock, names
from include.demo.accounts import Account, AccountPool
from include.demo.clock import DAY, HOUR, MINUTE
from include.demo.dice import Dice, Weighted
from include.demo.people import Org
from include.demo.world import World

STAGES = ("prospecting", "qualification", "proposal", "negotiation")
PROBABILITY = {
    "prospecting": 10,
    "qualification": 25,
    "proposal": 50,
    "negotiation": 75,
    "closed_won": 100,
    "closed_lost": 0,
}
_CHANNEL = Weighted(names.LEAD_CHANNELS)
_OUTREACH = Weighted({"email": 45, "phone": 25, "social": 12, "event": 8, "chat": 10})
_ACTIVITY = Weighted({"call": 28, "email": 30, "meeting": 18, "note": 12, "task": 12})
_OUTCOME = Weighted({"positive": 40, "neutral": 30, "negative": 12, "no_answer": 18})
# About 540 of 2,000 leads become an opportunity, each with a deal. The other deals have no lead.
_REACHES = {"sql": 0.5, "opportunity": 0.54, "won": 0.42}
_DEALS_WITHOUT_LEAD = 1500 - 540


@dataclass(frozen=True)
class Opening:
    """The start of a deal."""

    name: str
    account: Account
    when: int
    amount: int
    lead: str | None = None
    owner: str | None = None


def sales(world: World, orgs: list[Org], pool: AccountPool) -> None:
    """Write leads, outreach, deals, deal_stage_history and activities."""
    for month in world.months():
        first = clock.month_start(month)
        days = (clock.month_start(month + 1) - first) // DAY
        by_org = {org.id: [account for account in pool.before(first) if account.org is org] for org in orgs}
        dice = world.dice("leads", month)
        for number in range(world.budget(2000 * world.scale, month, growth=0.5)):
            org = dice.pick(orgs)
            when = org.office_time(dice, first + _working_day(dice, first, days))
            _lead(world, org, by_org[org.id], f"{month}/{number}", when)
        dice = world.dice("deals", month)
        for number in range(world.budget(_DEALS_WITHOUT_LEAD * world.scale, month, growth=0.3)):
            org = dice.pick(orgs)
            when = org.office_time(dice, first + _working_day(dice, first, days))
            account = dice.pick(by_org[org.id])
            _deal(world, Opening(f"{month}/{number}", account, max(when, account.created + HOUR), _amount(dice)))


def _working_day(dice: Dice, first: int, days: int) -> int:
    day = dice.whole(0, days - 1) * DAY
    return day if clock.weekday(first + day) < 5 or dice.chance(0.15) else dice.whole(0, days - 1) * DAY


def _amount(dice: Dice) -> int:
    return dice.skewed(8, 900, 3) * 50_000 // 4


def _lead(world: World, org: Org, accounts: list[Account], name: str, when: int) -> None:
    dice = world.dice("lead", name)
    lead = world.uuid("lead", name)
    reps = org.staff("sales_rep", when)
    rep = dice.pick(reps).id if dice.chance(0.94) else None
    account = dice.pick(accounts) if dice.chance(0.7) else None
    amount = _amount(dice)
    facility = dice.pick(org.facilities)
    values = {
        "lead_id": lead,
        "organization_id": org.id,
        "facility_id": facility,
        "rep_user_id": rep,
        "account_id": account.id if account else None,
        "source_channel": dice.draw(_CHANNEL),
        "stage": "lead",
        "amount": amount,
        "currency": org.home.currency,
        "created_at": when,
    }
    sql_at = when + dice.whole(1, 12) * DAY + dice.whole(0, 5) * HOUR
    opportunity_at = sql_at + dice.whole(3, 30) * DAY + dice.whole(0, 5) * HOUR
    lost_at = when + dice.whole(15, 150) * DAY + dice.whole(0, 5) * HOUR
    changes: list[tuple[int, dict[str, Any]]] = []
    if dice.chance(_REACHES["sql"]):
        changes.append((sql_at, {"stage": "sql", "sql_at": sql_at}))
        lost_at += sql_at - when
        if dice.chance(_REACHES["opportunity"]):
            linked = account or dice.pick(accounts)
            columns = {"stage": "opportunity", "opportunity_at": opportunity_at, "account_id": linked.id}
            changes.append((opportunity_at, columns))
            opening = Opening(f"lead/{name}", linked, opportunity_at, amount, lead, rep)
            won, closed = _deal(world, opening)
            if won is not None:
                changes.append((closed, {"stage": "won" if won else "lost", "closed_at": closed}))
            lost_at = 0
    if lost_at and dice.chance(0.75):
        changes.append((lost_at, {"stage": "lost", "closed_at": lost_at}))
    world.add("leads", when, values, changes)
    _outreach(world, org, facility, rep, lead, name, when, len(changes))


def _outreach(world: World, org: Org, facility: str, rep: str | None, lead: str, name: str, when: int, progress: int) -> None:
    dice = world.dice("outreach", name)
    sent = when
    for number in range(dice.whole(1, 3)):
        sent += dice.whole(2 * HOUR, 6 * DAY)
        responded = sent + dice.whole(10 * MINUTE, 3 * DAY)
        converted = responded + dice.whole(HOUR, 5 * DAY)
        changes: list[tuple[int, dict[str, Any]]] = []
        if dice.chance(0.25 + 0.1 * min(progress, 3)):
            changes.append((responded, {"responded_at": responded}))
            if dice.chance(0.1 * progress):
                changes.append((converted, {"converted_at": converted}))
        values = {
            "outreach_id": world.uuid("outreach", name, number),
            "organization_id": org.id,
            "facility_id": facility,
            "rep_user_id": rep,
            "lead_id": lead if dice.chance(0.95) else None,
            "channel": dice.draw(_OUTREACH),
            "sent_at": sent,
        }
        world.add("outreach", sent, values, changes)


def _path(dice: Dice, when: int) -> list[tuple[int, str]]:
    """The stage changes of a deal after its first stage: instant and stage. Some deals never close."""
    path: list[tuple[int, str]] = []
    position = 0
    while True:
        when += dice.whole(2, 32) * DAY + dice.whole(0, 8 * HOUR)
        share = dice.random()
        if share < 0.13:
            return [*path, (when, "closed_lost")]
        if share < 0.17:
            return path
        if position == len(STAGES) - 1:
            return [*path, (when, "closed_won" if share < 0.72 else "closed_lost")]
        # Some deals go back one stage. Fewer deals skip a stage.
        step = -1 if position > 0 and share > 0.94 else 2 if position < 2 and share > 0.9 else 1
        position += step
        path.append((when, STAGES[position]))


def _deal(world: World, opening: Opening) -> tuple[bool | None, int]:
    """Write a deal. Returns whether it is won (None if it never closes), and when it closes."""
    dice = world.dice("deal", opening.name)
    account, org = opening.account, opening.account.org
    deal = world.uuid("deal", opening.name)
    owner = opening.owner or (dice.pick(org.staff("sales_rep", opening.when)).id if dice.chance(0.95) else None)
    contact = account.contact(dice, opening.when)
    path = _path(dice, opening.when)
    product = dice.pick(org.products).name
    values = {
        "deal_id": deal,
        "organization_id": org.id,
        "account_id": account.id,
        "contact_id": contact,
        "lead_id": opening.lead,
        "facility_id": account.facility if dice.chance(0.95) else None,
        "owner_user_id": owner,
        "name": f"{account.name} – {product}",
        "stage": "prospecting",
        "amount": opening.amount,
        "currency": account.currency,
        "probability_pct": 1000,
        "expected_close_date": clock.day_of(opening.when + dice.whole(40, 150) * DAY) if dice.chance(0.95) else None,
        "created_at": opening.when,
    }
    entry = dice.chance(0.75)
    steps = ([(opening.when, None, "prospecting")] if entry else []) + [
        (instant, before, after)
        for (instant, after), before in zip(path, ["prospecting", *(stage for _, stage in path)], strict=False)
    ]
    reason = dice.pick(names.LOST_REASONS)
    amount = opening.amount
    changes: list[tuple[int, dict[str, Any]]] = []
    for number, (instant, before, after) in enumerate(steps):
        if before is not None:
            amount = amount * dice.pick((100, 100, 100, 110, 90)) // 100
            changes.append((instant, stage_columns(instant, after, amount, reason)))
        stage_change(world, org, deal, f"{opening.name}/{number}", instant, before, after, amount, owner)
    world.add("deals", opening.when, values, changes)
    closed = path[-1][0] if path and path[-1][1].startswith("closed") else opening.when + 60 * DAY
    _activities(world, account, deal, opening, owner, contact, closed)
    if path and path[-1][1].startswith("closed"):
        return path[-1][1] == "closed_won", closed
    return None, closed


def stage_columns(instant: int, stage: str, amount: int, reason: str) -> dict[str, Any]:
    """The columns of the deal that change when it enters a stage."""
    columns: dict[str, Any] = {"stage": stage, "amount": amount, "probability_pct": PROBABILITY[stage] * 100}
    if stage.startswith("closed"):
        columns["closed_at"] = instant
        columns["lost_reason"] = reason if stage == "closed_lost" else None
    return columns


def stage_change(
    world: World,
    org: Org,
    deal: str,
    name: str,
    instant: int,
    before: str | None,
    after: str,
    amount: int,
    user: str | None,
    key: str | None = None,
) -> str:
    """Write one row of deal_stage_history. Returns its key, which is derived from the name unless given."""
    history = key or world.uuid("stage change", name)
    values = {
        "history_id": history,
        "organization_id": org.id,
        "deal_id": deal,
        "from_stage": before,
        "to_stage": after,
        "amount": amount,
        "probability_pct": PROBABILITY[after] * 100,
        "changed_by_user_id": user,
        "changed_at": instant,
    }
    world.add("deal_stage_history", instant, values)
    return history


def _activities(
    world: World, account: Account, deal: str, opening: Opening, owner: str | None, contact: str | None, closed: int
) -> None:
    dice = world.dice("activities", opening.name)
    for number in range(dice.whole(2, 5)):
        due = opening.when + int(dice.random() * max(closed - opening.when, DAY)) // MINUTE * MINUTE
        planned = max(opening.when, due - dice.whole(1, 10) * DAY)
        kind = dice.draw(_ACTIVITY)
        done = due + dice.whole(0, 2 * HOUR) // MINUTE * MINUTE
        share = dice.random()
        outcome = dice.draw(_OUTCOME) if kind in ("call", "meeting", "email") else None
        changes: list[tuple[int, dict[str, Any]]] = []
        if account.sign("contact", done) is not None:
            # Nobody answers, so the activity does not take place.
            changes.append((due, {"status": "cancelled"}))
        elif share < 0.86:
            columns = {
                "status": "completed",
                "completed_at": done,
                "outcome": outcome,
                "duration_minutes": dice.whole(1, 12) * 5 if kind in ("call", "meeting") else None,
            }
            changes.append((done, columns))
        elif share < 0.94:
            changes.append((due, {"status": "cancelled"}))
        values = {
            "activity_id": world.uuid("activity", opening.name, number),
            "organization_id": account.org.id,
            "account_id": account.id,
            "contact_id": contact,
            "deal_id": deal,
            "user_id": owner,
            "activity_type": kind,
            "subject": dice.pick(names.SUBJECTS[kind]),
            "status": "planned",
            "due_at": due,
            "created_at": planned,
        }
        world.add("activities", planned, values, changes)
