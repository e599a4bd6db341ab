"""Stripe's events: the changes of the last 30 days, and deletions."""

from __future__ import annotations

from datetime import timedelta

from include.demo.vendors.common import Account
from include.demo.vendors.stripe import objects
from include.demo.vendors.stripe.objects import moment
from tests.vendors.stripe.reading import all_pages, client, error_of, everything, get


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
