"""Stripe's server, read by Stripe's own client: the whole company, and each trap of the API."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
import requests
import stripe

from include.demo.vendors import vendor_app
from include.demo.vendors.common import Account, Faults, minor_units
from include.demo.vendors.stripe import objects
from include.demo.vendors.stripe.objects import moment
from include.demo.vendors.stripe.sandbox import LINES, STATUSES
from include.demo.vendors.stripe.server import live_key, sandbox_key
from include.demo.vendors.stripe.versions import NEWEST
from tests.vendors.running import running

BASIL, ACACIA = "2025-08-27.basil", "2024-12-18.acacia"
_MONTHS = {"week": Decimal(12) / 52, "month": Decimal(1), "quarter": Decimal(3), "year": Decimal(12)}


@pytest.fixture(scope="module")
def url(first_day: Account) -> Iterator[str]:
    with running(vendor_app("stripe", first_day, Faults(per_second=10**6, per_endpoint=10**6))) as address:
        yield address


@pytest.fixture(scope="module")
def next_url(second_day: Account) -> Iterator[str]:
    with running(vendor_app("stripe", second_day, Faults(per_second=10**6, per_endpoint=10**6))) as address:
        yield address


@pytest.fixture
def faults(url: str) -> Iterator[str]:
    """The control endpoint. What a test asks for ends with the test."""
    yield f"{url}/_faults"
    requests.delete(f"{url}/_faults", timeout=10)
    requests.post(f"{url}/_faults", json={"settings": {"per_second": 10**6, "per_endpoint": 10**6}}, timeout=10)


def client(url: str, key: str = "", **options: Any) -> stripe.StripeClient:
    return stripe.StripeClient(key or live_key(), base_addresses={"api": url}, **options)


def get(url: str, path: str, version: str | None = None, key: str = "", **params: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {key or live_key()}"} | ({"Stripe-Version": version} if version else {})
    return requests.get(f"{url}/v1/{path}", params=params, headers=headers, timeout=10)


def error_of(answer: requests.Response) -> tuple[int, str | None, str | None]:
    error = answer.json()["error"]
    return answer.status_code, error.get("code"), error.get("param")


def everything(service: Any, **params: Any) -> list[Any]:
    return list(service.list({"limit": 100, **params}).auto_paging_iter())


def all_pages(url: str, name: str, **params: Any) -> list[dict[str, Any]]:
    """All rows of a list in the newest version, without the client, which makes objects of them."""
    rows: list[dict[str, Any]] = []
    while True:
        page = get(url, name, NEWEST, limit=100, **params).json()
        rows += page["data"]
        if not page["has_more"]:
            return rows
        params["starting_after"] = rows[-1]["id"]


def instant(at: int | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at, UTC)


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


def test_cancelled_subscriptions_are_listed_only_on_request(url: str) -> None:
    service = client(url).v1.subscriptions
    usual, all_ = everything(service), everything(service, status="all")
    assert {row.status for row in all_} - {row.status for row in usual} == {"canceled"}
    assert {row.status for row in everything(service, status="ended")} == {"canceled"}


def test_pages_begin_after_the_last_row_newest_first(url: str) -> None:
    first = get(url, "invoices").json()
    assert len(first["data"]) == 10 and first["has_more"] is True
    assert [row["created"] for row in first["data"]] == sorted((row["created"] for row in first["data"]), reverse=True)
    last = first["data"][-1]["id"]
    second = get(url, "invoices", starting_after=last, limit=3).json()["data"]
    assert len(second) == 3 and not {row["id"] for row in second} & {row["id"] for row in first["data"]}
    back = get(url, "invoices", ending_before=second[0]["id"]).json()["data"]
    assert [row["id"] for row in back] == [row["id"] for row in first["data"]]
    end = get(url, "coupons", limit=100).json()
    assert end["has_more"] is False and end["object"] == "list" and end["url"] == "/v1/coupons"


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"limit": 101}, "parameter_invalid_integer", "limit"),
        ({"limit": 0}, "parameter_invalid_integer", "limit"),
        ({"starting_after": "in_nowhere"}, "resource_missing", "starting_after"),
        ({"starting_after": "in_a", "ending_before": "in_b"}, "parameter_invalid_combination", None),
        ({"updated[gte]": 5}, "parameter_unknown", "updated[gte]"),
        ({"created[since]": 5}, "parameter_unknown", "created[since]"),
        ({"created[gte]": "2026-09-01T00:00:00Z"}, "parameter_invalid_integer", "created[gte]"),
        ({"expand[]": "data.colour"}, "property_cannot_be_expanded", None),
        ({"expand[]": "data.lines.data.discounts.source"}, "property_cannot_be_expanded", None),
    ],
)
def test_invalid_parameters_are_errors(url: str, params: dict[str, Any], code: str, param: str | None) -> None:
    assert error_of(get(url, "invoices", **params)) == (400, code, param)


def test_created_is_compared_in_seconds(url: str) -> None:
    bound = int(datetime(2026, 9, 1, tzinfo=UTC).timestamp())
    newer = get(url, "invoices", limit=100, **{"created[gte]": bound}).json()["data"]
    older = get(url, "invoices", limit=1, **{"created[lt]": bound}).json()["data"]
    assert newer and all(row["created"] >= bound for row in newer) and older[0]["created"] < bound


def test_discounts_are_ids_until_expanded(url: str) -> None:
    ids = {each for row in get(url, "subscriptions", limit=100).json()["data"] for each in row["discounts"]}
    assert ids and all(isinstance(each, str) for each in ids)
    expanded = get(url, "subscriptions", "2026-03-25.dahlia", limit=100, **{"expand[]": "data.discounts"}).json()["data"]
    discounts = [each for row in expanded for each in row["discounts"]]
    assert {each["id"] for each in discounts} == ids
    assert all(each["source"]["type"] == "coupon" and "coupon" not in each for each in discounts)


def test_an_invoice_shows_ten_of_its_lines(url: str) -> None:
    api = client(url, sandbox_key()).v1
    invoice = api.invoices.retrieve("in_paid")
    assert len(invoice.lines.data) == 10 and invoice.lines.has_more is True
    lines = list(invoice.lines.auto_paging_iter())
    assert len(lines) == LINES and sum(line.amount for line in lines) == invoice.subtotal
    prorated = [line for line in lines if line.parent.type == "invoice_item_details"]
    assert all(line.parent.invoice_item_details.proration for line in prorated)
    assert {line.amount < 0 for line in prorated} == {True, False}


def test_the_period_of_an_invoice_is_the_one_that_has_ended(url: str) -> None:
    rows = get(url, "invoices", BASIL, limit=100).json()["data"]
    cycles = [row for row in rows if row["billing_reason"] == "subscription_cycle"]
    assert cycles and all(row["period_end"] <= row["lines"]["data"][0]["period"]["start"] for row in cycles)


def test_events_tell_what_changed_in_the_last_30_days(url: str, first_day: Account) -> None:
    events = everything(client(url).v1.events)
    oldest = int((first_day.now - timedelta(days=30)).timestamp())
    assert events and min(event.created for event in events) >= oldest
    assert len({event.id for event in events}) == len(events)
    updated = [event for event in events if event.type == "customer.subscription.updated"]
    assert updated and all(event.data.previous_attributes for event in updated)
    some = everything(client(url).v1.events, types=["invoice.paid", "invoice.voided"])
    assert {event.type for event in some} <= {"invoice.paid", "invoice.voided"}
    assert len(some) == sum(event.type in ("invoice.paid", "invoice.voided") for event in events)
    for row in first_day.tables["invoices"]:
        if row["updated_at"] >= first_day.now - timedelta(days=30):
            id_ = "in" + row["invoice_id"].removeprefix("inv")
            assert max(event.created for event in events if event.data.object.id == id_) == row["updated_at"].timestamp()


def test_changed_terms_are_in_previous_attributes(url: str, first_day: Account) -> None:
    since = first_day.now - timedelta(days=30)
    rows = {row["subscription_id"]: row for row in first_day.tables["subscriptions"]}
    changed = [row for row in rows.values() if row["replaces_subscription_id"] and row["started_at"] >= since]
    events = everything(client(url).v1.events, type="customer.subscription.updated")
    assert changed
    for row in changed:
        at = int(row["started_at"].timestamp())
        (event,) = [each for each in events if each.created == at and each.data.object.start_date < at]
        before = event.data.previous_attributes["items"]["data"][0]
        now = event.data.object["items"].data[0]
        replaced = rows[row["replaces_subscription_id"]]
        assert (before["quantity"], now.quantity) == (replaced["quantity"], row["quantity"])
        assert before["price"]["id"] == objects.price_id(replaced)


def test_the_object_of_an_event_has_the_shape_of_the_accounts_version(url: str) -> None:
    event = get(url, "events", "2026-03-25.dahlia", type="customer.subscription.updated").json()["data"][0]
    assert event["api_version"] == "2024-06-20" and "current_period_end" in event["data"]["object"]
    subscription = get(url, f"subscriptions/{event['data']['object']['id']}", "2026-03-25.dahlia").json()
    assert "current_period_end" not in subscription and "current_period_end" in subscription["items"]["data"][0]


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


def test_payments_are_shown_on_request(url: str) -> None:
    invoice = get(url, "invoices", BASIL, status="paid").json()["data"][0]
    assert "payments" not in invoice and "charge" not in invoice
    expanded = get(url, f"invoices/{invoice['id']}", BASIL, **{"expand[]": "payments"}).json()
    assert expanded["payments"]["data"][0]["amount_paid"] == invoice["amount_paid"]
    (partial,) = get(url, "invoice_payments", BASIL, key=sandbox_key(), invoice="in_open").json()["data"]
    assert partial["amount_paid"] < partial["amount_requested"]


def test_items_are_listed_by_subscription(url: str) -> None:
    assert error_of(get(url, "subscription_items")) == (400, "parameter_missing", "subscription")
    items = client(url, sandbox_key()).v1.subscription_items.list({"subscription": "sub_licensed"}).data
    assert {item.id: item.to_dict().get("quantity") for item in items} == {"si_licensed": 3, "si_metered": None, "si_tiered": 40}


def test_metered_and_tiered_prices(url: str) -> None:
    tiered = get(url, "prices/price_tiered", key=sandbox_key()).json()
    assert (tiered["billing_scheme"], tiered["unit_amount"]) == ("tiered", None) and "tiers" not in tiered
    assert len(get(url, "prices/price_tiered", key=sandbox_key(), **{"expand[]": "tiers"}).json()["tiers"]) == 2
    assert get(url, "prices/price_metered", key=sandbox_key()).json()["recurring"]["usage_type"] == "metered"


def test_the_minor_unit_depends_on_the_currency(url: str) -> None:
    prices = {
        row.currency: row.unit_amount
        for row in everything(client(url, sandbox_key()).v1.prices, type="recurring")
        if row.unit_amount
    }
    assert (prices["jpy"], prices["kwd"]) == (5000, 12340)
    assert [minor_units(Decimal("12.34"), currency) for currency in ("USD", "JPY", "KWD")] == [1234, 12, 12340]


def test_a_price_of_part_of_a_yen_has_no_unit_amount(first_day: Account) -> None:
    row = {**first_day.tables["subscriptions"][0], "currency": "JPY", "unit_amount": Decimal("1384.60")}
    price = objects.price(row, first_day.now)
    assert (price["unit_amount"], price["unit_amount_decimal"]) == (None, "1384.6")


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


def test_deleted_objects(url: str, next_url: str, first_day: Account) -> None:
    assert first_day.spare is not None
    id_ = objects.stripe_id("cus", first_day.spare["account_id"])
    assert client(url).v1.customers.retrieve(id_).name == first_day.spare["name"]
    assert get(next_url, f"customers/{id_}").json() == {"id": id_, "object": "customer", "deleted": True}
    assert id_ not in {row.id for row in everything(client(next_url).v1.customers)}
    assert error_of(get(next_url, "coupons/minus-20")) == (404, "resource_missing", "id")
    deleted = {event.type for event in everything(client(next_url).v1.events) if event.type.endswith(".deleted")}
    assert deleted >= {"customer.deleted", "product.deleted", "coupon.deleted", "invoice.deleted"}


def test_the_next_day_has_new_events_for_all_changes(url: str, next_url: str, first_day: Account) -> None:
    events = all_pages(next_url, "events", **{"created[gte]": moment(first_day.now)})
    told = {event["data"]["object"]["id"] for event in events}
    changed = set()
    for name in ("customers", "invoices", "products", "coupons", "prices", "subscriptions"):
        status = {"status": "all"} if name == "subscriptions" else {}
        before, after = ({row["id"]: row for row in all_pages(each, name, **status)} for each in (url, next_url))
        changed |= {id_ for id_ in before.keys() | after.keys() if before.get(id_) != after.get(id_)}
    assert changed and changed <= told


def test_keys(url: str) -> None:
    assert requests.get(f"{url}/v1/customers", timeout=10).status_code == 401
    assert requests.get(f"{url}/v1/customers", auth=(live_key(), ""), timeout=10).status_code == 200
    with pytest.raises(stripe.AuthenticationError, match="Invalid API Key"):
        client(url, "rk_live_wrong").v1.customers.list()
    with pytest.raises(stripe.PermissionError, match="does not have access to account"):
        client(url, stripe_account="acct_other").v1.customers.list()


def test_a_restricted_key_may_lack_a_permission(url: str, faults: str) -> None:
    requests.post(faults, json={"settings": {"forbidden": ["charges"]}}, timeout=10)
    with pytest.raises(stripe.PermissionError, match="required permissions"):
        client(url).v1.charges.list()
    assert client(url).v1.invoices.list().data


def test_limits_per_second_and_endpoint(url: str, faults: str) -> None:
    for setting, reason in (("per_second", "global-rate"), ("per_endpoint", "endpoint-rate")):
        limits = {"per_second": 10**6, "per_endpoint": 10**6, setting: 2}
        requests.post(faults, json={"settings": limits}, timeout=10)
        answers = [get(url, "coupons") for _ in range(3)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused and refused[0].headers["stripe-rate-limited-reason"] == reason
        assert refused[0].headers["stripe-should-retry"] == "true" and "retry-after" not in refused[0].headers
        assert refused[0].json()["error"]["code"] == "rate_limit"


def test_the_client_gets_through_errors_of_the_server(url: str, faults: str) -> None:
    planned = {"path": "/v1/customers", "status": 500, "body": '{"error": {"type": "api_error", "message": "Sorry"}}', "times": 2}
    requests.post(faults, json={"answers": [planned]}, timeout=10)
    assert client(url, max_network_retries=3).v1.customers.list().data


def test_the_account_knows_currency_and_time_zone(url: str, first_day: Account) -> None:
    account = get(url, "account").json()
    assert account["default_currency"] == first_day.organization["reporting_currency"].lower()
    assert account["settings"]["dashboard"]["timezone"] == first_day.organization["timezone"]
