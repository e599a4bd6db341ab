"""The definition of a published table and its columns, from the dbt project and `docs/metrics.md`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import yaml
from pydantic import BaseModel, Field

from include.catalog.definitions import metrics_of
from include.manifest import Node
from include.settings import settings

_DOC = re.compile(r"""\{\{\s*doc\(['"](\w+)['"]\)\s*\}\}""")
_DOCS = re.compile(r"\{%-?\s*docs (\w+)\s*-?%\}(.*?)\{%-?\s*enddocs\s*-?%\}", re.DOTALL)


class Definition(BaseModel):
    """The meaning of the rows."""

    table: str = Field(description="The published table.")
    description: str = Field(description="The content of the table. The first sentence is the grain.")
    metrics: list[str] = Field(
        description="The metric definitions that the table computes, from docs/metrics.md. Empty if that file is not installed."
    )
    columns: dict[str, str] = Field(description="The meaning of each column.")
    owner: str = Field(description="The owner of the table.")
    freshness_sla: str = Field(
        description="The freshness SLA: how often the table is refreshed, within which time, and its criticality."
    )


def definition_of(table: str, columns: Iterable[str]) -> Definition:
    """The definition of a published table. `columns` that the table does not have are left out."""
    dataset, _, name = table.partition(".")
    model = _model(settings().dbt_dir / "models" / dataset, name)
    described = {column["name"]: _text(column["description"]) for column in model["columns"]}
    return Definition(
        table=table,
        description=_text(model["description"]),
        metrics=[definition.text for definition in metrics_of(model)],
        columns={column: described[column] for column in columns if column in described},
        owner=str(model["config"]["meta"]["owner"]),
        freshness_sla="{cadence}, within {fresh_within}, {criticality}".format(**model["config"]["meta"]["sla"]),
    )


def _text(description: str) -> str:
    """A description with the shared texts that it names. Its lists stay lists."""
    return _DOC.sub(lambda found: _shared_texts()[found[1]], description).strip()


@lru_cache
def _shared_texts() -> dict[str, str]:
    """The blocks `docs` of the dbt project by name."""
    files = (settings().dbt_dir / "models").rglob("*.md")
    return {name: text.strip() for path in files for name, text in _DOCS.findall(path.read_text(encoding="utf-8"))}


@lru_cache
def _model(layer: Path, name: str) -> Node:
    (path,) = layer.rglob(f"{name}.yml")
    found: Node = yaml.safe_load(path.read_text(encoding="utf-8"))["models"][0]
    return found
