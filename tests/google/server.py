"""A BigQuery REST endpoint that answers from Google's analyzer. It keeps the schema from statement to statement.
It has no rows, or with `--evaluate` the rows that Google's reference evaluator computes.

    .venv-google/bin/python -m tests.google.server --port 9070 [--evaluate]

`POST /recorded/phase` names the phase of all following requests. `GET /recorded` returns all jobs with their findings.
"""

from __future__ import annotations

import argparse
import email.parser
import email.policy
import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.google.catalog import Missing, Project, Relation
from tests.google.engine import Engine, Refused
from tests.google.evaluate import Evaluator
from tests.google.evaluated import EvaluatedJobs, EvaluatedRows
from tests.google.jobs import Job, Jobs, NoRows
from tests.google.judge import Judge
from tests.google.types import of_rest

PROJECT = "local"
ROOT = Path(__file__).resolve().parents[2]
#: The header in which our test client names the line of the platform's code that sent the request.
ORIGIN = "x-origin"


class Endpoint:
    """The resources of the REST API, over one project."""

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs
        self.project = jobs.project
        self._lock = threading.Lock()
        self._uploads: dict[str, tuple[dict[str, Any], bytes, str]] = {}

    def app(self) -> Starlette:
        base = "/bigquery/v2/projects/{project}"
        upload = f"/upload{base}/jobs"
        routes = [
            ("/recorded", "GET", self.recorded),
            ("/recorded/phase", "POST", self.set_phase),
            (f"{base}/datasets", "GET", self.list_datasets),
            (f"{base}/datasets", "POST", self.insert_dataset),
            (f"{base}/datasets/{{dataset}}", "GET", self.get_dataset),
            (f"{base}/datasets/{{dataset}}", "PATCH PUT", self.get_dataset),
            (f"{base}/datasets/{{dataset}}", "DELETE", self.delete_dataset),
            (f"{base}/datasets/{{dataset}}/routines", "GET", self.list_routines),
            (f"{base}/datasets/{{dataset}}/tables", "GET", self.list_tables),
            (f"{base}/datasets/{{dataset}}/tables", "POST", self.insert_table),
            (f"{base}/datasets/{{dataset}}/tables/{{table}}", "GET", self.get_table),
            (f"{base}/datasets/{{dataset}}/tables/{{table}}", "PATCH PUT", self.update_table),
            (f"{base}/datasets/{{dataset}}/tables/{{table}}", "DELETE", self.delete_table),
            (f"{base}/datasets/{{dataset}}/tables/{{table}}/data", "GET", self.list_rows),
            (f"{base}/jobs", "POST", self.insert_job),
            (f"{base}/jobs/{{job}}", "GET", self.get_job),
            (f"{base}/jobs/{{job}}/cancel", "POST", self.get_job),
            (f"{base}/queries", "POST", self.query),
            (f"{base}/queries/{{job}}", "GET", self.query_results),
            (upload, "POST", self.upload),
            (upload, "PUT", self.upload_part),
        ]
        return Starlette(routes=[Route(path, self._guarded(work), methods=methods.split()) for path, methods, work in routes])

    def _guarded(self, work: Callable[[Request, bytes], Any]) -> Callable[[Request], Any]:
        """A handler that takes one request at a time and answers refusals in BigQuery's form."""

        async def handle(request: Request) -> Response:
            body = await request.body()
            # The analyzer runs with the lock held, in the server's only thread, so nothing runs beside it.
            with self._lock:
                try:
                    answer = work(request, body)
                except Missing as error:
                    return _error(404, "notFound", str(error))
                except Refused as error:
                    if str(error).startswith("Not found"):
                        return _error(404, "notFound", str(error))
                    duplicate = str(error).startswith("Already Exists")
                    return _error(409 if duplicate else 400, "duplicate" if duplicate else "invalidQuery", str(error))
            return answer if isinstance(answer, Response) else JSONResponse(answer)

        return handle

    # The record.

    def recorded(self, request: Request, body: bytes) -> Any:
        return [job.recorded() for job in self.jobs.known.values()]

    def set_phase(self, request: Request, body: bytes) -> Any:
        asked = json.loads(body)
        self.jobs.phase = asked["name"]
        if isinstance(self.jobs.rows, NoRows):
            self.jobs.rows.counted = asked["counted"]
        return {}

    # Datasets.

    def list_datasets(self, request: Request, body: bytes) -> Any:
        return {"kind": "bigquery#datasetList", "datasets": [_dataset(name) for name in sorted(self.project.datasets)]}

    def insert_dataset(self, request: Request, body: bytes) -> Any:
        resource = json.loads(body)
        name = resource["datasetReference"]["datasetId"]
        if name in self.project.datasets:
            raise Refused(f"Already Exists: Dataset {PROJECT}:{name}")
        self.project.datasets[name] = resource
        return _dataset(name)

    def get_dataset(self, request: Request, body: bytes) -> Any:
        return _dataset(self._dataset_name(request))

    def delete_dataset(self, request: Request, body: bytes) -> Any:
        name = self._dataset_name(request)
        del self.project.datasets[name]
        for relation in self.project.of_dataset(name):
            del self.project.relations[relation.key]
            self.jobs.rows.forget(relation.key)
        return Response(status_code=204)

    def _dataset_name(self, request: Request) -> str:
        name = str(request.path_params["dataset"])
        if name not in self.project.datasets:
            raise Missing(f"Not found: Dataset {PROJECT}:{name}")
        return name

    # Tables.

    def list_tables(self, request: Request, body: bytes) -> Any:
        relations = self.project.of_dataset(self._dataset_name(request))
        return {"kind": "bigquery#tableList", "tables": [self._table(item) for item in relations], "totalItems": len(relations)}

    def list_routines(self, request: Request, body: bytes) -> Any:
        """No routines. If dbt cannot list the routines of a dataset, it treats the dataset as empty, and builds nothing incrementally."""
        return {"kind": "bigquery#listRoutinesResponse"}

    def insert_table(self, request: Request, body: bytes) -> Any:
        resource = json.loads(body)
        reference = resource["tableReference"]
        key = (self._dataset_name(request), reference["tableId"])
        if key in self.project.relations:
            raise Refused(f"Already Exists: Table {PROJECT}:{'.'.join(key)}")
        if view := resource.get("view"):
            self.jobs.run(
                {"configuration": {"query": {"query": f"create view `{'`.`'.join(key)}` as {view['query']}"}}}, _origin(request)
            )
        else:
            columns = of_rest((resource.get("schema") or {}).get("fields") or ())
            self.project.put(Relation(*key, columns, facts=_facts(resource)))
        return self._table(self.project.relations[key])

    def get_table(self, request: Request, body: bytes) -> Any:
        job = self.jobs.known.get(request.path_params["table"].removeprefix("anon"))
        if job is not None:
            return _table_of_job(job)
        return self._table(self._relation(request))

    def update_table(self, request: Request, body: bytes) -> Any:
        resource, relation = json.loads(body), self._relation(request)
        relation.facts.update(_facts(resource))
        fields = (resource.get("schema") or {}).get("fields")
        if fields and relation.kind == "TABLE":
            columns = of_rest(fields)
            kept = {column.name: column.type for column in columns}
            for column in relation.columns:
                if kept.get(column.name) != column.type:
                    raise Refused(
                        f"Provided Schema does not match Table {relation.name}: field {column.name} is missing or has changed type"
                    )
            relation = replace(relation, columns=columns)
        self.project.put(relation)
        return self._table(relation)

    def delete_table(self, request: Request, body: bytes) -> Any:
        key = self._relation(request).key
        del self.project.relations[key]
        self.jobs.rows.forget(key)
        return Response(status_code=204)

    def list_rows(self, request: Request, body: bytes) -> Any:
        job = self.jobs.known.get(request.path_params["table"].removeprefix("anon"))
        rows = job.rows if job is not None else []
        return {"kind": "bigquery#tableDataList", "totalRows": str(len(rows)), "rows": rows}

    def _relation(self, request: Request) -> Relation:
        return self.project.find((self._dataset_name(request), str(request.path_params["table"])))

    def _table(self, relation: Relation) -> dict[str, Any]:
        count = self.jobs.rows.count(relation) if relation.kind == "TABLE" else 0
        made = {
            "kind": "bigquery#table",
            "id": f"{PROJECT}:{relation.dataset}.{relation.name}",
            "etag": "etag",
            "tableReference": {"projectId": PROJECT, "datasetId": relation.dataset, "tableId": relation.name},
            "type": relation.kind,
            "location": "US",
            "numRows": str(count),
            "numBytes": "0",
            "creationTime": "0",
            "lastModifiedTime": "0",
            "schema": {"fields": [column.rest() for column in relation.columns]},
            **relation.facts,
        }
        if relation.kind == "VIEW":
            made["view"] = {"query": relation.sql, "useLegacySql": False}
        return made

    # Jobs.

    def insert_job(self, request: Request, body: bytes) -> Any:
        return _job(self.jobs.run(json.loads(body), _origin(request)))

    def get_job(self, request: Request, body: bytes) -> Any:
        return _job(self._known(request))

    def query(self, request: Request, body: bytes) -> Any:
        resource = json.loads(body)
        names = ("query", "useLegacySql", "queryParameters", "parameterMode", "maximumBytesBilled", "defaultDataset")
        configuration = {"query": {name: resource[name] for name in names if name in resource}}
        configuration |= {name: resource[name] for name in ("labels", "dryRun") if name in resource}
        reference = {"location": resource.get("location")}
        job = self.jobs.run({"configuration": configuration, "jobReference": reference}, _origin(request))
        if job.error:
            raise Refused(job.error)
        return _results(job)

    def query_results(self, request: Request, body: bytes) -> Any:
        job = self._known(request)
        if job.error:
            raise Refused(job.error)
        wanted = request.query_params.get("maxResults")
        return _results(job, with_rows=wanted != "0")

    def _known(self, request: Request) -> Job:
        name = str(request.path_params["job"])
        if name not in self.jobs.known:
            raise Missing(f"Not found: Job {PROJECT}:{name}")
        return self.jobs.known[name]

    # Uploads: in one request, or started by one request and sent in parts by others.

    def upload(self, request: Request, body: bytes) -> Any:
        if request.query_params["uploadType"] == "multipart":
            head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
            parts = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
            resource, data = (part.get_payload(decode=True) for part in parts.iter_parts())
            return _job(self.jobs.run(json.loads(resource), _origin(request), data))
        name = uuid.uuid4().hex
        self._uploads[name] = (json.loads(body), b"", _origin(request))
        where = request.url.include_query_params(upload_id=name)
        return Response(headers={"Location": str(where)})

    def upload_part(self, request: Request, body: bytes) -> Any:
        name = request.query_params["upload_id"]
        resource, before, origin = self._uploads[name]
        data = before + body
        self._uploads[name] = (resource, data, origin)
        total = request.headers.get("content-range", "").rpartition("/")[2]
        if total == "*" or (total and int(total) > len(data)):
            return Response(status_code=308, headers={"Range": f"bytes=0-{len(data) - 1}"})
        del self._uploads[name]
        return _job(self.jobs.run(resource, origin, data))


def _origin(request: Request) -> str:
    return request.headers.get(ORIGIN, "")


def _error(status: int, reason: str, message: str) -> JSONResponse:
    detail = {"message": message, "domain": "global", "reason": reason}
    return JSONResponse({"error": {"code": status, "message": message, "errors": [detail]}}, status_code=status)


def _dataset(name: str) -> dict[str, Any]:
    reference = {"projectId": PROJECT, "datasetId": name}
    return {
        "kind": "bigquery#dataset",
        "id": f"{PROJECT}:{name}",
        "datasetReference": reference,
        "location": "US",
        "etag": "etag",
    }


def _facts(resource: dict[str, Any]) -> dict[str, Any]:
    names = ("description", "labels", "timePartitioning", "clustering", "expirationTime")
    return {name: resource[name] for name in names if resource.get(name) is not None}


def _table_of_job(job: Job) -> dict[str, Any]:
    """The anonymous table in which BigQuery stores the result of a query."""
    return {
        "kind": "bigquery#table",
        "tableReference": {"projectId": PROJECT, "datasetId": "_anonymous", "tableId": f"anon{job.id}"},
        "type": "TABLE",
        "numRows": str(len(job.rows)),
        "numBytes": "0",
        "schema": {"fields": [column.rest() for column in job.columns]},
    }


def _job(job: Job) -> dict[str, Any]:
    milliseconds = str(int(job.created * 1000))
    statistics: dict[str, Any] = {"creationTime": milliseconds, "startTime": milliseconds, "endTime": milliseconds}
    configuration = job.configuration
    if job.kind == "query":
        last = job.judged[-1] if job.judged else None
        kind = "" if last is None else last.kind if len(job.judged) == 1 else "SCRIPT"
        statistics["totalBytesProcessed"] = "0"
        statistics["query"] = {
            "statementType": kind,
            "totalBytesProcessed": "0",
            "totalBytesBilled": "0",
            "totalSlotMs": "0",
            "cacheHit": False,
            "numDmlAffectedRows": str(job.affected),
            "schema": {"fields": [column.rest() for column in job.columns]},
            "referencedTables": [
                {"projectId": PROJECT, "datasetId": dataset, "tableId": table}
                for item in job.judged
                for dataset, table in item.reads
            ],
        }
        anonymous = {"projectId": PROJECT, "datasetId": "_anonymous", "tableId": f"anon{job.id}"}
        configuration = configuration | {"query": {"destinationTable": anonymous} | configuration["query"]}
    elif job.kind == "load":
        statistics["load"] = {
            "outputRows": str(job.affected),
            "outputBytes": "0",
            "inputFiles": "1",
            "inputFileBytes": "0",
            "badRecords": "0",
        }
    status: dict[str, Any] = {"state": "DONE"}
    if job.error:
        detail = {"reason": "notFound" if job.error.startswith("Not found") else "invalidQuery", "message": job.error}
        status |= {"errorResult": detail, "errors": [detail]}
    return {
        "kind": "bigquery#job",
        "id": f"{PROJECT}:US.{job.id}",
        "etag": "etag",
        "jobReference": {"projectId": PROJECT, "jobId": job.id, "location": job.location or "US"},
        "configuration": configuration | {"jobType": job.kind.upper()},
        "status": status,
        "statistics": statistics,
        "user_email": "test@local",
    }


def _results(job: Job, with_rows: bool = True) -> dict[str, Any]:
    made: dict[str, Any] = {
        "kind": "bigquery#queryResponse",
        "jobReference": {"projectId": PROJECT, "jobId": job.id, "location": job.location or "US"},
        "jobComplete": True,
        "schema": {"fields": [column.rest() for column in job.columns]},
        "totalRows": str(len(job.rows)),
        "totalBytesProcessed": "0",
        "cacheHit": False,
    }
    if job.judged and job.judged[-1].kind in {"INSERT", "MERGE", "UPDATE", "DELETE"}:
        made["numDmlAffectedRows"] = str(job.affected)
    if with_rows:
        made["rows"] = job.rows
    return made


def serve(port: int, evaluate: bool = False) -> None:
    """Serve until the process ends. Every table is empty, unless Google's reference evaluator stores and computes the rows."""
    cache, project = ROOT / ".venv-google" / "compiled", Project(PROJECT)
    judge = Judge(Engine(cache), project)
    rows = EvaluatedRows(project, Evaluator(cache))
    jobs = EvaluatedJobs(judge, rows) if evaluate else Jobs(judge, NoRows(rows))
    uvicorn.run(Endpoint(jobs).app(), host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--port", type=int, default=9070)
    arguments.add_argument("--evaluate", action="store_true", help="with rows, which Google's reference evaluator computes")
    given = arguments.parse_args()
    serve(given.port, given.evaluate)
