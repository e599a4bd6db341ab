"""No SQL lets rows of two tenants meet, even if the tenants use the same ids."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from include.manifest import Manifest, nodes_of, published_name, read_manifest
from include.mcp.churn import CHURNED_CUSTOMERS
from include.mcp.root_causes import TOP_ROOT_CAUSES
from include.ops import TABLES as AUDIT_TABLES
from include.quality.builder import gates
from include.settings import ROOT
from tests.dbt.tenants import TENANT, carries_tenant, columns_of, crossings
from tests.warehouse import connected

#: Places at which rows of several tenants may meet, each with the reason.
ALLOWED = {
    ("int_accounts__links", "group by account_id"): "it asks whether any other organization has the account, to name the error",
    ("int_accounts__links", "without the tenant: account_id, organization_count"): "as above",
    ("stg_product__usage_events", "one group of all rows of batches"): "the first batch of the table is that of all tenants",
    ("mart_customer_health_scores", "window MAX(scored_at) partition by score_date"): "one run scores all tenants at one time",
    ("dim_contacts", "group by title"): "the seniority of a title is the same for all tenants",
    ("dim_contacts", "without the tenant: title, words"): "as above",
    ("fct_revenue_rows_are_valid", "window MAX(month) partition by nothing"): "the last month is that of the run",
    (
        "core: raw_keys_are_conformed",
        "without the tenant: has_happened, is_deleted",
    ): "it counts keys, and each key contains its tenant",
}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """The manifest with the SQL of every model, snapshot and data test."""
    target = tmp_path_factory.mktemp("compiled")
    command = [Path(sys.prefix) / "bin" / "dbt", "compile", "--quiet", "--exclude", "test_type:unit", "path:analyses"]
    folders = ["--project-dir", "dbt", "--profiles-dir", "dbt", "--target-path", target, "--log-path", target]
    with pytest.MonkeyPatch.context() as patch, connected(patch, "core"):
        done = subprocess.run([*command, *folders], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    return read_manifest(target / "manifest.json")


@pytest.fixture(scope="module")
def columns(compiled: Manifest) -> dict[str, frozenset[str]]:
    """The columns of every table, view, source and seed, by `dataset.name`."""
    found = {name: frozenset(column.name for column in table.columns) for name, table in AUDIT_TABLES.items()}
    for node in [*compiled["sources"].values(), *nodes_of(compiled, "seed", "snapshot", "model")]:
        names = set(node["columns"])
        if node["resource_type"] == "seed":
            with (ROOT / "dbt" / node["original_file_path"]).open(encoding="utf-8", newline="") as lines:
                names = set(next(csv.reader(lines)))
        name = f"{node['schema']}.{node.get('alias') or node['identifier']}"
        found[name] = found.get(name) or frozenset(names)
        found[published_name(node) if "alias" in node else name] = found[name]
    # The YAML of a clean view has no columns: they are those of its conformed view.
    for node in nodes_of(compiled, "model"):
        if not node["columns"] and node["config"]["materialized"] != "ephemeral":
            found[f"{node['schema']}.{node['alias']}"] = columns_of(node["compiled_code"], found)
    return found


def test_no_sql_joins_groups_or_ranks_rows_of_two_tenants(compiled: Manifest, columns: dict[str, frozenset[str]]) -> None:
    # dbt's own test `relationships` renames the columns that it joins. The test below judges their names.
    nodes = [
        node
        for node in nodes_of(compiled, "model", "snapshot", "test")
        if "compiled_code" in node and node.get("test_metadata", {}).get("name") != "relationships"
    ]
    queries = {node["name"]: node["compiled_code"] for node in nodes}
    rules = {f"{gate.gate}: {rule.name}": rule.rows or rule.reconcile for gate in gates().values() for rule in gate.rules}
    queries |= {name: sql for name, sql in rules.items() if sql is not None}
    queries |= {"mcp: churned_customers": CHURNED_CUSTOMERS.sql, "mcp: top_root_causes": TOP_ROOT_CAUSES.sql}
    found = {(name, place) for name, sql in queries.items() for place in crossings(sql, columns)}
    # A gate may count all rows of a table.
    found = {(name, place) for name, place in found if name not in rules or not place.startswith("one group of all rows")}
    assert len(queries) > 250
    assert found - ALLOWED.keys() == set()
    assert ALLOWED.keys() - found == set(), "these exceptions are no longer needed"


def test_every_key_contains_the_tenant(compiled: Manifest, columns: dict[str, frozenset[str]]) -> None:
    wrong: list[tuple[str, Any]] = []
    for node in nodes_of(compiled, "test"):
        rules = node.get("test_metadata", {}).get("kwargs", {})
        tested = compiled["nodes"].get(node.get("attached_node"), {})
        if TENANT not in columns.get(f"{tested.get('schema')}.{tested.get('alias')}", ()):
            continue
        if rules.get("key") and not any(map(carries_tenant, rules["key"])):
            wrong.append((node["name"], rules["key"]))
        wrong += [(node["name"], name) for name in rules.get("unique", ()) if not carries_tenant(name)]
    for node in nodes_of(compiled, "model", "snapshot"):
        key = node["config"].get("unique_key")
        parts = [key] if isinstance(key, str) else key or []
        if parts and not any(map(carries_tenant, parts)):
            wrong.append((node["name"], key))
    assert wrong == []


def test_references_to_rows_of_a_tenant_are_by_a_key_that_contains_it(
    compiled: Manifest, columns: dict[str, frozenset[str]]
) -> None:
    wrong = []
    tables = {node["name"]: f"{node['schema']}.{node['alias']}" for node in nodes_of(compiled, "model", "seed")}
    for node in nodes_of(compiled, "test"):
        rules = node.get("test_metadata", {}).get("kwargs", {})
        references = dict(rules["relationships"]) if "relationships" in rules else {}
        if node.get("test_metadata", {}).get("name") == "relationships":
            references[rules["column_name"]] = rules
        for column, parent in references.items():
            (target,) = [name for name in tables if f"'{name}'" in parent["to"]]
            if TENANT in columns[tables[target]] and not carries_tenant(parent["field"]):
                wrong.append((node["name"], column))
    assert wrong == []


TABLES = {
    "core.a": frozenset({"organization_id", "id", "a_key"}),
    "core.b": frozenset({"organization_id", "id", "a_key", "value"}),
    "core.rates": frozenset({"currency", "rate"}),
}


@pytest.mark.parametrize(
    ("sql", "place"),
    [
        ("select a.id from core.a as a inner join core.b as b on b.id = a.id", "join b on b.id = a.id"),
        ("select a.id from core.a as a left join core.b as b on b.organization_id = 'o' and b.id = a.id", "join b on"),
        ("select a.id from core.a as a cross join core.b as b", "join b on nothing"),
        ("select a.id from core.rates as r cross join core.a as a left join core.b as b on b.id = a.id", "join b on"),
        ("with c as (select * from core.b) select a.id from core.a as a left join c on c.id = a.id", "join c on"),
        (
            "with c as (select organization_id, id from core.b union all select 'o', 'i') select * from core.a as a left join c on c.id = a.id",
            "join c",
        ),
        ("select row_number() over (partition by id order by value) as n from core.b", "window ROW_NUMBER() partition by id"),
        ("select id from core.b qualify max(value) over (partition by id) = value", "window MAX(value) partition by id"),
        ("select max(value) over w as m from core.b window w as (partition by id)", "window w partition by id"),
        ("select id, count(*) as n from core.a group by id", "group by id"),
        ("select count(*) as n from core.a", "one group of all rows of a"),
        ("select id from core.a as a where exists (select 1 from core.b as b where b.id = a.id)", "exists SELECT 1"),
        ("select to_hex(md5(id)) as b_key from core.a", "b_key without organization_id"),
        ("with c as (select id from core.a) select id from c", "without the tenant: id"),
        ("with c as (select a_key, id from core.b) select * from core.a as a left join c on c.id = a.id", "join c on"),
    ],
)
def test_a_place_without_the_tenant_is_found(sql: str, place: str) -> None:
    (found,) = crossings(sql, TABLES)
    assert found.startswith(place)


@pytest.mark.parametrize(
    "sql",
    [
        "select a.id from core.a as a inner join core.b as b on b.organization_id = a.organization_id and b.id = a.id",
        "select a.id from core.a as a inner join core.b as b on b.a_key = a.a_key",
        "select a.id from core.a as a cross join core.rates as rates",
        "select row_number() over (partition by organization_id, id order by value) as n from core.b",
        "select max(value) over w as m from core.b window w as (partition by organization_id)",
        "select a_key, count(*) as n from core.a group by a_key",
        "select max(rate) as rate from core.rates",
        "select id from core.a as a where exists (select 1 from core.b as b where b.id = concat(a.organization_id, a.id) and b.a_key = a.a_key)",
        "select to_hex(md5(concat(organization_id, id))) as b_key from core.a",
    ],
)
def test_a_place_with_the_tenant_is_no_crossing(sql: str) -> None:
    assert crossings(sql, TABLES) == []
