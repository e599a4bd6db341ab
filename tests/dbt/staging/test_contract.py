"""Staging against the sources' contract, without a warehouse: from the files and dbt's manifest."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from include.ops.tables import table as ops_table
from include.quality.builder import gates, quarantined_in
from include.settings import ROOT
from tests.dbt.staging.contract import LINEAGE, STAGING, Staged, staged_tables

TABLES = staged_tables()
each_table = pytest.mark.parametrize("staged", TABLES, ids=lambda staged: staged.view)


@pytest.fixture(scope="module")
def nodes(manifest: Path) -> dict[str, Any]:
    return json.loads(manifest.read_text())["nodes"]


def data_tests(nodes: dict[str, Any], view: str) -> list[dict[str, Any]]:
    model = f"model.customer_intelligence.{view}"
    return [node for node in nodes.values() if node["resource_type"] == "test" and node.get("attached_node") == model]


def test_one_view_per_source_table() -> None:
    assert {path.stem for path in STAGING.rglob("stg_*.sql")} == {staged.view for staged in TABLES}
    assert len(TABLES) == 26


def test_every_view_has_its_yaml_beside_it() -> None:
    assert {path.with_suffix(".sql") for path in STAGING.rglob("stg_*.yml")} == set(STAGING.rglob("stg_*.sql"))


@each_table
def test_a_view_is_deduplicated_by_the_primary_key_of_its_source(staged: Staged) -> None:
    call = re.search(r"latest_rows\(\s*'(\w+)',\s*'(\w+)',\s*key=\[([^\]]*)\]", staged.sql)
    assert call, "the view chooses its rows otherwise than by latest_rows"
    assert call.group(1, 2) == (staged.source, staged.table)
    assert tuple(re.findall(r"\w+", call.group(3))) == staged.primary_key


@each_table
def test_a_broken_primary_key_alone_stops_the_build(staged: Staged, nodes: dict[str, Any]) -> None:
    """All else only warns, because the gate decides about it."""
    (test,) = data_tests(nodes, staged.view)
    rules = {name for name in test["test_metadata"]["kwargs"] if name != "model"}
    assert test["test_metadata"]["name"] == "rows_are_valid"
    assert rules <= {"key", "warns"}
    assert tuple(test["test_metadata"]["kwargs"]["key"]) == staged.primary_key
    assert test["config"]["severity"].lower() == "error"
    assert "critical" in test["config"]["tags"]


@each_table
def test_categories_are_listed_in_the_source_alone_and_judged_by_the_gate(staged: Staged, nodes: dict[str, Any]) -> None:
    (test,) = data_tests(nodes, staged.view)
    assert "accepted_values" not in test["test_metadata"]["kwargs"].get("warns", {})
    rules = {rule.relation for rule in gates()["staging"].rules if rule.name.startswith("known_categories_of_")}
    assert (f"staging.{staged.view}" in rules) == bool(staged.accepted)


@each_table
def test_every_column_of_the_source_is_staged(staged: Staged) -> None:
    words = set(re.findall(r"\w+", staged.sql.split("from source")[0]))
    assert set(staged.types) <= words
    assert set(LINEAGE) <= words


@each_table
def test_a_view_reads_the_quarantine_if_a_rule_can_put_its_rows_there(staged: Staged, nodes: dict[str, Any]) -> None:
    read = nodes[f"model.customer_intelligence.{staged.view}"]["depends_on"]["nodes"]
    held = staged.view in quarantined_in(gates().values())
    assert ("source.customer_intelligence.quarantine.quarantined_rows" in read) == held


@each_table
def test_a_view_is_described(staged: Staged, nodes: dict[str, Any]) -> None:
    model = nodes[f"model.customer_intelligence.{staged.view}"]
    assert model["description"].startswith("One row per ")
    assert model["config"]["materialized"] == "view"
    assert model["schema"] == "staging"
    assert all(len(column["description"]) > 5 for column in model["columns"].values())


@pytest.mark.parametrize("name", ["ops.dbt_results", "quarantine.quarantined_rows"])
def test_tables_that_dbt_creates_are_those_of_the_books(name: str) -> None:
    """dbt creates two tables where the pipeline has not run yet: column by column as include/ops defines them."""
    book = ops_table(name)
    macros = (ROOT / "dbt" / "macros" / "platform_tables.sql").read_text()
    definition = macros.split(f"'{book.name}': {{")[1].split("},")[0]
    columns = re.search(r"'columns': \[(.*?)\]", definition, re.DOTALL)
    assert columns
    expected = [f"{c.name} {c.type.lower()}{' not null' if c.required else ''}" for c in book.columns]
    assert re.findall(r"'([^']+)'", columns.group(1)) == expected
    assert f"'partition_by': '{book.partition_by}'" in definition
    assert f"'cluster_by': [{', '.join(repr(c) for c in book.cluster_by)}]" in definition
