"""The server only reads published tables, answers from one publication, and explains every refusal."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from google.cloud.bigquery import Client, QueryJobConfig
from mcp import StdioServerParameters
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel
from sqlglot import exp, parse

from include.mcp import answers, explain
from include.mcp.answers import Answer, Parameters, Question, ask
from include.mcp.churn import CHURNED_CUSTOMERS
from include.mcp.root_causes import TOP_ROOT_CAUSES
from include.settings import settings
from tests.include.mcp.published import AS_OF, PUBLISHED_AT, call, publish, record, text_of, tools
from tests.include.mcp.test_churned_customers import TABLE, customers

CHURN = "kpi.churned_customers"
CAUSES = "kpi.top_root_causes"
EXPLAIN = "kpi.explain_figure"


class Account(BaseModel):
    account_id: str


ACCOUNTS = Question(TABLE, f"select account_id from {TABLE} order by account_id", Answer[Account])


def nothing(_: object) -> Parameters:
    return {}


def test_tools_declare_that_they_only_read_and_their_parameters(stdio: StdioServerParameters, http: str) -> None:
    announced = tools(http)
    assert announced == tools(stdio)
    assert set(announced) == {CHURN, CAUSES, EXPLAIN}
    for tool in announced.values():
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint is True
        assert tool.annotations.destructive_hint is False
        assert tool.input_schema["additionalProperties"] is False
        assert set(tool.output_schema or {}) >= {"properties", "required"}
        assert tool.description
    assert announced[CHURN].input_schema["properties"]["days"]["enum"] == [30, 90]


@pytest.mark.parametrize(
    ("tool", "arguments", "reason"),
    [
        (CHURN, {"days": 31}, "days\n  Input should be 30 or 90"),
        (CHURN, {"days": "thirty"}, "days\n  Input should be 30 or 90"),
        (CHURN, {"plan_tiers": ["gold"]}, "plan_tiers.0\n  Input should be 'starter', 'growth' or 'enterprise'"),
        (CHURN, {"segments": "enterprise"}, "segments\n  Input should be a valid tuple"),
        (CHURN, {"limit": 0}, "limit\n  Input should be greater than or equal to 1"),
        (CHURN, {"limit": 101}, "limit\n  Input should be less than or equal to 100"),
        (CHURN, {"organization_id": ""}, "organization_id\n  String should have at least 1 character"),
        (CHURN, {"month": "2026-09"}, "month\n  Extra inputs are not permitted"),
        (CAUSES, {"month": "2026-13"}, "month\n  String should match pattern"),
        (CAUSES, {"month": "2026-09-01"}, "month\n  String should match pattern"),
        (CAUSES, {"category": ""}, "category\n  String should have at least 1 character"),
        (CAUSES, {"days": 30}, "days\n  Extra inputs are not permitted"),
        (EXPLAIN, {"table": TABLE, "column": "mrr_amount"}, "where\n  Field required"),
        (
            EXPLAIN,
            {"table": TABLE, "column": "mrr_amount", "where": "true", "limit": 51},
            "limit\n  Input should be less than or equal to 50",
        ),
    ],
)
def test_an_invalid_parameter_is_rejected_by_name(http: str, tool: str, arguments: dict[str, Any], reason: str) -> None:
    (result,) = call(http, (tool, arguments))
    assert result.is_error
    assert reason in text_of(result)


@pytest.mark.parametrize("question", [CHURNED_CUSTOMERS, TOP_ROOT_CAUSES], ids=lambda question: question.table)
def test_questions_are_one_select_on_one_published_table(question: Question[Any]) -> None:
    (statement,) = parse(question.sql, dialect="bigquery")
    assert isinstance(statement, exp.Select)
    assert [f"{table.db}.{table.name}" for table in statement.find_all(exp.Table)] == [question.table]
    assert question.table.split(".")[0] in {"marts", "metrics"}


def test_only_a_select_runs(bq: Client) -> None:
    publish(bq, TABLE, customers())
    with pytest.raises(ToolError, match="Only a SELECT on marts and metrics"):
        ask(Question(TABLE, f"delete from {TABLE} where true", Answer[Account]), nothing)
    assert ask(ACCOUNTS, nothing).row_count == 7


def test_only_published_datasets_are_read() -> None:
    """BigQuery reports the tables that a statement reads. The local warehouse does not."""
    plan = SimpleNamespace(statement_type="SELECT", referenced_tables=[SimpleNamespace(dataset_id="raw_crm")], result=dict)
    warehouse: Any = SimpleNamespace(query=lambda *_, **__: plan)
    with pytest.raises(ToolError, match="Only a SELECT on marts and metrics"):
        answers.check_reads_only(warehouse, "select * from raw_crm.accounts", {}, 1)


def test_an_unpublished_table_is_refused(bq: Client, http: str) -> None:
    assert "mart_churned_customers is not published" in text_of(call(http, (CHURN, {}))[0])
    assert "mart_churned_customers is not published" in text_of(
        call(http, (EXPLAIN, {"table": TABLE, "column": "mrr_amount", "where": "true"}))[0]
    )
    publish(bq, TABLE, customers())
    record(bq, TABLE, "publishing", PUBLISHED_AT + timedelta(days=1))
    assert "is being published at this moment" in text_of(call(http, (CHURN, {}))[0])


def test_a_dropped_table_is_refused(bq: Client, http: str) -> None:
    publish(bq, TABLE, customers())
    record(bq, TABLE, "dropped", PUBLISHED_AT + timedelta(days=1))
    assert "is not published" in text_of(call(http, (CHURN, {}))[0])


def test_an_answer_comes_from_one_publication(bq: Client) -> None:
    """If the table is published during the query, the query is repeated and the answer comes from the new publication."""
    publish(bq, TABLE, customers())
    as_of_times = []

    def publish_once_more(freshness: answers.Freshness) -> Parameters:
        as_of_times.append(freshness.as_of)
        if len(as_of_times) == 1:
            publish(bq, TABLE, customers([("albion", "new", "growth", "smb", 60, "1")]))
            record(bq, TABLE, "published", PUBLISHED_AT + timedelta(days=1), AS_OF + timedelta(days=1))
        return {}

    found = ask(ACCOUNTS, publish_once_more)
    assert as_of_times == [AS_OF, AS_OF + timedelta(days=1)]
    assert found.freshness.as_of == AS_OF + timedelta(days=1)
    assert [row.account_id for row in found.rows] == ["new"]


def test_a_table_that_is_published_repeatedly_is_refused(bq: Client) -> None:
    publish(bq, TABLE, customers())
    times = []

    def publish_again(freshness: answers.Freshness) -> Parameters:
        times.append(freshness.published_at)
        record(bq, TABLE, "published", freshness.published_at + timedelta(days=1))
        return {}

    with pytest.raises(ToolError, match="published repeatedly"):
        ask(ACCOUNTS, publish_again)
    assert len(times) == answers.ATTEMPTS


def test_an_explanation_comes_from_one_publication(bq: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that is published while its figure is explained would get the freshness of another publication."""
    publish(bq, TABLE, customers())

    def published_meanwhile(*_: object, **__: object) -> Any:
        record(bq, TABLE, "published", PUBLISHED_AT + timedelta(days=1))
        return SimpleNamespace(publication=SimpleNamespace(published_at=PUBLISHED_AT))

    monkeypatch.setattr(explain, "explain", published_meanwhile)
    with pytest.raises(ToolError, match=f"{TABLE} was published while it was read: try again"):
        explain.explain_figure(TABLE, "mrr_amount", "true")


@pytest.mark.parametrize(("setting", "limit"), [("", 1024**3), ("12345678", 12345678), ("9999999999", 9999999999)])
def test_every_query_has_a_byte_cap(bq: Client, monkeypatch: pytest.MonkeyPatch, setting: str, limit: int) -> None:
    publish(bq, TABLE, customers())
    if setting:
        monkeypatch.setenv("BIGQUERY_MAXIMUM_BYTES_BILLED", setting)
    settings.cache_clear()
    caps = []
    query = Client.query

    def recorded(self: Client, sql: str, config: QueryJobConfig, **options: Any) -> Any:
        caps.append(config.maximum_bytes_billed)
        return query(self, sql, config, **options)

    monkeypatch.setattr(Client, "query", recorded)
    assert ask(ACCOUNTS, nothing).query.maximum_bytes_billed == limit
    assert set(caps) == {limit}


def test_errors_of_the_warehouse_are_explained(bq: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(bq, TABLE, customers())
    with pytest.raises(ToolError, match="The warehouse refused: "):
        ask(Question(TABLE, f"select no_such_column as account_id from {TABLE}", Answer[Account]), nothing)
    monkeypatch.setattr(answers, "TIMEOUT_SECONDS", 0.2)
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:9")
    with pytest.raises(ToolError, match="The warehouse did not answer"):
        ask(ACCOUNTS, nothing)


def test_http_answers_this_machine_only(http: str) -> None:
    """A request with another host name is refused, even from this machine. This stops DNS rebinding by a web page."""
    headers = {"host": "attacker.example", "accept": "application/json"}
    assert httpx.post(http, json={}, headers=headers).status_code == 421
