"""Replays against Google's analyzer the requests that a real scheduled run has sent to the local warehouse.

make run RECORD=run.jsonl
make check-google RECORDED=run.jsonl
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.google.endpoint import Endpoint
from tests.google.report import kinds_of

_UPLOAD = "/upload"


def replay(recorded: Path, endpoint: Endpoint) -> int:
    """Send the recorded requests to an endpoint, in order. Requests that the local warehouse refused are left out.

    Returns:
        The number of requests sent.
    """
    sent = 0
    for line in recorded.read_text(encoding="utf-8").splitlines():
        request = json.loads(line)
        if request["status"] >= 400 or request["path"].endswith("/cancel"):
            continue
        path, body = request["path"], request["body"]
        if path.startswith(_UPLOAD):
            # The rows of a load job are not recorded, and parts of an upload contain only rows.
            if not isinstance(body, Mapping) or "configuration" not in body:
                continue
            path = path.removeprefix(_UPLOAD)
        if path.endswith("/jobs") and isinstance(body, Mapping):
            reference = dict(body.get("jobReference") or {})
            body = {**body, "jobReference": reference | {"jobId": uuid.uuid4().hex}}
        _send(request["method"], f"{endpoint.url}{path}?{request['query']}", body)
        sent += 1
    return sent


def _send(method: str, url: str, body: Any) -> None:
    data = None if body is None else json.dumps(body).encode()
    try:
        urllib.request.urlopen(urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)).close()
    except urllib.error.HTTPError as error:
        # The endpoint records a refused job itself. A dataset or table that exists already is not an error.
        error.close()


def kinds(jobs: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Kind of statement → its first job."""
    found: dict[str, Mapping[str, Any]] = {}
    for job in jobs:
        for kind in kinds_of(job["sql"]):
            found.setdefault(kind, job)
    return found
