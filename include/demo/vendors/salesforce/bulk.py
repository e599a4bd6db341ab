"""Query jobs of Bulk API 2.0: create, poll, fetch CSV by a locator in a header, delete."""

from __future__ import annotations

import base64
import binascii
import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from include.demo.vendors.common import Account, Faults
from include.demo.vendors.salesforce.gate import Refused, refused
from include.demo.vendors.salesforce.ids import record_id
from include.demo.vendors.salesforce.records import Record
from include.demo.vendors.salesforce.shape import csv_value, json_value
from include.demo.vendors.salesforce.soql import Malformed, Statement

LARGEST = 50_000
"""The most records of one result, unless a request asks for fewer."""
_DELIMITERS = {"COMMA": ",", "TAB": "\t", "SEMICOLON": ";", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}
_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}


@dataclass
class Job:
    """A query job. It moves on by one state each time somebody asks for it."""

    id: str
    version: int
    operation: str
    delimiter: str
    ending: str
    statement: Statement
    records: list[Record]
    polls: int
    state: str = "UploadComplete"
    error: str = ""


class Jobs:
    """The query jobs of an organization."""

    def __init__(self, account: Account, faults: Faults, parse: Callable[[str], Statement]) -> None:
        self._account = account
        self._faults = faults
        self._parse = parse
        self._jobs: dict[str, Job] = {}
        self._numbers = count(1)

    def create(self, body: dict[str, Any], version: int, select: Callable[[Statement, bool], list[Record]]) -> dict[str, Any]:
        """`POST /jobs/query`.

        Raises:
            Refused: the statement is invalid, or Bulk API 2.0 does not support it.
        """
        operation = body.get("operation")
        if operation not in ("query", "queryAll"):
            raise Refused(400, "INVALIDJOB", f"Unsupported operation: {operation}")
        delimiter, ending = body.get("columnDelimiter", "COMMA"), body.get("lineEnding", "LF")
        if delimiter not in _DELIMITERS or ending not in _ENDINGS or body.get("contentType", "CSV") != "CSV":
            raise Refused(400, "INVALIDJOB", "Unsupported columnDelimiter, lineEnding or contentType")
        try:
            statement = self._parse(str(body.get("query", "")))
        except Malformed as error:
            raise refused(error) from None
        if not statement.columns or statement.offset:
            raise Refused(400, "API_ERROR", "Aggregate functions and OFFSET are not supported in Bulk Query")
        for name, _ in statement.columns:
            field = statement.sobject.by_name.get(name.lower())
            if field is not None and field.compound:
                raise Refused(400, "API_ERROR", f"Selecting compound data not supported in Bulk Query: {name}")
        key = record_id("750", f"job {next(self._numbers)}")
        records = select(statement, operation == "queryAll")
        polls = self._faults.setting("bulk_polls", 2)
        self._jobs[key] = Job(key, version, operation, delimiter, ending, statement, records, polls)
        return self._described(self._jobs[key])

    def job(self, key: str) -> Job:
        """A job by its id.

        Raises:
            Refused: there is no such job.
        """
        if key not in self._jobs:
            raise Refused(404, "NOT_FOUND", "The requested resource does not exist")
        return self._jobs[key]

    def poll(self, key: str) -> dict[str, Any]:
        """`GET /jobs/query/{id}`: UploadComplete, InProgress, then JobComplete; Failed if the setting `bulk_fails` has a message."""
        job = self.job(key)
        if job.state in ("UploadComplete", "InProgress"):
            job.polls -= 1
            job.state, job.error = "InProgress", ""
            if job.polls <= 0:
                job.error = self._faults.setting("bulk_fails", "")
                job.state = "Failed" if job.error else "JobComplete"
        return self._described(job)

    def abort(self, key: str) -> dict[str, Any]:
        """`PATCH /jobs/query/{id}` with the state Aborted."""
        job = self.job(key)
        if job.state in ("JobComplete", "Failed"):
            raise Refused(400, "INVALIDJOBSTATE", f"Job in state {job.state} cannot be aborted")
        job.state = "Aborted"
        return self._described(job)

    def delete(self, key: str) -> None:
        """`DELETE /jobs/query/{id}`: only a job that has ended can be deleted."""
        job = self.job(key)
        if job.state not in ("JobComplete", "Failed", "Aborted"):
            raise Refused(400, "API_ERROR", f"Can't delete a job in state {job.state}")
        del self._jobs[key]

    def results(self, key: str, version: int, locator: str | None, most: int) -> tuple[str, dict[str, str]]:
        """`GET /jobs/query/{id}/results`: CSV text, and the headers with the number of records and the next locator.

        Raises:
            Refused: the job is of another API version, has not completed, or does not have the locator.
        """
        job = self.job(key)
        if version != job.version:
            raise Refused(409, "API_ERROR", f"The job was created with API version {job.version}.0")
        if job.state != "JobComplete":
            raise Refused(400, "INVALIDJOBSTATE", f"The job has no results in state {job.state}")
        start = _position(locator)
        if start is None or start > len(job.records):
            raise Refused(400, "INVALID_LOCATOR", f"Invalid locator: {locator}")
        end = start + min(most, LARGEST)
        following = base64.b64encode(str(end).encode()).decode().rstrip("=") if end < len(job.records) else "null"
        page = job.records[start:end]
        return _csv(job, page), {"Sforce-NumberOfRecords": str(len(page)), "Sforce-Locator": following}

    def _described(self, job: Job) -> dict[str, Any]:
        now = json_value(self._account.now)
        result: dict[str, Any] = {
            "id": job.id,
            "operation": job.operation,
            "object": job.statement.sobject.name,
            "createdById": record_id("005", "automated process"),
            "createdDate": now,
            "systemModstamp": now,
            "state": job.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(job.version),
            "lineEnding": job.ending,
            "columnDelimiter": job.delimiter,
        }
        if job.state == "JobComplete":
            result |= {"jobType": "V2Query", "numberRecordsProcessed": len(job.records), "retries": 0, "totalProcessingTime": 1}
        return result | ({"errorMessage": job.error} if job.error else {})


def _csv(job: Job, records: list[Record]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=_DELIMITERS[job.delimiter], lineterminator=_ENDINGS[job.ending], quoting=csv.QUOTE_ALL)
    writer.writerow([name for name, _ in job.statement.columns])
    for record in records:
        writer.writerow([csv_value(value(record)) for _, value in job.statement.columns])
    return text.getvalue()


def _position(locator: str | None) -> int | None:
    if locator is None:
        return 0
    try:
        return int(base64.b64decode(locator + "=" * (-len(locator) % 4)).decode())
    except (binascii.Error, ValueError):
        return None
