"""Edge cases of accounts and subscriptions. All of them happen before October 2026."""

from __future__ import annotations

from include.demo.accounts import Account, case_account
from include.demo.billing import Span, Terms, write_subscription, write_trial
from include.demo.clock import at, iso
from include.demo.people import Org
from include.demo.world import World


def billing_cases(world: World, orgs: list[Org]) -> None:
    """Write the revenue cases: churn and reactivation, replacement, intervals, trials, merged and grouped accounts."""
    _golden(world, orgs[0])
    _intervals(world, orgs[1])
    _trials(world, orgs)
    _mid_month(world, orgs[1])
    _merged(world, orgs[0])
    _family(world, orgs[1])


def _span(
    world: World,
    account: Account,
    label: str,
    started: int,
    amount: int,
    interval: str = "month",
    replaces: str | None = None,
    trial: int | None = None,
    quantity: int = 1,
) -> Span:
    product = account.org.software[0]
    terms = Terms(product, "growth", interval, 1, quantity, amount * 100, 0)
    return Span(world.key("sub", "case", label), account, terms, started, replaces, trial)


def _write(world: World, span: Span, end: int | None, title: str, see: str) -> None:
    """Write a subscription. With a title, label it from its end on, or from its start on if it has no end."""
    write_subscription(world, span, end, "plain", world.dice("case", span.id))
    if title:
        world.case(title, "subscriptions", span.id, see, end or span.started)


def _golden(world: World, org: Org) -> None:
    """Write the account with the MRR 100, 150, 0, 120, 200, 80 from January to June 2026."""
    churn, back, last = at(2026, 3, 10, 9), at(2026, 4, 5, 9), at(2026, 6, 10, 9)
    changes = [(churn, {"status": "churned"}), (back, {"status": "active"})]
    account = case_account(world, org, 0, "Golden Ledger", at(2025, 12, 15, 10), changes=changes)
    first = _span(world, account, "golden 100", at(2026, 1, 5, 9), 100)
    second = _span(world, account, "golden 150", at(2026, 2, 5, 9), 150, replaces=first.id)
    third = _span(world, account, "golden 120", back, 120)
    fourth = _span(world, account, "golden 80", at(2026, 5, 8, 9), 80)
    upgrade, returns, two = "upgrade by replacement", "reactivation after churn", "two subscriptions of which one ends"
    _write(world, first, second.started, upgrade, "100 a month until 2026-02-05, ended by its replacement: no churn")
    _write(world, second, churn, upgrade, "150 a month from 2026-02-05, replaces the one of 100: expansion of 50 in February")
    _write(world, third, last, returns, "120 from 2026-04-05, after nothing at the end of March: reactivation")
    see = f"{account.name}: MRR 100, 150, 0, 120, 200, 80 at the ends of January to June 2026"
    world.case(returns, "accounts", account.id, see, last)
    _write(world, fourth, None, two, "80 a month from 2026-05-08, beside the 120 and after it")
    see = "120 a month, ends 2026-06-10: contraction of 120 in June, no churn"
    world.case(two, "subscriptions", third.id, see, last)
    world.sent_twice["subscriptions"] = [fourth.id]
    see = "the page that holds it holds it twice"
    world.case("duplicate delivery (REST)", "subscriptions", fourth.id, see, fourth.started, "answer")


def _intervals(world: World, org: Org) -> None:
    account = case_account(world, org, 1, "Interval Brewing", at(2025, 9, 1, 14))
    title = "annual and weekly plans"
    year = _span(world, account, "annual", at(2025, 9, 15, 14), 1200, "year")
    week = _span(world, account, "weekly", at(2026, 3, 2, 14), 30, "week")
    quarter = _span(world, account, "quarterly", at(2026, 2, 10, 14), 300, "quarter")
    _write(world, year, None, title, "1,200 a year = 100 a month")
    _write(world, week, None, title, "30 a week = 130 a month (× 52/12)")
    _write(world, quarter, None, title, "300 a quarter = 100 a month")


def _trials(world: World, orgs: list[Org]) -> None:
    title = "trial that never converts"
    for slot, org, begun, ends in (
        (2, orgs[0], at(2026, 5, 11, 9), at(2026, 5, 25, 9)),
        (3, orgs[1], at(2026, 7, 20, 15), at(2026, 8, 19, 15)),
    ):
        gone = [(ends, {"status": "inactive"})]
        account = case_account(
            world, org, slot, f"Trial Balloon {slot - 1}", begun, account_type="prospect", plan_tier=None, changes=gone
        )
        span = _span(world, account, f"trial {slot}", begun, 90, trial=ends)
        write_trial(world, span, ends)
        world.case(title, "subscriptions", span.id, f"trial to {iso(ends)}, then cancelled: MRR 0 in every month", ends)


def _mid_month(world: World, org: Org) -> None:
    account = case_account(world, org, 4, "Midmonth Mills", at(2026, 2, 20, 15))
    change = at(2026, 5, 14, 15)
    before = _span(world, account, "mid-month before", at(2026, 3, 1, 15), 20, quantity=10)
    after = _span(world, account, "mid-month after", change, 20, quantity=16, replaces=before.id)
    title = "mid-month change"
    _write(world, before, change, title, "10 seats at 20 until 2026-05-14, in the middle of a paid period")
    _write(world, after, None, title, "16 seats at 20 from 2026-05-14: May ends with 320, not 200 and not both")


def _merged(world: World, org: Org) -> None:
    target = case_account(world, org, 5, "Harbour Holdings", at(2025, 10, 6, 9))
    merged = at(2026, 4, 20, 11)
    source = case_account(
        world,
        org,
        6,
        "Harbour Holding (old)",
        at(2025, 10, 20, 9),
        changes=[(merged, {"merged_into_account_id": target.id, "status": "inactive"})],
    )
    title = "merged account"
    _write(world, _span(world, target, "merge target", at(2025, 11, 3, 9), 400), None, "", "")
    _write(world, _span(world, source, "merged away", at(2025, 11, 3, 9), 200), None, "", "")
    see = f"merged into {target.name} on 2026-04-20; its 200 a month still run and count for the target"
    world.case(title, "accounts", source.id, see, merged)
    world.case(title, "accounts", target.id, "400 of its own and 200 of the account merged into it", merged)


def _family(world: World, org: Org) -> None:
    begun = at(2025, 8, 4, 14)
    title = "parent with children"
    parent = case_account(world, org, 7, "Oakwood Group", begun)
    see = "two children pay 150 and 250; the parent pays nothing itself"
    world.case(title, "accounts", parent.id, see, at(2025, 9, 1, 14))
    for slot, name, amount in ((8, "Oakwood North", 150), (9, "Oakwood South", 250)):
        child = case_account(world, org, slot, name, begun + 3600 * slot, parent_account_id=parent.id)
        span = _span(world, child, f"child {slot}", at(2025, 9, 1, 14), amount)
        _write(world, span, None, "", "")
        world.case(title, "accounts", child.id, f"a child; its {amount} a month roll up to {parent.name}", span.started)
