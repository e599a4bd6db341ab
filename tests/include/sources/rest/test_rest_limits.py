"""Limits of an API: waits, and quotas that end a load."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from include.sources.readers.pieces import QuotaUsedUp, ReadError
from tests.include.sources.rest.reading import Read, table
from tests.include.sources.rest.server import Asked, Server

Serve, Reading = Callable[..., Server], Callable[..., Read]

TABLES = {"things": table("id"), "others": table("id")}
PAGES = {"base_path": "/api", "paginator": {"kind": "next_link", "next_path": "next"}}


def pages(asked: Asked) -> Any:
    start = int(asked.one("from") or 0)
    return {"data": [{"id": str(start)}], "next": f"{asked.path}?from={start + 1}" if start < 4 else None}


def test_a_limit_of_a_group_of_paths(serve: Serve, read: Reading) -> None:
    """At most two requests in 0.6 seconds to `things`: the fifth is sent after 1.2 seconds. Other paths do not count."""
    server = serve(pages)
    made = read(server, PAGES | {"limits": [{"paths": ["things*"], "requests": 2, "seconds": 0.6}]}, TABLES)
    made.rows("others")
    started = time.monotonic()
    assert len(made.rows("things")) == 5
    times = [asked.at - started for asked in server.requests if asked.path == "/api/things"]
    assert (times[2] >= 0.6, times[4] >= 1.2) == (True, True)


@pytest.mark.parametrize(
    ("throttling", "refusal"),
    [
        ({}, JSONResponse({}, 429, {"Retry-After": "1"})),
        ({"reset_header": "x-group"}, JSONResponse({}, 429, {"x-group": "total=10; remaining=0; resets=1"})),
        ({"reason_path": "policyName", "waits": {"SECONDLY": 0.9}}, JSONResponse({"policyName": "SECONDLY"}, 429)),
    ],
    ids=["retry_after", "header", "policy"],
)
def test_waits_as_the_api_says(serve: Serve, read: Reading, throttling: dict[str, Any], refusal: Response) -> None:
    server = serve(lambda asked: refusal if len(server.requests) == 2 else pages(asked))
    assert len(read(server, PAGES | {"throttling": throttling}, TABLES).rows("things")) == 5
    assert server.requests[2].query == server.requests[1].query
    assert server.requests[2].at - server.requests[1].at >= 0.85


@pytest.mark.parametrize(
    ("throttling", "refusal", "message"),
    [
        (
            {"reason_path": "[0].errorCode", "quota": ["REQUEST_LIMIT_EXCEEDED"]},
            JSONResponse([{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}], 403),
            r"the API refuses more requests \(REQUEST_LIMIT_EXCEEDED\)\. It does not say when it resumes; a quota of a day is free again after 24",
        ),
        (
            {"reason_path": "policyName", "quota": ["DAILY"], "waits": {"SECONDLY": 1}},
            JSONResponse({"policyName": "DAILY"}, 429, {"Retry-After": "36000"}),
            r"the API refuses more requests \(DAILY\)\. It resumes at 20\d\d-\d\d-\d\d \d\d:\d\d UTC",
        ),
        ({}, JSONResponse({}, 429, {"Retry-After": "30"}), r"the API refuses more requests\. It resumes at 20"),
    ],
    ids=["reason", "daily", "long_wait"],
)
def test_a_quota_that_is_used_up(
    serve: Serve, read: Reading, throttling: dict[str, Any], refusal: Response, message: str
) -> None:
    """The load ends with the first refusal: the request is not repeated, and no other table asks."""
    server = serve(lambda asked: refusal if len(server.requests) >= 2 else pages(asked))
    made = read(server, PAGES | {"throttling": throttling}, TABLES)
    for name in TABLES:
        with pytest.raises(QuotaUsedUp, match=message):
            made.rows(name)
    assert len(server.requests) == 2


def test_other_errors_keep_their_reason(serve: Serve, read: Reading) -> None:
    refusal = JSONResponse([{"message": "unexpected token: FORM", "errorCode": "MALFORMED_QUERY"}], 400)
    server = serve(lambda _: refusal)
    made = read(server, PAGES | {"throttling": {"reason_path": "[0].errorCode", "quota": ["X"]}}, TABLES)
    with pytest.raises(ReadError, match=r"400 .*MALFORMED_QUERY"):
        made.rows("things")
    assert len(server.requests) == 1
