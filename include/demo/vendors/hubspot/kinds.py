"""HubSpot's object types: for each, the table of the demo company, HubSpot's properties and its associations.

Custom properties hold what HubSpot has no property for, such as the plan of a company. The words of an enumeration are HubSpot's.
"""

from __future__ import annotations

from include.demo.vendors.hubspot import words
from include.demo.vendors.hubspot.kinds_sales import SALES
from include.demo.vendors.hubspot.properties import custom, id_in, link, owner
from include.demo.vendors.hubspot.shape import Kind, Link, Property

KINDS = (
    *SALES,
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
            custom("product_category", "category", "enumeration"),
            custom("stock_quantity", "stock_quantity", "number"),
            custom("reorder_level", "reorder_level", "number"),
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
            custom("shipped_on", "shipped_at", "datetime"),
            custom("delivered_on", "delivered_at", "datetime"),
        ),
        (link("companies", "account_id", 509, 510), link("contacts", "contact_id", 507, 508)),
    ),
    Kind(
        "line_items",
        "0-8",
        "order_items",
        (
            Property("hs_product_id", id_in("product_id"), "number"),
            Property("quantity", "quantity", "number"),
            Property("price", "unit_price", "number"),
            Property("hs_total_discount", "discount_amount", "number"),
            Property("amount", "line_amount", "number"),
        ),
        (link("orders", "order_id", 514, 513),),
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
            custom("root_cause", "root_cause_id", "enumeration"),
            Property("first_agent_reply_date", "first_responded_at", "datetime"),
            Property("closed_date", "resolved_at", "datetime"),
            owner("assignee_user_id"),
            custom("facility_id", id_in("facility_id")),
            custom("product_id", id_in("product_id")),
            custom("app_version", "app_version"),
            custom("times_reopened", "reopened_count", "number"),
            custom("csat_score", "csat_score", "number"),
        ),
        (
            Link("companies", "account_id", ((339, None), (26, "Primary")), ((340, None), (25, "Ticket with Primary Company"))),
            link("contacts", "contact_id", 16, 15),
        ),
        defaults=("subject", "hs_pipeline_stage"),
        created="createdate",
    ),
    Kind(
        "feedback_submissions",
        "0-19",
        "survey_responses",
        (
            Property("hs_survey_type", "survey_type", "enumeration", words.SURVEYS),
            Property("hs_value", "score", "number"),
            Property("hs_content", "comment"),
            Property("hs_submission_timestamp", "responded_at", "datetime"),
        ),
        (
            link("companies", "account_id", 928, 929),
            link("contacts", "contact_id", 98, 97),
            link("tickets", "ticket_id", 100, 99),
        ),
        where=lambda row: row["responded_at"] is not None,
    ),
    Kind(
        "facilities",
        "2-8410001",
        "facilities",
        (custom("facility_name", "name"), custom("city", "city"), custom("sales_region", "region")),
    ),
)
BY_NAME = {kind.name: kind for kind in KINDS} | {kind.type_id: kind for kind in KINDS}
#: HubSpot also takes the name of one object, as in /associations/company/contact/.
BY_NAME |= {"company": BY_NAME["companies"], "facility": BY_NAME["facilities"]}
BY_NAME |= {kind.name.removesuffix("s"): kind for kind in KINDS if kind.name not in ("companies", "facilities")}
