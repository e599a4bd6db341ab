"""Keys of a REST API that contradict each other: the message names the file and the key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from include.sources import SourceError
from tests.include.sources.rest.reading import Read, table
from tests.include.sources.rest.server import Server

SINGLE = {"paginator": {"kind": "single"}}
CHANGED = {"cursor": "at", "event_time": "at"}
EXPORT = {"paginator": {"kind": "cursor", "cursor_path": "after", "cursor_param": "cursor", "resume": True}}
POST = {"method": "POST", "body": {"limit": 1}}
FEED = {"params": {"since": "{since}"}, "horizon": "30d", "newest_first": True}
JOB = {"done": ["x"], "failed": ["y"], "error_path": "e"}


@pytest.mark.parametrize(
    ("reader", "keys", "message"),
    [
        ({}, {}, "tables.things.paginator: is missing"),
        (SINGLE, {"paginater": {}}, "tables.things.paginater: unknown key"),
        (SINGLE, {"method": "POST"}, "tables.things.body: a POST has a body, and a GET has none"),
        (SINGLE, {"body": {"a": 1}}, "tables.things.body: a POST has a body, and a GET has none"),
        (SINGLE, {"path": "x/{since:%Y}"}, "tables.things.path: it has {since}, so `first` is missing"),
        (
            SINGLE,
            {"params": {"a": "{since:unix}"}},
            "tables.things.params: {since:unix}: after the colon of since and until stands one of",
        ),
        (SINGLE, {"params": {"a": "{parent.[}"}}, "tables.things.params: '[' is no path"),
        (SINGLE, {"set": {"a": "b..c"}}, "tables.things.set: 'b..c' is no path"),
        (SINGLE, {"paginator": {"kind": "offset"}}, "tables.things.page_size: is missing"),
        (
            SINGLE,
            {"paginator": {"kind": "last_id"}},
            "tables.things.paginator: an id goes into one place: write either id_param or id_body",
        ),
        (
            SINGLE,
            {"paginator": {"kind": "cursor", "cursor_path": "a", "cursor_param": "b", "cursor_body": "c"}},
            "tables.things.paginator: a cursor goes into one place",
        ),
        (SINGLE, {"paginator": {"kind": "last_id", "id_body": "a"}}, "tables.things.paginator: a GET has no body"),
        (SINGLE, POST | {"slices": {"total_path": "t", "limit": 1}}, "tables.things.first: is missing"),
        (
            SINGLE,
            POST | {"first": "2020-01-01", "slices": {"total_path": "t", "limit": 1}},
            "tables.things.slices: a range of time has two ends",
        ),
        (SINGLE, {"job": JOB}, "tables.things.job: a job starts with `method: POST`"),
        (EXPORT, CHANGED, "tables.things.cursor: the API names the place at which a load resumes"),
        (EXPORT, {"also": [{"path": "x"}]}, "tables.things.also.0.paginator: only the table's own request resumes"),
        (SINGLE, {"parent": "nothing", "path": "{parent.id}"}, "tables.things.parent: nothing is no table of this file"),
        (SINGLE, {"parent": "things", "path": "{parent.id}"}, "tables.things.parent: things is its own parent"),
        (SINGLE, {"parent": "others"}, "tables.things.parent: a request for each row of a parent has {parent.…} in its path"),
        (SINGLE, {"path": "{parent.id}/x"}, "tables.things.parent: a request for each row of a parent"),
        (SINGLE, {"batch": 5}, "tables.things.batch: it needs a `parent`"),
        (
            SINGLE,
            POST | {"parent": "others", "batch": 5, "path": "{parent.id}", "body": {"ids": ["{parent.id}"]}},
            "tables.things.batch: a request for many rows of the parent has {parent.…} in its body alone",
        ),
        (SINGLE, {"changes": FEED}, "tables.things.changes: it needs a `cursor`, and {since}"),
        (SINGLE, CHANGED | {"changes": FEED | {"params": {}}}, "tables.things.changes: it needs a `cursor`, and {since}"),
        (SINGLE, {"keys": {}}, "tables.things.keys: it is for `detect_deletes: true`"),
        (
            SINGLE,
            {"detect_deletes": True},
            "tables.things.detect_deletes: deletes cannot be detected in a REST API without `keys`",
        ),
        (SINGLE | {"auth": "api_key"}, {}, "reader: `auth: api_key` and `auth_header` belong together"),
        (SINGLE | {"token_path": "/t"}, {}, "reader: `auth: oauth2` and `token_path` belong together"),
        (SINGLE | {"host_path": "h"}, {}, "reader: `host_path` is for `auth: oauth2`"),
        (
            SINGLE | {"headers": {"Authorization": "x"}},
            {},
            "reader.headers: Authorization is a secret: it belongs to the connection",
        ),
        (
            SINGLE | {"throttling": {"quota": ["x"]}},
            {},
            "reader.throttling: `waits` and `quota` name reasons, so `reason_path` is missing",
        ),
        ({"type": "sql", "schema": "x"}, {"parent": "others"}, "tables.things.parent is for rest readers; this one is sql"),
        ({"type": "sql", "schema": "x"}, {"set": {"a": "b"}}, "tables.things.set is for rest readers; this one is sql"),
    ],
)
def test_contradictions(tmp_path: Path, reader: dict[str, Any], keys: dict[str, Any], message: str) -> None:
    things = table("id", "at:timestamp", **keys)
    with pytest.raises(SourceError) as caught:
        Read(tmp_path, Server(lambda _: {}), reader, {"things": things, "others": table("id")})
    assert str(caught.value).startswith(f"api.yml: {message}")
