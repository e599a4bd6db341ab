"""Generates dbt's staging views: each shows the rows of one raw table under the names and types of the contract's entity.

A view has the latest version of each row, and cleans nothing. If a person wrote a file under a view's name, it is used instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from include.contract import ContractColumn, contract
from include.sources.dbt_sources import dump
from include.sources.expressions import WAREHOUSE_TYPES
from include.sources.schema import Source, Table
from include.sources.versions import deleted, expression, follows_tombstone, order_time

#: Entities that models read in all versions. Each of their staging views has a second view with every version.
WITH_VERSIONS = ("accounts", "subscriptions")
#: Columns that name the origin of a row: name → type, description.
_LINEAGE = {
    "_extracted_at": ("TIMESTAMP", "{{ doc('extracted_at') }}"),
    "_loaded_at": ("TIMESTAMP", "{{ doc('loaded_at') }}"),
    "_batch_id": ("STRING", "{{ doc('batch_id') }}"),
}
_SYSTEM = ("STRING", "Name of the source that the row comes from.")
_DELETED = ("BOOL", "TRUE if the source deleted the row with this version.")

_ORIGIN = "Generated from include/sources/{name}.yml by `python -m include.sources dbt-sources`. Do not edit."
_VIEW = """\
{{#- {origin} -#}}
with

{imported} as (
    {{{{ {rows} }}}}
),

final as (
    select
        {columns}
    from {imported}
)

select * from final
"""

FEEDS_FILE = "macros/feeds.sql"
_FEEDS = """\
{{#- The entities of the contract: the staging views that feed each of them, and its columns with their types. An entity that no source has
    is fed by no view. Generated from include/sources/*.yml and include/contract/*.yml by `python -m include.sources dbt-sources`: do not edit. -#}}
{{% macro feeds() %}}
    {{{{ return({{{entities}
    }}) }}}}
{{% endmacro %}}
"""


def view_of(source: Source, table: Table) -> str:
    """The name of a raw table's staging view."""
    return f"stg_{source.name}__{table.name}"


def versions_of(source: Source, table: Table) -> str | None:
    """The name of the view with every version of a raw table's rows. None: no model reads them."""
    return f"{view_of(source, table)}__versions" if table.entity in WITH_VERSIONS else None


def is_generated(path: Path) -> bool:
    """True if this module wrote the file."""
    return path.read_text(encoding="utf-8").startswith("{#- " + _ORIGIN.format(name=path.parent.name))


def generated_views(dbt_dir: Path) -> set[Path]:
    """The generated views that the dbt project has now."""
    return {path for path in (dbt_dir / "models" / "staging").glob("*/stg_*.sql") if is_generated(path)}


def rendered(source: Source, dbt_dir: Path) -> dict[Path, str]:
    """The text of each generated view of a source, and of the file that describes them."""
    folder = dbt_dir / "models" / "staging" / source.name
    texts: dict[Path, str] = {}
    described = []
    for table in source.tables.values():
        view = folder / f"{view_of(source, table)}.sql"
        if view.exists() and not is_generated(view):
            continue
        for name, sql in _views(source, table):
            texts[folder / f"{name}.sql"] = sql
            described.append(_description(source, name, table))
    if described:
        origin = _ORIGIN.format(name=source.name)
        texts[folder / f"_{source.name}__staging.yml"] = f"# {origin}\n{dump({'version': 2, 'models': described}, width=140)}"
    return texts


def render_feeds(sources: Mapping[str, Source]) -> str:
    """Render the dbt macro that names the staging views and the columns of each entity."""
    entities = ""
    for name, entity in contract().items():
        views = "".join(
            f"\n                { ({'source': source.name, 'view': view_of(source, table), 'versions': versions_of(source, table)})!r},"
            for source in sources.values()
            for table in source.tables.values()
            if table.entity == name
        )
        columns = "".join(
            f"\n                {column!r}: '{WAREHOUSE_TYPES[declared.type].lower()}',"
            for column, declared in entity.columns.items()
        )
        entities += f"""
        '{name}': {{
            'views': [{views + f"{chr(10)}            " if views else ""}],
            'columns': {{{columns}
            }},
        }},"""
    return _FEEDS.format(entities=entities)


def _views(source: Source, table: Table) -> Iterator[tuple[str, str]]:
    """Name and SQL of each view of a table."""
    if table.entity is None:
        return
    arguments = f"'{source.name}', '{table.name}'"
    yield view_of(source, table), _sql(source, table, f"latest_rows({arguments})", {})
    if (versions := versions_of(source, table)) is not None:
        more = {"_is_deleted": deleted(table)}
        if order_time(table) is not None and table.mapped("updated_at") is not None:
            more["updated_at"] = follows_tombstone(expression(table, "updated_at"))
        yield versions, _sql(source, table, f"all_versions({arguments}, undated=true)", more)


def _sql(source: Source, table: Table, rows: str, more: dict[str, str]) -> str:
    columns = {"source_system": f"'{source.name}'"}
    columns |= {name: expression(table, name) for name in _entity_columns(table)}
    columns |= more | {name: name for name in _LINEAGE}
    # In BigQuery, the name of a CTE precedes that of a column: it would be the whole row.
    imported = "source" if "source" not in table.columns else "source_rows"
    selected = [sql if sql == name else f"{sql} as {name}".replace("\n", "\n        ") for name, sql in columns.items()]
    return _VIEW.format(
        origin=_ORIGIN.format(name=source.name), imported=imported, rows=rows, columns=",\n        ".join(selected)
    )


def _entity_columns(table: Table) -> Mapping[str, ContractColumn]:
    return contract()[str(table.entity)].columns


def _description(source: Source, name: str, table: Table) -> dict[str, Any]:
    entity = contract()[str(table.entity)]
    every = name == versions_of(source, table)
    which = "Every version that the run sees" if every else "The latest version of each row"
    columns = {"source_system": _SYSTEM}
    columns |= {column: (WAREHOUSE_TYPES[declared.type], declared.description) for column, declared in entity.columns.items()}
    columns |= {"_is_deleted": _DELETED} if every else {}
    return {
        "name": name,
        "description": f"{entity.description} {which}, from the source {source.name}, under the contract's names and as the source has it.",
        "columns": [
            {"name": column, "data_type": kind, "description": text}
            | ({"config": {"meta": {"pii": True}}} if column in entity.columns and entity.columns[column].pii else {})
            for column, (kind, text) in (columns | _LINEAGE).items()
        ],
    }
