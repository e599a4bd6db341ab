"""Which tables are promised more often than daily, and what refreshing them takes: read from dbt's manifest, repeated nowhere.

A model says `meta.sla: {cadence: hourly, …}`. All models of one cadence make one refresh: it builds them and the models and seeds (if those have changed) that
they are made from, and lands the tables of the sources that those read. Snapshots are history that each night adds to once: a refresh
reads them as it finds them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from include.publish.targets import DATASETS
from include.settings import settings
from include.terms import CRITICALITIES, cadence_interval, refreshed_by
from include.transform.layers import LAYERS

if TYPE_CHECKING:
    from include.sources import Source

_BUILT = {"model", "seed"}
# Off the full hour and off the quarters, so that the hourly run and the quarter-hourly ones find each other done.
_HOURLY = "7 * * * *"


class CadenceError(ValueError):
    """A model's `meta.sla` cannot be kept: the message names the model and the key."""


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
        sources: what it lands: each source with the tables that are needed alone.
        relations: what it builds, `dataset.table`, in the build.
    """

    dag_id: str
    cadence: str
    interval: timedelta
    schedule: str
    tier: str
    tables: tuple[str, ...]
    layers: Mapping[str, tuple[str, ...]]
    sources: Mapping[str, Source]
    relations: frozenset[str]

    @property
    def models(self) -> tuple[str, ...]:
        """The models that it keeps fresh."""
        return tuple(table.partition(".")[2] for table in self.tables)

    def selectors(self, layer: str) -> list[str]:
        """What it builds of a layer, as dbt selectors: what its models need upstream. Names one by one would take Cosmos long to read."""
        parts = [part for part in LAYERS[layer] if not part.startswith("path:snapshots")]
        return [f"+{model},{part}" for model in self.models for part in parts]


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
    built, read = _needed(manifest, [model["unique_id"] for model in models])
    layers = {layer: tuple(sorted(node["name"] for node in built if _layer(node) == layer)) for layer in LAYERS}
    for model in models:
        if model["schema"] not in DATASETS:
            raise CadenceError(f"{model['name']}: meta.sla.cadence {cadence!r}: only marts and metrics are published.")
    return Refresh(
        dag_id=refreshed_by(cadence),
        cadence=cadence,
        interval=interval,
        schedule=schedule,
        tier=max((_criticality(model) for model in models), key=CRITICALITIES.index),
        tables=tuple(sorted(f"{DATASETS[model['schema']]}.{model['alias']}" for model in models)),
        layers={layer: names for layer, names in layers.items() if names},
        sources=_landed(read, interval),
        relations=frozenset(f"{node['schema']}.{node['alias']}" for node in built),
    )


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


def _needed(manifest: Mapping[str, Any], keys: Iterable[str]) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """The models and seeds that these models are made from, themselves included, and the dbt sources that all of them read."""
    open_keys, known = list(keys), set(keys)
    built, read = [], []
    while open_keys:
        key = open_keys.pop()
        node = manifest["nodes"].get(key)
        if node is None:
            read.append(manifest["sources"][key])
        elif node["resource_type"] in _BUILT:
            built.append(node)
            upstream = [parent for parent in node["depends_on"].get("nodes", []) if parent not in known]
            known.update(upstream)
            open_keys += upstream
    return built, read


def _layer(node: Mapping[str, Any]) -> str:
    for layer, selectors in LAYERS.items():
        if any(node["original_file_path"].startswith(selector.removeprefix("path:") + "/") for selector in selectors):
            return layer
    raise CadenceError(f"{node['name']}: {node['original_file_path']} lies in no layer of the pipeline.")


def _landed(read: Iterable[Mapping[str, Any]], interval: timedelta) -> dict[str, Source]:
    """The sources with the tables that are read; what was committed late by more than a tick is the night's to find."""
    from include.sources import load_sources

    known = load_sources()
    tables: dict[str, set[str]] = {}
    for node in read:
        # The platform's own books, such as the quarantine, are dbt sources too.
        if node["source_name"] in known:
            tables.setdefault(node["source_name"], set()).add(node["name"])
    return {name: known[name].only(tables[name], overlap=interval) for name in sorted(tables)}
