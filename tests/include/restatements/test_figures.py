"""The declared figures, and the version of the code that builds their tables."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.contract import contract
from include.manifest import nodes_of, published_name, read_manifest
from include.restatements import FiguresError, code_versions, load_figures
from include.settings import settings
from include.sources import load_sources
from include.sources.feeds import feeds


def test_every_figure_reads_columns_that_its_table_and_its_source_rows_have(manifest: Path) -> None:
    nodes = {published_name(node): node for node in nodes_of(read_manifest(manifest), "model")}
    figures, fed = load_figures(), feeds(load_sources())
    for figure in figures.figures:
        columns = nodes[figure.table]["columns"]
        assert {"organization_id", "is_complete", figure.month, *([figure.cohort] if figure.cohort else [])} <= set(columns)
    for rows in figures.rows.values():
        assert {*rows.facts, *rows.progress} <= set(contract()[rows.entity].columns)
        assert all(table.changed_at for _, table in fed[rows.entity]) or not rows.at_month_end, "its versions have no time"
    assert {name for figure in figures.figures for name in figure.rows} == set(figures.rows), "rows that no figure counts"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": ["absent"]}, "rows has no absent"),
        ({"warn": 0.9}, "mrr blocks at 0.5, before it warns at 0.9"),
        ({"unit": "euro"}, r"figures\.yml: figures\.0\.unit: Input should be 'money', 'count', 'percent' or 'points'$"),
        ({"at_rates_of_base": True}, "mrr has at_rates_of_base, but neither months_before nor cohort"),
    ],
)
def test_a_wrong_declaration_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    figure = {
        "metric": "mrr",
        "table": "marts.mart_a",
        "value": "sum(a)",
        "unit": "money",
        "warn": 0.1,
        "block": 0.5,
        "rows": ["orders"],
    }
    orders = {"entity": "orders", "when": "true", "facts": ["total_amount"]}
    path = tmp_path / "figures.yml"
    path.write_text(yaml.safe_dump({"figures": [figure | change], "rows": {"orders": orders}}))
    with pytest.raises(FiguresError, match=message):
        load_figures(path)


def node(
    name: str, kind: str = "model", parents: tuple[str, ...] = (), macros: tuple[str, ...] = (), sql: str = ""
) -> dict[str, Any]:
    return {
        "unique_id": name,
        "resource_type": kind,
        "package_name": "project",
        "schema": "marts_build" if name.startswith("mart") else "core",
        "alias": name,
        "checksum": {"checksum": f"{name} 1"},
        "raw_code": sql,
        "depends_on": {"nodes": list(parents), "macros": list(macros)},
    }


def macro(name: str, sql: str, *macros: str, package: str = "project") -> dict[str, Any]:
    return {"name": name, "macro_sql": sql, "package_name": package, "depends_on": {"macros": list(macros)}}


Versions = Callable[..., dict[str, str]]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Versions]:
    """A function that writes a project of two marts, and returns the versions of their code."""
    (tmp_path / "target").mkdir()

    def versions(
        macro_b: str = "1", seed: str = "1", other: str = "1", package: str = "1", raw: str = "1", **variables: str
    ) -> dict[str, str]:
        nodes = [
            node("mart_a", parents=("fct_a",), sql="{{ var('limit') }}"),
            node("fct_a", parents=("seed_a", "source.raw"), macros=("macro.a",), sql="{{ known_as('status', \"words\") }}"),
            node("seed_a", "seed"),
            node("mart_b"),
        ]
        nodes[2]["checksum"]["checksum"], nodes[3]["checksum"]["checksum"] = seed, other
        macros = {
            "macro.a": macro("a", "{{ var('days') }}", "macro.b", "macro.dbt", "macro.raw_tables", "macro.feeds"),
            "macro.b": macro("b", macro_b, "macro.a"),
            "macro.raw_tables": macro("raw_tables", raw),
            "macro.feeds": macro("feeds", raw),
            "macro.dbt": macro("dbt", package, package="dbt"),
        }
        sources = {"source.raw": {"source_name": "crm", "name": "orders"}}
        manifest = {"nodes": {found["unique_id"]: found for found in nodes}, "macros": macros, "sources": sources}
        (tmp_path / "target" / "manifest.json").write_text(json.dumps(manifest))
        values = {"limit": "1", "words": "1", "days": "1", "unused": "1"} | variables
        (tmp_path / "dbt_project.yml").write_text(yaml.safe_dump({"vars": values}))
        return code_versions()

    monkeypatch.setenv("PLATFORM_DBT_DIR", str(tmp_path))
    settings.cache_clear()
    yield versions
    settings.cache_clear()


@pytest.mark.parametrize("change", ["macro_b", "seed", "limit", "words", "days"])
def test_a_version_changes_with_all_that_its_table_is_built_from(project: Versions, change: str) -> None:
    first = project()
    assert project() == first and set(first) == {"marts.mart_a", "marts.mart_b"}
    changed = project(**{change: "2"})
    assert changed["marts.mart_a"] != first["marts.mart_a"] and changed["marts.mart_b"] == first["marts.mart_b"]


def test_a_version_does_not_change_with_what_its_table_does_not_use(project: Versions) -> None:
    first = project()
    assert project(other="2")["marts.mart_a"] == first["marts.mart_a"]
    assert project(package="2") == first, "dbt's own macros are no definitions"
    assert project(unused="2") == first, "no SQL names the variable"
    assert project(raw="2") == first, "the macro has the rules of all raw tables"


def test_only_the_rules_of_raw_tables_upstream_count(project: Versions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "sources"
    shutil.copytree(settings().sources_dir, folder)
    monkeypatch.setenv("PLATFORM_SOURCES_DIR", str(folder))
    settings.cache_clear()
    first, crm = project(), folder / "crm.yml"
    text = crm.read_text()
    for table, key, is_changed in (("users", "user_id", False), ("orders", "order_id", True)):
        document = yaml.safe_load(text)
        document["tables"][table]["primary_key"] = [key, "organization_id"]
        crm.write_text(yaml.safe_dump(document))
        assert (project()["marts.mart_a"] != first["marts.mart_a"]) == is_changed, table


def test_a_variable_changes_the_figures_that_it_defines(manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the real project: a synonym of one area is no definition of another."""
    (tmp_path / "target").mkdir()
    shutil.copy(manifest, tmp_path / "target")
    declared = yaml.safe_load((settings().dbt_dir / "dbt_project.yml").read_text())
    monkeypatch.setenv("PLATFORM_DBT_DIR", str(tmp_path))
    settings.cache_clear()

    def versions(**variables: object) -> dict[str, str]:
        (tmp_path / "dbt_project.yml").write_text(yaml.safe_dump({"vars": declared["vars"] | variables}))
        return code_versions(load_figures().tables)

    first = versions()

    def changed(**variables: object) -> set[str]:
        assert set(variables) <= set(declared["vars"])
        return {table.partition(".")[2] for table, version in versions(**variables).items() if version != first[table]}

    assert changed(deal_stage_synonyms={}) == {"mart_pipeline_kpis"}
    assert changed(ticket_status_synonyms={}) == {"mart_ticket_sla_compliance"}
    assert changed(past_due_earns_days=30) == {"mart_mrr_waterfall", "mart_nrr_summary", "mart_revenue_cohorts"}
    assert "mtr_revenue_by_month" in changed(fx_rate_valid_days=30)
    assert changed(event_categories=[]) == set()
    settings.cache_clear()


def test_a_project_without_a_manifest_has_no_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLATFORM_DBT_DIR", str(tmp_path))
    settings.cache_clear()
    assert code_versions() == {}
    settings.cache_clear()
