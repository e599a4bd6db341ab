"""A second CRM feeds accounts and deals, and no system feeds the SLA events of tickets: every view, model and gate holds."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import pytest
import yaml
from sqlglot import parse_one

from include.contract import contract
from include.explain.evidence import Part
from include.explain.project import Project as Compiled
from include.explain.queries import Queries
from include.explain.raw import raw_parts
from include.quality.builder import gates
from include.quality.derived import core_rules
from include.quality.render import render
from include.restatements import load_figures
from include.restatements.evidence import Publication, changed_rows
from include.settings import ROOT, settings
from include.sources import load_sources
from include.sources.dbt_sources import WAREHOUSE_TYPES
from include.sources.generated import write
from include.warehouse import execute
from tests.dbt.conformed.contract import conformed_views
from tests.dbt.conformed.copies import AS_OF, Project, copy_dbt
from tests.dbt.conformed.raw import append_rows, create_raw_table
from tests.google.report import MAX_SCANS
from tests.warehouse import connected, rows

EARLY = "2026-01-01T00:00:00Z"
BOUGHT_TIMES = ("created_at", "modified_at")
SECOND = {
    "description": "The CRM of a company that was bought.",
    "owner": "sales_operations",
    "tier": "high",
    "connection": "bought",
    "freshness": {"warn_after": "26h", "error_after": "50h"},
    "reader": {"type": "sql", "schema": "public"},
    "defaults": {"cursor": "updated_at", "overlap": "24h"},
    "id_prefix": "b_",
    "tables": {
        "companies": {
            "entity": "accounts",
            "table": "Company",
            "cursor": "ModifiedAt",
            "deleted_when": "IsDeleted",
            "columns": {
                "account_id": "Id",
                "organization_id": {"value": "o"},
                "name": "Name",
                "status": {"from": "State", "values": {"Live": "active", "Gone": "churned"}},
                "created_at": "CreatedAt",
                "updated_at": "ModifiedAt",
                "annual_revenue": {"from": "Revenue", "unit": "minor", "currency": "Currency"},
                "currency": "Currency",
            },
        },
        "deals": {},
    },
}
LACKING = "ticket_sla_events"
DATASETS = ("staging", "conformed", "core")
MODELS = ("+conformed_accounts", "+conformed_deals", "+conformed_organizations", f"conformed_{LACKING}")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    home = tmp_path_factory.mktemp("systems")
    sources = home / "sources"
    sources.mkdir()
    for path in (ROOT / "include" / "sources").glob("*.yml"):
        shutil.copy(path, sources)
    (sources / "bought.yml").write_text(yaml.safe_dump(SECOND))
    support = yaml.safe_load((sources / "support.yml").read_text())
    del support["tables"][LACKING]
    (sources / "support.yml").write_text(yaml.safe_dump(support))
    copy_dbt(home / "dbt", sources)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLATFORM_SOURCES_DIR", str(sources))
        patch.setenv("PLATFORM_DBT_DIR", str(home / "dbt"))
        with connected(patch, *DATASETS) as bq:
            yield Project(home / "dbt", bq)
    settings.cache_clear()


@pytest.fixture(scope="module")
def built(project: Project) -> Project:
    """The views of accounts and deals, with a row of each entity in each CRM, and one that the second CRM has deleted."""
    tables = {(view.source, view.table): view for view in conformed_views(settings().sources_dir)}
    for view in tables.values():
        create_raw_table(project.bq, view)
    given = {
        ("crm", "organizations"): [{"organization_id": "o"}],
        ("crm", "accounts"): [{"account_id": "a1", "name": " First ", "status": "Active"}],
        ("bought", "companies"): [
            {"id": "a1", "name": "Second ", "state": "Live", "revenue": "1250", "currency": "EUR"}
            | dict.fromkeys(BOUGHT_TIMES, EARLY),
            {"id": "a2", "name": "Third", "is_deleted": "true"} | dict.fromkeys(BOUGHT_TIMES, EARLY),
        ],
        ("crm", "deals"): [{"deal_id": "d1", "account_id": "a1", "stage": "Closed Won"}],
        ("bought", "deals"): [{"deal_id": "d1", "account_id": "a1", "stage": "closedlost"}],
    }
    for name, found in given.items():
        append_rows(
            project.bq, tables[name], [{"organization_id": "o", "updated_at": EARLY, "created_at": EARLY} | row for row in found]
        )
    # The golden case of SLA events gives rows of a view that this company lacks.
    done = project.dbt("build", "--select", *MODELS, "--exclude", "sla_metrics_of_other_help_desks")
    assert done.returncode == 0, done.stdout[-4000:]
    return project


def test_conformed_views_have_the_rows_of_both_systems_cleaned_alike(built: Project) -> None:
    assert rows(
        "select source_system, account_id, account_name, status from conformed.conformed_accounts order by 2", built.bq
    ) == [
        ("crm", "a1", "First", "active"),
        ("bought", "b_a1", "Second", "active"),
    ]
    assert rows("select source_system, deal_id, account_id, stage from conformed.conformed_deals order by 2 desc", built.bq) == [
        ("crm", "d1", "a1", "closed_won"),
        ("bought", "b_d1", "b_a1", "closed_lost"),
    ]


def test_an_entity_that_no_system_feeds_is_an_empty_view_of_the_right_types(built: Project) -> None:
    view = built.bq.get_table(f"conformed.conformed_{LACKING}")
    types = {field.name: field.to_standard_sql().type.type_kind.name for field in view.schema}
    declared = {name: WAREHOUSE_TYPES[column.type] for name, column in contract()[LACKING].columns.items()}
    assert {name: types[name] for name in declared} == declared
    assert rows(f"select count(*) from conformed.conformed_{LACKING}", built.bq) == [(0,)]


def test_golden_cases_hold_whatever_systems_a_company_adds(built: Project) -> None:
    results = json.loads((built.folder / "target" / "run_results.json").read_text())["results"]
    cases = [result["unique_id"] for result in results if result["unique_id"].startswith("unit_test")]
    assert any("conformed_deals" in case for case in cases)


def test_the_gate_balances_the_keys_of_both_systems(built: Project) -> None:
    """A run that loads the deals of one CRM only compares nothing: the view shows the other's rows too."""
    sources = load_sources()
    crm, bought = sources["crm"].only(["accounts", "deals"]), sources["bought"]
    (rule,) = core_rules({"crm": crm, "bought": bought}, [])
    found = execute(str(rule.reconcile), {"as_of": datetime.fromisoformat(AS_OF).replace(tzinfo=UTC)}, built.bq).result()
    assert {row["part"]: (row["left_value"], row["right_value"]) for row in found} == {
        "conformed_accounts": (3, 3),
        "conformed_deals": (2, 2),
    }
    assert core_rules({"crm": crm}, []) == [] and core_rules({"bought": bought.only(["deals"])}, []) == []


def test_evidence_of_a_restatement_names_the_rows_of_both_systems(built: Project) -> None:
    before = Publication("before", datetime(2026, 9, 30, tzinfo=UTC), datetime(2026, 9, 30, 3, tzinfo=UTC), None)
    (found,) = changed_rows(load_figures(), ["accounts"], [date(2026, 9, 1)], datetime(2026, 10, 1, tzinfo=UTC), before, built.bq)
    assert (found["reason"], found["row_count"], found["first_rows"]) == ("late arrival", 2, ["o|a1", "o|b_a1"])


def test_the_raw_rows_behind_a_row_are_those_of_its_system(built: Project) -> None:
    done = built.dbt("compile", "--no-populate-cache", "--select", "+conformed_accounts")
    assert done.returncode == 0, done.stdout[-4000:]
    compiled = Compiled(built.manifest)
    part = Part(
        compiled.relations["conformed.conformed_accounts"], parse_one("account_id in ('a1', 'b_a1')"), frozenset({"status"})
    )
    found = {raw.table: rows(raw.sql, built.bq) for raw in raw_parts(compiled, [part], "o", Queries(built.bq, 1024**3))}
    assert {table: len(behind) for table, behind in found.items()} == {"raw_crm.accounts": 1, "raw_bought.companies": 1}


def test_a_system_may_take_the_place_of_another(built: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the first CRM, the second one feeds accounts and deals alone, and nobody feeds orders."""
    dbt, sources = tmp_path / "dbt", tmp_path / "sources"
    shutil.copytree(built.folder, dbt, ignore=shutil.ignore_patterns("target", "logs"))
    shutil.copytree(settings().sources_dir, sources)
    (sources / "crm.yml").unlink()
    replaced = yaml.safe_load((sources / "bought.yml").read_text())
    replaced["tables"]["organizations"] = {}
    (sources / "bought.yml").write_text(yaml.safe_dump(replaced))
    write(load_sources(sources), dbt)
    monkeypatch.setenv("DBT_GOLDEN_CASES", "0")
    done = Project(dbt, built.bq).dbt("parse")
    assert done.returncode == 0, done.stdout[-4000:]
    nodes = Project(dbt, built.bq).manifest["nodes"]
    read = {name: nodes[f"model.customer_intelligence.conformed_{name}"]["depends_on"]["nodes"] for name in ("deals", "orders")}
    assert read == {"deals": ["model.customer_intelligence.stg_bought__deals"], "orders": []}


def test_every_statement_keeps_bigquerys_limit_of_tables(built: Project) -> None:
    done = built.dbt("compile", "--no-populate-cache")
    assert done.returncode == 0, done.stdout[-4000:]
    nodes = {node["relation_name"]: node for node in [*built.manifest["nodes"].values()] if node.get("relation_name")}

    @cache
    def scans_of(relation: str) -> int:
        """The tables that a query on a relation scans; BigQuery inserts the SQL of a view."""
        node = nodes.get(relation)
        return scans_in(node["compiled_code"]) if node and node["config"]["materialized"] == "view" else 1

    def scans_in(sql: str) -> int:
        return sum(scans_of(name) for name in re.findall(r"`[^`]+`\.`[^`]+`\.`[^`]+`", sql))

    compiled = {
        node["unique_id"]: scans_in(node["compiled_code"])
        for node in built.manifest["nodes"].values()
        if node.get("compiled_code")
    }
    assert len(compiled) > 200 and max(compiled.values()) <= MAX_SCANS, max(compiled, key=lambda key: compiled[key])
    named = {f"{node['schema']}.{node['alias']}": name for name, node in nodes.items()}
    statements: dict[str, int] = {}
    for path, text in render({name: [gate] for name, gate in gates().items()}).items():
        for expectation in json.loads(text)["expectations"] if path.startswith("expectations/") else ():
            mentioned = re.findall(r"\b\w+\.\w+\b", expectation["kwargs"].get("query", ""))
            read = [name for name in mentioned if name in named or name.startswith(("raw_", "ops.", "quarantine."))]
            statements[path] = statements.get(path, 0) + sum(scans_of(named.get(name, name)) for name in read)
    assert len(statements) > 5 and max(statements.values()) <= MAX_SCANS, statements
