"""Mapped tables for tests: their SQL, as the warehouses of the tests take it, over rows that a test gives."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2

from include.contract import contract
from include.settings import ROOT
from include.sources import Source
from include.sources.dbt_sources import rules_of
from include.sources.derivation import derived
from include.sources.expressions import WAREHOUSE_TYPES
from include.sources.schema import Table
from include.sources.staging import rendered as rendered_views
from include.sources.staging import view_of
from include.sources.versions import expression, identifier

_MACROS = (ROOT / "dbt" / "macros" / "mapping.sql").read_text(encoding="utf-8")
AS_OF = "timestamp '2026-10-01 00:00:00+00:00'"


def table(entity: str, columns: Mapping[str, Any], id_prefix: str | None = None, **more: Any) -> Table:
    """A mapped table of a source `shop`. Key columns that a test does not map come from columns of their own names."""
    known = contract()[entity]
    keys = {name: name for name in known.key}
    given = {"event_time": "none", "columns": {**keys, **columns}, **more}
    document = {
        "description": "A source of a test.",
        "owner": "tests",
        "tier": "low",
        "connection": "shop",
        "freshness": {"warn_after": "26h", "error_after": "50h"},
        "reader": {"type": "sql", "schema": "shop"},
        "tables": {"rows": derived(entity, known, given)},
    }
    return Source.model_validate(document | ({"id_prefix": id_prefix} if id_prefix else {})).tables["rows"]


def select(mapped: Table, column: str, rows: Sequence[Mapping[str, str]]) -> str:
    """A query for one contract column. `rows` have SQL literals by column of the source; columns that a row lacks are NULL."""
    return f"with {given(mapped, rows)} select {rendered(expression(mapped, column))} as found from raw_rows order by row_number"


def given(mapped: Table, rows: Sequence[Mapping[str, str]]) -> str:
    """The CTE `raw_rows`: the raw table with rows."""
    lines = []
    for number, row in enumerate(rows):
        cells = [
            f"cast({row.get(declared.source_name or name, 'null')} as {WAREHOUSE_TYPES[declared.type]}) as {identifier(name)}"
            for name, declared in mapped.columns.items()
        ]
        lines.append(f"select {', '.join([f'{number} as row_number', 'false as _is_deleted', *cells])}")
    return f"raw_rows as ({' union all '.join(lines)})"


def rendered(sql: str) -> str:
    """SQL after dbt: its macros are expanded."""
    assert "{" not in re.sub(r"\{\{ from_minor_units\(.*?\) \}\}|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", "", sql)
    return jinja2.Environment(keep_trailing_newline=True).from_string(_MACROS + sql).render().strip()


def staged(source: Source, name: str, as_of: datetime) -> str:
    """The query of a table's staging view in a run. `latest_rows` is expanded as dbt does it."""
    table = source.tables[name]
    rules = {
        key: str(rule).replace("@as_of", f"timestamp '{as_of:%Y-%m-%d %H:%M:%S}+00:00'")
        for key, rule in rules_of(source, table).items()
    }
    rows = (
        f"select * from {source.dataset}.{name} as versions where {rules['visible']} qualify row_number() over "
        f"(partition by {', '.join(rules_of(source, table)['key'])} order by {rules['latest_first']}) = 1 "
        f"and not {rules['deleted']} and {rules['happened']}"
    )
    text = {path.stem: sql for path, sql in rendered_views(source, Path("dbt")).items()}[view_of(source, table)]
    return rendered(text.partition("-#}")[2].replace(f"{{{{ latest_rows('{source.name}', '{name}') }}}}", rows))
