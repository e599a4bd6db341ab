"""Segment, plan and region of a top account at the end of a month."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from fractions import Fraction

from tests.recompute.accounts import segment
from tests.recompute.mrr import SubscriptionRecords
from tests.recompute.sources import Row, SourceData

ATTRIBUTES = ("segment", "plan_tier", "region")


class AccountAttributes:
    """The attributes of top accounts, from the CRM's versions and the subscriptions."""

    def __init__(self, sources: SourceData) -> None:
        self.records = SubscriptionRecords(sources)
        self._versions = sources.versions("accounts", with_deleted=True)
        self._found: dict[tuple[str, str, date], Row] = {}

    def at(self, tenant: str, account: str, month: date) -> Row:
        """The attributes at the end of a month (as_of for the current month), None where unknown."""
        place = (tenant, account, month)
        if place not in self._found:
            recorded = self._recorded(tenant, account, month)
            self._found[place] = {
                "segment": segment(recorded["plan_tier"], recorded["employee_count"]) if recorded else None,
                "plan_tier": self._subscribed_plan(tenant, account, month) or recorded.get("plan_tier"),
                "region": recorded.get("region"),
            }
        return self._found[place]

    def _recorded(self, tenant: str, account: str, month: date) -> Row:
        """The CRM's last version before the month's end, else its first one; empty if it never had the account."""
        versions = self._versions.get((tenant, account), [])
        before = [row for row in versions if row["updated_at"] < self.records.end(month)]
        return (before[-1:] or versions[:1] or [{}])[0]

    def _subscribed_plan(self, tenant: str, account: str, month: date) -> str | None:
        """The plan with the most revenue; the first by name if several have the same."""
        amounts: dict[str, Fraction] = defaultdict(Fraction)
        for terms in self.records.earning(tenant, account, month):
            if terms["plan_tier"] is not None:
                amounts[terms["plan_tier"]] += self.records.monthly_value(tenant, terms, month) or 0
        return min(amounts, key=lambda plan: (-round(amounts[plan], 4), plan), default=None)
