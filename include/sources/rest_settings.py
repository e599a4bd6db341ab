"""The keys of REST APIs in a source file. `docs/sources.md` shows them with examples.

A request differs by table. So its keys (`rest_requests.RestRequest`) stand in a table, and those of the reader are their defaults.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from include.sources.placeholders import names
from include.sources.rest_requests import RestRequest
from include.sources.strict import Strict
from include.terms import Duration


class Changes(RestRequest):
    """A list of what has changed, such as the events of an API. Loads after the first one read it instead of all rows."""

    #: The list goes back so far. After a longer gap, all rows are read again.
    horizon: Duration
    #: The order of the list: the last change first, or last.
    newest_first: bool


class RestTable(RestRequest):
    """The keys of a table of a REST API."""

    #: Another table of the file. The request is sent for each of its rows, with places such as `{parent.id}`.
    parent: str | None = None
    #: One request is sent for so many rows of the parent. An item of a list in `body` that has a place of the parent is repeated for each.
    batch: int | None = Field(None, ge=1)
    #: More requests of each load, such as the list of archived rows. They have the table's keys if they do not write their own.
    also: tuple[RestRequest, ...] = ()
    changes: Changes | None = None
    #: The request that lists the keys of all rows, for `detect_deletes`.
    keys: RestRequest | None = None

    def requests(self, reader: RestReader) -> dict[str, RestRequest]:
        """The whole requests of the table by the key that holds them; the key of the table's own is empty."""
        own = self.over(reader)
        found = {"": own} | {f"also.{place}": each.over(own) for place, each in enumerate(self.also)}
        found |= {"changes": self.changes.over(own)} if self.changes else {}
        return found | ({"keys": self.keys.over(own)} if self.keys else {})


class Limit(Strict):
    """At most so many requests in so many seconds, to some paths of the API."""

    #: Paths below `base_path`; `*` stands for any text.
    paths: tuple[str, ...] = ("*",)
    requests: int = Field(ge=1)
    seconds: float = Field(gt=0)


class Throttling(Strict):
    """How the API says that requests are too many. A wait that is longer than `max_wait_seconds` ends the load, as an exhausted quota does."""

    #: Header of a response 429 or 503 with the seconds until the next request, besides Retry-After: `41`, or `total=100; resets=41`.
    reset_header: str | None = None
    #: Path of the reason in the body of an error.
    reason_path: str | None = None
    #: Reason → seconds to wait if no header says it.
    waits: dict[str, float] = Field(default_factory=dict)
    #: Reasons that a quota of a day is used up. The load ends, and no request follows.
    quota: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _reasons(self) -> Self:
        if self.reason_path is None and (self.waits or self.quota):
            raise ValueError("`waits` and `quota` name reasons, so `reason_path` is missing")
        return self


class RestReader(RestRequest):
    """Resources of one REST API, read through dlt's HTTP client, paginators and authentication."""

    type: Literal["rest"]
    base_path: str = ""
    auth: Literal["none", "basic", "bearer", "api_key", "oauth2"] = "none"
    #: api_key: the header that takes the connection's password.
    auth_header: str | None = None
    #: oauth2: path of the token endpoint at the connection's host. The login is the client's id, and the password its secret.
    token_path: str | None = None
    #: oauth2: JSON path of the API's URL in the answer to a token request. Its host must be the connection's, or one of `allowed_hosts`.
    host_path: str | None = None
    #: Headers of all requests.
    headers: dict[str, str] = Field(default_factory=dict)
    #: Hosts besides the connection's to which links and redirects may lead: `host` or `host:port`. Links send the credentials there.
    allowed_hosts: tuple[Annotated[str, Field(pattern=r"^[a-z0-9.-]+(:[0-9]+)?$")], ...] = ()
    limits: tuple[Limit, ...] = ()
    throttling: Throttling = Throttling()
    timeout_seconds: float = Field(60, gt=0)
    max_attempts: int = Field(6, ge=1)
    max_wait_seconds: float = Field(120, gt=0)

    @field_validator("headers")
    @classmethod
    def _no_secrets(cls, headers: dict[str, str]) -> dict[str, str]:
        if named := [name for name in headers if name.lower() in ("authorization", "cookie", "proxy-authorization")]:
            raise ValueError(f"{named[0]} is a secret: it belongs to the connection. Write `auth`")
        return headers

    @model_validator(mode="after")
    def _auth(self) -> Self:
        for kind, key in (("api_key", "auth_header"), ("oauth2", "token_path")):
            if (self.auth == kind) != (getattr(self, key) is not None):
                raise ValueError(f"`auth: {kind}` and `{key}` belong together")
        if self.host_path is not None and self.auth != "oauth2":
            raise ValueError("`host_path` is for `auth: oauth2`: it is in the answer to a token request")
        return self


def resumes(reader: RestReader, tables: Mapping[str, Any], table: RestTable) -> bool:
    """True if loads of the table start at a place that the API has named: its own, or its parent's."""
    return table.over(reader).resumes or (table.parent is not None and resumes(reader, tables, tables[table.parent]))


def is_bounded(reader: RestReader, tables: Mapping[str, Any], table: RestTable) -> bool:
    """True if a load of the table can start later than at the beginning."""
    own = table.over(reader)
    return (
        own.resumes
        or "since" in own.places
        or table.changes is not None
        or (table.parent is not None and is_bounded(reader, tables, tables[table.parent]))
    )


def request_problems(reader: RestReader, tables: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The problems of the requests of all tables: key below `tables`, and message."""
    for name in tables:
        line = [name]
        while (parent := tables[line[-1]].parent) is not None:
            if parent not in tables or parent in line:
                yield (
                    f"{line[-1]}.parent",
                    f"{parent} is no table of this file" if parent not in tables else f"{parent} is its own parent",
                )
                return
            line.append(parent)
    for name, table in tables.items():
        for key, request in table.requests(reader).items():
            place = f"{name}.{key}." if key else f"{name}."
            for own, message in request.problems():
                yield place + own, message
            if ("parent" in request.places) != (table.parent is not None):
                yield (
                    f"{name}.parent",
                    "a request for each row of a parent has {parent.…} in its path, params or body, and only such a request",
                )
            if request.resumes and key:
                yield f"{place}paginator", "only the table's own request resumes at a cursor of the API: write `resume: false`"
        own = table.over(reader)
        if own.resumes and table.parent is not None:
            yield f"{name}.paginator", "a table with a parent does not resume: its parent may"
        if resumes(reader, tables, table) and (table.cursor is not None or table.changes is not None):
            yield (
                f"{name}.cursor",
                "the API names the place at which a load resumes (`paginator.resume`), so it has neither cursor nor changes",
            )
        if table.changes is not None and (table.cursor is None or "since" not in table.changes.over(own).places):
            yield f"{name}.changes", "it needs a `cursor`, and {since} in its path, params or body"
        if table.batch is not None and (table.parent is None or own.body is None or "parent" not in names(own.body)):
            yield f"{name}.batch", "it needs a `parent`, and a list in `body` with an item that has {parent.…}"
        if table.batch is not None and "parent" in names([own.path, own.params, own.set_]):
            yield f"{name}.batch", "a request for many rows of the parent has {parent.…} in its body alone"
        if table.changes is not None and table.parent is not None:
            yield f"{name}.changes", "a table with a parent has none: its parent may"
        if "keys" in table.model_fields_set and not table.detect_deletes:
            yield f"{name}.keys", "it is for `detect_deletes: true`"
        if table.detect_deletes and table.keys is None:
            yield (
                f"{name}.detect_deletes",
                "deletes cannot be detected in a REST API without `keys`: the request that lists all keys",
            )
