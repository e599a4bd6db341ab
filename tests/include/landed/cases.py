"""Statements of the cases in `cases.yml`: tables as a loader lands them, the view on them, and what staging shows of it.

`test_views.py` runs them on the local warehouse, `tests/google/test_landed.py` on Google's evaluator.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from include.landed.view import view_of
from include.sources import Source, load_source
from include.sources.dbt_sources import rules_of
from include.sources.expressions import identifier
from include.sources.landed import ALTERED, UNREADABLE
from include.sources.staging import rendered
from include.sources.staging import view_of as staging_view
from tests.include.sources.mapped import rendered as without_macros

CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "cases.yml").read_text(encoding="utf-8"))
LANDING, RAW = "landing", "raw_shop"


@dataclass(frozen=True)
class Statements:
    """The statements of one case.

    Attributes:
        setup: create the landed tables with their rows, and the view.
        rows: the query of the rows that staging shows.
        versions: the query of all versions, if the case asks for them.
        findings: the query of the key of each row, its unreadable columns, and its number of altered values.
    """

    setup: list[str]
    rows: str
    versions: str | None
    findings: str


def source_of(loader: str, table: dict[str, Any], name: str = "shop", **more: Any) -> Source:
    """A source with one landed table, `rows`."""
    document = {
        "description": "A source of a test.",
        "owner": "tests",
        "tier": "low",
        "freshness": {"warn_after": "26h", "error_after": "50h"},
        "reader": {"type": "landed", "loader": loader, "dataset": LANDING},
        "tables": {"rows": table},
    } | more
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.yml"
        path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        return load_source(path)


def statements(case: dict[str, Any], project: str = "local") -> Statements:
    """The statements of a case."""
    source = source_of(case["loader"], case["table"])
    table = source.tables["rows"]
    assert source.reader.type == "landed"
    schemas = {
        name: {column: kind.upper() for column, kind in landed["columns"].items()} for name, landed in case["landed"].items()
    }
    view = view_of(source, source.reader, table, schemas, project)
    setup = [statement for name, landed in case["landed"].items() for statement in _table(name, landed)]
    setup.append(f"create or replace view {RAW}.rows as\n{view.sql}")
    rules = {key: str(rule).replace("@as_of", f"timestamp '{case['as_of']}'") for key, rule in rules_of(source, table).items()}
    key = ", ".join(map(identifier, table.primary_key))
    latest = (
        f"select * from {RAW}.rows as _loaded where {rules['visible']} qualify row_number() over "
        f"(partition by {key} order by {rules['latest_first']}) = 1 and not {rules['deleted']} and {rules['happened']}"
    )
    every = (
        f"select * from {RAW}.rows as _loaded where {rules['visible']} qualify row_number() over "
        f"(partition by {key}, {rules['order_time']} order by {rules['latest_first']}) = 1"
    )
    texts = {path.stem: sql for path, sql in rendered(source, Path("dbt")).items()}
    called = f"('{source.name}', '{table.name}'"
    rows = _staged(texts[staging_view(source, table)], f"{{{{ latest_rows{called}) }}}}", latest, case["show"])
    versions = None
    if "versions" in case:
        text = texts[f"{staging_view(source, table)}__versions"]
        versions = _staged(
            text, f"{{{{ all_versions{called}, undated=true) }}}}", every, [*case["show"], "updated_at", "_is_deleted"]
        )
    checked = ", ".join(f"cast({name} as string)" for name in (*table.primary_key, UNREADABLE, ALTERED))
    return Statements(setup, rows, versions, f"select {checked} from {RAW}.rows order by 1, 2, 3")


def _table(name: str, landed: dict[str, Any]) -> list[str]:
    columns = ", ".join(f"`{column}` {kind}" for column, kind in landed["columns"].items())
    values = ", ".join(f"({', '.join(map(_cell, row))})" for row in landed["rows"])
    names = ", ".join(f"`{column}`" for column in landed["columns"])
    return [
        f"create or replace table {LANDING}.`{name}` ({columns})",
        f"insert into {LANDING}.`{name}` ({names}) values {values}",
    ]


def _cell(text: str) -> str:
    """A cell as a SQL literal."""
    instant = text.removeprefix("@")
    return text if instant == text else f"timestamp '{instant}{'' if ' ' in instant else ' 00:00:00'}+00'"


def _staged(text: str, call: str, rows: str, show: list[str]) -> str:
    sql = text.partition("-#}")[2].replace(call, rows)
    assert sql != text, call
    columns = ", ".join(f"cast({name} as string) as {name}" for name in show)
    order = ", ".join(str(number) for number in range(1, len(show) + 1))
    return f"select {columns} from ({without_macros(sql)}) order by {order}"
