"""`kpi.churned_customers`, called by a real client over both transports."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud import bigquery
from google.cloud.bigquery import Client
from mcp import StdioServerParameters

from tests.include.mcp.published import AS_OF, PUBLISHED_AT, answer, call, publish

TOOL = "kpi.churned_customers"
TABLE = "marts.mart_churned_customers"

# Organization, account, plan, segment, days since the last login, CLV.
CUSTOMERS = [
    ("albion", "rich", "enterprise", "enterprise", 31, "90000.129"),
    ("albion", "richer", "growth", "enterprise", 95, "120000"),
    ("albion", "of_unknown_value", "growth", "mid_market", 40, "null"),
    ("albion", "small", "starter", "smb", 200, "900"),
    ("albion", "without_plan", "null", "smb", 50, "10"),
    ("albion", "still_active", "enterprise", "enterprise", 30, "999999"),
    ("hudson", "other", "enterprise", "enterprise", 91, "5"),
]


def customers(rows: list[tuple[str, str, str, str, int, str]] = CUSTOMERS) -> str:
    """A SELECT of accounts with these figures."""
    return " union all ".join(
        f"""select '{organization}' as organization_id, '{account}' as account_id, 'The {account}' as account_name,
        {"cast(null as string)" if plan == "null" else f"'{plan}'"} as plan_tier, '{segment}' as segment, {days} > 30 as is_churned_30d,
        {days} > 90 as is_churned_90d, cast({days}.04 as float64) as days_since_login,
        timestamp_sub(timestamp '2026-10-01', interval {days} day) as last_login_at, 'Ada' as owner_name, false as is_paying,
        cast(12.5 as numeric) as mrr_amount, cast({clv} as float64) as estimated_clv_amount, 'GBP' as reporting_currency,
        cast(77.77 as float64) as churn_risk_score, {"null" if days > 90 else "'high'"} as churn_risk_level,
        '{"without_mrr" if days > 90 else "ranked"}' as risk_level_basis, 2 as open_ticket_count"""
        for organization, account, plan, segment, days, clv in rows
    )


def accounts(found: dict[str, Any]) -> list[tuple[str, int, str]]:
    return [(row["organization_id"], row["position"], row["account_id"]) for row in found["rows"]]


@pytest.fixture(autouse=True)
def published(bq: Client) -> None:
    publish(bq, TABLE, customers())


def test_the_most_valuable_of_each_organization_come_first(stdio: StdioServerParameters, http: str) -> None:
    expected = [
        ("albion", 1, "richer"),
        ("albion", 2, "rich"),
        ("albion", 3, "small"),
        ("albion", 4, "without_plan"),
        ("albion", 5, "of_unknown_value"),
        ("hudson", 1, "other"),
    ]
    assert accounts(answer(stdio, TOOL)) == expected
    found = answer(http, TOOL)
    assert accounts(found) == expected
    assert found["row_count"] == 6
    assert found["is_truncated"] is False
    assert found["rows"][1] == {
        "organization_id": "albion",
        "position": 2,
        "customer_count": 5,
        "account_id": "rich",
        "account_name": "The rich",
        "segment": "enterprise",
        "plan_tier": "enterprise",
        "region": None,
        "owner_name": "Ada",
        "last_login_at": "2026-08-31T00:00:00Z",
        "days_since_login": 31.0,
        "is_paying": False,
        "mrr_amount": 12.5,
        "estimated_clv_amount": 90000.13,
        "reporting_currency": "GBP",
        "churn_risk_score": 77.8,
        "churn_risk_level": "high",
        "risk_level_basis": "ranked",
        "open_ticket_count": 2,
    }


def test_days_plans_segments_organization_and_limit_filter_the_rows(http: str) -> None:
    asked: list[dict[str, Any]] = [
        {"days": 90},
        {"plan_tiers": ["growth", "enterprise"]},
        {"segments": ["smb"]},
        {"plan_tiers": ["growth"], "segments": ["enterprise"]},
        {"organization_id": "hudson"},
        {"limit": 1},
        {"organization_id": "nobody' or '1' = '1"},
    ]
    results = call(http, *((TOOL, arguments) for arguments in asked))
    names = [[row["account_id"] for row in result.structured_content["rows"]] for result in results if result.structured_content]
    assert names == [
        ["richer", "small", "other"],
        ["richer", "rich", "of_unknown_value", "other"],
        ["small", "without_plan"],
        ["richer"],
        ["other"],
        ["richer", "other"],
        [],
    ]
    first = results[5].structured_content
    assert first is not None
    assert [row["customer_count"] for row in first["rows"]] == [5, 1]


def test_an_answer_contains_definition_freshness_and_query(bq: Client, http: str) -> None:
    found = answer(http, TOOL, days=90, plan_tiers=["growth"])
    assert found["definition"]["table"] == TABLE
    assert found["definition"]["description"].startswith("One row per organization and account that ever logged in")
    terms = ["**Inactive**", "**Churn risk**", "**Estimated CLV**", "**Segment**", "**Unknown figure**"]
    for term, text in zip(terms, found["definition"]["metrics"], strict=True):
        assert term in text
    assert found["definition"]["columns"]["estimated_clv_amount"].startswith("Estimated CLV: arpa_amount")
    assert "\n- The score is the same as in mart_churn_risk.\n" in found["definition"]["description"], "a list stays a list"
    assert found["definition"]["columns"]["organization_id"] == "The tenant. It is part of every key and join.", "a shared text"
    assert set(found["rows"][0]) - set(found["definition"]["columns"]) == {"position", "customer_count"}
    assert found["definition"]["owner"] == "customer_success"
    assert found["definition"]["freshness_sla"] == "daily, within 6h, medium"
    freshness = found["freshness"]
    assert freshness["as_of"] == f"{AS_OF:%FT%TZ}"
    assert freshness["published_at"] == f"{PUBLISHED_AT:%FT%TZ}"
    assert freshness["run_id"] == "run of 2026-10-01"

    query = found["query"]
    assert query["parameters"] == {"days": 90, "plan_tiers": ["growth"], "segments": [], "organization_id": None, "row_limit": 20}
    assert query["maximum_bytes_billed"] == 1024**3
    again = bigquery.QueryJobConfig(
        query_parameters=[
            bigquery.ScalarQueryParameter("days", "INT64", 90),
            bigquery.ArrayQueryParameter("plan_tiers", "STRING", ["growth"]),
            bigquery.ArrayQueryParameter("segments", "STRING", []),
            bigquery.ScalarQueryParameter("organization_id", "STRING", None),
            bigquery.ScalarQueryParameter("row_limit", "INT64", 20),
        ]
    )
    assert [row["account_id"] for row in bq.query(query["sql"], again).result()] == ["richer"]
    assert bq.get_job(query["job_id"]).query == query["sql"]


def test_rows_are_capped(bq: Client, http: str) -> None:
    bq.query(
        f"""
        insert into {TABLE} (organization_id, account_id, segment, is_churned_30d, days_since_login, last_login_at, owner_name,
            is_paying, mrr_amount, churn_risk_score, churn_risk_level, risk_level_basis, open_ticket_count)
        select concat('o', cast(mod(n, 6) as string)), cast(n as string), 'smb', true, 31.0, timestamp '2026-08-31', 'Ada',
            false, 0, 50.0, 'medium', 'ranked', 0
        from unnest(generate_array(1, 600)) as n
        """
    ).result()
    found = answer(http, TOOL, limit=100)
    assert (found["row_count"], len(found["rows"]), found["is_truncated"]) == (500, 500, True)
