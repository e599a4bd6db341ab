"""Edge cases of every metric definition, in three organizations."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.pipeline.odd_companies import Folder

U, V, W = "org-u", "org-v", "org-w"
ZONES = {U: ("Asia/Kolkata", "JPY"), V: ("Europe/Berlin", "EUR"), W: ("Pacific/Apia", "SEK")}
LAST, AS_OF, LATER = "2026-09-30T23:59:59.999999Z", "2026-10-01T00:00:00Z", "2026-10-05T00:00:00Z"
AMOUNTS = ("0", "-3.33", "0.01", "99999999.999999999")


def plant(folder: Folder) -> None:
    """Add the organizations and their rows."""
    for rows in (_tenants, _calendar, _accounts, _people, _products, _deals, _leads, _orders, _invoices, _activities):
        rows(folder)
    for rows in (_outreach, _checks, _subscriptions, _usage):
        rows(folder)


def _tenants(folder: Folder) -> None:
    for tenant, (zone, currency) in ZONES.items():
        folder.add("organizations", organization_id=tenant, name=tenant, timezone=zone, reporting_currency=currency)
        folder.add("facilities", facility_id=f"f-{tenant}", organization_id=tenant, name=f"F {tenant}")
    # Two facilities with the same name, and one without any rows.
    folder.add("facilities", facility_id="f-idle", organization_id=V, name=f"F {V}")


def _calendar(folder: Folder) -> None:
    hours = [(V, day, *span, "2019-01-01") for day in range(1, 7) for span in (("09:00", "12:00"), ("11:00", "17:00"))]
    hours += [(V, day, "22:00", "06:00", "2019-01-01") for day in range(1, 7)]
    hours += [(V, day, "08:00", "18:15", "2026-06-01") for day in range(1, 6)]
    hours += [(V, 7, "01:30", "03:30", "2019-01-01"), (V, 7, "02:30", "02:45", "2026-06-01")]
    hours += [(W, day, "09:00", "17:00", "2026-03-01") for day in range(1, 8)]
    for tenant, weekday, opens, closes, since in hours:
        folder.add("business_hours", organization_id=tenant, weekday=weekday, opens_at=opens, closes_at=closes, valid_from=since)
    for day, name in (("2026-05-01", "Tag der Arbeit"), ("2026-09-21", 'X "quoted", with a comma')):
        folder.add("holidays", organization_id=V, holiday_date=day, name=name)
    for tenant, priority, first, resolution, clock, since in (
        (V, "critical", 60, 240, "business", "2020-01-01"),
        (V, "critical", 10, 20, "calendar", "2026-09-01"),
        (V, "high", 120, 480, "business", "2020-01-01"),
        (W, "low", 30, 60, "business", "2025-01-01"),
        (U, "medium", 30, 60, "business", "2020-01-01"),
    ):
        terms = {"first_response_minutes": first, "resolution_minutes": resolution, "clock": clock, "valid_from": since}
        folder.add("sla_policies", organization_id=tenant, priority=priority, **terms)


def _accounts(folder: Folder) -> None:
    def add(name: str, tenant: str = V, parent: str = "", merged: str = "", **values: object) -> None:
        given = {"currency": "EUR", "account_type": "customer", "status": "active", **values}
        tree = {"parent_account_id": parent, "merged_into_account_id": merged}
        folder.add("accounts", account_id=name, organization_id=tenant, name=name, **tree, **given)

    for name, parent, merged in (
        *(("top", "", ""), ("c1", "top", ""), ("c2", "c1", ""), ("m1", "", "c2"), ("m2", "top", "m1")),
        *(("ring1", "ring2", ""), ("ring2", "", "ring3"), ("ring3", "ring1", ""), ("into", "ring2", "")),
        *(("into2", "into", ""), ("self", "self", ""), ("miss", "nowhere", ""), ("belowmiss", "miss", "")),
        *(("mmiss", "top", "nowhere"), ("foreign", "", "u1"), ("deep0", "", "")),
        *((f"deep{depth}", f"deep{depth - 1}", "") for depth in range(1, 15)),
    ):
        add(name, parent=parent, merged=merged)
    bands = ("1000000", "999999.99", "10000000", "100000000", "99999999.99", "5000", "0", "-5", "")
    sizes = ("50", "51", "500", "501", "0", "", "1", "50", "51")
    currencies, plans = ("EUR", "JPY", "XXX", "USD"), ("", "starter", "growth", "enterprise")
    for number, (revenue, size) in enumerate(zip(bands, sizes, strict=True)):
        values = {"annual_revenue": revenue, "employee_count": size, "currency": currencies[number % 4]}
        add(f"rev{number}", **values, plan_tier=plans[number // 2 % 4], owner_user_id=f"user-{V}")
    add("inactive", status="inactive", account_type="prospect")
    add("churned", status="churned", owner_user_id="user-elsewhere")
    add("late", updated_at=LATER)
    add("u1", U, annual_revenue="2000000", currency="JPY", owner_user_id=f"user-{V}")
    add("u2", U, "u1", annual_revenue="2000000", currency="USD", owner_user_id="nobody")
    add("sek", W, annual_revenue="2000000", currency="SEK", owner_user_id=f"user-{W}")


def _people(folder: Folder) -> None:
    for tenant in ZONES:
        user = {"organization_id": tenant, "full_name": "Ann Same", "role": "sales_rep"}
        folder.add("users", user_id=f"user-{tenant}", facility_id=f"f-{tenant}", **user)
        folder.add("users", user_id=f"gone-{tenant}", facility_id="nowhere", is_active="false", **user)
    folder.add("users", user_id="user-elsewhere", organization_id=V, facility_id=f"f-{U}", full_name="Bo Else", role="csm")
    titles = ("", "CEO", "  Vice-President, Sales ", "Directrice générale", "Account Manager", "Assistant to the CEO", "???")
    for account, title in product(("top", "gone", "u1"), titles):
        primary = "true" if title in {"CEO", "???"} else "false"
        folder.add("contacts", organization_id=V, account_id=account, title=title, is_primary=primary, status="active")


def _products(folder: Folder) -> None:
    for number, price in enumerate(("0", "49.99", "50", "199.999999999", "200", "1000", "0.01")):
        for stock, level, currency in ((0, 0, "EUR"), (-4, 2, "JPY"), (5, 5, "USD"), (6, 5, "XXX")):
            values = {"unit_price": price, "unit_cost": str(number * 10), "currency": currency}
            name = f"p{number}{currency}"
            folder.add(
                "products", product_id=name, organization_id=V, name=name, stock_quantity=stock, reorder_level=level, **values
            )


def _deals(folder: Folder) -> None:
    def add(name: str, stage: str, tenant: str = V, **values: object) -> None:
        deal = {"account_id": "top", "amount": "10.50", "currency": "EUR", "probability_pct": "20", **values}
        folder.add("deals", deal_id=name, organization_id=tenant, name=name, stage=stage, **deal)

    def change(deal: str, before: str, after: str, at: str, tenant: str = V, **values: object) -> None:
        folder.add(
            "deal_stage_history",
            **{"organization_id": tenant, "deal_id": deal, "from_stage": before, "to_stage": after, "changed_at": at, **values},
        )

    stages = ("prospecting", "qualification", "proposal", "negotiation", "closed_won", "closed_lost")
    ends = ("", "2025-12-31T23:59:59Z", "2026-09-30T23:59:59Z", AS_OF, LATER)
    words = (*stages, "Closed Won", "closedlost", "discovery", "Negotiation/Review")
    for number, (stage, closed_at) in enumerate(product(words, ends)):
        values = {
            "closed_at": closed_at,
            "amount": AMOUNTS[number % 4],
            "currency": ("EUR", "USD", "XXX")[number % 3],
            "probability_pct": ("0", "33.333333333", "100")[number % 3],
            "expected_close_date": ("", "2026-09-30", "2026-10-01", "2027-01-03", "2020-02-29")[number % 5],
            "facility_id": ("", f"f-{V}", "nowhere", f"f-{U}")[number % 4],
            "owner_user_id": ("", f"user-{V}", "nobody", f"user-{U}")[number // 2 % 4],
            "account_id": ("top", "gone", "u1")[number // 3 % 3],
        }
        add(f"d-{number}", stage, created_at=("2026-01-01T00:00:00Z", "2015-05-05T05:05:05Z")[number % 2], **values)
    add("d-late", "proposal", created_at=LATER)
    add("d-last", "closed_won", created_at=LAST, closed_at=LAST)
    add("d-u", "proposal", U, account_id="top", currency="XXX")
    for name in ("d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8", "d9"):
        add(name, "proposal", created_at="2026-01-01T00:00:00Z")
    change("d1", "", "prospecting", "2026-01-02T00:00:00Z", changed_by_user_id=f"user-{V}")
    change("d1", "prospecting", "prospecting", "2026-01-03T00:00:00Z")
    change("d1", "prospecting", "proposal", "2026-01-04T00:00:00.123456Z", changed_by_user_id="nobody")
    for history, before, after in (("z2", *stages[:2]), ("z3", *stages[1:3]), ("z1", "qualification", "negotiation")):
        change("d2", before, after, "2026-02-01T00:00:00Z", history_id=history)
    for before, after, at in (
        ("prospecting", "closed_lost", "2025-12-01"),
        ("closed_lost", "closed_won", "2026-02-01"),
        ("closed_won", "closed_lost", "2026-03-01"),
        ("closed_lost", "prospecting", "2026-03-02"),
    ):
        change("d3", before, after, f"{at}T00:00:00Z")
    change("d4", "proposal", "proposal", "2026-02-01T00:00:00Z")
    for before, after, at in (
        ("discovery", "Demo", "2026-02-01"),
        ("demo", "Closed Won", "2026-02-03"),
        ("closedwon", "on ice", "2026-02-04"),
    ):
        change("d8", before, after, f"{at}T00:00:00Z")
    change("d9", "discovery", "lost", "2026-02-01T00:00:00Z")
    change("d5", "prospecting", "proposal", "2026-10-03T00:00:00Z")
    change("d6", "", "closed_lost", "2026-01-03T00:00:00Z")
    change("d6", "", "closed_lost", "2026-01-04T00:00:00Z")
    change("d7", "", "prospecting", "2026-01-03T00:00:00Z", U)
    change("unknown", "", "prospecting", "2026-01-03T00:00:00Z")
    change("d8", "prospecting", "qualification", "2026-01-01T00:00:00Z")
    change("d8", "qualification", "prospecting", "2026-01-01T00:00:00Z")
    change("d9", "", "qualification", "2026-01-05T00:00:00Z")
    change("d9", "prospecting", "proposal", LAST)


def _leads(folder: Folder) -> None:
    moments = ("", "2026-02-28T23:59:59Z", LATER)
    stages = ("lead", "sql", "opportunity", "won", "lost", "discovery")
    for number, (stage, sql_at, opportunity_at, closed_at) in enumerate(product(stages, moments, moments, moments)):
        folder.add(
            "leads",
            lead_id=f"lead-{number}",
            organization_id=V,
            facility_id=(f"f-{V}", "nowhere", f"f-{U}")[number % 3],
            rep_user_id=("", f"user-{V}", "nobody", f"user-{U}")[number % 4],
            account_id=("", "top", "gone", "u1")[number // 4 % 4],
            stage=stage,
            amount=AMOUNTS[number % 4],
            currency=("EUR", "USD", "XXX", "JPY")[number // 3 % 4],
            created_at=("2026-02-28T23:59:59Z", "2026-09-30T23:59:59Z", LATER, "2015-01-31T00:00:00Z")[number // 5 % 4],
            sql_at=sql_at,
            opportunity_at=opportunity_at,
            closed_at=closed_at,
        )


def _orders(folder: Folder) -> None:
    def add(tenant: str, account: str, currency: str, total: str, at: str, status: str = "delivered", **values: object) -> str:
        amounts = {"subtotal_amount": total, "total_amount": total, "discount_amount": 0, "tax_amount": 0, "shipping_amount": 0}
        order = {"account_id": account, "currency": currency, "ordered_at": at, "status": status, **amounts, **values}
        return folder.add("orders", organization_id=tenant, **order)

    days = ("2015-09-01T00:00:00Z", "2026-07-01T00:00:00Z", "2026-08-31T23:59:59.999999Z", LAST, LATER)
    statuses = ("delivered", "pending", "cancelled", "refunded", "confirmed")
    orders = [
        add(V, "top", currency, "12.345678901", day, statuses[number % 5])
        for number, (currency, day) in enumerate(product(("EUR", "USD", "XXX", "JPY"), days))
    ]
    orders += [add(V, account, "EUR", "0", days[1]) for account in ("gone", "u1", "top", "rev1", "rev2")]
    add(V, "top", "GBP", "77.77", days[2], shipped_at="2026-09-02T12:34:56Z", delivered_at="2026-09-05T00:00:00Z")
    add(V, "top", "EUR", "0.50", days[1], shipped_at="2026-06-01T00:00:00Z", delivered_at=LATER)
    # Amounts that are not recorded, and discounts that cannot be spread over the lines.
    orders += [add(V, "top", "USD", "20", days[1], **{name: ""}) for name in ("tax_amount", "shipping_amount", "total_amount")]
    orders += [add(V, "top", "EUR", "20", days[1], subtotal_amount=subtotal, discount_amount=5) for subtotal in ("", "0")]
    for currency, total, day in (("JPY", "1200", "2026-02-01"), ("USD", "1200", "2026-02-01"), ("JPY", "0", "2025-09-01")):
        add(U, "u1", currency, total, f"{day}T00:00:00Z")
    for currency, day in product(("SEK", "EUR"), ("2025-01-31", "2026-01-31")):
        add(W, "sek", currency, "5.55", f"{day}T00:00:00Z")
    products = ("p0EUR", "p3JPY", "p5XXX", "nothing", "p6USD")
    for number, order in enumerate((*orders, *orders, "no-order")):
        folder.add(
            "order_items",
            organization_id=V if number % 17 else U,
            order_id=order,
            product_id=products[number % 5],
            quantity=(1, 0, 1_000, -1)[number % 4],
            line_amount=AMOUNTS[number // 2 % 3],
            discount_amount=0,
        )


def _invoices(folder: Folder) -> None:
    statuses = ("draft", "open", "paid", "void", "uncollectible")
    for number, (status, paid_at, due_at) in enumerate(product(statuses, ("", LAST, LATER), (LAST, AS_OF, LATER))):
        total = AMOUNTS[number % 4]
        folder.add(
            "invoices",
            organization_id=V,
            account_id=("top", "gone", "u1", "rev1")[number % 4],
            status=status,
            issued_at=("2026-09-30T23:59:59Z", "2015-01-01T00:00:00Z", "2026-07-15T12:00:00Z", LATER)[number // 2 % 4],
            due_at=due_at,
            paid_at=paid_at,
            currency=("EUR", "XXX", "USD")[number % 3],
            subtotal_amount=total,
            tax_amount="0",
            total_amount=total,
            amount_paid=("0", total, "5")[number % 3],
        )


def _activities(folder: Folder) -> None:
    for number, (status, due_at, done_at) in enumerate(
        product(("planned", "completed", "cancelled"), ("", LAST, LATER), ("", LAST))
    ):
        folder.add(
            "activities",
            organization_id=V,
            account_id=("", "top", "gone", "u1")[number % 4],
            deal_id=("", "d1", "unknown", "d-u")[number % 4],
            user_id=("", f"user-{V}", "nobody")[number % 3],
            activity_type=("call", "email", "meeting")[number % 3],
            status=status,
            due_at=due_at,
            completed_at=done_at,
            duration_minutes=("", 0, 1440)[number % 3],
            created_at=("2026-09-01T00:00:00Z", LATER)[number % 5 == 4],
        )


def _outreach(folder: Folder) -> None:
    moments = ("", "2026-08-31T12:00:00Z", LAST, LATER)
    for number, (responded, converted) in enumerate(product(moments, moments)):
        for channel, sent_at in (("email", "2026-08-31T12:00:00Z"), ("phone", LAST), ("chat", LATER)):
            folder.add(
                "outreach",
                organization_id=V,
                facility_id=(f"f-{V}", "nowhere", f"f-{U}")[number % 3],
                rep_user_id=("", f"user-{V}", f"gone-{V}", "nobody")[number // 2 % 4],
                lead_id=("", "lead-1", "nothing")[number % 3],
                channel=channel,
                sent_at=sent_at,
                responded_at=responded,
                converted_at=converted,
            )


def _checks(folder: Folder) -> None:
    due = ("2015-01-01T00:00:00Z", "2026-09-01T00:00:00Z", LAST, AS_OF, LATER)
    for number, (status, due_at, done_at) in enumerate(
        product(("pending", "passed", "failed", "waived"), due, ("", LAST, LATER))
    ):
        facility = (f"f-{V}", "nowhere", f"f-{U}")[number % 3]
        given = {"facility_id": facility, "status": status, "due_at": due_at, "completed_at": done_at}
        folder.add("compliance_checks", organization_id=V, **given)


def _subscriptions(folder: Folder) -> None:
    families = ("top", "c1", "m2", "ring1", "belowmiss", "deep14", "gone", "u1", "inactive", "rev1", "rev2", "rev3")
    spans = (
        *(("2025-07-01T00:00:00Z", ""), ("2025-06-30T23:59:59.999999Z", "2025-11-01T00:00:00Z"), (AS_OF, ""), (LATER, "")),
        *(("2026-06-01T00:00:00Z", "2026-06-30T23:59:59Z"), ("2026-04-15T00:00:00Z", "2026-09-30T00:00:00Z"), (LAST, "")),
        *(("2026-02-10T00:00:00Z", AS_OF), ("2025-09-20T00:00:00Z", LATER), ("2026-07-03T00:00:00Z", ""), (LAST, LAST)),
    )
    intervals = (
        ("month", 1, "1000"),
        ("week", 1, "99.99"),
        ("year", 1, "12345.67"),
        ("quarter", 2, "3000"),
        ("month", 7, "9999.99"),
        ("Semi-Annual", 1, "600.5"),
        ("day", 1, "3.33"),
    )
    statuses = ("active", "active", "past_due", "cancelled", "active", "trialing", "paused", "Canceled", "Non-Renewing", "unpaid")
    statuses += ("incomplete_expired", "In Trial", "active")
    ends = ("", "2026-08-31T00:00:00Z", "", "2026-09-30T12:00:00Z", "2025-12-31T23:59:59Z")
    trials = ("", "", "", "2026-07-31T23:59:59Z", "2026-08-01T00:00:00Z", LATER)
    for number, (account, (started, ended)) in enumerate(product(families, spans)):
        interval, count, amount = intervals[number % 7]
        folder.add(
            "subscriptions",
            organization_id=V,
            account_id=account,
            product_id=("p0EUR", "p3JPY", "nothing", "p1USD")[number % 4],
            billing_interval=interval,
            interval_count=count,
            quantity=(1, 3, 0, 1, 12, -2)[number // 2 % 6],
            unit_amount=amount,
            discount_pct=("0", "0", "12.5", "100", "33.333333333")[number // 3 % 5],
            currency=("EUR", "EUR", "USD", "XXX", "GBP")[number // 4 % 5],
            status=statuses[number % 13],
            started_at=started,
            trial_ends_at=trials[number // 5 % 6],
            current_period_end=ends[number % 5],
            paused_at=("", "2026-06-30T23:59:59.999999Z", "2026-07-01T00:00:00Z", LATER)[number % 4],
            cancelled_at=ends[number // 3 % 5],
            ended_at=ended,
            updated_at=("2026-01-01T00:00:00Z", "2026-09-01T00:00:00Z", "2026-07-15T12:00:00Z")[number // 2 % 3],
        )
    # Gaps, credits, and words that no seed knows. Too little is at stake for the gate to block.
    for account, status, interval, amount, started, ended in (
        ("rev5", "active", "month", "90", "2026-03-01T00:00:00Z", "2026-05-31T23:59:59Z"),
        ("rev5", "active", "monthly", "90", "2026-06-01T00:00:00Z", "2026-07-31T12:00:00Z"),
        ("rev5", "active", "annual", "1080", "2026-08-01T12:00:00.000001Z", ""),
        ("rev6", "active", "month", "50", "2026-03-01T00:00:00Z", ""),
        ("rev6", "active", "month", "-50", "2026-05-01T00:00:00Z", "2026-06-15T00:00:00Z"),
        ("rev6", "active", "month", "-20", "2026-07-01T00:00:00Z", ""),
        ("rev7", "dormant", "month", "0.01", "2026-03-01T00:00:00Z", ""),
        ("rev7", "active", "decade", "0.01", "2026-03-01T00:00:00Z", ""),
        ("rev8", "paused", "month", "500", "2025-01-05T00:00:00Z", ""),
        # A credit beside a line without a rate, and a new line without one.
        ("rev4", "active", "month", "-20", "2026-03-01T00:00:00Z", ""),
        ("rev4", "active", "month", "70 XXX", "2026-03-01T00:00:00Z", "2026-07-15T00:00:00Z"),
        ("rev0", "active", "month", "90", "2026-05-01T00:00:00Z", "2026-08-15T00:00:00Z"),
        ("rev0", "active", "month", "90 XXX", "2026-08-15T00:00:00Z", ""),
    ):
        price, _, currency = amount.partition(" ")
        terms = {"billing_interval": interval, "unit_amount": price, "status": status, "discount_pct": "0"}
        terms["currency"] = currency or "EUR"
        times = {"started_at": started, "ended_at": ended, "updated_at": "2026-08-20T00:00:00Z"}
        folder.add("subscriptions", organization_id=V, account_id=account, product_id="nothing", **terms, **times)
    for tenant, account, currency in ((U, "u2", "JPY"), (U, "u1", "XXX"), (W, "sek", "EUR"), (W, "sek", "SEK")):
        for started, ended in (("2024-09-01T00:00:00Z", "2025-12-31T23:59:59Z"), ("2026-08-15T00:00:00Z", "")):
            terms = {"billing_interval": "month", "unit_amount": "1000", "currency": currency, "status": "active"}
            times = {"started_at": started, "ended_at": ended}
            folder.add("subscriptions", organization_id=tenant, account_id=account, product_id="nothing", **terms, **times)


def _usage(folder: Folder) -> None:
    moments = (
        *(LAST, "2026-09-01T00:00:00Z", "2026-08-31T23:59:59.999999Z", "2026-08-02T00:00:00Z", "2026-08-01T23:59:59Z"),
        *("2026-07-03T00:00:00Z", "2026-07-02T23:59:59Z", "2020-02-29T12:00:00Z", AS_OF, LATER),
    )
    events = (("login", "core"), ("Login", "Core"), ("login", "reporting"), ("search", "collaboration"), ("dig", "gardening"))
    families = ("top", "c2", "m1", "ring2", "into", "deep3", "gone", "u1", "rev1", "rev3", "rev5")
    for number, (account, moment, (name, category)) in enumerate(product(families, moments, events)):
        # Each account lacks other days, so that some have not logged in for long.
        if number * 7 % (3 + families.index(account)) < 2:
            folder.add(
                "usage_events",
                organization_id=V,
                account_id=account,
                user_id=f"person-{number % 3}",
                event_name=name,
                event_category=category,
                occurred_at=moment,
            )
