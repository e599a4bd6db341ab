"""The freshness SLA of each published table: `meta.sla` of its dbt model, read from the manifest. It is stated nowhere else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from include.freshness.calendars import Schedule
from include.publish import DATASETS
from include.settings import settings
from include.terms import Criticality, Duration, cadence_interval, refreshed_by

_RAW = "raw_"


class FreshnessSlaError(ValueError):
    """A freshness SLA cannot be read. The message names the model, the key and the error."""


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
class FreshnessSla:
    """The freshness SLA of one published table.

    Attributes:
        dataset, table: where analysts read it.
        cadence: how often it takes in new data: `daily`, `hourly`, or for example `every 15 minutes`.
        fresh_within: how long after each scheduled time of its cadence the data is published at the latest.
        criticality: `low`, `medium`, `high` or `critical`.
        owner: the dbt group that owns the table.
        channels: the channels that notify its owner; empty: those of the criticality.
        calendar: the days on which the freshness SLA applies: `every_day` or `business_days`.
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
    def schedule(self) -> Schedule:
        return Schedule(self.cadence, self.calendar)

    @property
    def refreshed_by(self) -> str:
        """The DAG that refreshes the table at its cadence."""
        return refreshed_by(self.cadence)


def load_freshness_slas(manifest: Mapping[str, Any] | None = None) -> dict[str, FreshnessSla]:
    """All freshness SLAs, by the table's qualified name.

    Args:
        manifest: dbt's manifest; by default that of the project.

    Raises:
        FreshnessSlaError: a freshness SLA is invalid, or its model has no owner or is not published.
        FileNotFoundError: the project was never parsed.
    """
    found = [_freshness_sla(node) for node in _models(manifest or _manifest()) if _meta(node) is not None]
    return {sla.key: sla for sla in sorted(found, key=lambda sla: sla.key)}


def load_lineage(manifest: Mapping[str, Any] | None = None) -> dict[str, frozenset[str]]:
    """The raw tables upstream of each table with a freshness SLA: `marts.mart_x` → `{"crm.deals", …}`."""
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

    return {_key(node): raw_tables(node["unique_id"]) for node in _models(content) if _meta(node) is not None}


def _manifest() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(settings().manifest.read_text(encoding="utf-8"))
    return content


def _models(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model" and node["config"]["enabled"]]


def _meta(node: Mapping[str, Any]) -> Any:
    return node["config"].get("meta", {}).get("sla")


def _key(node: Mapping[str, Any]) -> str:
    return f"{DATASETS.get(node['schema'], node['schema'])}.{node['alias']}"


def _freshness_sla(node: Mapping[str, Any]) -> FreshnessSla:
    name = node["name"]
    if node["schema"] not in DATASETS:
        raise FreshnessSlaError(
            f"{name}: meta.sla: only published tables have a freshness SLA ({', '.join(DATASETS)}), not those of {node['schema']}."
        )
    if not node.get("group"):
        raise FreshnessSlaError(f"{name}: group: a freshness SLA needs an owner, one of dbt/models/_groups.yml.")
    try:
        sla = _Sla.model_validate(_meta(node))
    except ValidationError as error:
        problems = "; ".join(f"meta.sla.{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors())
        raise FreshnessSlaError(f"{name}: {problems}") from error
    return FreshnessSla(DATASETS[node["schema"]], node["alias"], owner=node["group"], **dict(sla))
