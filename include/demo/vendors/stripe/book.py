"""What one Stripe account holds: the lists of its objects, every object by id, and the events of the last 30 days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from include.demo.vendors.common import Account, Row
from include.demo.vendors.stripe import objects
from include.demo.vendors.stripe.events import Change, invoice_changes, subscription_changes
from include.demo.vendors.stripe.invoices import invoice, one_off_invoice, trial_invoice
from include.demo.vendors.stripe.objects import Object, moment, stripe_id
from include.demo.vendors.stripe.payments import payment
from include.demo.vendors.stripe.subscriptions import Series, subscription

EVENTS_FOR = timedelta(days=30)
LISTS = [
    "charges",
    "coupons",
    "credit_notes",
    "customers",
    "events",
    "invoice_payments",
    "invoices",
    "payment_intents",
    "prices",
    "products",
    "refunds",
    "subscription_items",
    "subscriptions",
]


@dataclass
class Book:
    """The objects of one mode (live or test) of a Stripe account, in the shapes of the newest version of the API.

    Attributes:
        lists: the objects of each list, newest first.
        by_id: every object that can be retrieved, also deleted ones: {"id": …, "object": …, "deleted": true}.
        extras: properties that an object has only if the request expands them, by id and property.
        changes: what happened to the objects in the last 30 days. Events are made of them.
    """

    account: Object
    now: datetime
    lists: dict[str, list[Object]] = field(default_factory=lambda: {name: [] for name in LISTS})
    by_id: dict[str, Object] = field(default_factory=dict)
    extras: dict[tuple[str, str], Any] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    def add(self, name: str, object_: Object) -> None:
        """Add an object to a list."""
        self.lists[name].append(object_)
        self.by_id[object_["id"]] = object_

    def add_payment(self, paid: Object) -> None:
        """Add the payment of a paid invoice. An invoice shows its payments only if a request expands them."""
        made, intent, charge = payment(paid)
        self.add("invoice_payments", made)
        self.add("payment_intents", intent)
        self.add("charges", charge)
        payments = {"object": "list", "data": [made], "has_more": False, "url": "/v1/invoice_payments"}
        self.extras[paid["id"], "payments"] = payments

    def delete(self, deleted: Object, at: datetime, type_: str) -> None:
        """Show a deleted object of the day before as Stripe does, and tell of it in an event."""
        self.by_id[deleted["id"]] = {"id": deleted["id"], "object": deleted["object"], "deleted": True}
        self.changes.append(Change(at, f"{type_}.deleted", deleted))

    def sort(self) -> None:
        """Sort the lists, newest first. Objects of one second are sorted by id."""
        for rows in self.lists.values():
            rows.sort(key=lambda row: (row["created"], row["id"]), reverse=True)


def live_book(account: Account) -> Book:
    """The company at Stripe."""
    organization = account.organization
    book = Book(
        {
            "id": stripe_id("acct", organization["organization_id"]),
            "object": "account",
            "business_profile": {"name": organization["name"]},
            "country": "US",
            "created": moment(organization["created_at"]),
            "default_currency": organization["reporting_currency"].lower(),
            "settings": {"dashboard": {"display_name": organization["name"], "timezone": organization["timezone"]}},
            "type": "standard",
        },
        account.now,
    )
    held = series_of(account.tables)
    customers = _customers(book, account, held)
    _catalogue(book, account, [row for series in held for row in series.rows])
    for series in held:
        current = subscription(series, book.now, book.by_id)
        book.add("subscriptions", current)
        book.lists["subscription_items"] += current["items"]["data"]
        book.changes += subscription_changes(series, since(book), book.now, book.by_id)
        for row in series.invoices:
            made = invoice(series, row, book.now, customers)
            book.add("invoices", made)
            if made["status"] == "paid" and made["amount_paid"]:
                book.add_payment(made)
            book.changes += invoice_changes(series, row, since(book), book.now, customers)
    if account.spare:
        _deletions(book, account, account.spare)
    book.sort()
    return book


def since(book: Book) -> datetime:
    """The first instant of which Stripe still has the events."""
    return book.now - EVENTS_FOR


def series_of(tables: dict[str, list[Row]]) -> list[Series]:
    """The subscriptions of a company as Stripe has them, with the invoices and those of the trials."""
    following = {row["replaces_subscription_id"]: row for row in tables["subscriptions"] if row["replaces_subscription_id"]}
    invoices = defaultdict(list)
    for row in tables["invoices"]:
        invoices[row["subscription_id"]].append(row)
    result = []
    for first in tables["subscriptions"]:
        if first["replaces_subscription_id"] is not None:
            continue
        series = Series([first])
        while series.rows[-1]["subscription_id"] in following:
            series.rows.append(following[series.rows[-1]["subscription_id"]])
        if first["trial_ends_at"] is not None:
            series.invoices.append(trial_invoice(first))
        for row in series.rows:
            series.invoices.extend(sorted(invoices[row["subscription_id"]], key=lambda invoice: invoice["issued_at"]))
        result.append(series)
    return result


def _customers(book: Book, account: Account, held: list[Series]) -> dict[str, Object]:
    """Add the customers: the accounts with subscriptions, and on the first day one without. Returns them by account_id."""
    emails = {row["account_id"]: row["email"] for row in account.tables["contacts"] if row["is_primary"]}
    billed = {series.rows[0]["account_id"] for series in held}
    if account.spare and not account.second:
        billed.add(account.spare["account_id"])
    result = {}
    for row in account.tables["accounts"]:
        if row["account_id"] not in billed:
            continue
        made = result[row["account_id"]] = objects.customer(row, emails.get(row["account_id"]))
        book.add("customers", made)
        created, changed = row["created_at"], row["updated_at"]
        if created >= since(book):
            book.changes.append(Change(created, "customer.created", made))
        if changed >= since(book) and changed > created:
            synced = {"metadata": {"crm_synced_at": f"{created:%Y-%m-%dT%H:%M:%SZ}"}}
            book.changes.append(Change(changed, "customer.updated", made, synced))
    return result


def _catalogue(book: Book, account: Account, rows: list[Row]) -> None:
    """Add products, prices, coupons and discounts. A price exists from its first subscription on."""
    sold = {row["product_id"] for row in rows}
    for row in account.tables["products"]:
        if row["product_id"] not in sold:
            continue
        made = objects.product(row)
        book.add("products", made)
        if row["created_at"] >= since(book):
            book.changes.append(Change(row["created_at"], "product.created", made))
        if row["updated_at"] >= since(book) and row["updated_at"] > row["created_at"]:
            book.changes.append(Change(row["updated_at"], "product.updated", made, {"updated": made["created"]}))
    rows = sorted(rows, key=lambda row: row["started_at"])
    _from_first_use(book, rows, "prices", objects.price_id, objects.price)
    _from_first_use(book, [row for row in rows if row["discount_pct"]], "coupons", objects.coupon_id, objects.coupon)
    first = {row["subscription_id"]: row for row in rows}
    for row in rows:
        start = row
        while start["replaces_subscription_id"] in first:
            start = first[start["replaces_subscription_id"]]
        if row["discount_pct"]:
            made = objects.discount(row, stripe_id("sub", start["subscription_id"]))
            book.by_id[made["id"]] = made


def _from_first_use(
    book: Book, rows: Iterable[Row], name: str, id_of: Callable[[Row], str], make: Callable[[Row, datetime], Object]
) -> None:
    for row in rows:
        if id_of(row) in book.by_id:
            continue
        made = make(row, row["started_at"])
        book.add(name, made)
        if row["started_at"] >= since(book):
            book.changes.append(Change(row["started_at"], f"{made['object']}.created", made))


def _deletions(book: Book, account: Account, spare: Row) -> None:
    """A product without prices, a coupon, and a customer with a draft invoice: they exist on the first day only.

    The customer of the first day is the spare account. Its draft vanishes with it.
    """
    created = (account.before or account).now - timedelta(hours=3)
    customer = objects.customer(spare, None)
    draft = one_off_invoice(customer, created)
    terms = {"product_id": "trial_product", "started_at": created, "discount_pct": Decimal(20)}
    product = objects.product(
        {
            "product_id": terms["product_id"],
            "is_active": True,
            "created_at": created,
            "updated_at": created,
            "sku": None,
            "name": "Beta",
        }
    )
    coupon = objects.coupon(terms, created)
    for name, made in (("invoices", draft), ("products", product), ("coupons", coupon), ("customers", customer)):
        if not account.second:
            if name != "customers":
                book.add(name, made)
                book.changes.append(Change(created, f"{made['object']}.created", made))
        else:
            book.delete(made, created + timedelta(hours=9), made["object"])
    if account.second:
        # Stripe keeps a stub of deleted customers and products only.
        del book.by_id[draft["id"]], book.by_id[coupon["id"]]
