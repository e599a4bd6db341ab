"""The refreshes: derived from the models' `meta.sla` and the lineage in dbt's manifest.

A model declares its cadence in `meta.sla`. All models of one cadence form one refresh. The refresh loads their upstream raw
tables, except those whose `refresh_every` is longer than its interval. It builds the models downstream of the loaded tables,
and the seeds that these read, if the seeds have changed. It reuses all other upstream tables from the last nightly run or a
slower refresh. Only nightly runs update snapshots.

A model or a data test may set `meta.refresh_every` itself. The refreshes with a shorter interval then leave it out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from include.dbt_project import layer_selectors
from include.manifest import PUBLISHED, Manifest, Node, nodes_of, parents_of, published_name, read_manifest, upstream
from include.settings import settings
from include.terms import CRITICALITIES, Duration, cadence_interval, refreshed_by

if TYPE_CHECKING:
    from include.sources import Source

_DURATION: TypeAdapter[timedelta] = TypeAdapter(Duration)
# Not at a quarter of an hour: the hourly refresh must not start at the same time as those of every 15 minutes.
_HOURLY = "7 * * * *"


class CadenceError(ValueError):
    """A model's `meta.sla` or `meta.refresh_every` is invalid: the message names the model and the key."""


@dataclass(frozen=True)
class Refresh:
    """One refresh DAG.

    Attributes:
        dag_id: `refresh_<cadence>`.
        cadence: the cadence in the models' `meta.sla`.
        interval: the schedule interval.
        schedule: cron expression, UTC.
        tier: the highest criticality of its models.
        tables: the tables that it publishes, such as `marts.mart_ticket_sla_compliance`.
        layers: layer → names of the models and seeds that it builds there, in the order of the pipeline.
        selectors: layer → the same nodes as dbt selectors.
        upstream: layer → names of all models and seeds upstream of its tables, whether it builds them or not.
        excluded_tests: names of data tests on its models that it does not run, because their `refresh_every` is longer.
        sources: the sources that it loads, each with the needed tables only.
        relations: the relations that it builds, as `dataset.table`.
        reused: the other upstream relations, as `dataset.table`: an earlier run has built them.
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
    excluded_tests: tuple[str, ...]
    sources: Mapping[str, Source]
    relations: frozenset[str]
    reused: frozenset[str]

    @property
    def models(self) -> tuple[str, ...]:
        """The names of the models that it publishes."""
        return tuple(table.partition(".")[2] for table in self.tables)


def refreshes() -> dict[str, Refresh]:
    """The refresh of every cadence other than daily, by DAG id. Empty if dbt's manifest has not been written yet.

    Raises:
        CadenceError: the `meta.sla` or `meta.refresh_every` of a model is invalid.
    """
    manifest = settings().manifest
    if not manifest.exists():
        return {}
    return _refreshes(manifest, manifest.stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _refreshes(manifest: Path, _changed: int) -> dict[str, Refresh]:
    return refreshes_of(read_manifest(manifest))


def refreshes_of(manifest: Manifest) -> dict[str, Refresh]:
    """The refreshes that a manifest declares, by DAG id."""
    by_cadence: dict[str, list[Node]] = {}
    for node in nodes_of(manifest, "model"):
        sla = (node["config"].get("meta") or {}).get("sla")
        if sla and sla.get("cadence") != "daily":
            by_cadence.setdefault(str(sla.get("cadence")), []).append(node)
    found = (_refresh(manifest, cadence, nodes) for cadence, nodes in sorted(by_cadence.items()))
    return {refresh.dag_id: refresh for refresh in found}


def _refresh(manifest: Manifest, cadence: str, models: list[Node]) -> Refresh:
    interval, schedule = _schedule(cadence, models[0]["name"])
    for model in models:
        if model["schema"] not in PUBLISHED:
            raise CadenceError(f"{model['name']}: meta.sla.cadence {cadence!r}: only marts and metrics are published.")
    wanted = [model["unique_id"] for model in models]
    needed, _ = _split(manifest, upstream(manifest, wanted, lambda key: not _is_snapshot(manifest, key)))
    built, read = _split(manifest, upstream(manifest, wanted, _refresh_rule(manifest, wanted, interval)))
    layers = {layer: nodes for layer in layer_selectors() if (nodes := [node for node in built if _layer(node) == layer])}
    relations = _relations(built)
    return Refresh(
        dag_id=refreshed_by(cadence),
        cadence=cadence,
        interval=interval,
        schedule=schedule,
        tier=max((_criticality(model) for model in models), key=CRITICALITIES.index),
        tables=tuple(sorted(map(published_name, models))),
        layers={layer: _names(nodes) for layer, nodes in layers.items()},
        selectors={layer: sorted(f"path:{node['original_file_path']}" for node in nodes) for layer, nodes in layers.items()},
        upstream={layer: _names(node for node in needed if _layer(node) == layer) for layer in layer_selectors()},
        excluded_tests=_excluded_tests(manifest, {node["unique_id"] for node in built}, interval),
        sources=_sources(read, interval),
        relations=relations,
        reused=_relations(needed) - relations,
    )


def _names(nodes: Iterable[Node]) -> tuple[str, ...]:
    return tuple(sorted(node["name"] for node in nodes))


def _relations(nodes: Iterable[Node]) -> frozenset[str]:
    return frozenset(f"{node['schema']}.{node['alias']}" for node in nodes)


def _schedule(cadence: str, model: str) -> tuple[timedelta, str]:
    """The schedule interval and the cron expression."""
    try:
        interval = cadence_interval(cadence)
    except ValueError as error:
        raise CadenceError(f"{model}: meta.sla.cadence is {error}.") from error
    return interval, _HOURLY if cadence == "hourly" else f"*/{interval // timedelta(minutes=1)} * * * *"


def _criticality(model: Node) -> str:
    given = str(model["config"]["meta"]["sla"].get("criticality"))
    if given not in CRITICALITIES:
        raise CadenceError(f"{model['name']}: meta.sla.criticality is {given!r}: say one of {', '.join(CRITICALITIES)}.")
    return given


def _split(manifest: Manifest, keys: Iterable[str]) -> tuple[list[Node], list[Node]]:
    """The models and seeds with these keys, and the dbt sources."""
    nodes, sources = manifest["nodes"], manifest["sources"]
    return [nodes[key] for key in keys if key in nodes], [sources[key] for key in keys if key in sources]


def _is_snapshot(manifest: Manifest, key: str) -> bool:
    return key in manifest["nodes"] and manifest["nodes"][key]["resource_type"] == "snapshot"


def _refresh_rule(manifest: Manifest, wanted: Iterable[str], interval: timedelta) -> Callable[[str], bool]:
    """A function that says whether a refresh builds a node or loads a dbt source, by its key."""
    from include.sources import load_sources

    nodes, sources, known = manifest["nodes"], manifest["sources"], load_sources()
    published = frozenset(wanted)

    @cache
    def declared(key: str) -> bool | None:
        """The rule of the node or source itself; None if its lineage decides."""
        if key in sources:
            # The platform's own tables, such as the quarantine, are dbt sources too.
            source = known.get(sources[key]["source_name"])
            return source is not None and source.tables[sources[key]["name"]].is_loaded_every(interval)
        if _is_snapshot(manifest, key):
            return False
        if key in published or nodes[key]["resource_type"] == "seed":
            return True
        every = _own_interval(nodes[key])
        return None if every is None else every <= interval

    def may_change(key: str) -> bool:
        return declared(key) is not False and not key.startswith("seed.")

    @cache
    def is_refreshed(key: str) -> bool:
        said = declared(key)
        return any(map(declared, upstream(manifest, [key], may_change))) if said is None else said

    return is_refreshed


def _excluded_tests(manifest: Manifest, built: AbstractSet[str], interval: timedelta) -> tuple[str, ...]:
    return _names(
        test
        for test in nodes_of(manifest, "test")
        if (every := _own_interval(test)) is not None and every > interval and not built.isdisjoint(parents_of(test))
    )


def _own_interval(node: Node) -> timedelta | None:
    """The `meta.refresh_every` of a model or data test; None if it has none."""
    given = (node["config"].get("meta") or {}).get("refresh_every")
    if given is None:
        return None
    try:
        return _DURATION.validate_python(given)
    except ValidationError as error:
        raise CadenceError(f"{node['name']}: meta.refresh_every: {error.errors()[0]['msg']}.") from error


def _layer(node: Node) -> str:
    for layer, selectors in layer_selectors().items():
        if any(node["original_file_path"].startswith(selector.removeprefix("path:") + "/") for selector in selectors):
            return layer
    raise CadenceError(
        f"{node['name']}: {node['original_file_path']} is in no folder of the layers: {', '.join(layer_selectors())}."
    )


def _sources(read: Iterable[Node], interval: timedelta) -> dict[str, Source]:
    """The sources with the tables that are read. The overlap is one interval; nightly runs find rows committed later."""
    from include.sources import load_sources

    known = load_sources()
    tables: dict[str, set[str]] = {}
    for node in read:
        tables.setdefault(node["source_name"], set()).add(node["name"])
    return {name: known[name].only(tables[name], overlap=interval) for name in sorted(tables)}
