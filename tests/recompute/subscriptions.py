"""Subscriptions at the end of a month: their terms then, and whether they earn."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cache
from itertools import takewhile

from tests.recompute.seeds import seed
from tests.recompute.sources import Row

ZERO = Fraction(0)
# The longest gap between two subscriptions of one customer. It repeats a dbt var on purpose: a wrong value in either place shows as a difference.
GAP = timedelta(days=1)


@dataclass(frozen=True)
class Status:
    """A row of the seed subscription_statuses."""

    means: str
    earns: bool
    earned_before: bool


@cache
def statuses() -> dict[str, Status]:
    """The meaning of each status."""
    return {
        row["status"]: Status(row["means"], earns=row["earns"] == "true", earned_before=row["earned_before"] == "true")
        for row in seed("subscription_statuses")
    }


@cache
def periods_per_month() -> dict[str, Fraction]:
    """The number of billing periods in a month, by interval."""
    return {row["billing_interval"]: Fraction(int(row["periods_per_year"]), 12) for row in seed("billing_intervals")}


def word(text: str | None) -> str:
    """A status or an interval as the seeds write it."""
    return re.sub(r"[\s-]+", "_", (text or "").strip().lower())


def monthly_amount(terms: Row) -> Fraction:
    """The monthly amount of a subscription in its own currency, while it earns; 0 if its terms are unknown."""
    per_month = periods_per_month().get(word(terms["billing_interval"]))
    count, discount = terms["interval_count"] or 0, Fraction(terms["discount_pct"] or 0)
    price, quantity = terms["unit_amount"], terms["quantity"]
    if per_month is None or count < 1 or price is None or quantity is None:
        return ZERO
    return Fraction(price) * quantity * (100 - discount) / 100 * per_month / count


@dataclass(frozen=True)
class Subscription:
    """A subscription: its versions as they were loaded, oldest first. The last one is the row as of the run."""

    versions: Sequence[Row]

    @property
    def current(self) -> Row:
        return self.versions[-1]

    @property
    def earns_from(self) -> datetime:
        """The first instant at which it can earn: its start, or the end of its trial."""
        started: datetime = self.current["started_at"]
        return max(started, self.current["trial_ends_at"] or started)

    @property
    def ended_at(self) -> datetime | None:
        """Its end. A cancelled one without an end has paid to the end of a period, was cancelled later, or ended when it became cancelled."""
        ended: datetime | None = self.current["ended_at"]
        status = statuses().get(word(self.current["status"]))
        if ended is not None or status is None or status.means != "cancelled":
            return ended
        dates = [self.current[name] for name in ("cancelled_at", "current_period_end") if self.current[name] is not None]
        return max(dates, default=self._status_since(len(self.versions) - 1))

    def terms_at(self, end: datetime) -> Row:
        """Its terms at an instant, with the dates as of the run."""
        dates = {name: self.current[name] for name in ("account_id", "started_at", "trial_ends_at")}
        return {**self.versions[self._position(end)], **dates, "ended_at": self.ended_at}

    def state_at(self, end: datetime) -> str:
        """`earning`, what its status means, `trialing`, or `nothing` if it has no price or an unknown status."""
        position, trial = self._position(end), self.current["trial_ends_at"]
        status = statuses().get(word(self.versions[position]["status"]))
        if status is None or monthly_amount(self.versions[position]) == 0:
            return "nothing"
        if trial is not None and end <= trial:
            return "trialing"
        had_begun = self._status_since(position) < end
        return "earning" if (status.earns if had_begun else status.earned_before) else status.means

    def may_earn_by(self, moment: datetime) -> bool:
        """Whether the terms of a version that was known by an instant earn."""
        if self.ended_at is not None and self.ended_at <= self.earns_from:
            return False
        known = [row for number, row in enumerate(self.versions) if number == 0 or row["updated_at"] <= moment]
        for number, row in enumerate(known):
            status = statuses().get(word(row["status"]))
            if status and monthly_amount(row) > 0 and (status.earns if number else status.earned_before):
                return True
        return False

    def _position(self, end: datetime) -> int:
        """The number of the version that counts at an instant. The first one counts before it was loaded, too."""
        return max((number for number, row in enumerate(self.versions) if row["updated_at"] < end), default=0)

    def _status_since(self, position: int) -> datetime:
        """When the first of the versions in a row with the same status was written.

        The status of the very first version is older than that version: a pause began when billing says.
        """
        status = word(self.versions[position]["status"])
        while position > 0 and word(self.versions[position - 1]["status"]) == status:
            position -= 1
        since: datetime = self.versions[position]["updated_at"]
        if position > 0 or status not in statuses() or statuses()[status].means != "paused":
            return since
        same = takewhile(lambda version: word(version["status"]) == status, self.versions)
        return min([since, *(version["paused_at"] for version in same if version["paused_at"] is not None)])


def lasts_until(subscription: Subscription, siblings: Iterable[Subscription]) -> datetime | None:
    """The end of a subscription, or the start of the next one of the same top account, if that begins to earn within a day."""
    ended = subscription.ended_at
    if ended is None:
        return None
    following = [
        other.earns_from
        for other in siblings
        if other is not subscription and ended < other.earns_from <= ended + GAP and other.may_earn_by(ended + GAP)
    ]
    return min(following, default=ended)


def is_in_force(subscription: Subscription, siblings: Iterable[Subscription], end: datetime) -> bool:
    """Whether a subscription is in force at an instant."""
    until = lasts_until(subscription, siblings)
    started: datetime = subscription.current["started_at"]
    return started < end and (until is None or end <= until)
