"""Staging and conformed views on a warehouse: sound rows pass without a warning, and every data test fails on rows that break it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from include.contract import contract
from tests.dbt.conformed.conftest import AS_OF, HOSTILE_RUN_ID, DbtRun, Warehouse
from tests.dbt.conformed.contract import CLEAN, Conformed, conformed_views
from tests.dbt.conformed.raw import append_rows

VIEWS = conformed_views()
UNFED = [name for name, entity in contract().items() if entity.optional]
CLEAN_VIEWS = len(list(CLEAN.glob("*.sql")))
TEXT = "'nonsense'"
EARLY, LATE = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"

# The values of a broken row by column type, and other values where a table needs them to break a rule.
BROKEN_BY_TYPE = {
    "string": "nonsense",
    "integer": "-1",
    "decimal": "-1",
    "boolean": "false",
    "timestamp": EARLY,
    "date": "2026-01-01",
    "time": "09:00",
    "json": "[1]",
}
BROKEN: dict[str, dict[str, str]] = {
    "conformed_accounts": {"parent_account_id": "particular", "merged_into_account_id": "particular"},
    "conformed_products": {"unit_cost": "1"},
    "conformed_leads": {"created_at": LATE},
    "conformed_deals": {"created_at": LATE},
    "conformed_outreach": {"sent_at": LATE},
    "conformed_orders": {"ordered_at": LATE, "shipped_at": LATE},
    "conformed_subscriptions": {"started_at": LATE},
    "conformed_tickets": {"created_at": LATE, "status": "resolved"},
    "conformed_survey_responses": {"survey_type": "csat", "score": "-1"},
    "conformed_sla_policies": {"first_response_minutes": "0", "resolution_minutes": "-1"},
}


def test_a_healthy_build_passes_without_a_warning(healthy_build: DbtRun) -> None:
    assert healthy_build.code == 0, healthy_build.output
    assert set(healthy_build.statuses("model").values()) == {"success"}
    assert set(healthy_build.statuses("test", "unit_test").values()) == {"pass"}, healthy_build.output
    versions = len([view for view in VIEWS if view.versions])
    assert len(healthy_build.statuses("model")) == 2 * len(VIEWS) + versions + CLEAN_VIEWS + len(UNFED)
    assert len(healthy_build.statuses("test")) == len(VIEWS) + CLEAN_VIEWS + len(UNFED)


def test_views_show_the_documented_columns_in_order(warehouse: Warehouse, healthy_build: DbtRun) -> None:
    from include.warehouse import client

    bq = client()
    for view in VIEWS:
        documented = [column["name"] for column in _model(view)["columns"]]
        assert [field.name for field in bq.get_table(f"conformed.{view.view}").schema] == documented, view.view


def test_results_are_recorded_whatever_the_run_id_contains(warehouse: Warehouse, healthy_build: DbtRun) -> None:
    rows = warehouse.query(f"select * from ops.dbt_results where invocation_id = '{healthy_build.invocation_id}'")
    nodes = {key for key in healthy_build.results if not key.startswith("operation.")}
    assert {row["node_id"] for row in rows if not row["node_id"].startswith("operation.")} == nodes
    assert {row["run_id"] for row in rows} == {HOSTILE_RUN_ID}
    assert {row["as_of"].isoformat() for row in rows} == {f"{AS_OF}T00:00:00+00:00"}
    built = [row for row in rows if row["resource_type"] in {"model", "test", "unit_test"}]
    assert {row["layer"] for row in built} == {"staging", "conformed", "intermediate"}
    assert {row["status"] for row in built if row["resource_type"] == "model"} == {"success"}
    assert all(row["execution_seconds"] >= 0 for row in built)


def test_a_broken_rule_other_than_the_key_only_warns(warehouse: Warehouse, healthy_build: DbtRun) -> None:
    from include.warehouse import client

    accounts = next(view for view in VIEWS if view.view == "conformed_accounts")
    append_rows(client(), accounts, [{"organization_id": "a", "account_id": "bare", "employee_count": -1, "updated_at": EARLY}])
    run = warehouse.dbt("test", "--exclude-resource-type", "unit_test")
    warned = {name.split(".")[2] for name, status in run.statuses("test").items() if status == "warn"}
    assert (run.code, warned) == (0, {"conformed_accounts_rows_are_valid"})
    assert set(run.statuses("test").values()) == {"pass", "warn"}


def test_what_happens_at_the_as_of_time_is_not_seen(warehouse: Warehouse, healthy_build: DbtRun) -> None:
    """Each table of events gets a row just before the as-of time, one at it, and one that was moved from before it to it."""
    from include.warehouse import client

    bq = client()
    before, at = "2026-09-30T23:59:59.999999Z", f"{AS_OF}T00:00:00Z"
    events = [view for view in VIEWS if view.happens_at]
    assert len(events) == 10
    for view in events:
        *_, key = view.primary_key
        happens_at = str(view.happens_at)
        rows = (("seen", before, EARLY), ("at_as_of", at, EARLY), ("moved", before, EARLY), ("moved", at, LATE))
        append_rows(
            bq,
            view,
            [{"organization_id": "a", key: name, happens_at: when, "updated_at": written} for name, when, written in rows],
        )
        added = f"from {{}}.{{}} where {key} in ('seen', 'at_as_of', 'moved')"
        found = warehouse.query(f"select {key} as added " + added.format("conformed", view.view))
        warehouse.query("delete " + added.format(view.dataset, view.table))
        assert found == [{"added": "seen"}], view.view


@pytest.fixture
def broken(warehouse: Warehouse, healthy_build: DbtRun) -> Iterator[None]:
    """Every raw table has a row of NULLs and rows that break every rule. Every view has each row twice, also one that no source feeds.

    Only a replaced view can repeat a key, because the macro `latest_rows` removes repeated keys.
    """
    from include.warehouse import client

    bq = client()
    bq.create_dataset("broken", exists_ok=True)
    for view in VIEWS:
        wrong = {name: BROKEN_BY_TYPE[kind] for name, kind in view.types.items()}
        rows = [{}, wrong]
        if view.view in BROKEN:
            texts = [name for name in view.primary_key if view.types[name] == "string"]
            rows.append(wrong | dict.fromkeys(texts, "particular") | BROKEN[view.view])
        append_rows(bq, view, rows)
        warehouse.query(f"create or replace table broken.{view.view} as select * from conformed.{view.view}")
        twice = f"select * from broken.{view.view} union all select * from broken.{view.view}"
        warehouse.query(f"create or replace view conformed.{view.view} as {twice}")
    for name in UNFED:
        fields = bq.get_table(f"conformed.conformed_{name}").schema
        absent = ", ".join(f"cast(null as {field.field_type}) as {field.name}" for field in fields)
        unknown = ", ".join(f"cast({TEXT if field.field_type == 'STRING' else 'null'} as {field.field_type})" for field in fields)
        rows = f"select {absent} union all select {absent} union all select {unknown}"
        warehouse.query(f"create or replace view conformed.conformed_{name} as {rows}")
    yield


@pytest.mark.usefixtures("broken")
def test_every_data_test_can_fail(warehouse: Warehouse) -> None:
    run = warehouse.dbt("test", "--exclude-resource-type", "unit_test")
    statuses = run.statuses("test")
    warning = {name for name, status in statuses.items() if status == "warn"}
    assert set(statuses.values()) == {"fail", "warn"}
    assert {name.split(".")[2].partition("_")[0] for name in warning} == {"clean"}
    assert len(warning) == CLEAN_VIEWS
    unbroken = {name: unbroken_rules(warehouse, name.split(".")[2]) for name in statuses}
    assert len(unbroken) == len(VIEWS) + CLEAN_VIEWS + len(UNFED)
    assert {name: rules for name, rules in unbroken.items() if rules} == {}
    recorded = warehouse.query(
        "select status, min(rows_affected) as fewest, max(length(message)) as longest from ops.dbt_results "
        f"where invocation_id = '{run.invocation_id}' and resource_type = 'test' group by status"
    )
    assert {row["status"] for row in recorded} == {"fail", "warn"}
    assert all(row["fewest"] >= 1 and 0 < row["longest"] <= 1000 for row in recorded)


def _model(view: Conformed) -> dict[str, Any]:
    return yaml.safe_load(view.path.with_suffix(".yml").read_text())["models"][0]


def unbroken_rules(warehouse: Warehouse, test: str) -> set[str]:
    """The rules of a test that no row of its view breaks."""
    (compiled,) = (warehouse.target / "compiled").rglob(f"{test}.sql")
    sql = compiled.read_text()
    rules = set(re.findall(r"'((?:[^'\\]|\\.)+); ', ''\)", sql))
    assert rules
    broken = warehouse.query(f"select distinct concat(broken_rules, warned_rules) as names from ({sql}) as failing")
    return {rule.replace("\\'", "'") for rule in rules} - {rule for row in broken for rule in row["names"].split("; ")}


def test_dbt_measures_the_freshness_of_a_source_by_its_last_load(warehouse: Warehouse) -> None:
    """The age of a source's newest row does not count, and each table is measured by itself."""
    from include import ops

    now = datetime.now(UTC)
    ages = {"crm.accounts": (1, 60), "support.tickets": (30,), "billing.invoices": (60,)}
    loads = [
        {"batch_id": f"{table}@{hours}", "source": source, "table_name": name, "loaded_at": now - timedelta(hours=hours)}
        | dict.fromkeys(("rows_loaded", "rows_deleted", "rows_rejected"), 0)
        for table, hours_since in ages.items()
        for source, name in [table.split(".")]
        for hours in hours_since
    ]
    ops.append("ops.loads", loads)
    expected = {"crm.accounts": "pass", "support.tickets": "warn", "billing.invoices": "error"}
    assert warehouse.freshness(*ages) == expected
