"""The freshness SLA of each published table: `meta.sla` of its dbt model, read from the manifest. It is stated nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from include.freshness.calendars import Schedule
from include.manifest import PUBLISHED, Manifest, Node, nodes_of, published_name, read_manifest, upstream
from include.terms import Channel, Criticality, Duration, cadence_interval, refreshed_by

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
    channels: tuple[Channel, ...] = ()
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


def load_freshness_slas(manifest: Manifest | None = None) -> dict[str, FreshnessSla]:
    """All freshness SLAs, by the table's qualified name.

    Args:
        manifest: dbt's manifest; by default that of the project.

    Raises:
        FreshnessSlaError: a freshness SLA is invalid, or its model has no owner or is not published.
        FileNotFoundError: the project was never parsed.
    """
    found = [_freshness_sla(node) for node in nodes_of(manifest or read_manifest(), "model") if _sla(node) is not None]
    return {sla.key: sla for sla in sorted(found, key=lambda sla: sla.key)}


def load_lineage(manifest: Manifest | None = None) -> dict[str, frozenset[str]]:
    """The raw tables upstream of each table with a freshness SLA: `marts.mart_x` → `{"crm.deals", …}`."""
    content = manifest or read_manifest()
    raw = {
        key: f"{source['schema'].removeprefix(_RAW)}.{source['identifier']}"
        for key, source in content["sources"].items()
        if source["schema"].startswith(_RAW)
    }
    return {
        published_name(node): frozenset(raw[key] for key in upstream(content, [node["unique_id"]]) if key in raw)
        for node in nodes_of(content, "model")
        if _sla(node) is not None
    }


def _sla(node: Node) -> Any:
    return node["config"].get("meta", {}).get("sla")


def _freshness_sla(node: Node) -> FreshnessSla:
    name = node["name"]
    if node["schema"] not in PUBLISHED:
        raise FreshnessSlaError(
            f"{name}: meta.sla: only published tables have a freshness SLA ({', '.join(PUBLISHED)}), not those of {node['schema']}."
        )
    if not node.get("group"):
        raise FreshnessSlaError(f"{name}: group: a freshness SLA needs an owner, one of dbt/models/_groups.yml.")
    try:
        sla = _Sla.model_validate(_sla(node))
    except ValidationError as error:
        problems = "; ".join(f"meta.sla.{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors())
        raise FreshnessSlaError(f"{name}: {problems}") from error
    return FreshnessSla(PUBLISHED[node["schema"]], node["alias"], owner=node["group"], **dict(sla))
