"""Finds in the recorded jobs what BigQuery would refuse, and names the file and line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.cost.changes import changes_per_day

ROOT = Path(__file__).resolve().parents[2]

#: Tables scanned by one statement, with views and CTEs expanded. BigQuery refuses some hundreds.
MAX_SCANS = 200
#: Views within views. BigQuery allows 16 levels.
MAX_DEPTH = 10
#: Partitions changed by one job. BigQuery allows 4,000.
MAX_PARTITIONS = 2_000
#: Changes of one table a day. BigQuery allows 1,500.
MAX_CHANGES = 500
#: The assumed days of history of a table if a job writes all of it.
HISTORY_DAYS = 3_650

Recorded = Mapping[str, Any]


@dataclass(frozen=True, order=True)
class Complaint:
    """A broken rule.

    Attributes:
        rule: the name of the rule, such as `refused` or `scans`.
        where: file and line, or the labels of the job.
        what: what is wrong.
    """

    rule: str
    where: str
    what: str


def complaints(
    jobs: Iterable[Recorded], cadences: Mapping[str, float], manifest: Path, expected: Sequence[str] = ()
) -> list[Complaint]:
    """All rules that the recorded jobs break.

    Args:
        jobs: the jobs that the endpoint has recorded.
        cadences: phase → how often a day it runs.
        manifest: dbt's manifest, which names the file of a model or test.
        expected: patterns of refusals that the platform provokes and handles.
    """
    jobs, files = list(jobs), _Files(manifest)
    found: set[Complaint] = set()
    for job in jobs:
        if job["error"] and not any(re.search(pattern, job["error"]) for pattern in expected):
            found.add(Complaint("refused", files.where(job, job["error"]), job["error"]))
        for finding in job["findings"]:
            if finding["rule"] == "labels" and _is_seed(job, files):
                continue
            found.add(Complaint(finding["rule"], files.where(job), finding["message"]))
        for statement in job["statements"]:
            found.update(_of_statement(statement, files.where(job)))
            found.update(_of_incremental(statement, job, files))
    found.update(_too_many_changes(jobs, cadences))
    found.update(_unchecked_contracts(jobs, files))
    return sorted(found)


def kinds_of(sql: str) -> list[str]:
    """The kinds of a job's statements. Statements of one kind differ only in values and in names of temporary tables."""
    text = re.sub(r"(?s)/\*.*?\*/|--[^\n]*", " ", sql)
    text = re.sub(r"(?s)r?'''.*?'''|r?\"\"\".*?\"\"\"|r?'(?:[^'\\]|\\.)*'|r?\"(?:[^\"\\]|\\.)*\"", "?", text)
    text = re.sub(r"__dbt_tmp_?\d*|\b\d[\d.]*\b", "?", text)
    text = re.sub(r"(\?\s*,\s*)+\?", "?", text)
    # Great Expectations reads the values of a gate in one statement, in any order.
    parts = re.split(r"(?i);|\)\s+as\s+`query_value\w*`,?", text)
    return [
        kind for part in parts if (kind := re.sub(r"^(select )?\( ?(?=select)", "", re.sub(r"\s+", " ", part).strip().lower()))
    ]


def _of_statement(statement: Mapping[str, Any], where: str) -> Iterable[Complaint]:
    if statement["scans"] > MAX_SCANS:
        yield Complaint(
            "scans", where, f"{statement['scans']:,} tables are scanned with views and CTEs expanded (limit {MAX_SCANS})"
        )
    if statement["depth"] > MAX_DEPTH:
        yield Complaint("depth", where, f"views are nested {statement['depth']} deep (limit {MAX_DEPTH})")
    partitions = HISTORY_DAYS if statement.get("partitioned_by") == "DAY" and statement["kind"] == "CREATE_TABLE_AS_SELECT" else 0
    if partitions > MAX_PARTITIONS:
        yield Complaint(
            "partitions", where, f"{statement['target']} is partitioned by day: {partitions:,} at once (limit {MAX_PARTITIONS:,})"
        )


def _of_incremental(statement: Mapping[str, Any], job: Recorded, files: _Files) -> Iterable[Complaint]:
    """A statement that changes a partitioned incremental model, hooks included, names its partitions by constants."""
    target, config = statement["target"], files.config(job)
    if config.get("materialized") != "incremental" or not config.get("partition_by") or "__dbt_tmp" in (target or ""):
        return
    changes = statement["kind"] in {"MERGE", "UPDATE", "DELETE"}
    if changes and {} in statement["billed"].get(target, {"ranges": []})["ranges"]:
        yield Complaint("whole table", files.where(job), f"{statement['kind']} reads every partition of {target}")


def _unchecked_contracts(jobs: Sequence[Recorded], files: _Files) -> Iterable[Complaint]:
    """A model whose columns were not compared with its contract: a column that the contract lacks would be left out silently."""
    asked = {job["labels"].get("node", "") for job in jobs if re.search(r"\bwhere false\b.*\s+limit 0\s*$", job["sql"])}
    for name, path in files.with_contract.items():
        if name not in asked:
            yield Complaint("contract", f"dbt/{path}", "its columns were never compared with its contract")


def _too_many_changes(jobs: Sequence[Recorded], cadences: Mapping[str, float]) -> Iterable[Complaint]:
    for table, times in changes_per_day(jobs, cadences).items():
        if times > MAX_CHANGES:
            yield Complaint("changes", table, f"changed {times:,.0f} times a day (limit {MAX_CHANGES})")


def _is_seed(job: Recorded, files: _Files) -> bool:
    """Whether dbt loads a seed by this job. dbt-bigquery gives such jobs no labels, and load jobs cost nothing."""
    return job["kind"] == "load" and (job["target"] or "") in files.seeds


class _Files:
    """Finds the file and line of a job's SQL."""

    def __init__(self, manifest: Path) -> None:
        # Not by include.manifest: the tests of this package run in an environment without the platform's packages.
        nodes = json.loads(manifest.read_text())["nodes"].values() if manifest.exists() else []
        self._nodes = {node["name"][:63].lower(): node for node in nodes}
        self.seeds = {f"{node['schema']}.{node['alias']}" for node in nodes if node["resource_type"] == "seed"}
        self.with_contract = {
            name: str(node["original_file_path"])
            for name, node in self._nodes.items()
            if node["resource_type"] == "model" and node["config"].get("contract", {}).get("enforced")
        }

    def config(self, job: Recorded) -> Mapping[str, Any]:
        """The configuration of the dbt node that sent the job; empty for any other job."""
        found: Mapping[str, Any] = self._nodes.get(job["labels"].get("node", ""), {}).get("config", {})
        return found

    def where(self, job: Recorded, error: str = "") -> str:
        """File and line of the model or test, or of our code that sent the job."""
        node = self._nodes.get(job["labels"].get("node", ""))
        if node is None:
            labels = ", ".join(
                f"{name} {value}" for name, value in sorted(job["labels"].items()) if name not in {"platform", "environment"}
            )
            rule = _rule_at(job["sql"], error)
            return (f"rule {rule}, " if rule else "") + str(job["origin"] or labels or job["id"])
        path = ROOT / "dbt" / node["original_file_path"]
        line = _line_in(path, job["sql"], error)
        return f"{path.relative_to(ROOT)}{f':{line}' if line else ''}"


def _rule_at(sql: str, error: str) -> str | None:
    """The gate's rule, `gate.rule`, in whose part of a joined statement the error is; None for other statements."""
    at = re.search(r"\[at (\d+):", error)
    lines = sql.splitlines()[: int(at[1])] if at else []
    named = [found[1] for line in lines if (found := re.search(r"-- (\w+\.\w+)\s*$", line))]
    return named[-1] if named else None


def _line_in(path: Path, sql: str, error: str) -> int | None:
    """The line of the file with the same text as the line of the error; None if there is none."""
    at = re.search(r"\[at (\d+):", error)
    if at is None or not path.exists():
        return None
    lines = sql.splitlines()
    sent = lines[int(at[1]) - 1].strip() if int(at[1]) <= len(lines) else ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if sent and line.strip() == sent:
            return number
    return None
