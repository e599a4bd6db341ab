"""Jobs that collect records in the background: Salesforce's Bulk API 2.0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from include.sources.readers.pieces import ReadError
from tests.include.sources.rest.reading import Read, table
from tests.include.sources.rest.server import Asked, Server

Serve, Reading = Callable[..., Server], Callable[..., Read]

JOB = {
    "method": "POST",
    "path": "jobs/query",
    "body": {"operation": "queryAll", "query": "select {columns} from Account"},
    "page_size": {"param": "maxRecords", "value": 2},
    "paginator": {"kind": "header_cursor", "header": "Sforce-Locator", "cursor_param": "locator", "end": "null"},
    "job": {
        "done": ["JobComplete"],
        "failed": ["Failed", "Aborted"],
        "error_path": "errorMessage",
        "count_header": "Sforce-NumberOfRecords",
        "poll_seconds": 0.05,
        "timeout_seconds": 1,
    },
}
TABLES = {"companies": table("id", "name", "deleted:boolean", **JOB)}
PAGES = ['"id","name","deleted"\n"1","a ""b""\nc","true"\n"2","","false"\n', '"id","name","deleted"\n"3","é","false"\n']


class Jobs:
    """Serves one job: it is done after some requests for its state."""

    def __init__(self, end: str = "JobComplete", polls: int = 3, pages: list[str] | None = None) -> None:
        self.end, self.left, self.pages, self.deleted = end, polls, pages or PAGES, False

    def __call__(self, asked: Asked) -> Any:
        if asked.method == "POST":
            assert asked.body == {"operation": "queryAll", "query": "select id,name,deleted from Account"}
            return {"id": "750x", "state": "UploadComplete"}
        if asked.method == "DELETE":
            self.deleted = True
            return Response(status_code=204)
        if asked.path.endswith("/results"):
            assert asked.one("maxRecords") == "2"
            page = int(asked.one("locator") or 0)
            following = str(page + 1) if page + 1 < len(self.pages) else "null"
            count = str([2, 1][page])
            return Response(
                self.pages[page], media_type="text/csv", headers={"Sforce-Locator": following, "Sforce-NumberOfRecords": count}
            )
        self.left -= 1
        state = "InProgress" if self.left > 0 else self.end
        return {"id": "750x", "state": state, "errorMessage": "INVALIDJOB: too big" if state == "Failed" else None}


def test_a_job(serve: Serve, read: Reading) -> None:
    """An empty field is NULL; texts may have quotes and line ends; the literal `null` ends the pages."""
    jobs = Jobs()
    server = serve(jobs)
    assert read(server, {"base_path": "/v68"}, TABLES).rows("companies") == [
        {"id": "1", "name": 'a "b"\nc', "deleted": "true"},
        {"id": "2", "name": None, "deleted": "false"},
        {"id": "3", "name": "é", "deleted": "false"},
    ]
    assert jobs.deleted
    assert [(asked.method, asked.path) for asked in server.requests] == [
        ("POST", "/v68/jobs/query"),
        *[("GET", "/v68/jobs/query/750x")] * 3,
        *[("GET", "/v68/jobs/query/750x/results")] * 2,
        ("DELETE", "/v68/jobs/query/750x"),
    ]


@pytest.mark.parametrize(
    ("jobs", "message"),
    [
        (Jobs("Failed"), "the job 750x of the API has ended as Failed: INVALIDJOB: too big"),
        (Jobs("Aborted"), "the job 750x of the API has ended as Aborted: no reason given"),
        (Jobs(polls=1000), "the job 750x of the API is still InProgress after 1 s"),
        (Jobs(pages=[PAGES[0][:-12], PAGES[1]]), "record 2 of the results of a job has not as many fields as their header"),
        (Jobs(pages=[PAGES[0].replace('"2","","false"\n', ""), PAGES[1]]), "a page of results has 2 records, but sent 1"),
        (Jobs(pages=['"id","name"\n"1","a" b"\n', ""]), "the results of a job are no CSV after record 0"),
    ],
    ids=["failed", "aborted", "too_long", "cut_off", "fewer", "no_csv"],
)
def test_a_job_that_fails(serve: Serve, read: Reading, jobs: Jobs, message: str) -> None:
    """The message says why. The job is deleted all the same."""
    with pytest.raises(ReadError, match=message):
        read(serve(jobs), {}, TABLES).rows("companies")
    assert jobs.deleted


def test_a_job_that_cannot_be_deleted(serve: Serve, read: Reading) -> None:
    """The rows count."""
    jobs = Jobs()
    server = serve(lambda asked: JSONResponse({"error": "no"}, 400) if asked.method == "DELETE" else jobs(asked))
    assert len(read(server, {}, TABLES).rows("companies")) == 3
