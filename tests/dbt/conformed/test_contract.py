"""Staging and conformed views meet the contract, as its files and dbt's manifest show. No warehouse runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.contract import contract
from include.manifest import read_manifest
from include.ops.tables import table as ops_table
from include.quality.builder import gates
from include.quality.clean_views import clean_view, quarantine_rules
from include.settings import ROOT
from tests.dbt.conformed.contract import CONFORMED, LINEAGE, STAGING, Conformed, conformed_views

VIEWS = conformed_views()
each_view = pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.view)


@pytest.fixture(scope="module")
def nodes(manifest: Path) -> dict[str, Any]:
    return read_manifest(manifest)["nodes"]


def data_tests(nodes: dict[str, Any], name: str) -> list[dict[str, Any]]:
    model = f"model.customer_intelligence.{name}"
    return [node for node in nodes.values() if node["resource_type"] == "test" and node.get("attached_node") == model]


def test_one_view_per_entity_in_the_folder_of_its_domain() -> None:
    files = {f"{path.parent.name}/{path.stem}" for path in CONFORMED.rglob("conformed_*.sql")}
    folder = ROOT / "include" / "contract"
    domains = {path.stem: yaml.safe_load(path.read_text()) for path in folder.glob("*.yml")}
    assert files == {f"{domain}/conformed_{entity}" for domain, entities in domains.items() for entity in entities}
    assert {view.table for view in VIEWS} == {name for name, entity in contract().items() if not entity.optional}
    assert len(VIEWS) == 27


def test_one_staging_view_per_raw_table_that_feeds_an_entity() -> None:
    versions = {view.versions for view in VIEWS if view.versions}
    assert {path.stem for path in STAGING.rglob("stg_*.sql")} == {view.staging for view in VIEWS} | versions


def test_every_view_has_its_yaml_beside_it() -> None:
    assert {path.with_suffix(".sql") for path in CONFORMED.rglob("conformed_*.yml")} == set(CONFORMED.rglob("conformed_*.sql"))


@each_view
def test_a_view_unites_the_staging_views_of_its_entity(view: Conformed, nodes: dict[str, Any]) -> None:
    assert re.findall(r"unite\('(\w+)'", view.path.read_text()) == [view.table]
    assert nodes[f"model.customer_intelligence.{view.view}"]["depends_on"]["nodes"] == [
        f"model.customer_intelligence.{view.staging}"
    ]


@each_view
def test_only_a_broken_primary_key_stops_the_build(view: Conformed, nodes: dict[str, Any]) -> None:
    """All other rules only warn, because the gate decides about them. They are tested on the clean view, if there is one."""
    (test,) = data_tests(nodes, view.view)
    rules = {name for name in test["test_metadata"]["kwargs"] if name != "model"}
    assert test["test_metadata"]["name"] == "rows_are_valid"
    clean = data_tests(nodes, clean_view(view.view))
    assert rules <= ({"key"} if clean else {"key", "warns"})
    assert all(set(test["test_metadata"]["kwargs"]) == {"model", "warns"} for test in clean)
    assert tuple(test["test_metadata"]["kwargs"]["key"]) == view.primary_key
    assert test["config"]["severity"].lower() == "error"
    assert "critical" in test["config"]["tags"]


@each_view
def test_accepted_values_are_listed_only_in_the_contract_and_checked_by_the_gate(view: Conformed, nodes: dict[str, Any]) -> None:
    for test in [*data_tests(nodes, view.view), *data_tests(nodes, clean_view(view.view))]:
        assert "accepted_values" not in test["test_metadata"]["kwargs"].get("warns", {})
    rules = {rule.relation for rule in gates()["conformed"].rules if rule.name.startswith("known_categories_of_")}
    assert (f"conformed.{view.view}" in rules) == bool(view.accepted)


@each_view
def test_every_column_of_the_contract_is_read(view: Conformed) -> None:
    words = set(re.findall(r"\w+", view.path.read_text().split("from source")[0]))
    assert set(view.types) <= words
    assert set(LINEAGE) <= words


#: The other times of a row. A view shows the row before them. Models compare them with as_of where they count, or they may lie ahead.
LATER = {
    "leads": {"sql_at", "opportunity_at", "closed_at"},
    "deals": {"closed_at"},
    "activities": {"due_at", "completed_at"},
    "outreach": {"responded_at", "converted_at"},
    "orders": {"shipped_at", "delivered_at"},
    "compliance_checks": {"due_at", "completed_at"},
    "subscriptions": {"started_at", "trial_ends_at", "current_period_end", "paused_at", "cancelled_at", "ended_at"},
    "invoices": {"due_at", "paid_at", "period_start", "period_end"},
    "tickets": {"first_responded_at", "resolved_at"},
    "ticket_sla_events": {"breached_at", "fulfilled_at"},
    "survey_responses": {"responded_at"},
}
#: Things that exist, unlike events. Their created_at places no figure in time.
ENTITIES = {"organizations", "facilities", "users", "accounts", "contacts", "products"}


@each_view
def test_every_time_of_a_source_is_compared_with_as_of(view: Conformed) -> None:
    """A new time is the table's `happens_at`, or stands in one of the lists above."""
    times = {name for name, kind in view.types.items() if kind == "timestamp"} - {"updated_at"}
    known = LATER.get(view.table, set()) | ({"created_at"} if view.table in ENTITIES else set())
    assert times - known == ({view.happens_at} if view.happens_at else times & {"occurred_at"})


@each_view
def test_a_view_shows_its_rows_in_quarantine_and_its_clean_view_leaves_them_out(view: Conformed, nodes: dict[str, Any]) -> None:
    quarantined_rows = "source.customer_intelligence.quarantine.quarantined_rows"
    key = f"model.customer_intelligence.{view.view}"
    clean = nodes.get(f"model.customer_intelligence.{clean_view(view.view)}")
    assert quarantined_rows not in nodes[key]["depends_on"]["nodes"]
    assert (clean is not None) == (view.view in quarantine_rules(gates().values()))
    if clean is not None:
        assert set(clean["depends_on"]["nodes"]) == {key, quarantined_rows}
        assert (clean["schema"], clean["config"]["materialized"]) == ("core", "view")
        assert clean["description"].startswith("One row per ")


@each_view
def test_a_view_is_described(view: Conformed, nodes: dict[str, Any]) -> None:
    model = nodes[f"model.customer_intelligence.{view.view}"]
    assert model["description"].startswith("One row per ")
    assert model["config"]["materialized"] == "view"
    assert model["schema"] == "conformed"
    assert all(len(column["description"]) > 5 for column in model["columns"].values())


@pytest.mark.parametrize("name", ["ops.dbt_results", "quarantine.quarantined_rows"])
def test_dbt_creates_audit_tables_as_they_are_defined(name: str) -> None:
    """Before the pipeline's first run, dbt creates two tables. Their columns are those that include/ops defines."""
    table = ops_table(name)
    macros = (ROOT / "dbt" / "macros" / "platform_tables.sql").read_text()
    definition = macros.split(f"'{table.name}': {{")[1].split("},")[0]
    columns = re.search(r"'columns': \[(.*?)\]", definition, re.DOTALL)
    assert columns
    expected = [f"{c.name} {c.type.lower()}{' not null' if c.required else ''}" for c in table.columns]
    assert re.findall(r"'([^']+)'", columns.group(1)) == expected
    assert f"'partition_by': '{table.partition_by}'" in definition
    assert f"'cluster_by': [{', '.join(repr(c) for c in table.cluster_by)}]" in definition
