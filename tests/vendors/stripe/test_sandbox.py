"""What only the sandbox of a Stripe account has: many lines, metered and tiered prices, credit notes, refunds, other currencies."""

from __future__ import annotations

from decimal import Decimal

from include.demo.vendors.common import minor_units
from include.demo.vendors.stripe.sandbox import LINES, STATUSES
from include.demo.vendors.stripe.server import sandbox_key
from tests.vendors.stripe.reading import ACACIA, BASIL, client, error_of, everything, get


def test_an_invoice_shows_ten_of_its_lines(url: str) -> None:
    api = client(url, sandbox_key()).v1
    invoice = api.invoices.retrieve("in_paid")
    assert len(invoice.lines.data) == 10 and invoice.lines.has_more is True
    lines = list(invoice.lines.auto_paging_iter())
    assert len(lines) == LINES and sum(line.amount for line in lines) == invoice.subtotal
    prorated = [line for line in lines if line.parent.type == "invoice_item_details"]
    assert all(line.parent.invoice_item_details.proration for line in prorated)
    assert {line.amount < 0 for line in prorated} == {True, False}


def test_items_are_listed_by_subscription(url: str) -> None:
    assert error_of(get(url, "subscription_items")) == (400, "parameter_missing", "subscription")
    items = client(url, sandbox_key()).v1.subscription_items.list({"subscription": "sub_licensed"}).data
    assert {item.id: item.to_dict().get("quantity") for item in items} == {"si_licensed": 3, "si_metered": None, "si_tiered": 40}


def test_metered_and_tiered_prices(url: str) -> None:
    tiered = get(url, "prices/price_tiered", key=sandbox_key()).json()
    assert (tiered["billing_scheme"], tiered["unit_amount"]) == ("tiered", None) and "tiers" not in tiered
    assert len(get(url, "prices/price_tiered", key=sandbox_key(), **{"expand[]": "tiers"}).json()["tiers"]) == 2
    listed = get(url, "prices", key=sandbox_key(), **{"expand[]": "data.tiers"}).json()["data"]
    assert [row["id"] for row in listed if "tiers" in row] == ["price_tiered"]
    assert get(url, "prices/price_metered", key=sandbox_key()).json()["recurring"]["usage_type"] == "metered"


def test_a_price_may_be_for_several_units(url: str) -> None:
    price = client(url, sandbox_key()).v1.prices.retrieve("price_package")
    assert (price.transform_quantity.divide_by, price.transform_quantity.round) == (10, "up")


def test_a_coupon_may_count_for_a_time(url: str) -> None:
    coupons = {row.duration: row for row in everything(client(url, sandbox_key()).v1.coupons)}
    assert (coupons["repeating"].amount_off, coupons["repeating"].duration_in_months) == (300, 3)
    assert coupons["once"].percent_off == 50
    item = get(url, "subscriptions/sub_licensed", BASIL, key=sandbox_key()).json()["items"]["data"][0]
    assert item["discounts"] == ["di_item"]


def test_the_minor_unit_depends_on_the_currency(url: str) -> None:
    prices = {
        row.currency: row.unit_amount
        for row in everything(client(url, sandbox_key()).v1.prices, type="recurring")
        if row.unit_amount
    }
    assert (prices["jpy"], prices["kwd"]) == (5000, 12340)
    assert [minor_units(Decimal("12.34"), currency) for currency in ("USD", "JPY", "KWD")] == [1234, 12, 12340]


def test_only_test_keys_see_the_sandbox(url: str) -> None:
    live, test = everything(client(url).v1.customers), everything(client(url, sandbox_key()).v1.customers)
    assert not {row.id for row in live} & {row.id for row in test}
    assert all(not row.livemode and row.test_clock for row in test)
    statuses = {row.status for row in everything(client(url, sandbox_key()).v1.subscriptions, status="all")}
    assert statuses == set(STATUSES)


def test_credit_notes_and_refunds(url: str) -> None:
    api = client(url, sandbox_key()).v1
    notes = {row.id: row for row in everything(api.credit_notes)}
    assert {row.type for row in notes.values()} == {"post_payment", "pre_payment"}
    assert notes["cn_void"].status == "void" and notes["cn_void"].voided_at
    assert notes["cn_after_payment"].refunds[0].refund == "re_succeeded"
    old = get(url, "credit_notes/cn_after_payment", ACACIA, key=sandbox_key()).json()
    assert old["refund"] == "re_succeeded" and "refunds" not in old
    assert {row.status for row in everything(api.refunds)} == {"succeeded", "pending"}
    assert api.invoices.retrieve("in_open").amount_due == 3000 - 700


def test_a_cancellation_at_the_end_of_the_period_is_no_end(url: str) -> None:
    subscription = client(url, sandbox_key()).v1.subscriptions.retrieve("sub_licensed")
    assert (subscription.cancel_at_period_end, subscription.status, subscription.ended_at) == (True, "active", None)
