"""fct_revenue: monthly recurring revenue and its movements, by top account."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from tests.recompute.months import month_end, month_of, months_between, shifted
from tests.recompute.rollup import roll_ups
from tests.recompute.sources import Row, SourceData
from tests.recompute.subscriptions import ZERO, Subscription, is_in_force, monthly_amount
from tests.recompute.tenants import UNKNOWN, Tenants

INSTANT = timedelta(microseconds=1)
# Rounded sums may differ by this much. A smaller difference is no movement.
ROUNDING = Fraction(1, 10_000)
# Months before this one are ignored.
FIRST_MONTH = date(1970, 1, 1)


def pays(amounts: list[tuple[Fraction, Fraction | None]]) -> bool:
    """Whether lines make a customer. A line is its own amount and the converted one; a credit line is negative.

    Without a credit line every account pays. Else the lines must add up to more than 0: the converted ones, or all if none can be converted.
    """
    own = [amount for amount, _ in amounts]
    converted = [amount for _, amount in amounts if amount is not None]
    return bool(own) and (min(own) > 0 or sum(converted or own, ZERO) > 0)


class SubscriptionRecords:
    """The subscriptions by tenant and top account, and their value at the end of a month."""

    def __init__(self, sources: SourceData) -> None:
        self.as_of = sources.as_of
        self.tenants = Tenants(sources)
        self.last = month_of(sources.as_of - INSTANT)
        self._tops = roll_ups(sources)
        self.subscriptions: dict[tuple[str, str], list[Subscription]] = defaultdict(list)
        for subscription in map(Subscription, sources.versions("subscriptions").values()):
            tenant, account = subscription.current["organization_id"], subscription.current["account_id"]
            self.subscriptions[tenant, self.top(tenant, account)].append(subscription)

    def top(self, tenant: str, account: str | None) -> str:
        """The top account of an account. An account unknown to the tenant is its own top account."""
        known = self.tenants.row("accounts", tenant, account)
        return account or UNKNOWN if known is None else self._tops[tenant, known["account_id"]].top_account_id

    def end(self, month: date) -> datetime:
        """The instant at which a month is measured: its end, or as_of for the current month."""
        return min(month_end(month), self.as_of)

    def rate_day(self, month: date) -> date:
        """The day of the exchange rates for a month: the last day before it is measured."""
        return (self.end(month) - INSTANT).date()

    def in_force(self, tenant: str, account: str, end: datetime) -> list[Subscription]:
        """The subscriptions of a top account that are in force at an instant."""
        siblings = self.subscriptions.get((tenant, account), [])
        return [subscription for subscription in siblings if is_in_force(subscription, siblings, end)]

    def earning(self, tenant: str, account: str, month: date) -> list[Row]:
        """The terms of the subscriptions that earn at the end of a month (as_of for the current month). None if the account is in credit."""
        end = self.end(month)
        found = [one.terms_at(end) for one in self.in_force(tenant, account, end) if one.state_at(end) == "earning"]
        lines = [(monthly_amount(terms), self.monthly_value(tenant, terms, month)) for terms in found]
        return found if pays(lines) else []

    def is_paused(self, tenant: str, account: str) -> bool:
        """Whether a subscription of a top account is paused at the as-of time."""
        return any(one.state_at(self.as_of) == "paused" for one in self.in_force(tenant, account, self.as_of))

    def monthly_value(self, tenant: str, subscription: Row, month: date) -> Fraction | None:
        """The monthly amount of a subscription in the reporting currency, at the rates of a month's end."""
        rate = self.tenants.convert(Decimal(1), subscription["currency"], tenant, self.rate_day(month))
        return None if rate is None else monthly_amount(subscription) * rate

    def converted(self, tenant: str, subscriptions: Iterable[Row], month: date) -> tuple[Fraction, int]:
        """The total monthly amount at the rates of a month's end, never below 0, and the number of subscriptions without a rate."""
        values = [self.monthly_value(tenant, subscription, month) for subscription in subscriptions]
        return max(sum((amount for amount in values if amount is not None), ZERO), ZERO), values.count(None)


def movement(before: int, opening: Fraction, count: int, now: Fraction, *, has_paid: bool) -> str:
    """The movement of an account's revenue from one month to the next.

    Args:
        before: the number of subscriptions that earned in the earlier month.
        opening: the revenue of the earlier month.
        count: the number of subscriptions that earn in the later month.
        now: the revenue of the later month, at the rates of the earlier one.
        has_paid: whether a subscription earned in any month before the later one.
    """
    if count and not has_paid:
        return "new"
    if count and not before:
        return "reactivation"
    if before and not count:
        return "churn"
    if abs(now - opening) < ROUNDING:
        return "none"
    return "expansion" if now > opening else "contraction"


def _movement_amount(
    records: SubscriptionRecords, tenant: str, earning: list[Row], month: date, kind: str, opening: Fraction
) -> Fraction:
    """The signed amount of a movement; `kind` is its name."""
    earlier = shifted(month, -1)
    if kind in {"new", "reactivation"}:
        return records.converted(tenant, earning, month)[0]
    if kind == "none":
        return ZERO
    return records.converted(tenant, earning, earlier)[0] - opening


def fct_revenue(sources: SourceData) -> list[Row]:
    """The rows of fct_revenue, by top account and month, from its first month with MRR on."""
    records = SubscriptionRecords(sources)
    rows: list[Row] = []
    for (tenant, account), subscriptions in records.subscriptions.items():
        first_month = max(FIRST_MONTH, min(month_of(one.current["started_at"]) for one in subscriptions))
        earning = {month: records.earning(tenant, account, month) for month in months_between(first_month, records.last)}
        cohort = next((month for month, found in earning.items() if found), None)
        if cohort is not None:
            rows += _account(records, tenant, account, {month: found for month, found in earning.items() if month >= cohort})
    return rows


def _account(records: SubscriptionRecords, tenant: str, account: str, earning: dict[date, list[Row]]) -> list[Row]:
    values = {month: records.converted(tenant, found, month) for month, found in earning.items()}
    cohort = min(earning)
    rows: list[Row] = []
    for month, found in earning.items():
        amount, without_rate = values[month]
        earlier = shifted(month, -1)
        opening = values.get(earlier, (ZERO, 0))[0]
        now = records.converted(tenant, found, earlier)[0]
        kind = movement(len(earning.get(earlier, [])), opening, len(found), now, has_paid=month > cohort)
        amount_moved = _movement_amount(records, tenant, found, month, kind, opening)
        row = {
            "organization_id": tenant,
            "account_id": account,
            "account_key": records.tenants.key("accounts", tenant, account),
            "month": month,
            "is_complete": month_end(month) <= records.as_of,
            "reporting_currency": records.tenants.reporting_currency(tenant),
            "cohort_month": cohort,
            "months_since": (month.year - cohort.year) * 12 + month.month - cohort.month,
            "earning_since": min(
                (max(row["started_at"], row["trial_ends_at"] or row["started_at"]) for row in found), default=None
            ),
            "subscription_count": len(found),
            "subscriptions_without_rate": without_rate,
            "mrr_amount": amount,
            "arr_amount": 12 * amount,
            "opening_mrr_amount": opening,
            "movement": kind,
            "movement_amount": amount_moved,
            "fx_amount": amount - opening - amount_moved,
        }
        at_cohort_rate, missing = records.converted(tenant, found, cohort)
        row["mrr_at_rate_of_cohort_month_amount"] = at_cohort_rate
        row["subscriptions_without_rate_of_cohort_month"] = missing
        for count in (3, 12):
            earlier_month = shifted(month, -count)
            at_rate, missing = records.converted(tenant, found, earlier_month)
            row[f"mrr_{count}_months_ago_amount"] = values.get(earlier_month, (ZERO, 0))[0]
            row[f"mrr_at_rate_of_{count}_months_ago_amount"] = at_rate
            row[f"subscriptions_without_rate_of_{count}_months_ago"] = missing
        rows.append(row)
    return rows
