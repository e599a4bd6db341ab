"""HubSpot's object types: for each, the table of the demo company, HubSpot's properties and its associations.

Custom properties hold what HubSpot has no property for, such as the plan of a company. The words of an enumeration are HubSpot's.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from include.demo.vendors.common import Row
from include.demo.vendors.hubspot import words
from include.demo.vendors.hubspot.shape import Kind, Link, Property, object_id


def _id(column: str) -> Callable[[Row], str | None]:
    return lambda row: object_id(row.get(column))


def _custom(
    name: str, source: str | Callable[[Row], Any], kind: str = "string", phrases: dict[str, str] | None = None
) -> Property:
    return Property(name, source, kind, phrases, custom=True)


def _owner(column: str) -> Property:
    return Property("hubspot_owner_id", _id(column), "enumeration")


def closing(row: Row) -> Any:
    """The close date of a deal: HubSpot overwrites the expected date with the time at which the deal closes."""
    expected = row["expected_close_date"]
    return row["closed_at"] or (expected and datetime.combine(expected, time(), UTC))


def probability(percent: Decimal | None) -> str | None:
    """A probability as HubSpot writes it: the exact value of a binary fraction, as 0.1000000000000000055511151231257827…"""
    return None if percent is None else f"{Decimal(float(percent) / 100):f}"


def _milliseconds(row: Row) -> int | None:
    return None if row["duration_minutes"] is None else row["duration_minutes"] * 60_000


def happened(row: Row) -> Any:
    """`hs_timestamp` of an activity: when it was completed, else when it is due, else when it was entered."""
    return row["completed_at"] or row["due_at"] or row["created_at"]


def _ends(row: Row) -> Any:
    return None if row["duration_minutes"] is None else happened(row) + timedelta(minutes=row["duration_minutes"])


def _link(to: str, column: str, there: int, back: int) -> Link:
    return Link(to, column, ((there, None),), ((back, None),))


def _activities(
    name: str,
    type_id: str,
    kind: str,
    subject: str,
    status: tuple[str, str, str, str],
    ids: tuple[int, int, int],
    *more: Property,
) -> Kind:
    """An activity type. `status` is its property, and its words for planned, completed, cancelled. `ids`: to company, contact, deal."""
    phrases = dict(zip(("planned", "completed", "cancelled"), status[1:], strict=True))
    own = [
        Property("hs_timestamp", happened, "datetime"),
        Property(subject, "subject"),
        Property(status[0], "status", "enumeration", phrases),
        _owner("user_id"),
        _custom("scheduled_for", "due_at", "datetime"),
        _custom("outcome", "outcome", "enumeration", words.OUTCOMES),
    ]
    replaced = {prop.name for prop in more}
    links = (("companies", "account_id"), ("contacts", "contact_id"), ("deals", "deal_id"))
    return Kind(
        name,
        type_id,
        "activities",
        (*(prop for prop in own if prop.name not in replaced), *more),
        tuple(_link(to, column, number, number - 1) for (to, column), number in zip(links, ids, strict=True)),
        where=lambda row: row["activity_type"] == kind,
    )


KINDS = (
    Kind(
        "companies",
        "0-2",
        "accounts",
        (
            Property("name", "name"),
            Property("domain", "domain"),
            Property("industry", "industry", "enumeration", words.INDUSTRIES),
            Property("numberofemployees", "employee_count", "number"),
            Property("annualrevenue", "annual_revenue", "number"),
            Property("hs_annual_revenue_currency_code", "currency", "enumeration"),
            Property("lifecyclestage", "account_type", "enumeration", words.LIFECYCLE),
            Property("hs_parent_company_id", _id("parent_account_id"), "number"),
            Property("country", "country"),
            Property("city", "city"),
            _owner("owner_user_id"),
            _custom("customer_status", "status", "enumeration"),
            _custom("plan_tier", "plan_tier", "enumeration"),
            _custom("sales_region", "region", "enumeration"),
            _custom("signup_date", "signup_date", "date"),
        ),
        (Link("companies", "parent_account_id", ((14, "Parent Company"),), ((13, "Child Company"),)),),
        defaults=("domain", "name"),
        created="createdate",
    ),
    Kind(
        "contacts",
        "0-1",
        "contacts",
        (
            Property("firstname", "first_name"),
            Property("lastname", "last_name"),
            Property("email", "email"),
            Property("phone", "phone", "phone_number"),
            Property("jobtitle", "title"),
            Property("associatedcompanyid", _id("account_id"), "number"),
            Property("hs_email_optout", lambda row: True if row["status"] == "unsubscribed" else None, "bool"),
            Property("hs_email_bounce", lambda row: 1 if row["status"] == "bounced" else None, "number"),
            Property("gender", "gender"),
            _custom("main_contact", "is_primary", "bool"),
            _custom("income_segment", "income_segment", "enumeration"),
        ),
        (Link("companies", "account_id", ((279, None), (1, "Primary")), ((280, None), (2, "Contact with Primary Company"))),),
        defaults=("email", "firstname", "lastname"),
        created="createdate",
        modified="lastmodifieddate",
    ),
    Kind(
        "deals",
        "0-3",
        "deals",
        (
            Property("dealname", "name"),
            Property("pipeline", lambda row: "default", "enumeration"),
            Property("dealstage", "stage", "enumeration", words.STAGES),
            Property("amount", "amount", "number"),
            Property("deal_currency_code", "currency", "enumeration"),
            Property("hs_deal_stage_probability", lambda row: probability(row["probability_pct"]), "number"),
            Property("closedate", closing, "datetime"),
            Property("hs_is_closed", lambda row: row["stage"].startswith("closed"), "bool"),
            Property("hs_is_closed_won", lambda row: row["stage"] == "closed_won", "bool"),
            Property("closed_lost_reason", "lost_reason"),
            _owner("owner_user_id"),
            _custom("forecast_close_date", "expected_close_date", "date"),
            _custom("facility_id", _id("facility_id")),
            _custom("source_lead_id", _id("lead_id")),
        ),
        (
            Link("companies", "account_id", ((341, None), (5, "Primary")), ((342, None), (6, "Deal with Primary Company"))),
            _link("contacts", "contact_id", 3, 4),
        ),
        defaults=("amount", "closedate", "dealname", "dealstage", "pipeline"),
        created="createdate",
    ),
    Kind(
        "leads",
        "0-136",
        "leads",
        (
            Property("hs_pipeline", lambda row: "lead-pipeline-id", "enumeration"),
            Property("hs_pipeline_stage", "stage", "enumeration", words.LEAD_STAGES),
            _owner("rep_user_id"),
            _custom("lead_source", "source_channel", "enumeration"),
            _custom("estimated_value", "amount", "number"),
            _custom("estimated_value_currency", "currency", "enumeration"),
            _custom("facility_id", _id("facility_id")),
            Property("hs_v2_date_entered_connected_stage_id", "sql_at", "datetime"),
            Property("hs_v2_date_entered_qualified_stage_id", "opportunity_at", "datetime"),
            Property(
                "hs_v2_date_entered_won_stage_id", lambda row: (row["stage"] == "won" and row["closed_at"]) or None, "datetime"
            ),
            Property(
                "hs_v2_date_entered_unqualified_stage_id",
                lambda row: (row["stage"] == "lost" and row["closed_at"]) or None,
                "datetime",
            ),
        ),
        (_link("companies", "account_id", 610, 611),),
    ),
    _activities(
        "calls",
        "0-48",
        "call",
        "hs_call_title",
        ("hs_call_status", "QUEUED", "COMPLETED", "CANCELED"),
        (182, 194, 206),
        Property("hs_call_duration", _milliseconds, "number"),
    ),
    _activities(
        "emails", "0-49", "email", "hs_email_subject", ("hs_email_status", "SCHEDULED", "SENT", "FAILED"), (186, 198, 210)
    ),
    _activities(
        "meetings",
        "0-47",
        "meeting",
        "hs_meeting_title",
        ("hs_meeting_outcome", "SCHEDULED", "COMPLETED", "CANCELED"),
        (188, 200, 212),
        Property("hs_meeting_start_time", happened, "datetime"),
        Property("hs_meeting_end_time", _ends, "datetime"),
    ),
    _activities("notes", "0-46", "note", "hs_note_body", ("note_status", "PLANNED", "COMPLETED", "CANCELED"), (190, 202, 214)),
    _activities(
        "tasks",
        "0-27",
        "task",
        "hs_task_subject",
        ("hs_task_status", "NOT_STARTED", "COMPLETED", "DEFERRED"),
        (192, 204, 216),
        Property("hs_timestamp", "due_at", "datetime"),
        Property("hs_task_completion_date", "completed_at", "datetime"),
    ),
    Kind(
        "products",
        "0-7",
        "products",
        (
            Property("name", "name"),
            Property("hs_sku", "sku"),
            Property("price", "unit_price", "number"),
            Property("hs_cost_of_goods_sold", "unit_cost", "number"),
            Property("hs_product_type", "product_type", "enumeration", words.PRODUCT_TYPES),
            _custom("product_category", "category", "enumeration"),
            _custom("stock_quantity", "stock_quantity", "number"),
            _custom("reorder_level", "reorder_level", "number"),
            Property("hs_status", lambda row: "active" if row["is_active"] else "inactive", "enumeration"),
        ),
        defaults=("name", "price"),
        created="createdate",
    ),
    Kind(
        "orders",
        "0-123",
        "orders",
        (
            Property("hs_order_name", "order_number"),
            Property("hs_currency_code", "currency", "enumeration"),
            Property("hs_subtotal_price", "subtotal_amount", "number"),
            Property("hs_order_discount", "discount_amount", "number"),
            Property("hs_tax", "tax_amount", "number"),
            Property("hs_shipping_cost", "shipping_amount", "number"),
            Property("hs_total_price", "total_amount", "number"),
            Property("hs_fulfillment_status", "status", "string", words.FULFILLMENT),
            Property("hs_external_created_date", "ordered_at", "datetime"),
            _custom("shipped_on", "shipped_at", "datetime"),
            _custom("delivered_on", "delivered_at", "datetime"),
        ),
        (_link("companies", "account_id", 509, 510), _link("contacts", "contact_id", 507, 508)),
    ),
    Kind(
        "line_items",
        "0-8",
        "order_items",
        (
            Property("hs_product_id", _id("product_id"), "number"),
            Property("quantity", "quantity", "number"),
            Property("price", "unit_price", "number"),
            Property("hs_total_discount", "discount_amount", "number"),
            Property("amount", "line_amount", "number"),
        ),
        (_link("orders", "order_id", 514, 513),),
        defaults=("amount", "quantity"),
        created="createdate",
    ),
    Kind(
        "tickets",
        "0-5",
        "tickets",
        (
            Property("subject", "subject"),
            Property("hs_pipeline", lambda row: "0", "enumeration"),
            Property("hs_pipeline_stage", "status", "enumeration", words.TICKET_STAGES),
            Property("hs_ticket_priority", "priority", "enumeration", words.PRIORITIES),
            Property("source_type", "channel", "enumeration", words.SOURCES),
            Property("hs_ticket_category", "category_id", "enumeration"),
            _custom("root_cause", "root_cause_id", "enumeration"),
            Property("first_agent_reply_date", "first_responded_at", "datetime"),
            Property("closed_date", "resolved_at", "datetime"),
            _owner("assignee_user_id"),
            _custom("facility_id", _id("facility_id")),
            _custom("product_id", _id("product_id")),
            _custom("app_version", "app_version"),
            _custom("times_reopened", "reopened_count", "number"),
            _custom("csat_score", "csat_score", "number"),
        ),
        (
            Link("companies", "account_id", ((339, None), (26, "Primary")), ((340, None), (25, "Ticket with Primary Company"))),
            _link("contacts", "contact_id", 16, 15),
        ),
        defaults=("subject", "hs_pipeline_stage"),
        created="createdate",
    ),
    Kind(
        "facilities",
        "2-8410001",
        "facilities",
        (_custom("facility_name", "name"), _custom("city", "city"), _custom("sales_region", "region")),
    ),
)
BY_NAME = {kind.name: kind for kind in KINDS} | {kind.type_id: kind for kind in KINDS}
#: HubSpot also takes the name of one object, as in /associations/company/contact/.
BY_NAME |= {"company": BY_NAME["companies"], "facility": BY_NAME["facilities"]}
BY_NAME |= {kind.name.removesuffix("s"): kind for kind in KINDS if kind.name not in ("companies", "facilities")}
