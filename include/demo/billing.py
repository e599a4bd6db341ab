"""Subscriptions and their invoices.

A line is the series of subscriptions of one account for one product. Each change of its terms replaces the subscription.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from include.demo import clock
from include.demo.accounts import TIERS, Account, AccountPool
from include.demo.clock import DAY, HOUR
from include.demo.dice import Dice, Weighted
from include.demo.people import Product
from include.demo.world import World

_INTERVAL = Weighted({"month": 61, "week": 19, "quarter": 8, "year": 12})
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_TIER_FACTOR = {"starter": 1.0, "growth": 1.6, "enterprise": 2.4}
_PER_MONTH = {"week": 12 / 52, "month": 1, "quarter": 3, "year": 12}
_PAYMENT = Weighted({"prompt": 84, "late": 12, "never": 2, "void": 2})

LINES = 1085
"""The number of lines that begin in the first 36 months at scale 1."""


Changes = list[tuple[int, dict[str, Any]]]


@dataclass(frozen=True)
class Terms:
    """The terms of one subscription row. They never change within the row."""

    product: Product
    tier: str
    interval: str
    count: int
    quantity: int
    unit: int
    discount: int

    def period_end(self, anchor: int, number: int) -> int:
        """The end of period `number` (0 is the first) of a subscription whose first period starts at `anchor`."""
        if self.interval == "week":
            return anchor + (number + 1) * self.count * 7 * DAY
        return clock.add_months(anchor, (number + 1) * self.count * _MONTHS[self.interval])

    @property
    def amount(self) -> int:
        """The price of one period before tax, in cents."""
        return (self.quantity * self.unit * (100 - self.discount) + 50) // 100


@dataclass
class Span:
    """One subscription row before it is written: its account, terms and start."""

    id: str
    account: Account
    terms: Terms
    started: int
    replaces: str | None = None
    trial_ends: int | None = None


def unit_price(product: Product, tier: str, interval: str, currency: str) -> int:
    """The price of one seat for one interval, in cents. A year costs as much as ten months."""
    base = product.price_in(currency)
    months = 10 if interval == "year" else _PER_MONTH[interval]
    return int(base * _TIER_FACTOR[tier] * months + 0.5) // 10 * 10


def subscriptions(world: World, pool: AccountPool) -> None:
    """Write all lines. A customer starts with a platform line, and other products follow over time."""
    signings = sorted(
        ((start, account, number) for account in pool.accounts for number, (start, _) in enumerate(account.customer_periods)),
        key=lambda signing: (signing[0], signing[1].index),
    )
    position = lines = 0
    for month in world.months():
        first, last = clock.month_start(month), clock.month_start(month + 1)
        budget = world.budget(LINES * world.scale, month, growth=0.3)
        while position < len(signings) and signings[position][0] < last:
            start, account, number = signings[position]
            _line(world, account, f"{account.index}/platform/{number}", start, account.org.software[0], lines)
            position, lines = position + 1, lines + 1
            budget -= 1
        dice = world.dice("lines", month)
        customers = [account for account in pool.before(first) if account.is_customer(first)]
        if not customers:
            continue
        weights = pool.weighted(customers)
        for number in range(budget):
            account = customers[dice.draw(weights)]
            start = account.org.office_time(dice, first + dice.whole(0, 27) * DAY)
            product = dice.pick(account.org.software)
            if account.is_customer(start):
                _line(world, account, f"{month}/{number}", start, product, lines)
                lines += 1


def _line(world: World, account: Account, name: str, start: int, product: Product, number: int) -> None:
    """Write one line: its first subscription, the replacements, and the end."""
    dice = world.dice("line", name)
    # Billing intervals are not random: a golden-ratio sequence spreads them evenly over the lines, because the number of
    # invoices depends on them.
    interval = _INTERVAL.at(number * 0.6180339887498949 % 1)
    tier = account.tier(start)
    quantity = 1 + dice.skewed(0, 8 + account.employees // 25, 2)
    terms = Terms(
        product,
        tier,
        interval,
        2 if interval == "month" and dice.chance(0.04) else 1,
        quantity,
        unit_price(product, tier, interval, account.currency),
        dice.pick((0, 0, 0, 0, 5, 10, 15)),
    )
    platform = product is account.org.software[0]
    leaves = account.customer_until(start)
    trial = start + dice.pick((14, 30)) * DAY if dice.chance(0.25) else None
    if trial is not None and leaves is not None and leaves < trial + 30 * DAY:
        trial = None
    span = Span(world.key("sub", name, 0), account, terms, start, None, trial)
    if trial is not None and not platform and dice.chance(0.3):
        write_trial(world, span, trial)
        return
    for step in range(1, 400):
        anchor = span.trial_ends or span.started
        periods = _periods(dice, span.terms)
        end = span.terms.period_end(anchor, periods - 1)
        if dice.chance(0.1):
            # A change within a period. The period was billed in advance and is not refunded.
            end -= (end - span.terms.period_end(anchor, periods - 2)) // 3 // DAY * DAY
        ends = dice.chance(0.18) and not platform
        following = _next_terms(dice, account, span.terms, end)
        sign = account.sign("downgrade", min(end, leaves or end) - DAY)
        if sign is not None and anchor < sign.begin:
            # A contract shrinks at the end of a period, if one ends before the account leaves.
            shrinks = next(until for number in count() if (until := span.terms.period_end(anchor, number)) >= sign.begin)
            if shrinks < min(end, leaves or end):
                end, ends = shrinks, False
                following = replace(span.terms, quantity=(span.terms.quantity + 1) // 2)
        if leaves is not None and leaves <= end:
            end, ends = leaves, True
        write_subscription(world, span, end, "ended" if ends else "replaced", dice)
        if ends or world.stop(end):
            return
        span = Span(world.key("sub", name, step), account, following, end, span.id)


def _periods(dice: Dice, terms: Terms) -> int:
    low, high = {"week": (10, 48), "month": (4, 15), "quarter": (2, 5), "year": (1, 2)}[terms.interval]
    return dice.whole(low, high)


def _next_terms(dice: Dice, account: Account, terms: Terms, when: int) -> Terms:
    tier = account.tier(when)
    share = dice.random()
    if TIERS.index(tier) > TIERS.index(terms.tier):
        return replace(terms, tier=tier, unit=unit_price(terms.product, tier, terms.interval, account.currency))
    if share < 0.55:
        return replace(terms, quantity=terms.quantity + max(1, terms.quantity * dice.whole(5, 35) // 100))
    if share < 0.75:
        return replace(terms, quantity=max(1, terms.quantity - max(1, terms.quantity * dice.whole(5, 30) // 100)))
    if share < 0.9:
        return replace(terms, unit=terms.unit * 105 // 100)
    return replace(terms, discount=0 if terms.discount else 10)


def write_trial(world: World, span: Span, trial: int) -> None:
    """Write a trial that never converts. It has no invoice and ends with the trial."""
    changes: Changes = [
        (trial - 2 * DAY, {"cancelled_at": trial - 2 * DAY}),
        (trial, {"status": "cancelled", "ended_at": trial}),
    ]
    world.add("subscriptions", span.started, _values(span), changes)


def write_subscription(world: World, span: Span, end: int | None, how: str, dice: Dice) -> None:
    """Write a subscription and its invoices, one invoice per period after the trial.

    Args:
        end: the end of the subscription; None if it does not end.
        how: the kind of end: "replaced", "ended" (with up to 25 days of notice) or "plain" (no notice, never paused).
    """
    terms = span.terms
    anchor = span.trial_ends or span.started
    changes: Changes = []
    if span.trial_ends is not None:
        changes.append((span.trial_ends, {"status": "active"}))
    # These random choices come before the loop, which stops at as_of. So the row is the same at every as_of.
    notice = end if end is None or how != "ended" else max(span.started + HOUR, end - dice.whole(0, 25) * DAY)
    pause = _pause(dice, terms, anchor, end) if how != "plain" else None
    if pause is not None:
        changes += [(pause[0], {"status": "paused", "paused_at": pause[0]}), (pause[1], {"status": "active", "paused_at": None})]
    number, begin = 0, anchor
    while not world.stop(begin) and (end is None or begin < end):
        until = terms.period_end(anchor, number)
        is_paused = pause is not None and pause[0] <= begin < pause[1]
        if not is_paused and (begin > anchor or span.trial_ends is not None):
            changes.append((begin, {"current_period_end": until}))
        if not is_paused:
            effects = _invoice(world, span, number, begin, until, dice)
            changes += [effect for effect in effects if pause is None or not pause[0] <= effect[0] < pause[1]]
        number, begin = number + 1, until
    if end is not None:
        changes = [change for change in changes if change[0] < end]
        if notice is not None and notice < end:
            changes.append((notice, {"cancelled_at": notice}))
        changes.append((end, {"status": "cancelled", "cancelled_at": notice, "ended_at": end}))
    world.add("subscriptions", span.started, _values(span), changes)


def _pause(dice: Dice, terms: Terms, anchor: int, end: int | None) -> tuple[int, int] | None:
    """The pause of a subscription, or None. A few monthly subscriptions pause for two periods."""
    if not dice.chance(0.04) or terms.interval != "month":
        return None
    begin, until = terms.period_end(anchor, 1), terms.period_end(anchor, 3)
    return (begin, until) if end is None or until < end else None


def _values(span: Span) -> dict[str, Any]:
    terms = span.terms
    return {
        "subscription_id": span.id,
        "organization_id": span.account.org.id,
        "account_id": span.account.id,
        "product_id": terms.product.id,
        "replaces_subscription_id": span.replaces,
        "plan_tier": terms.tier,
        "billing_interval": terms.interval,
        "interval_count": terms.count,
        "quantity": terms.quantity,
        "unit_amount": terms.unit,
        "discount_pct": terms.discount * 100,
        "currency": span.account.currency,
        "status": "active" if span.trial_ends is None else "trialing",
        "started_at": span.started,
        "trial_ends_at": span.trial_ends,
        "current_period_end": span.trial_ends or terms.period_end(span.started, 0),
    }


def _invoice(world: World, span: Span, number: int, begin: int, until: int, dice: Dice) -> Changes:
    """Write the invoice of one period. Returns the changes of the subscription that follow from the payment."""
    net = span.terms.amount
    tax = (net * span.account.org.home.tax_pct + 50) // 100
    terms_days = 7 if span.terms.interval == "week" else 30 if net > 1_000_000 else 14
    due = begin + terms_days * DAY
    values = {
        "invoice_id": world.key("inv", span.id, number),
        "organization_id": span.account.org.id,
        "account_id": span.account.id,
        "subscription_id": span.id,
        "status": "draft",
        "issued_at": begin,
        "due_at": due,
        "period_start": begin,
        "period_end": until,
        "currency": span.account.currency,
        "subtotal_amount": net,
        "tax_amount": tax,
        "total_amount": net + tax,
        "amount_paid": 0,
    }
    changes: Changes = [(begin + HOUR, {"status": "open"})]
    effects: Changes = []
    how = dice.draw(_PAYMENT)
    if span.account.sign("payments", begin) is not None:
        how = "never"
    paid = begin + HOUR + dice.whole(1, terms_days * 24 - 2) * HOUR
    if how == "late":
        paid = due + dice.whole(1, 25) * DAY
        effects = [(due, {"status": "past_due"}), (paid, {"status": "active"})]
    if how == "void":
        changes.append((begin + 3 * DAY, {"status": "void"}))
    elif how == "never":
        changes.append((due + 60 * DAY, {"status": "uncollectible"}))
    else:
        changes.append((paid, {"status": "paid", "paid_at": paid, "amount_paid": net + tax}))
    world.add("invoices", begin, values, changes)
    return effects
