"""Renders `docs/contract.md`: the entities and columns of the input contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from include.catalog.nodes import markdown
from include.contract.loading import contract
from include.contract.schema import ROWS, VERSION, ContractColumn, Entity
from include.dbt_project import project_vars
from include.settings import ROOT

CONTRACT = ROOT / "docs" / "contract.md"

HEAD = f"""\
# The input contract

Generated from `include/contract` (`make generate`); CI fails when it is out of date. This is version {VERSION}.

The platform understands these entities, whichever systems they come from. A *required* column has a value in every row. Any other column may be empty, or
absent from the source. A company may lack a whole entity: its tables are then empty. The figures that need what is missing are then
[unknown](metrics.md#conventions), not 0. The summary of a run names what is missing and these figures.

The version rises when rows that the last version allowed are no longer allowed, or mean something else: a column is renamed, removed or becomes required,
or its type or its words change. A new column or entity, and a column that is no longer required, raise nothing. [CHANGELOG.md](../CHANGELOG.md) says what
to do.

A word that is not listed counts as *unknown* where its meaning decides, and a check counts it. Synonyms are vars in `dbt/dbt_project.yml`.
"""
#: Column → the var of dbt_project.yml with synonyms for its words.
SYNONYMS = {
    "deals.stage": "deal_stage_synonyms",
    "deal_stage_history.from_stage": "deal_stage_synonyms",
    "deal_stage_history.to_stage": "deal_stage_synonyms",
    "tickets.priority": "ticket_priority_synonyms",
    "tickets.status": "ticket_status_synonyms",
    "ticket_priority_changes.from_priority": "ticket_priority_synonyms",
    "ticket_priority_changes.to_priority": "ticket_priority_synonyms",
    "sla_policies.priority": "ticket_priority_synonyms",
    "ticket_sla_events.metric": "sla_metric_synonyms",
}


def render() -> str:
    """The page as Markdown."""
    synonyms = {column: len(project_vars()[name]) for column, name in SYNONYMS.items()}
    parts = [HEAD, *(_entity(name, entity, synonyms) for name, entity in contract().items())]
    return "\n".join(parts).rstrip() + "\n"


def _entity(name: str, entity: Entity, synonyms: Mapping[str, int]) -> str:
    rows = [
        [
            f"`{column}`",
            declared.type,
            "yes" if declared.required else "",
            _words(declared, synonyms.get(f"{name}.{column}", 0)),
            declared.description,
            entity.unknown_without.get(column, ""),
        ]
        for column, declared in entity.columns.items()
    ]
    table = markdown(["column", "type", "required", "words", "meaning", "unknown without it"], rows)
    without = [f"Unknown without rows: {entity.unknown_without[ROWS]}.\n"] if ROWS in entity.unknown_without else []
    return "\n".join([f"## {name}\n", f"{entity.description} {' '.join(_facts(entity))}\n", *without, table])


def _facts(entity: Entity) -> Iterator[str]:
    yield f"Key: {', '.join(f'`{column}`' for column in entity.key)}."
    if entity.happens_at:
        yield f"It happens at `{entity.happens_at}`."


def _words(column: ContractColumn, synonyms: int) -> str:
    words = ", ".join(column.accepted_values or ())
    known = f"{synonyms} synonyms" if synonyms else ""
    return "; ".join(part for part in (words, known) if part)
