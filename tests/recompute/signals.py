"""The inputs of the health and risk scores: revenue, events, tickets and subscriptions of a top account and its child accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from tests.recompute.accounts import dim_accounts, fct_account_lifecycle
from tests.recompute.grouping import grouped
from tests.recompute.known_sums import counted_where
from tests.recompute.months import shifted
from tests.recompute.mrr import INSTANT, fct_revenue
from tests.recompute.recorded import recorded
from tests.recompute.sources import Row, SourceData
from tests.recompute.subscriptions import ZERO, Subscription
from tests.recompute.tickets import fct_tickets
from tests.recompute.usage import CATEGORIES, category, is_login

MICROSECONDS = timedelta(days=1) // INSTANT


@dataclass(frozen=True)
class Signals:
    """The inputs for one top account, including all accounts that roll up to it.

    Attributes:
        as_of: the as-of time of the run.
        account: the row of dim_accounts, with its lifecycle_stage.
        months: the rows of fct_revenue, oldest first. The last row is the current month.
        events: the usage events before as_of.
        tickets: the tickets created before as_of, without merged ones.
        subscriptions: all subscriptions.
        kinds: the kinds of rows that its organization has at all: has_usage, has_tickets, has_subscriptions.
    """

    as_of: datetime
    account: Row
    months: Sequence[Row]
    events: Sequence[Row]
    tickets: Sequence[Row]
    subscriptions: Sequence[Row]
    kinds: Row

    @property
    def is_paying(self) -> bool | None:
        """Whether a subscription earns at the as-of time; None if the organization has no subscriptions."""
        if not self.kinds["has_subscriptions"]:
            return None
        return bool(self.months) and self.months[-1]["subscription_count"] > 0

    def recent_events(self, days: int, until: int = 0) -> list[Row]:
        """Events from `days` days to `until` days before as_of."""
        first, last = self.as_of - timedelta(days=days), self.as_of - timedelta(days=until)
        return [event for event in self.events if first <= event["occurred_at"] < last]

    def event_count(self, days: int, until: int = 0) -> int | None:
        """The number of events from `days` days to `until` days before as_of; None if the organization has no events."""
        return len(self.recent_events(days, until)) if self.kinds["has_usage"] else None

    def category_count(self, days: int) -> int | None:
        """The number of feature categories used in the `days` days before as_of, without other ones; None if no event has a category."""
        events = self.recent_events(days)
        if not self.kinds["has_usage"] or (events and all(event["event_category"] is None for event in events)):
            return None
        return len({category(event) for event in events} & set(CATEGORIES))

    def login_count(self, days: int) -> int | None:
        """The number of logins in the `days` days before as_of; None if no event of them says whether it is one."""
        events = self.recent_events(days)
        return (counted_where(events, is_login) if events else 0) if self.kinds["has_usage"] else None

    def active_days(self, days: int) -> int | None:
        """The number of 24-hour periods with an event, counted back from as_of."""
        if not self.kinds["has_usage"]:
            return None
        return len({(self.as_of - event["occurred_at"] - INSTANT).days for event in self.recent_events(days)})

    @property
    def last_login_at(self) -> datetime | None:
        """The last login before as_of."""
        return max((event["occurred_at"] for event in self.events if is_login(event)), default=None)

    @property
    def days_since_login(self) -> Fraction | None:
        """The days of 24 hours since the last login; None without a login."""
        last = self.last_login_at
        return None if last is None else Fraction((self.as_of - last) // INSTANT, MICROSECONDS)

    def recent_tickets(self, days: int) -> list[Row]:
        """The tickets created in the `days` days before as_of."""
        return [ticket for ticket in self.tickets if ticket["created_at"] >= self.as_of - timedelta(days=days)]

    @property
    def open_ticket_count(self) -> int | None:
        """The number of open tickets; None if the status of all is unknown."""
        if not self.kinds["has_tickets"]:
            return None
        return counted_where(self.tickets, "is_open") if self.tickets else 0

    def breached_ticket_count(self, days: int) -> int | None:
        """The number of tickets of the `days` days before as_of that breached an SLA; None if no SLA of them is known."""
        if not self.kinds["has_tickets"]:
            return None
        tickets = self.recent_tickets(days)
        return counted_where(tickets, is_breached) if tickets else 0

    @property
    def revenue(self) -> Row:
        """The current revenue, the revenue of three months ago and the growth, as columns."""
        now = self.months[-1] if self.months else {}
        names = ("mrr_amount", "mrr_3_months_ago_amount", "mrr_at_rate_of_3_months_ago_amount")
        if not self.kinds["has_subscriptions"]:
            return dict.fromkeys((*names, "mrr_growth_pct"))
        figures = {name: now.get(name, ZERO) for name in names}
        growth, before = None, figures["mrr_3_months_ago_amount"]
        if before and self.is_revenue_known:
            growth = 100 * (figures["mrr_at_rate_of_3_months_ago_amount"] / before - 1)
        return {**figures, "mrr_growth_pct": growth}

    @property
    def is_revenue_known(self) -> bool:
        """Whether every subscription has an exchange rate, both in the current month and three months ago.

        A subscription of today needs the rate of three months ago as well, if the account paid then.
        """
        if not self.months:
            return True
        now, then = self.months[-1], shifted(self.months[-1]["month"], -3)
        before = [row for row in self.months if row["month"] == then]
        had_revenue = any(row["subscription_count"] for row in before)
        missing = now["subscriptions_without_rate_of_3_months_ago"] if had_revenue else 0
        return not missing and not any(row["subscriptions_without_rate"] for row in (now, *before))


def is_breached(ticket: Row) -> bool | None:
    """Whether a ticket breached an SLA; None if both SLAs are unknown."""
    states = {ticket["response_state"], ticket["resolution_state"]}
    return None if states == {"unknown"} else "breached" in states


def _with_ends(sources: SourceData) -> list[Row]:
    """The subscriptions, each with its end."""
    return [{**one.current, "ended_at": one.ended_at} for one in map(Subscription, sources.versions("subscriptions").values())]


def signals(sources: SourceData) -> list[Signals]:
    """The signals of every top account of the CRM."""
    accounts = dim_accounts(sources)
    tops = {(row["organization_id"], row["account_id"]): row["top_account_id"] for row in accounts}

    def by_top(rows: Sequence[Row]) -> Mapping[tuple[str, str], list[Row]]:
        with_top = [{**row, "top": tops.get((row["organization_id"], row["account_id"]))} for row in rows]
        return grouped((row for row in with_top if row["top"]), "organization_id", "top")

    months = grouped(fct_revenue(sources), "organization_id", "account_id")
    events, subscriptions = by_top(sources["usage_events"]), by_top(_with_ends(sources))
    tickets = by_top([row for row in fct_tickets(sources) if row["created_at"] < sources.as_of and not row["is_merged"]])
    stages = {row["account_key"]: row["lifecycle_stage"] for row in fct_account_lifecycle(sources)}
    by_place = {"months": months, "events": events, "tickets": tickets, "subscriptions": subscriptions}
    kinds = recorded(sources)
    found: list[Signals] = []
    for account in ({**account, "lifecycle_stage": stages[account["account_key"]]} for account in accounts):
        place = (account["organization_id"], account["account_id"])
        if account["is_top_account"]:
            inputs = {name: rows.get(place, []) for name, rows in by_place.items()}
            found.append(Signals(sources.as_of, account, **inputs, kinds=kinds[account["organization_id"]]))
    return found
