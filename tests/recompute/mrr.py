"""fct_revenue: monthly recurring revenue and its movements, by top account."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from tests.recompute.months import month_end, month_of, months_between, shifted
from tests.recompute.rollup import roll_ups
from tests.recompute.sources import Row, SourceData, computed_once, model
from tests.recompute.subscriptions import ZERO, Subscription, is_in_force, monthly_amount
from tests.recompute.tenants import UNKNOWN, Tenants

INSTANT = timedelta(microseconds=1)
# Rounded sums may differ by this much. A smaller difference is no movement.
ROUNDING = Fraction(1, 10_000)
# Months before this one are ignored.
FIRST_MONTH = date(1970, 1, 1)


@dataclass(frozen=True)
class Line:
    """What a subscription earns in a month: its own amount, negative for a credit line, and the converted one; None without a rate."""

    currency: str
    own: Fraction
    converted: Fraction | None


def rated(lines: Sequence[Line]) -> Fraction:
    """The sum of the lines that have a rate."""
    return sum((line.converted for line in lines if line.converted is not None), ZERO)


def pays(lines: Sequence[Line]) -> bool:
    """Whether lines make a customer: none is a credit line, or they add up to more than 0, or may do so.

    They may do so if those of some currency without a rate add up to more than 0, whatever they are worth.
    """
    if all(line.own > 0 for line in lines):
        return bool(lines)
    unrated: dict[str, Fraction] = defaultdict(Fraction)
    for line in lines:
        if line.converted is None:
            unrated[line.currency] += line.own
    return rated(lines) > 0 or any(amount > 0 for amount in unrated.values())


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
        return found if pays(self._lines(tenant, found, month)) else []

    def _lines(self, tenant: str, subscriptions: Sequence[Row], month: date) -> list[Line]:
        return [Line(row["currency"], monthly_amount(row), self.monthly_value(tenant, row, month)) for row in subscriptions]

    def is_paused(self, tenant: str, account: str) -> bool:
        """Whether a subscription of a top account is paused at the as-of time."""
        return any(one.state_at(self.as_of) == "paused" for one in self.in_force(tenant, account, self.as_of))

    def monthly_value(self, tenant: str, subscription: Row, month: date) -> Fraction | None:
        """The monthly amount of a subscription in the reporting currency, at the rates of a month's end."""
        rate = self.tenants.convert(Decimal(1), subscription["currency"], tenant, self.rate_day(month))
        return None if rate is None else monthly_amount(subscription) * rate

    def closing(self, tenant: str, subscriptions: Sequence[Row], month: date) -> tuple[Fraction, int]:
        """The revenue of a month, of subscriptions that make a customer in it, and how many of them are missing from it.

        If those with a rate add up to less than 0, nobody knows what is left of the others. Then the amount is 0, and all are missing.
        """
        lines = self._lines(tenant, subscriptions, month)
        amount = rated(lines)
        return (ZERO, len(lines)) if amount < 0 else (amount, sum(line.converted is None for line in lines))

    def converted(self, tenant: str, subscriptions: Iterable[Row], month: date) -> tuple[Fraction, int]:
        """The total monthly amount at the rates of a month's end, never below 0, and the number of subscriptions without a rate."""
        values = [self.monthly_value(tenant, subscription, month) for subscription in subscriptions]
        return max(sum((amount for amount in values if amount is not None), ZERO), ZERO), values.count(None)


def movement(before: int, opening: Fraction, count: int, now: Fraction, *, has_paid: bool, compares: bool) -> str:
    """The movement of an account's revenue from one month to the next.

    Args:
        before: the number of subscriptions that earned in the earlier month.
        opening: the revenue of the earlier month.
        count: the number of subscriptions that earn in the later month.
        now: the revenue of the later month, at the rates of the earlier one.
        has_paid: whether a subscription earned in any month before the later one.
        compares: whether no rate is missing: that of each month, and the earlier one of what earns in the later month.
    """
    if count and not has_paid:
        return "new"
    if count and not before:
        return "reactivation"
    if before and not count:
        return "churn"
    if not compares:
        return "unknown"
    if abs(now - opening) < ROUNDING:
        return "none"
    return "expansion" if now > opening else "contraction"


def _movement_amount(
    records: SubscriptionRecords, tenant: str, earning: list[Row], month: date, kind: str, opening: Fraction
) -> Fraction | None:
    """The signed amount of a movement; `kind` is its name. None if it is unknown."""
    earlier = shifted(month, -1)
    if kind in {"new", "reactivation"}:
        return records.closing(tenant, earning, month)[0]
    if kind == "none":
        return ZERO
    if kind == "unknown":
        return None
    return records.converted(tenant, earning, earlier)[0] - opening


@model
@computed_once
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
    values = {month: records.closing(tenant, found, month) for month, found in earning.items()}
    cohort = min(earning)
    rows: list[Row] = []
    for month, found in earning.items():
        amount, without_rate = values[month]
        earlier = shifted(month, -1)
        opening, opening_without_rate = values.get(earlier, (ZERO, 0))
        now, without_earlier_rate = records.converted(tenant, found, earlier)
        compares = without_rate == opening_without_rate == without_earlier_rate == 0
        kind = movement(len(earning.get(earlier, [])), opening, len(found), now, has_paid=month > cohort, compares=compares)
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
            "fx_amount": amount - opening - (amount_moved or ZERO),
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
