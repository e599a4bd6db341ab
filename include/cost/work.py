"""The recorded jobs of a nightly run, of each refresh, and of everything else that runs on a schedule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from include.cost.prices import Bill, bill
from include.cost.sizes import Size
from include.manifest import PUBLISHED, Manifest, Node, parents_of, upstream

NIGHTLY = "nightly run"
#: The phases of the two nightly runs in `tests.google.check`. The second leaves the data tests out, because they change no table.
_FULL, _INCREMENTAL = "first run", "second run"
DAYS_PER_MONTH = 30
#: Datasets of source data as loaded.
_AS_LOADED = ("raw_", "quarantine.")

Job = Mapping[str, Any]


@dataclass(frozen=True)
class Work:
    """Something that runs on a schedule.

    Attributes:
        name: for example `nightly run` or `refresh_hourly`.
        per_day: how often a day it runs.
        jobs: the jobs that it sends each time.
    """

    name: str
    per_day: float
    jobs: Sequence[Job]

    def bill(self, sizes: Mapping[str, Size]) -> Bill:
        """The bill of one run."""
        return sum((bill_of(job, sizes) for job in self.jobs), Bill())


class Nodes:
    """The nodes of dbt's manifest, looked up by job and by table."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._nodes: Mapping[str, Node] = manifest["nodes"]
        self._labels = {node["name"][:63].lower(): node for node in self._nodes.values()}

    def of(self, job: Job) -> Node | None:
        """The node for which dbt sent a job."""
        return self._labels.get(job["labels"].get("node", ""))

    def is_data_test(self, job: Job) -> bool:
        """Whether a job is a data test of every run. Tests of seeds alone run only when the code has changed."""
        node = self.of(job)
        if node is None or node["resource_type"] != "test":
            return False
        return any(not parent.startswith("seed.") for parent in parents_of(node))

    def growing(self) -> set[str]:
        """`dataset.table` of all tables downstream of a source: a larger company has more rows in them. Seeds and calendars do not grow."""
        return {table for key, node in self._nodes.items() if self._is_fed(key) for table in _tables_of(node)}

    def partitioning(self) -> dict[str, tuple[str, str]]:
        """`dataset.table` → its partition column, and `DAY`, `MONTH` or `YEAR`."""
        declared = ((node, node.get("config", {}).get("partition_by")) for node in self._nodes.values())
        return {
            table: (given["field"], given.get("granularity", "day").upper())
            for node, given in declared
            if given
            for table in _tables_of(node)
        }

    def _is_fed(self, key: str) -> bool:
        """Whether a source lies upstream."""
        return any(found.startswith("source.") for found in upstream(self._manifest, [key]))


def _tables_of(node: Node) -> Iterator[str]:
    """The tables of a node: the built one and the published one."""
    if node.get("alias"):
        for dataset in (node["schema"], PUBLISHED.get(node["schema"])):
            if dataset:
                yield f"{dataset}.{node['alias']}"


def works(jobs: Iterable[Job], cadences: Mapping[str, float], nodes: Nodes) -> list[Work]:
    """Everything that runs on a schedule, the nightly run first.

    Args:
        jobs: the recorded jobs. Refused jobs cost nothing and are left out.
        cadences: phase → how often a day it runs.
        nodes: the nodes of the dbt project.
    """
    done = [job for job in jobs if not job["error"]]
    nightly = [job for job in done if job["phase"] == _INCREMENTAL]
    nightly += [job for job in done if job["phase"] == _FULL and nodes.is_data_test(job)]
    others = [
        Work(phase, times, [job for job in done if job["phase"] == phase])
        for phase, times in cadences.items()
        if phase not in {_FULL, _INCREMENTAL}
    ]
    return [Work(NIGHTLY, 1, nightly), *others]


def bill_of(job: Job, sizes: Mapping[str, Size]) -> Bill:
    """The bill of one job. Loads, copies, clones, metadata and dry runs are free."""
    return sum((bill(statement, sizes) for statement in job["statements"]), Bill())


def grown(sizes: Mapping[str, Size], factor: float, growing: set[str]) -> dict[str, Size]:
    """The sizes for a company `factor` times as large. Raw, quarantine and the tables that grow with them are scaled, all others are not."""
    return {name: size.times(factor) if name in growing or name.startswith(_AS_LOADED) else size for name, size in sizes.items()}


def owner(job: Job, nodes: Nodes) -> str:
    """The model, test or part of the platform that sent a job."""
    node = nodes.of(job)
    if node is not None:
        return f"{node['resource_type']} {node['name']}"
    labels = {
        name: value
        for name, value in job["labels"].items()
        if name not in {"platform", "environment", "dbt_invocation_id", "invocation_id"}
    }
    return " ".join(f"{name} {value}" for name, value in sorted(labels.items())) or f"{job['phase']}: {job['origin']}"


def by_kind(work: Work, sizes: Mapping[str, Size], nodes: Nodes) -> list[tuple[str, int, Bill]]:
    """Kind of job, number of jobs, their bill; the most expensive first."""
    bills: dict[str, Bill] = {}
    counts: Counter[str] = Counter()
    for job in work.jobs:
        kind = _kind(job, nodes)
        bills[kind] = bills.get(kind, Bill()) + bill_of(job, sizes)
        counts[kind] += 1
    return sorted(((kind, counts[kind], total) for kind, total in bills.items()), key=lambda item: -item[2].bytes)


def _kind(job: Job, nodes: Nodes) -> str:
    node = nodes.of(job)
    if node is None:
        return next((name for name in ("gate", "source", "task", "tool") if name in job["labels"]), "other")
    return f"dbt {node['resource_type']}"


def dearest(all_works: Iterable[Work], sizes: Mapping[str, Size], nodes: Nodes, count: int = 10) -> list[tuple[str, Bill]]:
    """The models, tests and parts of the platform whose statements cost most in a month, over all schedules."""
    totals: dict[str, Bill] = {}
    for work in all_works:
        for job in work.jobs:
            name = owner(job, nodes)
            totals[name] = totals.get(name, Bill()) + bill_of(job, sizes).times(work.per_day * DAYS_PER_MONTH)
    return sorted(totals.items(), key=lambda item: -item[1].bytes)[:count]
