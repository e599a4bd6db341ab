"""Renders dbt's source files, and its macro `raw_tables`, from the source YAMLs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from include.sources.expressions import WAREHOUSE_TYPES, identifier
from include.sources.schema import Column, Source, Table
from include.sources.versions import change_time, deleted, happened, latest_first, order_time, visible

__all__ = ["MACRO_FILE", "METADATA_COLUMNS", "WAREHOUSE_TYPES", "dump", "path_of", "render", "render_macro", "rules_of"]

#: Columns that every raw table has in addition to its declared columns: name → type, description.
METADATA_COLUMNS: dict[str, tuple[str, str]] = {
    "_extracted_at": ("TIMESTAMP", "Time at which the extraction of this table began, by the clock."),
    "_loaded_at": (
        "TIMESTAMP",
        "Time at which the batch was passed to the warehouse, by the clock. The table is partitioned by this column.",
    ),
    "_batch_id": ("STRING", "Ingestion run that loaded the row: <source>@<as_of>."),
    "_source_file_id": ("STRING", "Origin of the row: <path>#<checksum> for files, otherwise <table>@<batch>."),
    "_is_deleted": ("BOOL", "TRUE for a tombstone, which marks the row as deleted in the source."),
    "_restored_at": (
        "TIMESTAMP",
        "Time of the tombstone after which the source held the row again; otherwise NULL. A later time of change counts instead.",
    ),
    "_dlt_load_id": ("STRING", "Load package of dlt."),
}

_HEADER = "# Generated from include/sources/{name}.yml by `python -m include.sources dbt-sources`. Do not edit.\n"


class _Dumper(yaml.SafeDumper):
    """Indents lists inside mappings, as yamllint requires."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


#: dbt asks for the last load of a table, not for its newest row: a table that nobody changes is loaded without new rows.
_LAST_LOAD = "select max(loaded_at) from `{{{{ this.database }}}}`.ops.loads where source = '{source}' and table_name = '{{{{ this.identifier }}}}'"

#: The file of the macro `raw_tables`, in the dbt project.
MACRO_FILE = "macros/raw_tables.sql"
_MACRO = """\
{{#- The raw tables: the columns of their keys, the column of the last change, which versions a run sees, the time and the order of a
    key's versions, and whether the latest of them has happened. Generated from include/sources/*.yml by `python -m include.sources dbt-sources`: do not edit. -#}}
{{% macro raw_tables() %}}
    {{{{ return({{{tables}
    }}) }}}}
{{% endmacro %}}
"""


def render(source: Source) -> str:
    """Render the dbt source file of one source."""
    document = {
        "version": 2,
        "sources": [
            {
                "name": source.name,
                "description": source.description,
                "database": "{{ target.project }}",
                "schema": source.dataset,
                "config": {
                    "loaded_at_query": _LAST_LOAD.format(source=source.name),
                    "meta": {"owner": source.owner, "tier": source.tier},
                },
                "tables": [_table(source, table) for table in source.tables.values()],
            }
        ],
    }
    return _HEADER.format(name=source.name) + dump(document)


def dump(document: dict[str, Any], width: int = 1000) -> str:
    """The text of a YAML file."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=width)


def render_macro(sources: Mapping[str, Source]) -> str:
    """Render the dbt macro that describes the raw tables of all sources."""
    tables = ""
    for source in sources.values():
        for table in source.tables.values():
            lines = "".join(f"\n            {key!r}: {value!r}," for key, value in rules_of(source, table).items())
            tables += f"\n        '{source.name}.{table.name}': {{{lines}\n        }},"
    return _MACRO.format(tables=tables)


def rules_of(source: Source, table: Table) -> dict[str, Any]:
    """What the macro says about one raw table."""
    return {
        "key": [identifier(name) for name in table.primary_key],
        "changed_at": change_time(table),
        "visible": visible(source, table),
        "order_time": order_time(table),
        "latest_first": latest_first(table),
        "happened": happened(table),
        "deleted": deleted(table),
    }


def _table(source: Source, table: Table) -> dict[str, Any]:
    freshness = source.freshness_of(table)
    return {
        "name": table.name,
        "description": table.description,
        "config": {
            "freshness": {
                "warn_after": _period(freshness.warn_after),
                "error_after": _period(freshness.error_after),
            },
            "meta": {"primary_key": list(table.primary_key)},
        },
        "columns": [_column(column) for column in table.columns.values()]
        + [
            {"name": name, "data_type": kind, "description": description}
            for name, (kind, description) in METADATA_COLUMNS.items()
        ],
    }


def _column(column: Column) -> dict[str, Any]:
    rendered: dict[str, Any] = {
        "name": column.name,
        "data_type": WAREHOUSE_TYPES[column.type],
        "description": column.description,
    }
    if column.pii:
        rendered["config"] = {"meta": {"pii": True}}
    return rendered


def _period(duration: timedelta) -> dict[str, Any]:
    minutes = int(duration.total_seconds() // 60)
    for unit, length in (("day", 1440), ("hour", 60)):
        if minutes % length == 0:
            return {"count": minutes // length, "period": unit}
    return {"count": minutes, "period": "minute"}


def path_of(source: Source, dbt_dir: Path) -> Path:
    """The path of a source's dbt source file."""
    return dbt_dir / "models" / "staging" / source.name / f"_{source.name}__sources.yml"
