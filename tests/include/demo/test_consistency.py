"""A generated company follows the source contract: categories, references, sums and the order of timestamps."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from include.demo import Company
from include.demo.schema import TABLES

CATEGORIES: dict[tuple[str, str], str] = {
    ("users", "role"): "sales_rep csm support_agent manager",
    ("accounts", "account_type"): "customer prospect",
    ("accounts", "status"): "active churned inactive",
    ("accounts", "plan_tier"): "starter growth enterprise",
    ("contacts", "status"): "active unsubscribed bounced",
    ("contacts", "income_segment"): "low medium high",
    ("leads", "stage"): "lead sql opportunity won lost",
    ("deals", "stage"): "prospecting qualification proposal negotiation closed_won closed_lost",
    ("deal_stage_history", "to_stage"): "prospecting qualification proposal negotiation closed_won closed_lost",
    ("activities", "activity_type"): "call email meeting note task",
    ("activities", "status"): "planned completed cancelled",
    ("activities", "outcome"): "positive neutral negative no_answer",
    ("outreach", "channel"): "email phone social event chat",
    ("orders", "status"): "pending confirmed shipped delivered cancelled refunded",
    ("compliance_checks", "status"): "pending passed failed waived",
    ("subscriptions", "plan_tier"): "starter growth enterprise",
    ("subscriptions", "billing_interval"): "week month quarter year",
    ("subscriptions", "status"): "trialing active past_due paused cancelled",
    ("invoices", "status"): "draft open paid void uncollectible",
    ("tickets", "channel"): "email chat phone social web app",
    ("tickets", "priority"): "critical high medium low",
    ("tickets", "status"): "open pending on_hold escalated resolved closed",
    ("ticket_priority_changes", "to_priority"): "critical high medium low",
    ("root_causes", "severity"): "low medium high critical",
    ("survey_responses", "survey_type"): "csat nps",
    ("usage_events", "event_category"): "core collaboration reporting integration administration",
    ("sla_policies", "clock"): "calendar business",
}
REFERENCES = {
    "organization_id": "organizations",
    "facility_id": "facilities",
    "account_id": "accounts",
    "parent_account_id": "accounts",
    "merged_into_account_id": "accounts",
    "contact_id": "contacts",
    "product_id": "products",
    "lead_id": "leads",
    "deal_id": "deals",
    "order_id": "orders",
    "subscription_id": "subscriptions",
    "replaces_subscription_id": "subscriptions",
    "ticket_id": "tickets",
    "category_id": "ticket_categories",
    "root_cause_id": "root_causes",
    "owner_user_id": "users",
    "rep_user_id": "users",
    "changed_by_user_id": "users",
    "assignee_user_id": "users",
}


@pytest.fixture(scope="module")
def rows(company: Company) -> dict[str, list[dict[str, Any]]]:
    """All rows by table."""
    return {name: table.to_pylist() for name, table in company.tables.items()}


def test_columns_keys_and_nulls_follow_the_schema(company: Company) -> None:
    for table in TABLES.values():
        data = company.tables[table.name]
        assert data.column_names == [column.name for column in table.columns]
        for column in table.columns:
            assert not column.required or data[column.name].null_count == 0, f"{table.name}.{column.name}"
        assert len({tuple(row[name] for name in table.key) for row in data.to_pylist()}) == data.num_rows > 0


def test_categories_have_exactly_the_listed_values(company: Company) -> None:
    for (table, column), listed in CATEGORIES.items():
        found = set(company.tables[table][column].to_pylist()) - {None}
        assert found <= set(listed.split()), f"{table}.{column}"
        # Short-lived states may be missing at a given as-of time.
        short = {"draft", "pending", "escalated", "on_hold", "shipped", "confirmed", "paused", "trialing", "waived", "past_due"}
        assert found | short >= set(listed.split()), f"{table}.{column} lacks {set(listed.split()) - found}"


def test_references_resolve_except_for_the_labelled_orphans(company: Company, rows: dict[str, list[dict[str, Any]]]) -> None:
    keys = {name: {row[table.id] for row in rows[name]} for name, table in TABLES.items() if table.system != "reference"}
    orphans = set()
    for table in TABLES.values():
        for column in table.columns:
            target = REFERENCES.get(column.name)
            if target is None or (target == table.name and column.name == table.id):
                continue
            for row in rows[table.name]:
                if row[column.name] is not None and row[column.name] not in keys[target]:
                    orphans.add((table.name, row[table.id]))
    assert orphans == {(case.table, case.key) for case in company.cases if case.title == "orphan foreign key"}
    assert len(orphans) == 2


def test_orders_add_up(rows: dict[str, list[dict[str, Any]]]) -> None:
    lines: dict[str, Decimal] = defaultdict(Decimal)
    for item in rows["order_items"]:
        assert item["line_amount"] == item["quantity"] * item["unit_price"] - item["discount_amount"]
        lines[item["order_id"]] += item["line_amount"]
    for order in rows["orders"]:
        assert order["subtotal_amount"] == lines[order["order_id"]]
        total = order["subtotal_amount"] - order["discount_amount"] + order["tax_amount"] + order["shipping_amount"]
        assert order["total_amount"] == total


def test_imported_orders_have_the_shape_of_2019_to_2022(rows: dict[str, list[dict[str, Any]]]) -> None:
    years: dict[int, int] = defaultdict(int)
    for order in rows["orders"]:
        years[order["ordered_at"].year] += 1
    assert years[2020] == pytest.approx(2.29 * years[2019], rel=0.05)
    assert years[2021] == pytest.approx(0.65 * years[2020], rel=0.05)
    assert 0 < years[2022] < years[2019] / 10
    assert years[2025] > years[2024] > years[2023]


def test_a_replacement_begins_where_the_replaced_ended(rows: dict[str, list[dict[str, Any]]]) -> None:
    by_key = {row["subscription_id"]: row for row in rows["subscriptions"]}
    replaced = [row for row in rows["subscriptions"] if row["replaces_subscription_id"]]
    assert len(replaced) > 20
    for row in replaced:
        former = by_key[row["replaces_subscription_id"]]
        assert former["ended_at"] == row["started_at"]
        assert former["account_id"] == row["account_id"]
    for row in rows["subscriptions"]:
        assert (row["status"] == "cancelled") == (row["ended_at"] is not None)
        assert row["ended_at"] is None or row["ended_at"] > row["started_at"]


def test_no_timestamp_is_after_as_of_or_updated_at(rows: dict[str, list[dict[str, Any]]]) -> None:
    as_of = datetime(2026, 10, 1, tzinfo=UTC)
    planned = {"due_at", "trial_ends_at", "current_period_end", "period_end"}
    for name, table in TABLES.items():
        moments = [column.name for column in table.columns if column.type == "timestamp" and column.name not in planned]
        for row in rows[name]:
            for moment in moments:
                if row[moment] is not None:
                    assert row[moment] < as_of, f"{name}.{moment}"
                    assert row[moment] <= row.get("updated_at", as_of), f"{name}.{moment}"


def test_ticket_timestamps_are_in_order(rows: dict[str, list[dict[str, Any]]]) -> None:
    for ticket in rows["tickets"]:
        assert ticket["first_responded_at"] is None or ticket["first_responded_at"] > ticket["created_at"]
        assert ticket["resolved_at"] is None or ticket["resolved_at"] > ticket["created_at"]
        assert (ticket["resolved_at"] is not None) == (ticket["status"] in ("resolved", "closed"))


def test_deals_follow_their_history(rows: dict[str, list[dict[str, Any]]]) -> None:
    history: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for change in sorted(rows["deal_stage_history"], key=lambda row: (row["changed_at"], row["history_id"])):
        history[change["deal_id"]].append(change)
    assert any(deal["deal_id"] not in history for deal in rows["deals"])
    for deal in rows["deals"]:
        changes = history[deal["deal_id"]]
        assert deal["stage"] == (changes[-1]["to_stage"] if changes else "prospecting")
        for former, latter in pairwise(changes):
            assert latter["from_stage"] == former["to_stage"]


def test_lead_timestamps_are_in_order(rows: dict[str, list[dict[str, Any]]]) -> None:
    for lead in rows["leads"]:
        reached = [lead[name] for name in ("created_at", "sql_at", "opportunity_at", "closed_at") if lead[name] is not None]
        assert reached == sorted(reached)
        assert (lead["closed_at"] is not None) == (lead["stage"] in ("won", "lost"))


def test_there_are_no_rates_at_weekends(rows: dict[str, list[dict[str, Any]]]) -> None:
    assert {row["rate_date"].weekday() for row in rows["fx_rates"]} == {0, 1, 2, 3, 4}
    assert {row["currency"] for row in rows["fx_rates"]} >= {"USD", "EUR", "GBP"}


def test_keys_have_the_format_of_their_system(rows: dict[str, list[dict[str, Any]]]) -> None:
    uuid = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}")
    assert all(uuid.fullmatch(row["account_id"]) for row in rows["accounts"])
    assert all(re.fullmatch(r"sub_[0-9a-f]{16}", row["subscription_id"]) for row in rows["subscriptions"])
