"""What is promised of each published table: `meta.sla` of its dbt model, read from the manifest. Nothing repeats it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from include.freshness.calendars import Ticks
from include.publish import DATASETS
from include.settings import settings
from include.terms import Criticality, Duration, cadence_interval, refreshed_by

_RAW = "raw_"


class PromiseError(ValueError):
    """A promise cannot be read. The message names the model, the key and what is wrong."""


def _cadence(value: str) -> str:
    cadence_interval(value)
    return value


class _Sla(BaseModel):
    """`meta.sla` as a model's YAML writes it."""

    model_config = ConfigDict(extra="forbid")

    cadence: Annotated[str, AfterValidator(_cadence)]
    fresh_within: Annotated[Duration, Field(gt=timedelta(0))]
    criticality: Criticality
    channels: tuple[Literal["slack", "email", "pagerduty"], ...] = ()
    calendar: Literal["every_day", "business_days"] = "every_day"


@dataclass(frozen=True)
class Promise:
    """What is promised of one published table.

    Attributes:
        dataset, table: where analysts read it.
        cadence: how often it takes up new data: `daily`, `hourly`, or such as `every 15 minutes`.
        fresh_within: how long after each instant of its cadence the data of that instant is published.
        criticality: `low`, `medium`, `high` or `critical`.
        owner: the dbt group that answers for it.
        channels: how its owner is told; empty: as its criticality says.
        calendar: the days on which it is promised: `every_day` or `business_days`.
    """

    dataset: str
    table: str
    cadence: str
    fresh_within: timedelta
    criticality: str
    owner: str
    channels: tuple[str, ...] = ()
    calendar: str = "every_day"

    @property
    def key(self) -> str:
        """The table's qualified name, for example `marts.mart_nrr_summary`."""
        return f"{self.dataset}.{self.table}"

    @property
    def cadence_interval(self) -> timedelta:
        return cadence_interval(self.cadence)

    @property
    def ticks(self) -> Ticks:
        return Ticks(self.cadence, self.calendar)

    @property
    def refreshed_by(self) -> str:
        """The DAG that refreshes the table at its cadence."""
        return refreshed_by(self.cadence)


def load_promises(manifest: Mapping[str, Any] | None = None) -> dict[str, Promise]:
    """Every promise, by the table's qualified name.

    Args:
        manifest: dbt's manifest; by default that of the project.

    Raises:
        PromiseError: a promise is wrong, or its model has no owner or is not published.
        FileNotFoundError: the project was never parsed.
    """
    found = [_promise(node) for node in _models(manifest or _manifest()) if _sla(node) is not None]
    return {promise.key: promise for promise in sorted(found, key=lambda promise: promise.key)}


def load_lineage(manifest: Mapping[str, Any] | None = None) -> dict[str, frozenset[str]]:
    """The raw tables that each promised table is made from, directly or not: `marts.mart_x` → `{"crm.deals", …}`."""
    content = manifest or _manifest()
    nodes, sources = content["nodes"], content["sources"]
    known: dict[str, frozenset[str]] = {}

    def raw_tables(unique_id: str) -> frozenset[str]:
        if unique_id not in known:
            if unique_id in sources:
                source = sources[unique_id]
                schema = str(source["schema"])
                name = f"{schema.removeprefix(_RAW)}.{source['identifier']}"
                known[unique_id] = frozenset({name} if schema.startswith(_RAW) else ())
            else:
                parents = nodes[unique_id]["depends_on"].get("nodes", ())
                known[unique_id] = frozenset().union(*(raw_tables(parent) for parent in parents))
        return known[unique_id]

    return {_key(node): raw_tables(node["unique_id"]) for node in _models(content) if _sla(node) is not None}


def _manifest() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(settings().manifest.read_text(encoding="utf-8"))
    return content


def _models(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model" and node["config"]["enabled"]]


def _sla(node: Mapping[str, Any]) -> Any:
    return node["config"].get("meta", {}).get("sla")


def _key(node: Mapping[str, Any]) -> str:
    return f"{DATASETS.get(node['schema'], node['schema'])}.{node['alias']}"


def _promise(node: Mapping[str, Any]) -> Promise:
    name = node["name"]
    if node["schema"] not in DATASETS:
        raise PromiseError(f"{name}: meta.sla: only what is published is promised ({', '.join(DATASETS)}), not {node['schema']}.")
    if not node.get("group"):
        raise PromiseError(f"{name}: group: a promise needs an owner, one of dbt/models/_groups.yml.")
    try:
        sla = _Sla.model_validate(_sla(node))
    except ValidationError as error:
        problems = "; ".join(f"meta.sla.{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors())
        raise PromiseError(f"{name}: {problems}") from error
    return Promise(DATASETS[node["schema"]], node["alias"], owner=node["group"], **dict(sla))
