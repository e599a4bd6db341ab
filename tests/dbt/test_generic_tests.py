"""The test `rows_are_valid`: each kind of rule fails on rows that break it, is named, and decides whether the build stops."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.settings import ROOT
from tests.warehouse import connected, rows

PARENTS = "select id from unnest(['p1', 'p2', 'p2']) as id"
#: The broken rules of each row, then its values.
CHILDREN: list[tuple[str, str, str | None, str | None, str | None, str | None, int]] = [
    # broken rules; organization, child, code, parent, kind, pieces
    ("", "a", "1", "x", "p1", "new", 1),
    ("", "a", "2", "y", "p2", "new", 2),
    ("", "b", "1", None, None, "new", 3),
    ("organization, child is not a key", "c", "1", "z1", "p1", "new", 1),
    ("organization, child is not a key", "c", "1", "z2", "p1", "new", 1),
    ("organization, child is not a key", "l", None, "z3", "p1", "new", 1),
    ("code is not unique", "d", "1", "same", "p1", "new", 1),
    ("code is not unique", "d", "2", "same", "p1", "new", 1),
    ("parent leads nowhere", "e", "1", "v", "p3", "new", 1),
    ("kind is another value", "f", "1", "w", "p1", "odd", 1),
    ("pieces is out of range", "g", "1", "u", "p1", "new", 0),
    ("pieces_even_for_old", "h", "1", "t", "p1", "old", 3),
    ("few_pieces", "i", "1", "s", "p1", "new", 50),
    ("pieces is out of range; few_pieces", "j", "1", "r", "p1", "new", 500),
    ("kind is null", "k", "1", "q", "p1", None, 1),
]
RULES: dict[str, Any] = {
    "key": ["organization", "child"],
    "unique": ["code"],
    "accepted_values": {"kind": ["new", "old"]},
    "accepted_range": {"pieces": {"min": 0, "exclusive": True}},
    "expression_is_true": {"pieces_even_for_old": "kind != 'old' or mod(pieces, 2) = 0"},
    "relationships": {"parent": {"to": "ref('parents')", "field": "id", "where": "organization != 'z'"}},
    "warns": {
        "not_null": ["kind"],
        "accepted_range": {"pieces": {"max": 100, "reason": "a slip"}},
        "expression_is_true": {"few_pieces": {"expression": "pieces < 20", "reason": "a slip"}},
    },
}


def write(project: Path, children: list[tuple[Any, ...]]) -> None:
    """A dbt project of a table, its parents and one test, with this project's macros."""
    (project / "models").mkdir()
    names = ("organization", "child", "code", "parent", "kind", "pieces")
    literals = [["null" if value is None else repr(value) for value in values] for values in children]
    selects = [f"select {', '.join(f'{value} as {name}' for name, value in zip(names, row, strict=True))}" for row in literals]
    (project / "models" / "children.sql").write_text("\nunion all\n".join(selects))
    (project / "models" / "parents.sql").write_text(PARENTS)
    test = {"rows_are_valid": {"name": "children_rows_are_valid", "arguments": RULES}}
    models = [{"name": "children", "data_tests": [test]}]
    (project / "models" / "models.yml").write_text(yaml.safe_dump({"models": models}))
    settings = {"name": "shop", "profile": "customer_intelligence", "macro-paths": [str(ROOT / "dbt" / "macros")]}
    settings["models"] = {"shop": {"+schema": "rules", "+materialized": "table"}}
    (project / "dbt_project.yml").write_text(yaml.safe_dump(settings))


def run_rules(project: Path) -> tuple[str, int]:
    """Build all models and run the test; returns its status and the number of failing rows."""
    folders = ["--project-dir", project, "--profiles-dir", ROOT / "dbt", "--target-path", project, "--log-path", project]
    subprocess.run([Path(sys.prefix) / "bin" / "dbt", "build", *folders], cwd=ROOT, capture_output=True, check=False)
    results = json.loads((project / "run_results.json").read_text())["results"]
    (result,) = (each for each in results if each["unique_id"].startswith("test."))
    return result["status"], result["failures"]


def test_every_kind_of_rule_is_named_with_the_rows_that_break_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write(tmp_path, [values for _, *values in CHILDREN])  # type: ignore[misc]
    with connected(monkeypatch, "rules") as bq:
        assert run_rules(tmp_path) == ("fail", sum(bool(wrong) for wrong, *_ in CHILDREN))
        (compiled,) = (tmp_path / "compiled").rglob("children_rows_are_valid.sql")
        failing = rows(
            f"select organization, code, concat(broken_rules, warned_rules) from ({compiled.read_text()}) as failing", bq
        )
    found = {(organization, code): str(names).removesuffix("; ") for organization, code, names in failing}
    assert found == {(values[0], values[2]): wrong for wrong, *values in CHILDREN if wrong}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (("a", "1", "x", "p1", "new", 1), ("pass", 0)),
        (("a", "1", "x", "p1", "new", 50), ("warn", 1)),
        (("z", "1", "x", "p9", "new", 1), ("pass", 0)),
    ],
)
def test_a_rule_that_warns_does_not_stop_the_build(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, row: tuple[Any, ...], expected: tuple[str, int]
) -> None:
    write(tmp_path, [row])
    with connected(monkeypatch, "rules"):
        assert run_rules(tmp_path) == expected
