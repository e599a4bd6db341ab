"""BigQuery's limits, how much of each the platform uses, and how much larger a company may be before it reaches one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from include.cost.changes import changes_per_day
from include.cost.prices import TIB
from include.cost.sizes import Size
from include.cost.work import Job, Work, bill_of


@dataclass(frozen=True)
class Limit:
    """One limit.

    Attributes:
        name: what is limited.
        allowed: the limit.
        today: what the platform needs at today's size.
        of: the table or job that needs most.
        grows: whether the need grows with the company; otherwise it grows with time or with the code.
    """

    name: str
    allowed: float
    today: float
    of: str
    grows: bool

    @property
    def factor(self) -> float | None:
        """The factor by which the company must grow to reach the limit; None if the limit does not depend on size."""
        return self.allowed / self.today if self.grows and self.today else None


def limits(works: Sequence[Work], sizes: Mapping[str, Size], cap: int | None) -> list[Limit]:
    """All limits that can be computed from statements and sizes; first the one that a growing company reaches first.

    Args:
        works: everything that runs on a schedule.
        sizes: `dataset.table` → size, today.
        cap: the platform's own limit of bytes billed per query; None if there is none.
    """
    found = [*_of_size(works, sizes, cap), *_of_time(works, sizes)]
    return sorted(found, key=lambda limit: (limit.factor is None, limit.factor or 0.0))


def _of_size(works: Sequence[Work], sizes: Mapping[str, Size], cap: int | None) -> list[Limit]:
    raw = {name: size for name, size in sizes.items() if name.startswith("raw_")}
    widest = max(raw, key=lambda name: raw[name].bytes, default="")
    jobs = [(bill_of(job, sizes).processed, job) for work in works for job in work.jobs]
    largest, job = max(jobs, key=lambda item: item[0], default=(0, None))
    daily = sum(work.bill(sizes).processed * work.per_day for work in works)
    found = [
        Limit("bytes of one load job", 15 * TIB, raw[widest].bytes if raw else 0, widest, True),
        Limit("bytes that all queries read in a day", 200 * TIB, daily, "everything", True),
    ]
    if cap is not None:
        found.append(Limit("bytes billed of one query, BIGQUERY_MAXIMUM_BYTES_BILLED", cap, largest, _sent_for(job), True))
    return found


def _of_time(works: Sequence[Work], sizes: Mapping[str, Size]) -> list[Limit]:
    jobs = [job for work in works for job in work.jobs]
    cadences = {work.name: work.per_day for work in works}
    named = [{**job, "phase": work.name} for work in works for job in work.jobs]
    changed, times = max(changes_per_day(named, cadences).items(), key=lambda item: item[1], default=("", 0))
    loads = sum(work.per_day * sum(job["kind"] == "load" for job in work.jobs) for work in works)
    parted = max(sizes, key=lambda name: len(sizes[name].partitions), default="")
    written = [
        statement["target"]
        for job in jobs
        for statement in job["statements"]
        if statement["kind"] == "CREATE_TABLE_AS_SELECT" and statement["target"] in sizes
    ]
    most = max(written, key=lambda name: len(sizes[name].partitions), default="")
    longest = max(jobs, key=lambda job: len(job["sql"]), default=None)
    tables = max((len(statement["billed"]) for job in jobs for statement in job["statements"]), default=0)
    return [
        Limit("changes of one table in a day", 1_500, times, changed, False),
        Limit("load jobs of a project in a day", 100_000, loads, "everything", False),
        Limit("partitions that one job changes", 4_000, len(sizes[most].partitions) if most else 0, most, False),
        Limit("partitions of one table", 10_000, len(sizes[parted].partitions) if parted else 0, parted, False),
        Limit("tables that one query refers to", 1_000, tables, "", False),
        Limit(
            "characters of one query",
            1024**2,
            len(longest["sql"]) if longest else 0,
            _sent_for(longest),
            False,
        ),
    ]


def _sent_for(job: Job | None) -> str:
    """The model or test that a job was sent for, else the line of code that sent it."""
    return str(job["labels"].get("node") or job["origin"]) if job else ""
