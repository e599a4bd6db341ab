"""Renders `docs/runs.md`: what each refresh, and the nightly run, loads, builds, tests, reads and publishes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from include.dbt_project import layer_selectors
from include.manifest import PUBLISHED, Manifest, nodes_of
from include.orchestration.refreshes import Refresh, refreshes_of
from include.settings import ROOT
from include.sources import Source, load_sources
from include.terms import NIGHTLY_TIME

PAGE = ROOT / "docs" / "runs.md"
_HEAD = """\
# What each run loads, builds and publishes

`make generate` writes this page from `meta.sla` and `meta.refresh_every` of the dbt models, dbt's lineage, and the sources' YAML.
[refresh.md](refresh.md) explains the rules, [the runbook](runbooks/transform-waits.md) says why a run waits. `transform` also writes an
[input report](check-data.md#the-input-report-of-a-nightly-run) on the raw tables, for which nothing waits.

"""


def runs_page(manifest: Manifest) -> str:
    """The page, as Markdown.

    Raises:
        CadenceError: a model has a freshness SLA that no refresh can meet.
    """
    found = refreshes_of(manifest)
    rows = [["`transform`", f"{NIGHTLY_TIME}, when all sources are loaded", *_counts(_nightly(manifest))]]
    rows += [[f"[`{name}`](#{name})", f"`{refresh.schedule}`", *_counts(_of(refresh))] for name, refresh in found.items()]
    overview = _table(
        ["run", "starts (cron, UTC)", "tables loaded", "models, seeds and snapshots built", "tables published"], rows
    )
    return _HEAD + overview + "".join(_section(refresh) for refresh in found.values())


def _of(refresh: Refresh) -> tuple[int, int, int]:
    return _loaded(refresh.sources), sum(map(len, refresh.layers.values())), len(refresh.tables)


def _nightly(manifest: Manifest) -> tuple[int, int, int]:
    nodes = nodes_of(manifest, "model", "seed", "snapshot")
    built = [node for node in nodes if node["config"]["materialized"] != "ephemeral"]
    return _loaded(load_sources()), len(built), sum(node["schema"] in PUBLISHED for node in built)


def _loaded(sources: Mapping[str, Source]) -> int:
    return sum(len(source.tables) for source in sources.values())


def _counts(counts: tuple[int, int, int]) -> list[str]:
    return [str(count) for count in counts]


def _section(refresh: Refresh) -> str:
    loads = [f"{name}: {_names(source.tables)}" for name, source in refresh.sources.items()]
    steps = [["loads", "; ".join(loads) or "nothing"]]
    steps += [[f"builds, {layer}", _names(refresh.layers[layer])] for layer in layer_selectors() if layer in refresh.layers]
    steps += [
        ["publishes", _names(refresh.tables)],
        ["reads from the nightly run or a slower refresh", _names(sorted(refresh.reused)) or "nothing"],
        ["leaves these tests to the nightly run", _names(refresh.excluded_tests) or "none"],
    ]
    return f"\n## {refresh.dag_id}\n\n{_table(['step', 'what'], steps)}"


def _names(names: Iterable[Any]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
