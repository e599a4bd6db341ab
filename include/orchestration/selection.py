"""A run of `transform` that a selection narrows: what it builds, what its gates check, and what it publishes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from include.manifest import PUBLISHED, published_name, read_manifest, upstream
from include.run_context import words_of_selection
from include.settings import settings
from include.sources import load_sources
from include.sources.staging import view_of

if TYPE_CHECKING:
    from include.quality import Scope


def selected_nodes(context: Mapping[str, Any]) -> list[str] | None:
    """The dbt ids of the models, seeds and snapshots that the run's `select` parameter names; None without one.

    Raises:
        ValueError: dbt cannot read the selection, or it names nothing.
    """
    wanted = words_of_selection(context)
    if not wanted:
        return None
    from dbt.cli.main import dbtRunner

    folder, state = str(settings().dbt_dir), str(settings().state_dir / "dbt")
    options = ["--project-dir", folder, "--profiles-dir", folder, "--target-path", state, "--log-path", state, "--quiet"]
    kinds = [word for kind in ("model", "seed", "snapshot") for word in ("--resource-type", kind)]
    found = dbtRunner().invoke(["ls", "--select", *wanted, *kinds, "--output", "json", "--output-keys", "unique_id", *options])
    if not found.success:
        raise ValueError(f"dbt cannot read the selection {' '.join(wanted)!r}: {found.exception}")
    if not found.result:
        raise ValueError(f"The selection {' '.join(wanted)!r} names no model, seed or snapshot.")
    return [json.loads(line)["unique_id"] for line in found.result]  # type: ignore[union-attr]


def scope_of_selection(context: Mapping[str, Any]) -> Scope | None:
    """The scope of the run's gates; None for a run without a selection, which builds all.

    A staging or conformed view shows the as-of time of the run that built it. All other tables are those of the last nightly run or of a later
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
        source.name: [name for name, table in source.tables.items() if f"staging.{view_of(source, table)}" in built]
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
