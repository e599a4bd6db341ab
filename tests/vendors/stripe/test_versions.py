"""The shapes of Stripe's API before its breaking changes."""

from __future__ import annotations

from tests.vendors.stripe.reading import ACACIA, BASIL, get


def test_versions_before_basil_have_the_older_shapes(url: str) -> None:
    old = get(url, "subscriptions", ACACIA, limit=100, **{"expand[]": "data.latest_invoice"}).json()["data"]
    with_discount = [row["discount"] for row in old if row["discount"]]
    assert with_discount and all(each["coupon"]["percent_off"] > 0 and "source" not in each for each in with_discount)
    assert all(row["current_period_end"] and "current_period_end" not in row["items"]["data"][0] for row in old)
    assert all(row["latest_invoice"]["subscription"] == row["id"] for row in old)
    for invoice in get(url, "invoices", ACACIA, status="paid", limit=100).json()["data"]:
        line = invoice["lines"]["data"][0]
        assert "parent" not in invoice and invoice["paid"] is True
        assert (line["type"], line["subscription"], line["proration"]) == ("subscription", invoice["subscription"], False)
        assert line["price"]["object"] == "price" and line["plan"]["id"] == line["price"]["id"] and "pricing" not in line
        assert sum(each["amount"] for each in invoice["total_tax_amounts"]) == (invoice["tax"] or 0)
        if invoice["amount_paid"]:
            charge = get(url, f"charges/{invoice['charge']}", ACACIA).json()
            assert (charge["invoice"], charge["payment_intent"]) == (invoice["id"], invoice["payment_intent"])
            assert "invoice" not in get(url, f"charges/{invoice['charge']}", BASIL).json()


def test_versions_of_basil_still_name_the_coupon_in_the_discount(url: str) -> None:
    rows = get(url, "subscriptions", BASIL, limit=100, **{"expand[]": "data.discounts"}).json()["data"]
    discounts = [each for row in rows for each in row["discounts"]]
    assert discounts and all(each["coupon"]["object"] == "coupon" for each in discounts)
    assert all("current_period_end" not in row for row in rows)


def test_without_a_version_the_accounts_own_counts(url: str) -> None:
    answer = get(url, "subscriptions", limit=1)
    assert answer.headers["stripe-version"] == "2024-06-20" and "current_period_end" in answer.json()["data"][0]
    assert get(url, "subscriptions", "tomorrow").json()["error"]["message"] == "Invalid Stripe API version: tomorrow"
