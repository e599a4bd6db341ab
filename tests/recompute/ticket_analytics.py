"""mart_ticket_analytics: one row per ticket, joined with every dimension."""

from __future__ import annotations

import calendar
from datetime import date

from tests.recompute.accounts import dim_accounts, fct_account_lifecycle
from tests.recompute.causes import CAUSE, UNKNOWN_CATEGORY, UNKNOWN_CAUSE, dim_root_causes, dim_ticket_categories
from tests.recompute.months import month_end, month_of
from tests.recompute.sources import Row, SourceData, model, natural
from tests.recompute.tenants import UNKNOWN, Tenants
from tests.recompute.tickets import fct_tickets

Dimension = dict[tuple[str, str], Row]


def created_periods(created: date) -> Row:
    """The calendar columns of a creation date."""
    return {
        "created_month": created.replace(day=1),
        "created_quarter": created.replace(month=(created.month - 1) // 3 * 3 + 1, day=1),
        "created_year": created.year,
        "created_weekday": created.isoweekday(),
        "created_day_name": calendar.day_name[created.weekday()],
    }


def _account(account: Row | None, customer: Row | None, lifecycle: Row | None, without_plan: str) -> Row:
    """The account columns of a ticket. The attributes are those of the customer: the top account.

    A known customer without a plan has the plan `none`, but `unknown` if no account of its organization has one.
    """
    if account is None or customer is None or lifecycle is None:
        named = dict.fromkeys(("account_name", "top_account_name", "segment", "plan_tier", "lifecycle_stage", "region"), UNKNOWN)
        return {**named, **dict.fromkeys(("top_account_id", "industry", "country", "city"))}
    return {
        **{name: customer[name] for name in ("segment", "industry", "country", "city")},
        "lifecycle_stage": lifecycle["lifecycle_stage"],
        "account_name": account["account_name"] or UNKNOWN,
        "top_account_id": customer["account_id"],
        "top_account_name": customer["account_name"] or UNKNOWN,
        "plan_tier": customer["plan_tier"] or without_plan,
        "region": customer["region"] or UNKNOWN,
    }


def _product(product: Row | None) -> Row:
    columns = {"product_name": "name", "product_category": "category", "product_type": "product_type"}
    return {column: (product[name] if product else None) or UNKNOWN for column, name in columns.items()}


def _facility(facility: Row | None) -> Row:
    columns = {"facility_name": "name", "facility_region": "region", "facility_city": "city"}
    if facility is None:
        return {**dict.fromkeys(columns), "facility_name": "Unknown"}
    return {column: facility[name] or ("Unknown" if name == "name" else None) for column, name in columns.items()}


class _Dimensions:
    """The dimension rows of tickets, by tenant and id."""

    def __init__(self, sources: SourceData) -> None:
        self.tenants = Tenants(sources)
        self.accounts = _by(dim_accounts(sources), "account_id")
        self.with_plans = {tenant for (tenant, _), account in self.accounts.items() if account["plan_tier"] is not None}
        self.lifecycles = _by(fct_account_lifecycle(sources), "account_id")
        self.categories = _by(dim_ticket_categories(sources), "category_id")
        self.causes = _by(dim_root_causes(sources), "root_cause_id")

    def of(self, ticket: Row) -> Row:
        """All dimension columns of a ticket."""
        tenant = ticket["organization_id"]
        place = (tenant, ticket["account_id"])
        account = self.accounts.get(place)
        customer = self.accounts.get((tenant, account["top_account_id"])) if account else None
        category = self.categories.get((tenant, ticket["category_id"])) or UNKNOWN_CATEGORY
        cause = self.causes.get((tenant, ticket["root_cause_id"])) or UNKNOWN_CAUSE
        assignee = self.tenants.row("users", tenant, ticket["assignee_user_id"])
        return {
            **_account(account, customer, self.lifecycles.get(place), "none" if tenant in self.with_plans else UNKNOWN),
            **_facility(self.tenants.row("facilities", tenant, ticket["facility_id"])),
            **_product(self.tenants.row("products", tenant, ticket["product_id"])),
            "product_id": ticket["product_id"] or UNKNOWN,
            "product_key": self.tenants.key("products", tenant, ticket["product_id"]),
            **{name: category[name] for name in ("category_id", "category_name", "parent_category_name", "top_category_name")},
            "category_key": natural(tenant, category["category_id"]),
            **{name: cause[name] for name in ("root_cause_id", *CAUSE)},
            "root_cause_key": natural(tenant, cause["root_cause_id"]),
            "assignee_user_id": assignee["user_id"] if assignee else UNKNOWN,
            "assignee_name": (assignee["full_name"] if assignee else None) or UNKNOWN,
        }


def _by(rows: list[Row], identity: str) -> Dimension:
    return {(row["organization_id"], row[identity]): row for row in rows}


@model
def mart_ticket_analytics(sources: SourceData) -> list[Row]:
    """The rows of mart_ticket_analytics, by ticket."""
    dimensions = _Dimensions(sources)
    return [
        {
            **ticket,
            **dimensions.of(ticket),
            **created_periods(ticket["created_date"]),
            "is_complete": month_end(month_of(ticket["created_at"])) <= sources.as_of,
        }
        for ticket in fct_tickets(sources)
    ]
