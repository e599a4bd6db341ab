"""Turns the objects of a whole HubSpot account into rows of the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from hubspot import HubSpot

from include.demo.vendors.common import Row
from tests.vendors.hubspot.reading import associated, day, decimal, flag, instant, listed, names_of, only, whole

STAGES = {
    "appointmentscheduled": "prospecting",
    "qualifiedtobuy": "qualification",
    "presentationscheduled": "proposal",
    "decisionmakerboughtin": "negotiation",
    "closedwon": "closed_won",
    "closedlost": "closed_lost",
}
LEADS = {
    "new-stage-id": "lead",
    "connected-stage-id": "sql",
    "qualified-stage-id": "opportunity",
    "won-stage-id": "won",
    "unqualified-stage-id": "lost",
}
TICKETS = {"1": "open", "2": "pending", "3": "on_hold", "5": "escalated", "4": "resolved", "6": "closed"}
CHANNELS = {"EMAIL": "email", "CHAT": "chat", "PHONE": "phone", "SOCIAL": "social", "FORM": "web", "INTEGRATION": "app"}
INDUSTRIES = {
    "MACHINERY": "Manufacturing",
    "RETAIL": "Retail",
    "FINANCIAL_SERVICES": "Financial Services",
    "HOSPITAL_HEALTH_CARE": "Healthcare",
    "COMPUTER_SOFTWARE": "Software",
    "LOGISTICS_AND_SUPPLY_CHAIN": "Logistics",
    "EDUCATION_MANAGEMENT": "Education",
    "OIL_ENERGY": "Energy",
}
ORDERS = {
    "Unfulfilled": "pending",
    "Confirmed": "confirmed",
    "Shipped": "shipped",
    "Delivered": "delivered",
    "Cancelled": "cancelled",
    "Refunded": "refunded",
}
STATUS = {
    "planned": ("QUEUED", "SCHEDULED", "PLANNED", "NOT_STARTED"),
    "completed": ("COMPLETED", "SENT"),
    "cancelled": ("CANCELED", "FAILED", "DEFERRED"),
}
ACTIVITIES = {
    "calls": ("call", "hs_call_title", "hs_call_status"),
    "emails": ("email", "hs_email_subject", "hs_email_status"),
    "meetings": ("meeting", "hs_meeting_title", "hs_meeting_outcome"),
    "notes": ("note", "hs_note_body", "note_status"),
    "tasks": ("task", "hs_task_subject", "hs_task_status"),
}


def tables(api: HubSpot) -> dict[str, list[Row]]:
    """The rows of each table that HubSpot can hold. Rows lack the columns that HubSpot lacks."""
    read: dict[str, Callable[[HubSpot], Iterator[Row]]] = {
        "accounts": _accounts,
        "contacts": _contacts,
        "users": _users,
        "deals": _deals,
        "deal_stage_history": _stages,
        "leads": _leads,
        "activities": _activities,
        "products": _products,
        "orders": _orders,
        "order_items": _items,
        "tickets": _tickets,
        "ticket_priority_changes": _priorities,
        "survey_responses": _surveys,
        "ticket_categories": _categories,
        "root_causes": _causes,
        "facilities": _facilities,
    }
    return {name: list(rows(api)) for name, rows in read.items()}


def _accounts(api: HubSpot) -> Iterator[Row]:
    for one in listed(api, "companies"):
        value = one.properties
        yield {
            "account_id": one.id,
            "parent_account_id": value["hs_parent_company_id"],
            "name": value["name"],
            "domain": value["domain"],
            "industry": INDUSTRIES[value["industry"]],
            "employee_count": whole(value["numberofemployees"]),
            "annual_revenue": decimal(value["annualrevenue"]),
            "currency": value["hs_annual_revenue_currency_code"],
            "account_type": "customer" if value["lifecyclestage"] == "customer" else "prospect",
            "status": value["customer_status"],
            "plan_tier": value["plan_tier"],
            "region": value["sales_region"],
            "country": value["country"],
            "city": value["city"],
            "owner_user_id": value["hubspot_owner_id"],
            "signup_date": day(value["signup_date"]),
            "created_at": one.created_at,
            "updated_at": one.updated_at,
        }


def _contacts(api: HubSpot) -> Iterator[Row]:
    for one in listed(api, "contacts"):
        value = one.properties
        yield {
            "contact_id": one.id,
            "account_id": value["associatedcompanyid"],
            "first_name": value["firstname"],
            "last_name": value["lastname"],
            "email": value["email"],
            "phone": value["phone"],
            "title": value["jobtitle"],
            "is_primary": flag(value["main_contact"]),
            "status": "unsubscribed" if flag(value["hs_email_optout"]) else "bounced" if value["hs_email_bounce"] else "active",
            "gender": value["gender"],
            "income_segment": value["income_segment"],
            "created_at": one.created_at,
            "updated_at": one.updated_at,
        }


def _users(api: HubSpot) -> Iterator[Row]:
    roles = {"Sales representatives": "sales_rep", "Customer success": "csm", "Support": "support_agent", "Management": "manager"}
    for archived in (False, True):
        for one in api.crm.owners.get_all(archived=archived):
            yield {
                "user_id": one.id,
                "full_name": f"{one.first_name} {one.last_name}",
                "email": one.email,
                "role": roles[one.teams[0].name],
                "is_active": not one.archived,
                "created_at": one.created_at,
                "updated_at": one.updated_at,
            }


def _deals(api: HubSpot) -> Iterator[Row]:
    found = listed(api, "deals")
    company = associated(api, "deals", "companies", [one.id for one in found])
    contact = associated(api, "deals", "contacts", [one.id for one in found])
    for one in found:
        value = one.properties
        chance = decimal(value["hs_deal_stage_probability"])
        yield {
            "deal_id": one.id,
            "account_id": only(company, one.id),
            "contact_id": only(contact, one.id),
            "lead_id": value["source_lead_id"],
            "facility_id": value["facility_id"],
            "owner_user_id": value["hubspot_owner_id"],
            "name": value["dealname"],
            "stage": STAGES[value["dealstage"]],
            "amount": decimal(value["amount"]),
            "currency": value["deal_currency_code"],
            "probability_pct": None if chance is None else chance * 100,
            "expected_close_date": day(value["forecast_close_date"]),
            "closed_at": instant(value["closedate"]) if flag(value["hs_is_closed"]) else None,
            "lost_reason": value["closed_lost_reason"],
            "created_at": one.created_at,
            "updated_at": one.updated_at,
        }


def _stages(api: HubSpot) -> Iterator[Row]:
    histories = ["dealstage", "amount", "hs_deal_stage_probability"]
    for one in listed(api, "deals", limit=50, properties=["dealstage"], properties_with_history=histories):
        stage, amount, chance = (one.properties_with_history.get(name) or [] for name in histories)
        before = None
        for to, value, percent in reversed(list(zip(stage, amount, chance, strict=True))):
            yield {
                "deal_id": one.id,
                "from_stage": before,
                "to_stage": STAGES[to.value],
                "amount": decimal(value.value),
                "probability_pct": round(Decimal(percent.value) * 100, 9),
                "changed_by_user_id": to.updated_by_user_id,
                "changed_at": to.timestamp,
            }
            before = STAGES[to.value]


def _leads(api: HubSpot) -> Iterator[Row]:
    # The list of properties lacks the times at which stages were entered.
    stages = [stage.id for stage in api.crm.pipelines.pipelines_api.get_all("leads").results[0].stages]
    entered = [f"hs_v2_date_entered_{stage.replace('-', '_')}" for stage in stages]
    found = listed(api, "leads", properties=[*names_of(api, "leads"), *entered])
    company = associated(api, "leads", "companies", [one.id for one in found])
    for one in found:
        value = one.properties
        closed = value["hs_v2_date_entered_won_stage_id"] or value["hs_v2_date_entered_unqualified_stage_id"]
        yield {
            "lead_id": one.id,
            "facility_id": value["facility_id"],
            "rep_user_id": value["hubspot_owner_id"],
            "account_id": only(company, one.id),
            "source_channel": value["lead_source"],
            "stage": LEADS[value["hs_pipeline_stage"]],
            "amount": decimal(value["estimated_value"]),
            "currency": value["estimated_value_currency"],
            "created_at": one.created_at,
            "sql_at": instant(value["hs_v2_date_entered_connected_stage_id"]),
            "opportunity_at": instant(value["hs_v2_date_entered_qualified_stage_id"]),
            "closed_at": instant(closed),
            "updated_at": one.updated_at,
        }


def _activities(api: HubSpot) -> Iterator[Row]:
    for kind, (word, subject, status) in ACTIVITIES.items():
        found = listed(api, kind)
        ids = [one.id for one in found]
        company, contact, deal = (associated(api, kind, other, ids) for other in ("companies", "contacts", "deals"))
        for one in found:
            value = one.properties
            state = next(ours for ours, theirs in STATUS.items() if value[status] in theirs)
            done = (
                value["hs_task_completion_date"] if kind == "tasks" else value["hs_timestamp"] if state == "completed" else None
            )
            minutes = None
            if kind == "calls" and value["hs_call_duration"]:
                minutes = int(value["hs_call_duration"]) // 60_000
            if kind == "meetings" and value["hs_meeting_end_time"]:
                start, end = instant(value["hs_meeting_start_time"]), instant(value["hs_meeting_end_time"])
                assert start and end
                minutes = int((end - start).total_seconds()) // 60
            yield {
                "activity_id": one.id,
                "account_id": only(company, one.id),
                "contact_id": only(contact, one.id),
                "deal_id": only(deal, one.id),
                "user_id": value["hubspot_owner_id"],
                "activity_type": word,
                "subject": value[subject],
                "status": state,
                "outcome": (value["outcome"] or "").lower() or None,
                "due_at": instant(value["scheduled_for"]),
                "completed_at": instant(done),
                "duration_minutes": minutes,
                "created_at": one.created_at,
                "updated_at": one.updated_at,
            }


def _products(api: HubSpot) -> Iterator[Row]:
    kinds = {"inventory": "physical", "non_inventory": "software", "service": "service"}
    for one in listed(api, "products"):
        value = one.properties
        yield {
            "product_id": one.id,
            "sku": value["hs_sku"],
            "name": value["name"],
            "category": value["product_category"],
            "product_type": kinds[value["hs_product_type"]],
            "unit_price": decimal(value["price"]),
            "unit_cost": decimal(value["hs_cost_of_goods_sold"]),
            "stock_quantity": whole(value["stock_quantity"]),
            "reorder_level": whole(value["reorder_level"]),
            "is_active": value["hs_status"] == "active",
            "created_at": one.created_at,
            "updated_at": one.updated_at,
        }


def _orders(api: HubSpot) -> Iterator[Row]:
    found = listed(api, "orders")
    company, contact = (associated(api, "orders", other, [one.id for one in found]) for other in ("companies", "contacts"))
    for one in found:
        value = one.properties
        yield {
            "order_id": one.id,
            "account_id": only(company, one.id),
            "contact_id": only(contact, one.id),
            "order_number": value["hs_order_name"],
            "status": ORDERS[value["hs_fulfillment_status"]],
            "currency": value["hs_currency_code"],
            "subtotal_amount": decimal(value["hs_subtotal_price"]),
            "discount_amount": decimal(value["hs_order_discount"]),
            "tax_amount": decimal(value["hs_tax"]),
            "shipping_amount": decimal(value["hs_shipping_cost"]),
            "total_amount": decimal(value["hs_total_price"]),
            "ordered_at": instant(value["hs_external_created_date"]),
            "shipped_at": instant(value["shipped_on"]),
            "delivered_at": instant(value["delivered_on"]),
            "updated_at": one.updated_at,
        }


def _items(api: HubSpot) -> Iterator[Row]:
    found = listed(api, "line_items")
    order = associated(api, "line_items", "orders", [one.id for one in found])
    for one in found:
        value = one.properties
        yield {
            "order_item_id": one.id,
            "order_id": only(order, one.id),
            "product_id": value["hs_product_id"],
            "quantity": whole(value["quantity"]),
            "unit_price": decimal(value["price"]),
            "discount_amount": decimal(value["hs_total_discount"]),
            "line_amount": decimal(value["amount"]),
            "updated_at": one.updated_at,
        }


def _tickets(api: HubSpot) -> Iterator[Row]:
    priorities = {"URGENT": "critical", "HIGH": "high", "MEDIUM": "medium", "LOW": "low"}
    found = listed(api, "tickets")
    company, contact = (associated(api, "tickets", other, [one.id for one in found]) for other in ("companies", "contacts"))
    for one in found:
        value = one.properties
        yield {
            "ticket_id": one.id,
            "account_id": only(company, one.id),
            "contact_id": only(contact, one.id),
            "facility_id": value["facility_id"],
            "product_id": value["product_id"],
            "category_id": value["hs_ticket_category"],
            "root_cause_id": value["root_cause"],
            "assignee_user_id": value["hubspot_owner_id"],
            "channel": CHANNELS[value["source_type"]],
            "priority": priorities[value["hs_ticket_priority"]],
            "status": TICKETS[value["hs_pipeline_stage"]],
            "subject": value["subject"],
            "app_version": value["app_version"],
            "created_at": one.created_at,
            "first_responded_at": instant(value["first_agent_reply_date"]),
            "resolved_at": instant(value["closed_date"]),
            "reopened_count": whole(value["times_reopened"]),
            "csat_score": whole(value["csat_score"]),
            "updated_at": one.updated_at,
        }


def _priorities(api: HubSpot) -> Iterator[Row]:
    priorities = {"URGENT": "critical", "HIGH": "high", "MEDIUM": "medium", "LOW": "low"}
    for one in listed(api, "tickets", limit=50, properties=["subject"], properties_with_history=["hs_ticket_priority"]):
        versions = one.properties_with_history["hs_ticket_priority"]
        before = None
        for version in reversed(versions):
            # A priority that never changed has one version, from the last change of the ticket.
            if len(versions) > 1 or version.timestamp == one.created_at:
                to = priorities[version.value]
                yield {"ticket_id": one.id, "from_priority": before, "to_priority": to, "changed_at": version.timestamp}
            before = priorities[version.value]


def _surveys(api: HubSpot) -> Iterator[Row]:
    found = listed(api, "feedback_submissions")
    links = [
        associated(api, "feedback_submissions", other, [one.id for one in found])
        for other in ("companies", "contacts", "tickets")
    ]
    for one in found:
        value = one.properties
        account, contact, ticket = (only(link, one.id) for link in links)
        yield {
            "response_id": one.id,
            "account_id": account,
            "contact_id": contact,
            "ticket_id": ticket,
            "survey_type": value["hs_survey_type"].lower(),
            "score": whole(value["hs_value"]),
            "comment": value["hs_content"],
            "responded_at": instant(value["hs_submission_timestamp"]),
            "updated_at": one.updated_at,
        }


def _options(api: HubSpot, kind: str, name: str) -> list[Any]:
    return list(api.crm.properties.core_api.get_by_name(kind, name).options)


def _categories(api: HubSpot) -> Iterator[Row]:
    for one in _options(api, "tickets", "hs_ticket_category"):
        yield {"category_id": one.value, "name": one.label}


def _causes(api: HubSpot) -> Iterator[Row]:
    for one in _options(api, "tickets", "root_cause"):
        yield {"root_cause_id": one.value, "name": one.label}


def _facilities(api: HubSpot) -> Iterator[Row]:
    custom = api.crm.schemas.core_api.get_all().results[0]
    for one in listed(api, custom.object_type_id):
        value = one.properties
        yield {
            "facility_id": one.id,
            "name": value["facility_name"],
            "city": value["city"],
            "region": value["sales_region"],
            "created_at": one.created_at,
            "updated_at": one.updated_at,
        }
