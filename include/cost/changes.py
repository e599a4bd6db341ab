"""The number of changes of each table per day, from the recorded jobs and the number of runs per day of their phase."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

#: Statements that change a table's rows. Other DDL counts against another limit.
_CHANGES = frozenset({"CREATE_TABLE_AS_SELECT", "INSERT", "MERGE", "UPDATE", "DELETE", "TRUNCATE"})


def changes_per_day(jobs: Iterable[Mapping[str, Any]], cadences: Mapping[str, float]) -> Counter[str]:
    """Table → how often a day it is changed.

    Args:
        jobs: as the endpoint has recorded them.
        cadences: phase → how often a day it runs.
    """
    counted: Counter[str] = Counter()
    for job in jobs:
        times = cadences.get(job["phase"], 0)
        if job["error"] or not times:
            continue
        for table in _changed(job):
            counted[table] += times  # type: ignore[assignment]
    return counted


def _changed(job: Mapping[str, Any]) -> Iterable[str]:
    if job["target"]:
        yield job["target"]
    for statement in job["statements"]:
        if statement["kind"] in _CHANGES and statement["target"]:
            yield statement["target"]
