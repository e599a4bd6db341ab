"""fct_revenue on hand-worked subscriptions."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from tests.recompute.factory import account, organization, subscription
from tests.recompute.golden import golden
from tests.recompute.mrr import fct_revenue
from tests.recompute.sources import Row, SourceData
from tests.recompute.subscriptions import Subscription, is_in_force, monthly_amount

AS_OF = datetime(2026, 7, 1, tzinfo=UTC)

# The golden account of docs/metrics.md: MRR of 100, 150, 0, 120, 120 + 80, 80.
GOLDEN = [
    subscription("0", "2026-01-01") | row | {"organization_id": "t", "account_id": "a"}
    for row in golden("int_billing__subscription_states", "the_golden_account_by_subscription").given[
        "int_billing__subscription_versions"
    ]
]


def sources(*subscriptions: Row, as_of: datetime = AS_OF, **tables: list[Row]) -> SourceData:
    given = {"organizations": [organization()], "accounts": [account()], **tables}
    return SourceData.of(as_of, subscriptions=list(subscriptions), **given)


def rates(day: date, value: str, currency: str = "EUR") -> list[Row]:
    """A rate that counts on `day` whatever the level before, because the two days before confirm it."""
    return [
        {"rate_date": day - timedelta(days=before), "currency": currency, "rate_to_usd": Decimal(value)} for before in range(3)
    ]


def values(rows: list[Row], *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in columns) for row in rows]


def test_the_golden_account() -> None:
    expected = [row | {"account_id": "a"} for row in golden("fct_revenue", "the_golden_account").expected]
    rows = fct_revenue(sources(*GOLDEN, as_of=datetime(2026, 7, 15, tzinfo=UTC)))
    assert [{column: row[column] for column in wanted} for row, wanted in zip(rows, expected, strict=True)] == expected


@pytest.mark.parametrize(
    ("terms", "amount"),
    [
        ({"billing_interval": "week", "unit_amount": Decimal(30)}, 130),
        ({"billing_interval": "quarter", "unit_amount": Decimal(300)}, 100),
        ({"billing_interval": "year", "unit_amount": Decimal(1200)}, 100),
        ({"billing_interval": "month", "interval_count": 2}, 50),
        ({"billing_interval": "year", "interval_count": 2, "unit_amount": Decimal(1000)}, Fraction(125, 3)),
        ({"quantity": 3, "discount_pct": Decimal("12.5")}, Fraction(525, 2)),
        ({"billing_interval": "Semi-Annual"}, Fraction(50, 3)),
        ({"billing_interval": "day", "unit_amount": Decimal(12)}, 365),
        ({"billing_interval": "decade"}, 0),
    ],
)
def test_the_monthly_amount_of_a_subscription(terms: Row, amount: Fraction) -> None:
    assert monthly_amount(subscription("100", "2026-01-01", **terms)) == amount


@pytest.mark.parametrize(
    ("terms", "earns"),
    [
        ({}, True),
        ({"started_at": "2026-02-01"}, False),
        ({"started_at": "2026-01-31T23:59:59.999999"}, True),
        ({"ended_at": "2026-02-01"}, True),
        ({"ended_at": "2026-01-31T23:59:59.999999"}, False),
        ({"trial_ends_at": "2026-01-31T23:59:59"}, True),
        ({"trial_ends_at": "2026-02-01"}, False),
        ({"status": "trialing"}, False),
        ({"status": "paused"}, False),
        ({"status": "paused", "updated_at": "2026-02-01"}, True),
        ({"status": "paused", "updated_at": "2026-03-01", "paused_at": "2026-01-31"}, False),
        ({"status": "Suspended", "updated_at": "2026-03-01", "paused_at": "2026-02-01"}, True),
        ({"status": "paused", "updated_at": "2026-01-31", "paused_at": "2026-02-01"}, False),
        ({"status": "unpaid", "updated_at": "2026-03-01", "paused_at": "2026-01-31"}, True),
        ({"status": "unpaid", "updated_at": "2026-02-01"}, True),
        ({"status": "unpaid", "updated_at": "2026-01-31"}, False),
        ({"status": "in trial", "updated_at": "2026-02-01"}, False),
        ({"status": "incomplete_expired", "updated_at": "2026-02-01"}, False),
        ({"status": "Non-Renewing", "current_period_end": "2026-02-01"}, True),
        ({"status": "past_due"}, True),
        ({"status": None}, False),
        ({"status": "dormant"}, False),
        ({"status": "cancelled", "cancelled_at": "2025-12-01", "current_period_end": "2026-02-01"}, True),
        ({"status": "canceled", "cancelled_at": "2025-12-01", "current_period_end": "2026-01-31"}, False),
        ({"status": "cancelled", "cancelled_at": "2026-02-01", "current_period_end": "2026-01-01"}, True),
        ({"status": "cancelled", "cancelled_at": "2026-02-01"}, True),
        ({"status": "cancelled", "updated_at": "2026-02-01"}, True),
        ({"status": "cancelled", "updated_at": "2026-01-31"}, False),
        ({"status": "cancelled", "ended_at": "2026-05-01"}, True),
        ({"discount_pct": Decimal(100)}, False),
    ],
)
def test_when_a_subscription_earns(terms: Row, earns: bool) -> None:
    subscribed = Subscription(
        [subscription(**{"amount": "100", "started_at": "2026-01-01", "updated_at": "2026-01-01", **terms})]
    )
    end = datetime(2026, 2, 1, tzinfo=UTC)
    assert (is_in_force(subscribed, [subscribed], end) and subscribed.state_at(end) == "earning") is earns


def test_a_month_that_has_ended_stays_as_it_was() -> None:
    """Paused on 3 April and resumed on 20 May. The price is that of each month's end."""
    active = subscription("100", "2026-03-01", updated_at="2026-03-01")
    paused = subscription("100", "2026-03-01", status="paused", updated_at="2026-04-03")
    later = subscription("100", "2026-03-01", status="paused", updated_at="2026-04-20", current_period_end="2026-05-01")
    resumed = subscription("150", "2026-03-01", updated_at="2026-05-20")
    columns = ("month", "mrr_amount", "movement")
    march = (date(2026, 3, 1), 100, "new")
    assert values(fct_revenue(sources(active, as_of=datetime(2026, 4, 2, tzinfo=UTC))), *columns)[0] == march
    assert values(fct_revenue(sources(active, paused, later, resumed)), *columns) == [
        march,
        (date(2026, 4, 1), 0, "churn"),
        (date(2026, 5, 1), 150, "reactivation"),
        (date(2026, 6, 1), 150, "none"),
    ]


@pytest.mark.parametrize(
    ("starts", "movements"),
    [
        ("2026-06-01T12:00:00", ["new", "none", "none"]),
        ("2026-06-01T12:00:01", ["new", "churn", "reactivation"]),
    ],
)
def test_a_gap_of_a_day_is_no_churn(starts: str, movements: list[str]) -> None:
    before = subscription("100", "2026-04-01", "2026-05-31T12:00:00", status="cancelled", updated_at="2026-05-31")
    after = subscription("100", starts, subscription_id="after", account_id="child", updated_at="2026-06-01T12:00:00")
    family = [account(), account(account_id="child", parent_account_id="a")]
    assert [row["movement"] for row in fct_revenue(sources(before, after, accounts=family))] == movements


def test_credit_lines_net_within_the_account() -> None:
    """Three seats at 100, from March one less, from June all given back."""
    seats = subscription("100", "2026-02-01", quantity=3)
    credit = subscription("100", "2026-03-01", subscription_id="credit", quantity=-1)
    returned = subscription("-200", "2026-06-01", subscription_id="returned")
    rows = fct_revenue(sources(seats, credit, returned))
    assert values(rows, "mrr_amount", "movement", "movement_amount", "subscription_count") == [
        (300, "new", 300, 1),
        (200, "contraction", -100, 2),
        (200, "none", 0, 2),
        (200, "none", 0, 2),
        (0, "churn", -200, 0),
    ]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        # The credit exceeds what has a rate, so nobody knows what is left: all lines are missing.
        ({"EUR": [-7], "ZAR": [70]}, (2, 2, 0)),
        ({"EUR": [-7, 20], "ZAR": [-70]}, (3, 1, 13)),
        ({"EUR": [-7, 7], "ZAR": [1]}, (3, 1, 0)),
        ({"ZAR": [70, -7]}, (2, 2, 0)),
        ({"SEK": [1], "ZAR": [-70]}, (2, 2, 0)),
        # At any rate these add up to 0 or less.
        ({"EUR": [-7], "ZAR": [70, -70]}, None),
        ({"EUR": [-7, 7], "ZAR": [-1]}, None),
    ],
)
def test_a_missing_rate_takes_no_account_out(lines: dict[str, list[int]], expected: tuple[int, int, int] | None) -> None:
    named = [(currency, amount) for currency, amounts in lines.items() for amount in amounts]
    paid = [
        subscription(str(amount), "2026-06-02", subscription_id=f"s{number}", currency=currency)
        for number, (currency, amount) in enumerate(named)
    ]
    columns = ("subscription_count", "subscriptions_without_rate", "mrr_amount")
    assert values(fct_revenue(sources(*paid)), *columns) == ([] if expected is None else [expected])


def test_child_and_merged_accounts_count_at_their_top_and_an_unknown_account_for_itself() -> None:
    accounts = [
        account(),
        account(account_id="child", parent_account_id="a"),
        account(account_id="old", merged_into_account_id="child"),
        account(account_id="idle"),
    ]
    paid = [subscription("1", "2026-06-01", subscription_id=name, account_id=name) for name in ("a", "child", "old", "stranger")]
    assert values(
        fct_revenue(sources(*paid, accounts=accounts)), "account_id", "account_key", "mrr_amount", "subscription_count"
    ) == [
        ("a", "t|a", 3, 3),
        ("stranger", None, 1, 1),
    ]


def test_the_current_month_is_measured_at_as_of() -> None:
    as_of = datetime(2026, 6, 15, tzinfo=UTC)
    begun, begins = subscription("10", "2026-05-20"), subscription("5", "2026-06-15", subscription_id="later")
    assert values(fct_revenue(sources(begun, begins, as_of=as_of)), "month", "mrr_amount", "is_complete") == [
        (date(2026, 5, 1), 10, True),
        (date(2026, 6, 1), 10, False),
    ]


def test_an_account_that_never_paid_has_no_row() -> None:
    trial = subscription("90", "2026-05-11", "2026-05-25", trial_ends_at="2026-05-25", status="cancelled")
    assert fct_revenue(sources(trial)) == []


def test_a_change_of_rates_is_no_movement() -> None:
    # 100 dollars are 100 euros at the end of April, 80 in May and 50 in June. In June 20 dollars are added.
    known = rates(date(2026, 4, 30), "1") + rates(date(2026, 5, 31), "1.25") + rates(date(2026, 6, 30), "2")
    paid = [
        subscription("100", "2026-04-02", currency="USD"),
        subscription("20", "2026-06-02", subscription_id="more", currency="USD"),
    ]
    rows = fct_revenue(sources(*paid, fx_rates=known))
    assert values(rows, "mrr_amount", "movement", "movement_amount", "fx_amount") == [
        # New revenue is at the rates of its own month.
        (100, "new", 100, 0),
        (80, "none", 0, -20),
        (60, "expansion", 16, -36),
    ]


def test_a_subscription_without_a_rate_still_makes_a_customer() -> None:
    known = rates(date(2026, 5, 31), "1") + rates(date(2026, 6, 30), "1") + rates(date(2026, 6, 30), "0.5", "ZAR")
    paid = subscription("100", "2026-05-02", currency="ZAR")
    rows = fct_revenue(sources(paid, fx_rates=known))
    columns = ("subscription_count", "subscriptions_without_rate", "mrr_amount", "movement", "movement_amount", "fx_amount")
    assert values(rows, *columns) == [(1, 1, 0, "new", 0, 0), (1, 0, 50, "unknown", None, 50)]
    assert values(rows, "mrr_at_rate_of_12_months_ago_amount", "subscriptions_without_rate_of_12_months_ago")[1] == (0, 1)
    assert values(rows, "mrr_at_rate_of_3_months_ago_amount", "subscriptions_without_rate_of_3_months_ago")[1] == (0, 1)


def test_a_movement_needs_every_rate() -> None:
    """From 100 euros to 1,000 kronor, whose first rate is at the end of the second month."""
    known = [*rates(date(2026, 5, 31), "1"), *rates(date(2026, 6, 30), "1"), *rates(date(2026, 6, 30), "0.15", "SEK")]
    before = subscription("100", "2026-05-02", "2026-06-10", status="cancelled", updated_at="2026-06-10")
    after = subscription("1000", "2026-06-10", subscription_id="after", currency="SEK")
    columns = ("mrr_amount", "movement", "movement_amount", "fx_amount")
    assert values(fct_revenue(sources(before, after, fx_rates=known)), *columns) == [
        (100, "new", 100, 0),
        (150, "unknown", None, 50),
    ]
    # The other way round: the amount that is gone has no rate, so nobody knows whether the rest is more or less.
    kept = subscription("7", "2026-05-02", subscription_id="kept")
    gone = subscription("1000", "2026-05-02", "2026-06-10", currency="SEK", status="cancelled", updated_at="2026-06-10")
    assert values(fct_revenue(sources(kept, gone, fx_rates=known)), *columns) == [(7, "new", 7, 0), (7, "unknown", None, 0)]
    # The rate ends before the second month's end.
    ended = [*rates(date(2026, 5, 31), "1"), *rates(date(2026, 5, 31), "0.1", "SEK"), *rates(date(2026, 6, 30), "1")]
    steady = subscription("1000", "2026-05-02", currency="SEK")
    assert values(fct_revenue(sources(steady, fx_rates=ended)), *columns) == [(100, "new", 100, 0), (0, "unknown", None, -100)]


def test_earlier_revenue_is_shown_with_both_rates() -> None:
    known = rates(date(2025, 6, 30), "1") + rates(date(2026, 3, 31), "0.5") + rates(date(2026, 6, 30), "2")
    before = subscription("100", "2025-06-02", "2026-06-02", currency="USD")
    after = subscription("300", "2026-06-02", subscription_id="after", currency="USD", replaces_subscription_id="s")
    row = fct_revenue(sources(before, after, fx_rates=known))[-1]
    assert (row["mrr_3_months_ago_amount"], row["mrr_at_rate_of_3_months_ago_amount"]) == (200, 600)
    assert (row["mrr_12_months_ago_amount"], row["mrr_at_rate_of_12_months_ago_amount"]) == (100, 300)
    assert row["earning_since"] == datetime(2026, 6, 2, tzinfo=UTC)
