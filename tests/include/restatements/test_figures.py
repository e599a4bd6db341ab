"""The declared figures, and the version of the code that builds their tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.manifest import nodes_of, published_name, read_manifest
from include.restatements import FiguresError, code_versions, load_figures
from include.settings import settings
from include.sources import load_sources


def test_every_figure_reads_columns_that_its_table_and_its_source_rows_have(manifest: Path) -> None:
    nodes = {published_name(node): node for node in nodes_of(read_manifest(manifest), "model")}
    figures, sources = load_figures(), load_sources()
    for figure in figures.figures:
        columns = nodes[figure.table]["columns"]
        assert {"organization_id", "is_complete", figure.month, *([figure.cohort] if figure.cohort else [])} <= set(columns)
    for rows in figures.rows.values():
        source, _, table = rows.table.partition(".")
        assert {*rows.facts, *rows.progress} <= set(sources[source].tables[table].columns)
    assert {name for figure in figures.figures for name in figure.rows} == set(figures.rows), "rows that no figure counts"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": ["absent"]}, "rows has no absent"),
        ({"warn": 0.9}, "mrr blocks at 0.5, before it warns at 0.9"),
        ({"unit": "euro"}, "figures.0.unit"),
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
    orders = {"table": "crm.orders", "when": "true", "facts": ["total_amount"]}
    path = tmp_path / "figures.yml"
    path.write_text(yaml.safe_dump({"figures": [figure | change], "rows": {"orders": orders}}))
    with pytest.raises(FiguresError, match=message):
        load_figures(path)


def node(name: str, kind: str = "model", parents: tuple[str, ...] = (), macros: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "unique_id": name,
        "resource_type": kind,
        "package_name": "project",
        "schema": "marts_build" if name.startswith("mart") else "core",
        "alias": name,
        "checksum": {"checksum": f"{name} 1"},
        "depends_on": {"nodes": list(parents), "macros": list(macros)},
    }


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that writes a project of two marts, and returns the versions of their code."""
    (tmp_path / "target").mkdir()

    def versions(macro: str = "1", seed: str = "1", other: str = "1", package: str = "1", variables: str = "1") -> dict[str, str]:
        nodes = [
            node("mart_a", parents=("fct_a",)),
            node("fct_a", parents=("seed_a", "source.raw"), macros=("macro.a",)),
            node("seed_a", "seed"),
            node("mart_b"),
        ]
        nodes[2]["checksum"]["checksum"], nodes[3]["checksum"]["checksum"] = seed, other
        macros = {
            "macro.a": {"macro_sql": "a", "package_name": "project", "depends_on": {"macros": ["macro.b", "macro.dbt"]}},
            "macro.b": {"macro_sql": macro, "package_name": "project", "depends_on": {"macros": ["macro.a"]}},
            "macro.dbt": {"macro_sql": package, "package_name": "dbt", "depends_on": {"macros": []}},
        }
        manifest = {"nodes": {found["unique_id"]: found for found in nodes}, "macros": macros}
        (tmp_path / "target" / "manifest.json").write_text(json.dumps(manifest))
        (tmp_path / "dbt_project.yml").write_text(yaml.safe_dump({"vars": {"limit": variables}}))
        return code_versions()

    monkeypatch.setenv("PLATFORM_DBT_DIR", str(tmp_path))
    settings.cache_clear()
    yield versions
    settings.cache_clear()


def test_a_version_changes_with_all_that_its_table_is_built_from(project: Any) -> None:
    first = project()
    assert project() == first and set(first) == {"marts.mart_a", "marts.mart_b"}
    for change in ("macro", "seed"):
        changed = project(**{change: "2"})
        assert changed["marts.mart_a"] != first["marts.mart_a"] and changed["marts.mart_b"] == first["marts.mart_b"]
    assert project(other="2")["marts.mart_a"] == first["marts.mart_a"]
    assert project(package="2") == first, "dbt's own macros are no definitions"
    assert all(project(variables="2")[table] != first[table] for table in first)


def test_a_project_without_a_manifest_has_no_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLATFORM_DBT_DIR", str(tmp_path))
    settings.cache_clear()
    assert code_versions() == {}
    settings.cache_clear()
