"""Departures of the demo company announce themselves in every way, and no way is always right."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from include.demo import accounts, billing, people, support
from include.demo.accounts import Account
from include.demo.clock import DAY, at
from include.demo.signs import SIGNS, Sign
from include.demo.usage import _activity, _silent
from include.demo.world import World

AS_OF = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def world() -> tuple[World, list[Account]]:
    """Accounts with their subscriptions, invoices, tickets and surveys."""
    made = World(42, 1.0, AS_OF)
    orgs = people.organizations(made)
    pool = accounts.accounts(made, orgs)
    billing.subscriptions(made, pool)
    desks = support.desks(made, orgs)
    support.tickets(made, pool, desks)
    support.nps_surveys(made, pool)
    return made, pool.accounts


def ends(account: Account) -> set[int]:
    return {end for _, end in account.customer_periods if end is not None}


def test_every_way_announces_a_departure_and_passes_elsewhere(world: tuple[World, list[Account]]) -> None:
    _, every = world
    departing = [sign.name for account in every for sign in account.signs if sign.end in ends(account)]
    passing = [sign for account in every for sign in account.signs if sign.end not in ends(account)]
    assert set(departing) == set(SIGNS)
    assert {sign.name for sign in passing} == set(SIGNS)
    silent = [end for account in every for end in ends(account) if all(sign.end != end for sign in account.signs)]
    assert silent
    for account in every:
        for sign in account.signs:
            later = [end for end in ends(account) if end >= sign.end]
            assert sign.end in later or all(end > sign.end + 180 * DAY for end in later)


def test_a_sign_grows_from_its_beginning_to_its_end() -> None:
    sign = Sign("usage", 100, 200)
    assert [sign.grown(when) for when in (0, 100, 150, 200, 300)] == [0, 0, 0.5, 1, 1]


def test_usage_falls_and_logins_stop(world: tuple[World, list[Account]]) -> None:
    _, every = world
    account, sign = next(
        (a, s) for a in every for s in a.signs if s.name == "usage" and s.end in ends(a) and s.end - s.begin > 60 * DAY
    )
    first, days = (sign.begin // DAY - 7) * DAY, (sign.end - sign.begin) // DAY + 14
    use = _activity(account, first, days)
    assert sum(use[:7]) > 2 * sum(use[days - 14 : days - 7]) > sum(use[days - 6 :]) == 0
    account, sign = next((a, s) for a in every for s in a.signs if s.name == "logins")
    begin = sign.begin // DAY * DAY
    assert _silent(account, begin - DAY, 1) == [False]
    assert _silent(account, begin + DAY, 2) == [True, True]


def test_invoices_stay_unpaid_tickets_wait_and_scores_are_low(world: tuple[World, list[Account]]) -> None:
    made, every = world
    by_id = {account.id: account for account in every}

    def within(table: str, sign: str, column: str) -> list[dict[str, object]]:
        rows = [row for row in made.rows[table] if row.get("account_id") in by_id]
        return [row for row in rows if by_id[row["account_id"]].sign(sign, row[column])]

    assert {row["status"] for row in within("invoices", "payments", "issued_at")} <= {"open", "uncollectible"}
    assert within("invoices", "payments", "issued_at")
    waits = [
        int(str(row["resolved_at"])) - int(str(row["created_at"]))
        for row in within("tickets", "tickets", "created_at")
        if row.get("resolved_at")
    ]
    assert waits and min(waits) >= 8 * DAY
    scores = [row for row in within("survey_responses", "surveys", "sent_at") if row.get("responded_at")]
    assert scores and max(int(str(row["score"])) for row in scores) <= 4


def test_contracts_shrink(world: tuple[World, list[Account]]) -> None:
    made, every = world
    halved = 0
    by_key = {row["subscription_id"]: row for row in made.rows["subscriptions"]}
    for account in every:
        for sign in (sign for sign in account.signs if sign.name == "downgrade" and sign.end < at(2026, 10, 1)):
            for row in by_key.values():
                if row["account_id"] == account.id and sign.begin <= row["started_at"] < sign.end:
                    before = by_key.get(row["replaces_subscription_id"] or "")
                    halved += before is not None and row["quantity"] == (before["quantity"] + 1) // 2 < before["quantity"]
    assert halved >= 3
