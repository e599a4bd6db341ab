"""The tables of the demo company: system, columns, types and primary key of each, and the columns that it may leave empty.

The generator, CSV, PostgreSQL, the HTTP servers and the landing files all use it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from include.contract import contract

System = Literal["crm", "billing", "support", "product", "reference"]
Type = Literal["string", "integer", "decimal", "boolean", "timestamp", "date", "time", "json"]

TYPES: tuple[Type, ...] = ("string", "integer", "decimal", "boolean", "timestamp", "date", "time", "json")


@dataclass(frozen=True)
class Column:
    """One column: its name and type, whether the demo company leaves it empty in some rows, and whether the contract requires it."""

    name: str
    type: Type
    nullable: bool = False
    required: bool = False


@dataclass(frozen=True)
class Table:
    """One table: its source system, its columns in order, and the columns of its primary key."""

    name: str
    system: System
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def id(self) -> str:
        """The column that identifies a row among the rows of its tenant; a table of the reference system has none."""
        return self.key[-1]

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """The columns by name."""
        return {column.name: column for column in self.columns}


def _table(system: System, name: str, key: str, columns: str) -> Table:
    """A table from a compact text: `name`, `name?` (empty in some rows) or `name:type`. The default type is string."""
    declared, parsed = contract()[name].columns, []
    for word in columns.split():
        head, _, kind = word.partition(":")
        column_type = kind or "string"
        if column_type not in TYPES:
            raise ValueError(f"{name}.{head}: unknown type {column_type}")
        column = head.rstrip("?")
        parsed.append(Column(column, column_type, head.endswith("?"), declared[column].required))  # type: ignore[arg-type]
    return Table(name, system, tuple(parsed), tuple(key.split()))


_CRM = (
    _table(
        "crm",
        "organizations",
        "organization_id",
        "organization_id name timezone reporting_currency created_at:timestamp updated_at:timestamp",
    ),
    _table(
        "crm",
        "facilities",
        "organization_id facility_id",
        "facility_id organization_id name city region created_at:timestamp updated_at:timestamp",
    ),
    _table(
        "crm",
        "users",
        "organization_id user_id",
        "user_id organization_id facility_id? full_name email role is_active:boolean created_at:timestamp updated_at:timestamp",
    ),
    _table(
        "crm",
        "accounts",
        "organization_id account_id",
        "account_id organization_id parent_account_id? merged_into_account_id? name domain? industry"
        " employee_count?:integer annual_revenue?:decimal currency account_type status plan_tier? region country city?"
        " owner_user_id? signup_date?:date created_at:timestamp updated_at:timestamp",
    ),
    _table(
        "crm",
        "contacts",
        "organization_id contact_id",
        "contact_id organization_id account_id first_name last_name email? phone? title? is_primary:boolean status"
        " gender? income_segment? created_at:timestamp updated_at:timestamp",
    ),
    _table(
        "crm",
        "products",
        "organization_id product_id",
        "product_id organization_id sku name category product_type unit_price:decimal unit_cost:decimal currency"
        " stock_quantity:integer reorder_level:integer is_active:boolean created_at:timestamp updated_at:timestamp",
    ),
    _table(
        "crm",
        "leads",
        "organization_id lead_id",
        "lead_id organization_id facility_id rep_user_id? account_id? source_channel stage amount:decimal currency"
        " created_at:timestamp sql_at?:timestamp opportunity_at?:timestamp closed_at?:timestamp updated_at:timestamp",
    ),
    _table(
        "crm",
        "deals",
        "organization_id deal_id",
        "deal_id organization_id account_id contact_id? lead_id? facility_id? owner_user_id? name stage amount:decimal"
        " currency probability_pct:decimal expected_close_date?:date closed_at?:timestamp lost_reason?"
        " created_at:timestamp updated_at:timestamp",
    ),
    _table(
        "crm",
        "deal_stage_history",
        "organization_id history_id",
        "history_id organization_id deal_id from_stage? to_stage amount:decimal probability_pct:decimal"
        " changed_by_user_id? changed_at:timestamp updated_at:timestamp",
    ),
    _table(
        "crm",
        "activities",
        "organization_id activity_id",
        "activity_id organization_id account_id? contact_id? deal_id? user_id? activity_type subject status outcome?"
        " due_at?:timestamp completed_at?:timestamp duration_minutes?:integer created_at:timestamp"
        " updated_at:timestamp",
    ),
    _table(
        "crm",
        "outreach",
        "organization_id outreach_id",
        "outreach_id organization_id facility_id rep_user_id? lead_id? channel sent_at:timestamp"
        " responded_at?:timestamp converted_at?:timestamp updated_at:timestamp",
    ),
    _table(
        "crm",
        "orders",
        "organization_id order_id",
        "order_id organization_id account_id contact_id? order_number status currency subtotal_amount?:decimal"
        " discount_amount:decimal tax_amount?:decimal shipping_amount?:decimal total_amount?:decimal ordered_at:timestamp"
        " shipped_at?:timestamp delivered_at?:timestamp updated_at:timestamp",
    ),
    _table(
        "crm",
        "order_items",
        "organization_id order_item_id",
        "order_item_id organization_id order_id product_id quantity:integer unit_price:decimal"
        " discount_amount:decimal line_amount:decimal updated_at:timestamp",
    ),
    _table(
        "crm",
        "compliance_checks",
        "organization_id check_id",
        "check_id organization_id facility_id check_type status due_at:timestamp completed_at?:timestamp updated_at:timestamp",
    ),
)

_BILLING = (
    _table(
        "billing",
        "subscriptions",
        "organization_id subscription_id",
        "subscription_id organization_id account_id product_id replaces_subscription_id? plan_tier billing_interval"
        " interval_count:integer quantity:integer unit_amount:decimal discount_pct:decimal currency status"
        " started_at:timestamp trial_ends_at?:timestamp current_period_end?:timestamp paused_at?:timestamp"
        " cancelled_at?:timestamp ended_at?:timestamp updated_at:timestamp",
    ),
    _table(
        "billing",
        "invoices",
        "organization_id invoice_id",
        "invoice_id organization_id account_id subscription_id? status issued_at:timestamp due_at:timestamp"
        " paid_at?:timestamp period_start:timestamp period_end:timestamp currency subtotal_amount:decimal"
        " tax_amount:decimal total_amount:decimal amount_paid:decimal updated_at:timestamp",
    ),
)

_SUPPORT = (
    _table(
        "support",
        "tickets",
        "organization_id ticket_id",
        "ticket_id organization_id account_id? contact_id? facility_id? product_id? category_id? root_cause_id?"
        " assignee_user_id? channel priority status subject app_version? created_at:timestamp"
        " first_responded_at?:timestamp resolved_at?:timestamp reopened_count:integer csat_score?:integer"
        " merged_into_ticket_id? updated_at:timestamp",
    ),
    _table(
        "support",
        "ticket_priority_changes",
        "organization_id change_id",
        "change_id organization_id ticket_id from_priority? to_priority changed_at:timestamp updated_at:timestamp",
    ),
    _table(
        "support",
        "ticket_sla_events",
        "organization_id ticket_id metric",
        "organization_id ticket_id metric target_minutes?:integer breached?:boolean breached_at?:timestamp"
        " fulfilled_at?:timestamp elapsed_minutes?:decimal updated_at:timestamp",
    ),
    _table(
        "support",
        "ticket_categories",
        "organization_id category_id",
        "category_id organization_id name parent_name? updated_at:timestamp",
    ),
    _table(
        "support",
        "root_causes",
        "organization_id root_cause_id",
        "root_cause_id organization_id code name category severity updated_at:timestamp",
    ),
    _table(
        "support",
        "survey_responses",
        "organization_id response_id",
        "response_id organization_id account_id? facility_id? contact_id? ticket_id? survey_type score:integer"
        " comment? sent_at:timestamp responded_at?:timestamp updated_at:timestamp",
    ),
)

_PRODUCT = (
    _table(
        "product",
        "usage_events",
        "organization_id event_id",
        "event_id organization_id account_id user_id event_name event_category app_version? occurred_at:timestamp"
        " properties?:json",
    ),
)

_REFERENCE = (
    _table("reference", "fx_rates", "rate_date currency", "rate_date:date currency rate_to_usd:decimal"),
    _table(
        "reference",
        "business_hours",
        "organization_id weekday opens_at valid_from",
        "organization_id weekday:integer opens_at:time closes_at:time valid_from:date",
    ),
    _table(
        "reference",
        "holidays",
        "organization_id holiday_date",
        "organization_id holiday_date:date name",
    ),
    _table(
        "reference",
        "sla_policies",
        "organization_id priority valid_from",
        "organization_id priority first_response_minutes:integer resolution_minutes:integer clock valid_from:date",
    ),
)

TABLES: dict[str, Table] = {table.name: table for table in _CRM + _BILLING + _SUPPORT + _PRODUCT + _REFERENCE}


def tables_of(system: System) -> list[Table]:
    """The tables of one system, in the order of the contract."""
    return [table for table in TABLES.values() if table.system == system]
