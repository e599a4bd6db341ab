"""What is done how often: the recorded jobs of a nightly run, of each refresh, and of what else runs on a clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from include.cost.prices import Bill, bill
from include.cost.sizes import Size
from include.publish.targets import DATASETS

NIGHTLY = "nightly run"
#: The driver's names of the two runs. It leaves the data tests out of the second, because they change no table.
_FULL, _INCREMENTAL = "first run", "second run"
DAYS_PER_MONTH = 30
#: Datasets of what the sources sent.
_AS_LANDED = ("raw_", "quarantine.")

Job = Mapping[str, Any]


@dataclass(frozen=True)
class Work:
    """Something that is done on a clock.

    Attributes:
        name: such as `nightly run` or `refresh_hourly`.
        per_day: how often.
        jobs: that it sends each time.
    """

    name: str
    per_day: float
    jobs: Sequence[Job]

    def bill(self, sizes: Mapping[str, Size]) -> Bill:
        """Of doing it once."""
        return sum((bill_of(job, sizes) for job in self.jobs), Bill())


class Nodes:
    """What dbt's manifest says of jobs and tables."""

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        self._nodes: Mapping[str, Mapping[str, Any]] = manifest["nodes"]
        self._labels = {node["name"][:63].lower(): node for node in self._nodes.values()}

    def of(self, job: Job) -> Mapping[str, Any] | None:
        """The node that a job was sent for."""
        return self._labels.get(job["labels"].get("node", ""))

    def is_data_test(self, job: Job) -> bool:
        """Whether a job is a data test that every run does: tests of seeds alone are done when the code has changed."""
        node = self.of(job)
        if node is None or node["resource_type"] != "test":
            return False
        return any(not parent.startswith("seed.") for parent in node["depends_on"]["nodes"])

    def growing(self) -> set[str]:
        """`dataset.table` of all that sources feed: a larger company has more rows in them. Seeds and calendars are not among them."""
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
        open_keys, known = [key], {key}
        while open_keys:
            current = open_keys.pop()
            if current.startswith("source."):
                return True
            upstream = [k for k in self._nodes.get(current, {}).get("depends_on", {}).get("nodes", []) if k not in known]
            known.update(upstream)
            open_keys += upstream
        return False


def _tables_of(node: Mapping[str, Any]) -> Iterator[str]:
    """Where a node's rows are: as built, and as published."""
    if node.get("alias"):
        for dataset in (node["schema"], DATASETS.get(node["schema"])):
            if dataset:
                yield f"{dataset}.{node['alias']}"


def works(jobs: Iterable[Job], cadences: Mapping[str, float], nodes: Nodes) -> list[Work]:
    """All that is done on a clock, the nightly run first.

    Args:
        jobs: as recorded. Those that were refused cost nothing.
        cadences: phase → how often a day it is done.
        nodes: of dbt's project.
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
    """Of one job. Loads, copies, clones, metadata and dry runs are free."""
    return sum((bill(statement, sizes) for statement in job["statements"]), Bill())


def grown(sizes: Mapping[str, Size], factor: float, growing: set[str]) -> dict[str, Size]:
    """The tables of a company that is so many times as large: raw, quarantine, and the tables that grow with them. Audit tables do not."""
    return {name: size.times(factor) if name in growing or name.startswith(_AS_LANDED) else size for name, size in sizes.items()}


def owner(job: Job, nodes: Nodes) -> str:
    """What a job was sent for: a model, a test, or a part of the platform."""
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
    """Kind of job, how many of it, its bill; the dearest first."""
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
    """Whose statements cost most in a month, over everything that is done."""
    totals: dict[str, Bill] = {}
    for work in all_works:
        for job in work.jobs:
            name = owner(job, nodes)
            totals[name] = totals.get(name, Bill()) + bill_of(job, sizes).times(work.per_day * DAYS_PER_MONTH)
    return sorted(totals.items(), key=lambda item: -item[1].bytes)[:count]
