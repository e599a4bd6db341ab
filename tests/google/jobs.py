"""The jobs of the endpoint: their requests, results and findings."""

from __future__ import annotations

import io
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from tests.google.catalog import Missing, Project, Relation
from tests.google.engine import Refused
from tests.google.judge import Judge, Judged
from tests.google.tree import written
from tests.google.types import Column, of_parameter, of_rest

#: Arrow's name of a type → BigQuery's.
_TYPES_OF_ARROW = {
    "string": "STRING",
    "large_string": "STRING",
    "int64": "INT64",
    "double": "FLOAT64",
    "bool": "BOOL",
    "date32[day]": "DATE",
}


class Rows(Protocol):
    """The source of rows: none, or those of the reference evaluator."""

    def select(self, judged: Judged, parameters: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows of a query in the REST API's form."""

    def change(self, judged: Judged, parameters: list[dict[str, Any]]) -> int:
        """Apply a statement to the rows; returns the number of affected rows."""

    def load(self, relation: Relation, config: Mapping[str, Any], body: bytes) -> int:
        """Load a file; returns the number of its rows."""

    def copy(self, source: Relation, target: Relation) -> None:
        """Replace the target's rows by those of the source."""

    def count(self, relation: Relation) -> int:
        """The number of rows of a table."""

    def forget(self, key: tuple[str, str]) -> None:
        """Delete the rows of a dropped table."""


class NoRows:
    """Every table is empty. An aggregation without groups returns one row of literals, counts and NULLs.

    Args:
        information: answers queries on INFORMATION_SCHEMA alone, which is not empty.

    Attributes:
        counted: the answer to every count. If it is not 0, every rule of a gate is broken, and the statements that then follow are sent too.
    """

    def __init__(self, information: Rows) -> None:
        self._information = information
        self.counted = 0

    def select(self, judged: Judged, parameters: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if judged.reads and all(dataset == "INFORMATION_SCHEMA" for dataset, _ in judged.reads):
            return self._information.select(judged, parameters)
        if not judged.one_row:
            return []
        zeros, literals = {"INT64": str(self.counted), "BOOL": "false"}, written(judged.tree)
        numbers = [column.column.column_id for column in judged.tree.output_column_list]
        # An array without elements is empty, not NULL.
        without = [[] if column.mode == "REPEATED" else zeros.get(column.type) for column in judged.columns]
        values = [literals.get(number, value) for number, value in zip(numbers, without, strict=True)]
        return [{"f": [{"v": value} for value in values]}]

    def change(self, judged: Judged, parameters: list[dict[str, Any]]) -> int:
        return self.counted

    def load(self, relation: Relation, config: Mapping[str, Any], body: bytes) -> int:
        return 0

    def copy(self, source: Relation, target: Relation) -> None:
        return

    def count(self, relation: Relation) -> int:
        return 0

    def forget(self, key: tuple[str, str]) -> None:
        return


@dataclass
class Job:
    """One job, as BigQuery stores it.

    Attributes:
        origin: the line of our code that sent the request, if the client named it.
        phase: the phase in which it was sent.
        findings: rules that it breaks although it succeeded.
    """

    id: str
    kind: str
    configuration: dict[str, Any]
    location: str | None
    phase: str
    origin: str
    judged: list[Judged] = field(default_factory=list)
    columns: tuple[Column, ...] = ()
    rows: list[dict[str, Any]] = field(default_factory=list)
    affected: int = 0
    error: str | None = None
    findings: list[dict[str, str]] = field(default_factory=list)
    created: float = field(default_factory=time.time)

    @property
    def sql(self) -> str:
        return str(self.configuration.get("query", {}).get("query", ""))

    def find(self, rule: str, message: str) -> None:
        self.findings.append({"rule": rule, "message": message})

    def recorded(self) -> dict[str, Any]:
        """The job as the report reads it."""
        statements = [
            {
                "kind": item.kind,
                "target": ".".join(item.target) if item.target else None,
                "scans": item.scans,
                "depth": item.depth,
                "partitioned_by": item.partitioned_by,
                "reads": {".".join(key): sorted(columns) for key, columns in item.reads.items()},
                "billed": {".".join(key): read.recorded() for key, read in item.billed.items()},
            }
            for item in self.judged
        ]
        return {
            "id": self.id,
            "kind": self.kind,
            "labels": self.configuration.get("labels") or {},
            "phase": self.phase,
            "origin": self.origin,
            "sql": self.sql,
            "target": _target_of(self.configuration),
            "statements": statements,
            "error": self.error,
            "findings": self.findings,
        }


class Jobs:
    """Runs jobs one at a time against the project, and keeps all of them."""

    def __init__(self, judge: Judge, rows: Rows) -> None:
        self._judge = judge
        self.project: Project = judge.project
        self.rows = rows
        self.phase = ""
        self.known: dict[str, Job] = {}

    def run(self, resource: Mapping[str, Any], origin: str, body: bytes = b"") -> Job:
        """Run a job in the form of `jobs.insert`; a refusal is recorded in the job, not raised."""
        configuration = dict(resource["configuration"])
        reference = resource.get("jobReference") or {}
        kind = next(name for name in ("query", "load", "copy", "extract") if name in configuration)
        job = Job(reference.get("jobId") or uuid.uuid4().hex, kind, configuration, reference.get("location"), self.phase, origin)
        if job.id in self.known:
            raise Refused(f"Already Exists: Job {self.project.name}:{job.id}")
        self.known[job.id] = job
        _check_request(job)
        try:
            {"query": self._query, "load": self._load, "copy": self._copy}[kind](job, body)
        except (Refused, Missing) as error:
            job.error = str(error)
        return job

    def _query(self, job: Job, body: bytes) -> None:
        config = job.configuration["query"]
        given = config.get("queryParameters") or []
        parameters = [(item.get("name") or "", of_parameter(item["parameterType"])) for item in given]
        dry_run = bool(job.configuration.get("dryRun"))
        values = {
            item["name"]: item["parameterValue"]["value"]
            for item in given
            if item.get("name") and "value" in item.get("parameterValue", {})
        }
        job.judged = self._judge.judge(config["query"], parameters, dry_run, values)
        for item in job.judged:
            for finding in item.findings:
                job.find(finding.rule, finding.message)
            if item.kind == "SELECT":
                job.columns = item.columns
                job.rows = [] if dry_run else self.rows.select(item, given)
            elif not dry_run:
                job.affected += self.rows.change(item, given)

    def _load(self, job: Job, body: bytes) -> None:
        config = job.configuration["load"]
        where = config["destinationTable"]
        key = (where["datasetId"], where["tableId"].partition("$")[0])
        declared = of_rest((config.get("schema") or {}).get("fields") or ())
        found = self.project.relations.get(key)
        replaced = config.get("writeDisposition") == "WRITE_TRUNCATE"
        columns = declared or (found.columns if found else ())
        if config.get("sourceFormat") == "PARQUET" and body:
            columns = _checked(pq.read_schema(io.BytesIO(body)), columns)
        if found is None:
            if config.get("createDisposition") == "CREATE_NEVER":
                raise Missing(f"Not found: Table {self.project.name}:{'.'.join(key)}")
            facts = {name: config[name] for name in ("timePartitioning", "clustering") if config.get(name)}
            found = Relation(*key, columns, facts=facts)
        elif replaced:
            if config.get("timePartitioning") and config["timePartitioning"].get("field") != found.facts.get(
                "timePartitioning", {}
            ).get("field"):
                raise Refused(f"Incompatible table partitioning specification. Expected that of {'.'.join(key)}")
            found = replace(found, columns=columns)
        elif new := [column for column in columns if column.name not in {present.name for present in found.columns}]:
            if "ALLOW_FIELD_ADDITION" not in (config.get("schemaUpdateOptions") or []):
                raise Refused(f"Provided Schema does not match Table {'.'.join(key)}. Cannot add fields (field: {new[0].name})")
            found = replace(found, columns=(*found.columns, *new))
        self.project.put(found)
        job.affected = self.rows.load(found, config, body)

    def _copy(self, job: Job, body: bytes) -> None:
        config = job.configuration["copy"]
        named = (config.get("sourceTables") or [config.get("sourceTable")])[0]
        source = self.project.find((named["datasetId"], named["tableId"]))
        where = config["destinationTable"]
        target = source.clone_as(where["datasetId"], where["tableId"])
        if source.kind != "TABLE":
            raise Refused(f"{source.dataset}.{source.name} is not a table, so it cannot be copied")
        self.project.put(target)
        self.rows.copy(source, target)


def _check_request(job: Job) -> None:
    """Check that every job has labels and a location, and every query a byte cap and GoogleSQL."""
    labels = job.configuration.get("labels") or {}
    for label in ("platform", "environment"):
        if not labels.get(label):
            job.find("labels", f"the job has no label {label}")
    if not job.location:
        job.find("location", "the job names no location")
    if job.kind == "query":
        if not job.configuration["query"].get("maximumBytesBilled"):
            job.find("cap", "the job has no cap on bytes billed")
        if job.configuration["query"].get("useLegacySql", True) is not False:
            job.find("dialect", "the job does not ask for GoogleSQL")


def _checked(file: pa.Schema, columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """The columns of a Parquet file, with the types of the table.

    Raises:
        Refused: the type of a column differs from that of the table.
    """
    known = {column.name: column for column in columns}
    made = []
    for item in file:
        column = known.get(item.name) or Column(item.name, _type_of(item.type))
        if not column.fields and not pa.types.is_null(item.type) and _type_of(item.type) != column.type:
            raise Refused(
                f"Provided Schema does not match: field {item.name} has changed type from {column.type} to {_type_of(item.type)}"
            )
        made.append(column)
    return tuple(made)


def _type_of(kind: pa.DataType) -> str:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_timestamp(kind):
        return "TIMESTAMP" if kind.tz else "DATETIME"
    if pa.types.is_decimal(kind):
        return "NUMERIC" if kind.scale <= 9 and kind.precision - kind.scale <= 29 else "BIGNUMERIC"
    if pa.types.is_binary(kind):
        return "BYTES"
    return _TYPES_OF_ARROW.get(str(kind), str(kind).upper())


def _target_of(configuration: Mapping[str, Any]) -> str | None:
    for kind in ("load", "copy"):
        if kind in configuration:
            where = configuration[kind]["destinationTable"]
            return f"{where['datasetId']}.{where['tableId'].partition('$')[0]}"
    return None
