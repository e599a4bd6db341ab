"""mart_churn_risk and mart_churned_customers: churn risk with its reasons and value, and customers without a recent login."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from math import floor
from pathlib import Path

from tests.recompute import churn_levels, scores
from tests.recompute.attributes import AccountAttributes
from tests.recompute.grouping import grouped, known
from tests.recompute.money import mean
from tests.recompute.months import month_end, month_of, shifted
from tests.recompute.mrr import INSTANT, fct_revenue
from tests.recompute.products import dim_products
from tests.recompute.signals import Signals, signals
from tests.recompute.sources import Row, SourceData, earlier_runs
from tests.recompute.tenants import UNKNOWN, share

# These settings repeat dbt seeds on purpose: a wrong value in either place shows as a difference.
CHURNED_DAYS, LONG_CHURNED_DAYS = 30, 90
USAGE_DAYS, TICKET_DAYS = 30, 90
ARPA_MONTHS, CHURN_MONTHS, MAX_LIFETIME_MONTHS = 3, 12, Fraction(60)
# The least number of account-months on which a logo churn rests.
LEAST_BASE = 180
# The least part that justifies the action, and the action.
ACTIONS = {
    "recency": (25, "Call the sponsor and bring the users back"),
    "frequency": (30, "Review how the team works with the product and train it"),
    "holdings": (50, "Show what a further product would do for it"),
    "tickets": (25, "Settle the open and late tickets and tell the customer"),
    "revenue": (20, "Review the contract and its value with the buyer"),
}
ATTRIBUTES = (
    *("account_key", "organization_id", "account_id", "account_name", "owner_user_id", "owner_name", "segment"),
    *("plan_tier", "region", "reporting_currency"),
)


def rounded(value: Fraction, digits: int) -> Fraction:
    """A value rounded to `digits` decimals, halves away from zero."""
    scale = 10**digits
    size = Fraction(floor(abs(value) * scale + Fraction(1, 2)), scale)
    return size if value >= 0 else -size


@dataclass(frozen=True)
class Logos:
    """Customer counts of a segment, summed over the last twelve complete months.

    `opening` counts customers with MRR at the start of a month. `churned` counts the customers that left during the month.
    """

    opening: int
    churned: int

    @property
    def churn_pct(self) -> Fraction | None:
        """The monthly logo churn in percent; None without a base."""
        return share(self.churned, self.opening)


def logos(sources: SourceData) -> dict[tuple[str, str], Logos]:
    """The logos by organization and by segment at the start of a month. Segments without a customer in those months are left out."""
    attributes = AccountAttributes(sources)
    last = month_of(sources.as_of - INSTANT)
    last = last if month_end(last) <= sources.as_of else shifted(last, -1)
    counted: list[Row] = []
    for (tenant, account), months in grouped(fct_revenue(sources), "organization_id", "account_id").items():
        for before, row in pairwise(months):
            is_counted = shifted(last, 1 - CHURN_MONTHS) <= row["month"] <= last and before["subscription_count"] > 0
            if is_counted and (segment := attributes.at(tenant, account, before["month"])["segment"]):
                counted.append({**row, "segment": segment})
    return {
        place: Logos(len(rows), sum(row["movement"] == "churn" for row in rows))
        for place, rows in grouped(counted, "organization_id", "segment").items()
    }


class _Products:
    """The products of all tenants, by tenant and id."""

    def __init__(self, sources: SourceData) -> None:
        self._rows = {(row["organization_id"], row["product_id"]): row for row in dim_products(sources)}

    def names(self, tenant: str, products: Iterable[str]) -> str | None:
        """The names of the products, sorted by code point and joined by commas."""
        names = [self._rows.get((tenant, product), {}).get("product_name") or UNKNOWN for product in products]
        return ", ".join(sorted(names)) or None

    def margin(self, tenant: str, products: Iterable[str]) -> tuple[Fraction | None, str]:
        """The mean margin in percent, and its source: `products` (the given ones) or `organization` (all products)."""
        own = [self._rows[tenant, product] for product in products if (tenant, product) in self._rows]
        all_rows = [row for (other, _), row in self._rows.items() if other == tenant]
        for source, rows in (("products", own), ("organization", all_rows)):
            margins = known(rows, "margin_pct")
            if margins:
                return rounded(sum(margins, Fraction(0)) / len(margins), 4), source
        return None, UNKNOWN


def _products_in_force(found: Signals) -> set[str] | None:
    """The products of subscriptions in force at the as-of time; None if subscriptions are in force and none names its product."""
    in_force = {
        row["product_id"]
        for row in found.subscriptions
        if row["started_at"] < found.as_of and (row["ended_at"] is None or row["ended_at"] >= found.as_of)
    }
    return None if in_force == {None} else in_force - {None}


def _usage(found: Signals) -> Row:
    now, before = found.event_count(USAGE_DAYS), found.event_count(2 * USAGE_DAYS, USAGE_DAYS)
    days = found.days_since_login
    return {
        "is_churned_30d": None if days is None else days > CHURNED_DAYS,
        "is_churned_90d": None if days is None else days > LONG_CHURNED_DAYS,
        "last_login_at": found.last_login_at,
        "days_since_login": days,
        "login_count": found.login_count(USAGE_DAYS),
        "event_count": now,
        "earlier_event_count": before,
        "event_change_pct": None if now is None or before is None else share(now - before, before),
    }


def _parts(inputs: Row) -> dict[str, Fraction | None]:
    days, growth, events = inputs["days_since_login"], inputs["mrr_growth_pct"], inputs["event_count"]
    products, still_open, late = inputs["product_count"], inputs["open_ticket_count"], inputs["breached_ticket_count"]
    return {
        "recency": None if days is None else scores.recency(days),
        "frequency": None if events is None else scores.frequency(events, inputs["earlier_event_count"]),
        "holdings": None if products is None else scores.holdings(products),
        "tickets": None if still_open is None or late is None else scores.tickets(still_open, late),
        "revenue": None if growth is None else scores.contraction(growth / 100),
    }


_REASONS: Mapping[str, Callable[[Row], str]] = {
    "recency": lambda row: f"no login for {floor(row['days_since_login'])} days",
    "frequency": lambda row: f"use down {rounded(-row['event_change_pct'], 0)} % on the month before",
    "holdings": lambda row: {0: "no product in force", 1: "one product only", 2: "two products only"}[row["product_count"]],
    "tickets": lambda row: f"{row['open_ticket_count']} open and {row['breached_ticket_count']} late tickets",
    "revenue": lambda row: f"revenue down {rounded(-row['mrr_growth_pct'], 0)} % in three months",
}


def _risk(inputs: Row) -> Row:
    """The risk score, its parts, the reasons in words and the action that they justify."""
    parts = _parts(inputs)
    contributions = scores.weighted(parts, scores.RISK_WEIGHTS)
    known_parts = [part for part in contributions.values() if part is not None]
    score = rounded(sum(known_parts, Fraction(0)), 9) if known_parts else None
    # sorted() is stable, so equal contributions keep the order of the parts.
    ranked = sorted(contributions.items(), key=lambda pair: -rounded(pair[1] or Fraction(0), 9))
    reasons = [name for name, part in ranked if part]
    texts = [_REASONS[name](inputs) for name in reasons[:3]]
    justified = next((name for name in reasons if (parts[name] or 0) >= ACTIONS[name][0]), None)
    return {
        **{f"{name}_part": part for name, part in parts.items()},
        **{f"{name}_contribution": part for name, part in contributions.items()},
        **{f"reason_{number + 1}": texts[number] if number < len(texts) else None for number in range(3)},
        "data_coverage": scores.covered(parts, scores.RISK_WEIGHTS),
        "churn_risk_score": score,
        "recommended_action": ACTIONS[justified][1] if justified else None,
        "action_reason": _REASONS[justified](inputs) if justified else None,
    }


def _value(found: Signals, segment: Logos, organization: Logos, margin: Fraction | None) -> Row:
    """The estimated lifetime value of an account, from its revenue, its margin and the churn of its segment or organization."""
    last = month_of(found.as_of - INSTANT)
    months = [row for row in found.months if row["month"] > shifted(last, -ARPA_MONTHS)]
    recent, without_rate = known(months, "mrr_amount"), sum(row["subscriptions_without_rate"] for row in months)
    rates = (("segment", segment), ("organization", organization))
    source, counts = next((pair for pair in rates if pair[1].opening >= LEAST_BASE), (UNKNOWN, Logos(0, 0)))
    arpa, lost = mean(recent) or Fraction(0), counts.churn_pct
    lifetime = None if lost is None else min(MAX_LIFETIME_MONTHS, 100 / lost) if lost else MAX_LIFETIME_MONTHS
    figures = {
        "arpa_amount": arpa,
        "arpa_month_count": len(recent),
        "arpa_subscriptions_without_rate": without_rate,
        "opening_logo_count": segment.opening,
        "churned_logo_count": segment.churned,
        "segment_logo_churn_pct": segment.churn_pct,
        "organization_opening_logo_count": organization.opening,
        "organization_churned_logo_count": organization.churned,
    }
    return {
        **(figures if found.kinds["has_subscriptions"] else dict.fromkeys(figures)),
        "gross_margin_pct": margin,
        "logo_churn_source": source,
        "logo_churn_pct": lost,
        "lifetime_months": lifetime,
        "estimated_clv_amount": _clv(found, None if without_rate else arpa, margin, lifetime),
    }


def _clv(found: Signals, arpa: Fraction | None, margin: Fraction | None, lifetime: Fraction | None) -> Fraction | None:
    if found.is_paying is False:
        return Fraction(0)
    return _lifetime_value(arpa, margin, lifetime) if found.is_paying else None


def _lifetime_value(arpa: Fraction | None, margin: Fraction | None, lifetime: Fraction | None) -> Fraction | None:
    return None if arpa is None or lifetime is None or margin is None else arpa * margin / 100 * lifetime


def _assessed(sources: SourceData) -> list[Row]:
    """Every top account with its churn risk and its lifetime value."""
    products, by_segment = _Products(sources), logos(sources)
    by_organization: dict[str, Logos] = {}
    for (tenant, _), counts in by_segment.items():
        known_counts = by_organization.get(tenant, Logos(0, 0))
        by_organization[tenant] = Logos(known_counts.opening + counts.opening, known_counts.churned + counts.churned)
    rows: list[Row] = []
    for found in signals(sources):
        account, in_force = found.account, _products_in_force(found)
        tenant, product_ids = account["organization_id"], in_force or set()
        inputs = {
            **_usage(found),
            **found.revenue,
            "product_count": None if in_force is None or not found.kinds["has_subscriptions"] else len(in_force),
            "product_names": products.names(tenant, product_ids),
            "open_ticket_count": found.open_ticket_count,
            "breached_ticket_count": found.breached_ticket_count(TICKET_DAYS),
        }
        margin, source = products.margin(tenant, product_ids)
        rows.append(
            {
                **{name: account[name] for name in ATTRIBUTES},
                **inputs,
                **_risk(inputs),
                **_value(
                    found,
                    by_segment.get((tenant, account["segment"]), Logos(0, 0)),
                    by_organization.get(tenant, Logos(0, 0)),
                    margin,
                ),
                "gross_margin_source": source,
                "lifecycle_stage": account["lifecycle_stage"],
                "is_paying": found.is_paying,
            }
        )
    return rows


def kept_scores(folder: Path, as_of: datetime) -> list[Row]:
    """The scores of earlier runs that may calibrate the levels of a run: those whose outcome is known by now."""
    runs = [(before, other) for before, other in earlier_runs(folder, as_of) if churn_levels.is_settled(before, as_of)]
    return [
        {**row, "scored_at": before}
        for before, other in runs
        for row in _assessed(SourceData.read(other, before))
        if row["is_paying"]
    ]


def _levelled(sources: SourceData, kept: Sequence[Row]) -> list[Row]:
    return churn_levels.with_levels(_assessed(sources), churn_levels.outcomes(sources, kept))


def mart_churned_customers(sources: SourceData, kept: Sequence[Row] = ()) -> list[Row]:
    """The rows of mart_churned_customers, by top account with at least one login. `kept` is the scores of earlier runs."""
    return [row for row in _levelled(sources, kept) if row["last_login_at"] is not None]


def mart_churn_risk(sources: SourceData, kept: Sequence[Row] = ()) -> list[Row]:
    """The rows of mart_churn_risk, by top account with MRR, ranked by value at risk. `kept` is the scores of earlier runs."""
    rows: list[Row] = []
    for row in _levelled(sources, kept):
        lifetime_value = row["estimated_clv_amount"]
        score = row["churn_risk_score"]
        at_risk = None if lifetime_value is None or score is None else lifetime_value * score / 100
        if row["is_paying"]:
            rows.append({**row, "value_at_risk_amount": at_risk})
    ranked: list[Row] = []
    for own in grouped(rows, "organization_id").values():
        own.sort(
            key=lambda row: (
                -rounded(row["value_at_risk_amount"] or Fraction(0), 2),
                -(row["churn_risk_score"] or 0),
                row["account_id"],
            )
        )
        ranked += [{**row, "priority_rank": rank} for rank, row in enumerate(own, start=1)]
    return ranked
