"""Edge cases of deals, orders and text. All of them happen before October 2026."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from include.demo import clock
from include.demo.accounts import Account, case_account
from include.demo.clock import DAY, at
from include.demo.orders import order_changes, order_item, order_values, write_order
from include.demo.people import Org
from include.demo.reference import LATE_CURRENCY, LATE_CURRENCY_BEGINS
from include.demo.sales import PROBABILITY, stage_change, stage_columns
from include.demo.world import World

AWKWARD_NAME = 'Quote "&" Söhne, Ltd.'
AWKWARD_TEXT = 'She said "it\'s broken",\nthen: 🔥 crash; see C:\\logs\\app\n\n– naïve café, 中文, 100 % 🙃'


def sales_cases(world: World, orgs: list[Org]) -> None:
    """Write the cases of stages, orphans, a refund, exchange rates and awkward text."""
    account = case_account(world, orgs[0], 10, AWKWARD_NAME, at(2025, 11, 17, 10))
    see = "quotes, comma, ampersand and umlaut in the name"
    world.case("text with quotes, newlines and emoji", "accounts", account.id, see, account.created)
    _stages(world, account)
    _orphans(world, orgs)
    _orders(world, account)
    activity = world.uuid("activity", "awkward")
    values = {
        "activity_id": activity,
        "organization_id": orgs[0].id,
        "account_id": account.id,
        "activity_type": "note",
        "subject": AWKWARD_TEXT,
        "status": "completed",
        "completed_at": at(2026, 2, 3, 10),
        "created_at": at(2026, 2, 3, 10),
    }
    world.add("activities", at(2026, 2, 3, 10), values)
    see = "subject of four lines with quotes, backslashes, emoji and Chinese"
    world.case("text with quotes, newlines and emoji", "activities", activity, see, at(2026, 2, 3, 10))


def _stages(world: World, account: Account) -> None:
    reentered = (
        (at(2026, 1, 12, 10), "prospecting"),
        (at(2026, 1, 26, 11), "qualification"),
        (at(2026, 2, 16, 15), "proposal"),
        (at(2026, 3, 9, 9), "qualification"),
        (at(2026, 3, 30, 9), "proposal"),
        (at(2026, 5, 4, 14), "negotiation"),
        (at(2026, 5, 28, 16), "closed_won"),
    )
    deal = _deal(world, account, "stage re-entered", reentered)
    see = "back to qualification on 2026-03-09, to proposal again on 2026-03-30: two intervals in each"
    world.case("stage re-entered", "deals", deal, see, reentered[4][0])
    instant = at(2026, 4, 22, 13, 30, 15)
    same = ((at(2026, 4, 1, 9), "prospecting"), (instant, "qualification"), (instant, "proposal"))
    deal = _deal(world, account, "two changes in one second", (*same, (at(2026, 6, 3, 12), "closed_lost")))
    see = f"two changes at {clock.iso(instant)}: ordered by history_id; one of the intervals has no length"
    world.case("two stage changes in one second", "deals", deal, see, instant)


def _deal(world: World, account: Account, label: str, path: tuple[tuple[int, str], ...]) -> str:
    deal, org = world.uuid("deal", "case", label), account.org
    owner = org.staff("sales_rep", path[0][0])[0].id
    amount = 2_500_000
    values: dict[str, Any] = {
        "deal_id": deal,
        "organization_id": org.id,
        "account_id": account.id,
        "contact_id": account.contacts[0][1],
        "facility_id": account.facility,
        "owner_user_id": owner,
        "name": f"{account.name} – {label}",
        "stage": "prospecting",
        "amount": amount,
        "currency": account.currency,
        "probability_pct": PROBABILITY["prospecting"] * 100,
        "expected_close_date": clock.day_of(path[0][0] + 120 * DAY),
        "created_at": path[0][0],
    }
    changes = [(instant, stage_columns(instant, stage, amount, "price")) for instant, stage in path[1:]]
    before = None
    # The keys of two changes at one instant must sort in the order of the changes.
    for number, ((instant, stage), key) in enumerate(zip(path, _sorted_ties(world, label, path), strict=True)):
        stage_change(world, org, deal, f"case/{label}/{number}", instant, before, stage, amount, owner, key=key)
        before = stage
    world.add("deals", path[0][0], values, changes)
    return deal


def _sorted_ties(world: World, label: str, path: tuple[tuple[int, str], ...]) -> list[str]:
    keys = [world.uuid("stage change", "case", label, number) for number in range(len(path))]
    order = sorted(range(len(path)), key=lambda number: (path[number][0], number))
    for first, second in pairwise(order):
        if path[first][0] == path[second][0] and keys[first] > keys[second]:
            keys[first], keys[second] = keys[second], keys[first]
    return keys


def _orphans(world: World, orgs: list[Org]) -> None:
    org = orgs[1]
    unknown_deal, unknown_account = world.uuid("deal", "of nobody"), world.uuid("account", "of nobody")
    instant = at(2026, 3, 17, 16)
    history = stage_change(world, org, unknown_deal, "orphan", instant, "proposal", "negotiation", 900_000, None)
    see = f"its deal {unknown_deal} does not exist"
    world.case("orphan foreign key", "deal_stage_history", history, see, instant)
    dice = world.dice("order", "orphan")
    nobody = Account(-1, unknown_account, org, "nobody", 0, org.facilities[0], ("", "", None, org.home.currency), 1)
    items = [order_item(dice, org.goods[0], org.home.currency)]
    placed = at(2026, 4, 9, 15)
    values = order_values(world, nobody, "orphan", "2026-ORPHAN", placed, items, None, dice)
    write_order(world, values, items, placed, order_changes(dice, placed, "delivered"))
    see = f"its account {unknown_account} does not exist"
    world.case("orphan foreign key", "orders", values["order_id"], see, placed)


def _orders(world: World, account: Account) -> None:
    contact = account.contacts[0][1]
    for label, placed, currency, fate, title, see in (
        ("refund", at(2026, 2, 11, 12), None, "refunded", "refund", "delivered, then refunded: no revenue"),
        (
            "no rate",
            at(2026, 3, 4, 12),
            LATE_CURRENCY,
            "delivered",
            "currency without a rate for its day",
            f"in {LATE_CURRENCY}, whose first rate is of {clock.day_of(LATE_CURRENCY_BEGINS)}: cannot be converted, so NULL and counted",
        ),
        (
            "weekend rate",
            at(2026, 6, 20, 12),
            "EUR",
            "delivered",
            "currency without a rate for its day",
            "placed on a Saturday, which has no rate: Friday's (2026-06-19) holds",
        ),
    ):
        dice = world.dice("order", "case", label)
        items = [order_item(dice, account.org.goods[number], currency or account.currency) for number in (0, 2)]
        values = order_values(world, account, f"case/{label}", f"2026-{label.upper()}", placed, items, contact, dice)
        values["currency"] = currency or account.currency
        steps = order_changes(dice, placed, fate)
        write_order(world, values, items, placed, steps)
        world.case(title, "orders", values["order_id"], see, steps[-1][0])
