"""The tables of a run of `transform` that a selection narrows: what its gates check, and what it publishes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from include.manifest import PUBLISHED, published_name, read_manifest, upstream
from include.sources import load_sources

if TYPE_CHECKING:
    from include.quality import Scope


def scope_of_selection(context: Mapping[str, Any]) -> Scope | None:
    """The scope of the run's gates; None for a run without a selection, which builds all.

    A staging view shows the as-of time of the run that built it. All other tables are those of the last nightly run or of a later
    refresh, so a rule that compares them with the tables of this run would fail for their age only.
    """
    from include.quality import Scope

    selected = _selected(context)
    if selected is None:
        return None
    manifest = read_manifest()
    nodes = manifest["nodes"]
    names = {key: f"{nodes[key]['schema']}.{nodes[key]['alias']}" for key in upstream(manifest, selected) if key in nodes}
    built = frozenset(names[key] for key in selected)
    staged = {
        source.name: [table for table in source.tables if f"staging.stg_{source.name}__{table}" in built]
        for source in load_sources().values()
    }
    sources = {name: load_sources()[name].only(tables) for name, tables in staged.items() if tables}
    return Scope(sources, built, frozenset(names.values()) - built)


def selected_tables(context: Mapping[str, Any]) -> list[str] | None:
    """The tables that the run publishes, such as `marts.mart_nrr_summary`; None for a run without a selection, which publishes all.

    Other tables were not checked by this run, and keep their as-of time.
    """
    selected = _selected(context)
    if selected is None:
        return None
    nodes = [read_manifest()["nodes"][key] for key in selected]
    return sorted(published_name(node) for node in nodes if node["resource_type"] == "model" and node["schema"] in PUBLISHED)


def _selected(context: Mapping[str, Any]) -> list[str] | None:
    found: list[str] | None = context["ti"].xcom_pull(task_ids="prepare")["selected"]
    return found
