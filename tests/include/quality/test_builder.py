"""The Great Expectations context follows from the rules, and needs no warehouse."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from include.quality.__main__ import main
from include.quality.builder import build, gates
from include.quality.render import render
from include.quality.rules import Gate, GateError, load_gates
from include.settings import ROOT
from include.sources import load_sources

Make = Callable[..., Path]

RULE: dict[str, Any] = {
    "name": "a_rule",
    "relation": "core.t",
    "action": "block",
    "reason": "The test needs a rule.",
    "rows": "select * from core.t where false",
}


def test_the_committed_files_follow_from_the_rules() -> None:
    assert build(check=True) == []
    assert main(["build", "--check"]) == 0


def test_every_boundary_has_a_gate() -> None:
    assert list(gates()) == [*(f"raw_{name}" for name in load_sources()), "conformed", "core", "marts"]


def test_each_action_is_in_use() -> None:
    assert {rule.action for gate in gates().values() for rule in gate.rules} == {"block", "quarantine", "warn"}


def test_the_same_rules_give_the_same_bytes() -> None:
    once, again = ({name: [gate] for name, gate in gates().items()} for _ in range(2))
    assert render(once) == render(again)


def test_a_gate_is_one_suite_unless_its_statement_would_scan_too_many_tables() -> None:
    def suites(tables: int, table: str = "core.t") -> list[str]:
        rows = "select 1 from " + ", ".join([table] * tables)
        gate = Gate.model_validate({"gate": "core", "rules": [RULE | {"name": name, "rows": rows} for name in ("a", "b", "c")]})
        return [name for name in render({"core": [gate]}) if name.startswith("expectations/")]

    assert suites(50) == ["expectations/core.json"]
    assert suites(51) == ["expectations/core.json", "expectations/core/2.json"]
    assert len(suites(25, "conformed.conformed_items")) == 1 and len(suites(26, "conformed.conformed_items")) == 2
    assert len(suites(16, "core.clean_items")) == 1, "a clean view reads its conformed view and the quarantine"
    assert len(suites(17, "core.clean_items")) == 2
    assert suites(151) == ["expectations/core.json", "expectations/core/2.json", "expectations/core/3.json"]


def test_great_expectations_reads_the_rendered_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Great Expectations loads every checkpoint, and would write the same files. No warehouse runs."""
    monkeypatch.setenv("PLATFORM_STATE_DIR", str(tmp_path))
    from include.quality.context import open_context

    known = gates()
    with open_context({name: [gate] for name, gate in known.items()}) as context:
        assert {checkpoint.name for checkpoint in context.checkpoints.all()} == set(known)
        for checkpoint in context.checkpoints.all():
            assert checkpoint.is_fresh().success, checkpoint.name
        assert sum(len(suite.expectations) for suite in context.suites.all()) == sum(len(gate.rules) for gate in known.values())


def test_building_needs_neither_great_expectations_nor_a_warehouse() -> None:
    code = (
        "import sys; from include.quality.__main__ import main; code = main(['build', '--check']);"
        "sys.exit(code or any(name in sys.modules for name in ('great_expectations', 'google.cloud.bigquery')))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_only_committed_files_are_compared(gates: Make, tmp_path: Path) -> None:
    gates({"core": [RULE]})
    context = tmp_path / "great_expectations"
    configuration, suite = context / "great_expectations.yml", context / "expectations" / "core.json"
    assert build(check=True) == [configuration]
    assert not configuration.exists()
    assert build() == [configuration]
    assert suite.exists()
    suite.unlink()
    assert build(check=True) == []
    configuration.write_text(configuration.read_text().replace("warehouse", "store"))
    assert build(check=True) == [configuration]
    assert main(["build", "--check"]) == 1


def test_json_of_a_removed_gate_is_deleted(gates: Make, tmp_path: Path) -> None:
    folder = gates({"core": [RULE], "marts": [RULE]})
    build()
    (folder / "core.yml").unlink()
    build()
    written = sorted(path.name for path in (tmp_path / "great_expectations").rglob("*.json"))
    assert written == ["marts.json"] * 3


CLEAN = "select * from {{ ref('conformed_items') }} as staged where {{ not_quarantined('conformed_items', key=['id']) }}"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, None),
        ({"models/core/fct_items.sql": "select * from {{ ref('clean_items') }}"}, None),
        (
            {"models/core/fct_parents.sql": "select * from {{ ref('conformed_parents') }}, {{ ref('conformed_items_sold') }}"},
            None,
        ),
        ({"models/core/fct_items.sql": f"with items as ({CLEAN}) select * from items"}, None),
        ({"models/intermediate/clean/clean_items.sql": None}, "Add dbt/models/intermediate/clean/clean_items.sql"),
        (
            {"models/intermediate/clean/clean_items.sql": CLEAN.replace("'id'", "'shop', 'id'")},
            r"not that of the rule orphans. Write not_quarantined\('conformed_items', key=\['id'\]\)",
        ),
        ({"models/intermediate/clean/clean_parents.sql": "select 1"}, "Delete the model"),
        (
            {"models/core/fct_items.sql": "select * from {{ ref('conformed_items') }}"},
            "fct_items.sql: it reads .* Read ref.'clean_",
        ),
        ({"tests/all_items.sql": "{% set staged = ['conformed_items'] %}"}, "all_items.sql: it reads"),
        ({"models/core/dim_items.sql": "{{ all_versions('shop', 'items') }}"}, "dim_items.sql: it reads"),
        ({"models/core/dim_items.sql": "{{ unite('items') }}"}, "dim_items.sql: it reads"),
        ({"models/core/dim_items.sql": "select * from {{ ref('stg_shop__items') }}"}, "dim_items.sql: it reads"),
        (
            {"snapshots/core/snap_items.yml": "snapshots: [{name: snap_items, relation: ref('conformed_items')}]"},
            "snap_items.yml: it reads",
        ),
        ({"models/core/dim_items.sql": "{{ latest_rows(source_name='shop', table_name='items') }}"}, "dim_items.sql: it reads"),
        ({"tests/core/no_items.sql": "select * from conformed.conformed_items"}, "no_items.sql: it reads"),
        (
            {"models/core/fct_items.sql": CLEAN.replace("'id'", "'shop'")},
            r"fct_items.sql: it reads .*not_quarantined\('conformed_items', key=\['id'\]\)",
        ),
    ],
)
def test_quarantined_rows_reach_no_model_past_the_conformed_views(
    gates: Make, tmp_path: Path, files: dict[str, str | None], message: str | None
) -> None:
    rule = RULE | {"name": "orphans", "relation": "conformed.conformed_items", "action": "quarantine", "key": ["id"]}
    gates({"conformed": [rule]})
    dbt = tmp_path / "dbt"
    common = {
        "models/conformed/shared/conformed_items.sql": "{{ latest_rows('shop', 'items') }} -- {{ source('shop', 'items') }}",
        "models/intermediate/clean/clean_items.sql": CLEAN,
    }
    for name, text in (common | files).items():
        if text is not None:
            (dbt / name).parent.mkdir(parents=True, exist_ok=True)
            (dbt / name).write_text(text)
    with pytest.raises(GateError, match=message) if message else nullcontext():
        build(check=True)


def test_no_rule_of_a_later_gate_reads_quarantined_rows(gates: Make, tmp_path: Path) -> None:
    orphans = RULE | {"relation": "conformed.conformed_items", "action": "quarantine", "key": ["id"]}
    later = RULE | {"rows": "select * from conformed.conformed_items where id < 0"}
    clean = tmp_path / "dbt" / "models" / "clean_items.sql"
    clean.parent.mkdir(parents=True)
    clean.write_text(CLEAN)
    gates({"conformed": [orphans, later | {"name": "another"}], "core": [RULE]})
    build(check=True)
    gates({"core": [later]})
    with pytest.raises(GateError, match=r"gates/core\.yml: a_rule: it reads conformed\.conformed_items.* Read core\.clean_items"):
        build(check=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"action": "shout"}, "action"),
        ({"colour": "red"}, "colour"),
        ({"rows": None}, "exactly one of rows, reconcile and expect"),
        ({"expect": {"type": "x"}}, "exactly one of rows, reconcile and expect"),
        ({"rows": None, "expect": {"column": "x"}}, "type of the expectation"),
        ({"action": "quarantine"}, "needs rows and their key"),
        ({"action": "quarantine", "key": ["id"]}, "only rows of conformed views"),
        ({"relation": "t"}, "relation"),
        ({"reason": "short"}, "reason"),
    ],
)
def test_the_error_about_a_wrong_rule_names_its_file(gates: Make, change: dict[str, Any], message: str) -> None:
    with pytest.raises(GateError, match=rf"core\.yml: rules\.0.*{message}"):
        gates({"core": [RULE | change]})


def test_repeated_names_and_misnamed_files_are_refused(gates: Make) -> None:
    with pytest.raises(GateError, match="used twice: a_rule"):
        gates({"core": [RULE, RULE]})
    folder = gates({"core": [RULE]})
    (folder / "core.yml").rename(folder / "marts.yml")
    with pytest.raises(GateError, match="gate is 'core', but the file's name says 'marts'"):
        load_gates()
