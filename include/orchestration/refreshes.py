"""Which tables are promised more often than daily, and what refreshing them takes: read from dbt's manifest, repeated nowhere.

A model says `meta.sla: {cadence: hourly, …}`. All models of one cadence make one refresh. It lands the tables that they are made from, less those whose
`refresh_every` is longer than its interval, and builds them and what lies between: the models downstream of a landed table, and the seeds that these
read, if those have changed. All else it takes as the last night, or a slower refresh, left it. So it does with snapshots: history that each night adds to once.

A model may say `meta.refresh_every` too, where that does not follow from the tables it reads: longer than its tables do, or shorter. So may a
data test, of which a refresh then leaves out those that need not be done as often.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from include.publish.targets import DATASETS
from include.settings import settings
from include.terms import CRITICALITIES, Duration, cadence_interval, refreshed_by
from include.transform.layers import layer_selectors

if TYPE_CHECKING:
    from include.sources import Source

_DURATION: TypeAdapter[timedelta] = TypeAdapter(Duration)
# Off the full hour and off the quarters, so that the hourly run and the quarter-hourly ones find each other done.
_HOURLY = "7 * * * *"


class CadenceError(ValueError):
    """A model's `meta.sla` or `meta.refresh_every` cannot be kept: the message names the model and the key."""


@dataclass(frozen=True)
class Refresh:
    """What one refresh DAG does.

    Attributes:
        dag_id: `refresh_<cadence>`.
        cadence: as the models say it.
        interval: the time from one tick to the next.
        schedule: cron expression, UTC.
        tier: the highest criticality of its models.
        tables: what it publishes, such as `marts.mart_ticket_sla_compliance`.
        layers: layer → names of the models and seeds that it builds there, in the order of the pipeline.
        selectors: layer → the same as dbt selectors.
        upstream: layer → names of all models and seeds that its tables are made from, built by it or not.
        left_out: names of data tests of what it builds that say that it need not do them.
        sources: what it lands: each source with the tables that are needed alone.
        relations: what it builds, `dataset.table`, in the build.
        taken: what its tables are made from besides, `dataset.table`: as the last night, or a slower refresh, left it.
    """

    dag_id: str
    cadence: str
    interval: timedelta
    schedule: str
    tier: str
    tables: tuple[str, ...]
    layers: Mapping[str, tuple[str, ...]]
    selectors: Mapping[str, list[str]]
    upstream: Mapping[str, tuple[str, ...]]
    left_out: tuple[str, ...]
    sources: Mapping[str, Source]
    relations: frozenset[str]
    taken: frozenset[str]

    @property
    def models(self) -> tuple[str, ...]:
        """The models that it keeps fresh."""
        return tuple(table.partition(".")[2] for table in self.tables)


def refreshes() -> dict[str, Refresh]:
    """The refresh of every cadence that is not daily, by DAG id; none while dbt's manifest has not been written.

    Raises:
        CadenceError: a model promises a cadence that no DAG can keep.
    """
    manifest = settings().manifest
    if not manifest.exists():
        return {}
    return _refreshes(manifest, manifest.stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _refreshes(manifest: Path, _changed: int) -> dict[str, Refresh]:
    return refreshes_of(json.loads(manifest.read_text(encoding="utf-8")))


def refreshes_of(manifest: Mapping[str, Any]) -> dict[str, Refresh]:
    """The refreshes that a manifest asks for, by DAG id."""
    promised: dict[str, list[Mapping[str, Any]]] = {}
    for node in manifest["nodes"].values():
        sla = (node["config"].get("meta") or {}).get("sla") if node["resource_type"] == "model" else None
        if sla and node["config"]["enabled"] and sla.get("cadence") != "daily":
            promised.setdefault(str(sla.get("cadence")), []).append(node)
    made = (_refresh(manifest, cadence, nodes) for cadence, nodes in sorted(promised.items()))
    return {refresh.dag_id: refresh for refresh in made}


def _refresh(manifest: Mapping[str, Any], cadence: str, models: list[Mapping[str, Any]]) -> Refresh:
    interval, schedule = _clock(cadence, models[0]["name"])
    for model in models:
        if model["schema"] not in DATASETS:
            raise CadenceError(f"{model['name']}: meta.sla.cadence {cadence!r}: only marts and metrics are published.")
    upstream, _ = _needed(manifest, models, lambda key: True)
    moved, landed = _needed(manifest, models, _moving(manifest, [model["unique_id"] for model in models], interval))
    layers = {layer: nodes for layer in layer_selectors() if (nodes := [node for node in moved if _layer(node) == layer])}
    relations = _relations(moved)
    return Refresh(
        dag_id=refreshed_by(cadence),
        cadence=cadence,
        interval=interval,
        schedule=schedule,
        tier=max((_criticality(model) for model in models), key=CRITICALITIES.index),
        tables=tuple(sorted(f"{DATASETS[model['schema']]}.{model['alias']}" for model in models)),
        layers={layer: _names(nodes) for layer, nodes in layers.items()},
        selectors={layer: sorted(f"path:{node['original_file_path']}" for node in nodes) for layer, nodes in layers.items()},
        upstream={layer: _names(node for node in upstream if _layer(node) == layer) for layer in layer_selectors()},
        left_out=_left_out(manifest, {node["unique_id"] for node in moved}, interval),
        sources=_landed(landed, interval),
        relations=relations,
        taken=_relations(upstream) - relations,
    )


def _names(nodes: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(sorted(node["name"] for node in nodes))


def _relations(nodes: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    return frozenset(f"{node['schema']}.{node['alias']}" for node in nodes)


def _clock(cadence: str, model: str) -> tuple[timedelta, str]:
    """The time between two ticks, and the cron expression."""
    try:
        interval = cadence_interval(cadence)
    except ValueError as error:
        raise CadenceError(f"{model}: meta.sla.cadence is {error}.") from error
    return interval, _HOURLY if cadence == "hourly" else f"*/{interval // timedelta(minutes=1)} * * * *"


def _criticality(model: Mapping[str, Any]) -> str:
    given = str(model["config"]["meta"]["sla"].get("criticality"))
    if given not in CRITICALITIES:
        raise CadenceError(f"{model['name']}: meta.sla.criticality is {given!r}: say one of {', '.join(CRITICALITIES)}.")
    return given


def _needed(
    manifest: Mapping[str, Any], models: Iterable[Mapping[str, Any]], follows: Callable[[str], bool]
) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """What these models are made from, themselves included, as far upstream as `follows` says: models and seeds, and dbt sources."""
    nodes, sources = manifest["nodes"], manifest["sources"]
    built, read = list(models), []
    known = {node["unique_id"] for node in built}
    for node in built:
        for key in _parents(node):
            if key in known or not follows(key):
                continue
            known.add(key)
            if key in sources:
                read.append(sources[key])
            elif nodes[key]["resource_type"] != "snapshot":
                built.append(nodes[key])
    return built, read


def _moving(manifest: Mapping[str, Any], wanted: Iterable[str], interval: timedelta) -> Callable[[str], bool]:
    """Tells of a node or dbt source, by its key, whether a refresh builds or lands it."""
    from include.sources import load_sources

    nodes, sources, known = manifest["nodes"], manifest["sources"], load_sources()
    published = frozenset(wanted)

    @cache
    def moves(key: str) -> bool:
        if key in sources:
            # The platform's own books, such as the quarantine, are dbt sources too.
            source = known.get(sources[key]["source_name"])
            return source is not None and source.tables[sources[key]["name"]].is_landed_every(interval)
        node = nodes[key]
        if node["resource_type"] == "snapshot":
            return False
        if key in published or node["resource_type"] == "seed":
            return True
        if (every := _own_interval(node)) is not None:
            return every <= interval
        return any(moves(parent) and not parent.startswith("seed.") for parent in _parents(node))

    return moves


def _parents(node: Mapping[str, Any]) -> list[str]:
    return list(node["depends_on"].get("nodes", ()))


def _left_out(manifest: Mapping[str, Any], built: AbstractSet[str], interval: timedelta) -> tuple[str, ...]:
    tests = (node for node in manifest["nodes"].values() if node["resource_type"] == "test")
    return _names(
        test
        for test in tests
        if (every := _own_interval(test)) is not None and every > interval and not built.isdisjoint(_parents(test))
    )


def _own_interval(node: Mapping[str, Any]) -> timedelta | None:
    """What a model or a data test says itself of how often it is to be made, `meta.refresh_every`."""
    given = (node["config"].get("meta") or {}).get("refresh_every")
    if given is None:
        return None
    try:
        return _DURATION.validate_python(given)
    except ValidationError as error:
        raise CadenceError(f"{node['name']}: meta.refresh_every: {error.errors()[0]['msg']}.") from error


def _layer(node: Mapping[str, Any]) -> str:
    for layer, selectors in layer_selectors().items():
        if any(node["original_file_path"].startswith(selector.removeprefix("path:") + "/") for selector in selectors):
            return layer
    raise CadenceError(f"{node['name']}: {node['original_file_path']} lies in no layer of the pipeline.")


def _landed(read: Iterable[Mapping[str, Any]], interval: timedelta) -> dict[str, Source]:
    """The sources with the tables that are read; what was committed late by more than a tick is the night's to find."""
    from include.sources import load_sources

    known = load_sources()
    tables: dict[str, set[str]] = {}
    for node in read:
        tables.setdefault(node["source_name"], set()).add(node["name"])
    return {name: known[name].only(tables[name], overlap=interval) for name in sorted(tables)}
