"""int_organizations__recorded: the kinds of rows that an organization has at all."""

from __future__ import annotations

from collections.abc import Mapping

from tests.recompute.sources import Row, SourceData, model

#: Column → the table of the source that has the rows.
KINDS = {
    "has_contacts": "contacts",
    "has_subscriptions": "subscriptions",
    "has_invoices": "invoices",
    "has_orders": "orders",
    "has_deals": "deals",
    "has_leads": "leads",
    "has_outreach": "outreach",
    "has_activities": "activities",
    "has_usage": "usage_events",
    "has_tickets": "tickets",
    "has_surveys": "survey_responses",
    "has_compliance_checks": "compliance_checks",
}


@model
def int_organizations__recorded(sources: SourceData) -> list[Row]:
    """The rows of int_organizations__recorded."""
    dated = [check for check in sources["compliance_checks"] if check["due_at"] is not None]
    rows = {kind: dated if table == "compliance_checks" else sources[table] for kind, table in KINDS.items()}
    tenants = {kind: {row["organization_id"] for row in found} for kind, found in rows.items()}
    return [
        {"organization_id": organization["organization_id"]}
        | {kind: organization["organization_id"] in found for kind, found in tenants.items()}
        for organization in sources["organizations"]
    ]


def recorded(sources: SourceData) -> Mapping[str, Row]:
    """The row of each organization."""
    return {row["organization_id"]: row for row in int_organizations__recorded(sources)}
