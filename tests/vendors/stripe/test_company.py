"""Stripe's own client reads the whole company, so the server is not made to fit the platform's reader."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from itertools import pairwise
from typing import Any

from include.demo.vendors.common import Account, minor_units
from include.demo.vendors.stripe import objects
from include.demo.vendors.stripe.objects import moment
from tests.vendors.stripe.reading import BASIL, client, everything, get, instant

_MONTHS = {"week": Decimal(12) / 52, "month": Decimal(1), "quarter": Decimal(3), "year": Decimal(12)}


def test_the_client_reads_all_customers(url: str, first_day: Account) -> None:
    read = everything(client(url).v1.customers)
    billed = {row["account_id"] for row in first_day.tables["subscriptions"]}
    assert first_day.spare is not None
    assert {row.metadata["crm_account_id"] for row in read} == billed | {first_day.spare["account_id"]}
    names = {row["account_id"]: row["name"] for row in first_day.tables["accounts"]}
    assert all(row.name == names[row.metadata["crm_account_id"]] and row.livemode for row in read)


def test_the_client_reads_all_invoices_with_their_amounts(url: str, first_day: Account) -> None:
    read = {row.id: row for row in everything(client(url).v1.invoices)}
    trials = [row for row in first_day.tables["subscriptions"] if row["trial_ends_at"] and not row["replaces_subscription_id"]]
    assert len(read) == len(first_day.tables["invoices"]) + len(trials) + 1  # one draft without lines
    assert {row.currency for row in read.values()} >= {"gbp", "jpy"}
    for row in first_day.tables["invoices"]:
        made = read["in" + row["invoice_id"].removeprefix("inv")]
        currency = row["currency"]
        assert (made.currency, made.status) == (currency.lower(), row["status"])
        # An invoice in yen has no parts of a yen.
        assert made.total_excluding_tax == minor_units(row["subtotal_amount"], currency)
        assert sum(tax.amount for tax in made.total_taxes) == minor_units(row["tax_amount"], currency)
        assert made.total == made.total_excluding_tax + sum(tax.amount for tax in made.total_taxes)
        assert made.amount_paid == (made.total if row["status"] == "paid" else 0)
        assert made.subtotal - sum(each.amount for each in made.total_discount_amounts) == made.total_excluding_tax
        (line,) = made.lines.data
        assert instant(made.created) == row["issued_at"]
        assert instant(made.due_date) == row["due_at"]
        assert instant(made.status_transitions.paid_at) == row["paid_at"]
        assert (instant(line.period.start), instant(line.period.end)) == (row["period_start"], row["period_end"])


def test_the_terms_follow_from_the_lines_of_the_invoices(url: str, first_day: Account) -> None:
    """The rows of subscriptions, derived from what Stripe keeps for ever: one per run of lines with the same terms."""
    api = client(url).v1
    prices = {row.id: row for row in everything(api.prices)}
    discounts = {}
    lines = defaultdict(list)
    for invoice in everything(api.invoices, expand=["data.discounts.source.coupon"]):
        if invoice.parent is not None:
            discounts[invoice.id] = invoice.discounts[0].source.coupon.percent_off if invoice.discounts else 0
            lines[invoice.parent.subscription_details.subscription].append((invoice.lines.data[0], invoice))
    derived = []
    for subscription in everything(api.subscriptions, status="all"):
        runs: list[dict[str, Any]] = []
        for line, invoice in sorted(lines[subscription.id], key=lambda pair: pair[0].period.start):
            price = prices[line.pricing.price_details.price]
            terms = (price.id, line.quantity, discounts[invoice.id])
            if not runs or invoice.billing_reason == "subscription_update" or runs[-1]["terms"] != terms:
                runs.append({"terms": terms, "price": price, "start": line.period.start})
        for run, following in pairwise([*runs, {"start": subscription.ended_at}]):
            derived.append((*_monthly(run), subscription.customer, run["start"], following["start"]))
    expected = [
        (
            objects.stripe_id("prod", row["product_id"]),
            row["quantity"],
            row["currency"].lower(),
            round(row["unit_amount"] / (row["interval_count"] * _MONTHS[row["billing_interval"]]), 6),
            row["discount_pct"],
            row["plan_tier"],
            objects.stripe_id("cus", row["account_id"]),
            moment(row["started_at"]),
            moment(row["ended_at"]),
        )
        for row in first_day.tables["subscriptions"]
    ]
    assert sorted(map(repr, derived)) == sorted(map(repr, expected))


def _monthly(run: dict[str, Any]) -> tuple[Any, ...]:
    """Product, quantity, currency, price of a month, discount and plan of one run of lines."""
    price, (_, quantity, percent) = run["price"], run["terms"]
    recurring = price.recurring
    amount = Decimal(price.unit_amount_decimal) / minor_units(Decimal(1), price.currency)
    months = recurring.interval_count * _MONTHS[recurring.interval]
    discount = Decimal(str(percent)).quantize(Decimal("0.000000001"))
    return price.product, quantity, price.currency, round(amount / months, 6), discount, price.metadata["plan_tier"]


def test_a_subscription_has_the_terms_of_today(url: str, first_day: Account) -> None:
    read = {row.id: row for row in everything(client(url).v1.subscriptions, status="all", expand=["data.customer"])}
    replaced = {row["replaces_subscription_id"] for row in first_day.tables["subscriptions"]}
    current = [row for row in first_day.tables["subscriptions"] if row["subscription_id"] not in replaced]
    assert len(read) == len(current)
    items = {(row["items"].data[0].quantity, row.start_date): row for row in read.values()}
    statuses = {"cancelled": "canceled", "paused": "active"}
    first = {row["subscription_id"]: row for row in first_day.tables["subscriptions"]}
    for row in current:
        start = row
        while start["replaces_subscription_id"]:
            start = first[start["replaces_subscription_id"]]
        made = items[row["quantity"], int(start["started_at"].timestamp())]
        assert made.status == statuses.get(row["status"], row["status"])
        assert instant(made.ended_at) == row["ended_at"]
        assert instant(made["items"].data[0].current_period_end) == row["current_period_end"]
        assert instant(made.canceled_at) == row["cancelled_at"]
        assert (made.pause_collection is not None) == (row["status"] == "paused")
        assert made.customer.object == "customer"


def test_the_period_of_an_invoice_is_the_one_that_has_ended(url: str) -> None:
    rows = get(url, "invoices", BASIL, limit=100).json()["data"]
    cycles = [row for row in rows if row["billing_reason"] == "subscription_cycle"]
    assert cycles and all(row["period_end"] <= row["lines"]["data"][0]["period"]["start"] for row in cycles)


def test_a_price_of_part_of_a_yen_has_no_unit_amount(first_day: Account) -> None:
    row = {**first_day.tables["subscriptions"][0], "currency": "JPY", "unit_amount": Decimal("1384.60")}
    price = objects.price(row, first_day.now)
    assert (price["unit_amount"], price["unit_amount_decimal"]) == (None, "1384.6")


def test_the_account_knows_currency_and_time_zone(url: str, first_day: Account) -> None:
    account = get(url, "account").json()
    assert account["default_currency"] == first_day.organization["reporting_currency"].lower()
    assert account["settings"]["dashboard"]["timezone"] == first_day.organization["timezone"]
