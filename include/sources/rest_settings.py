"""The keys of REST APIs in a source file. `docs/sources.md` shows them with examples.

A request differs by table. So its keys (`RestRequest`) stand in a table, and those of the reader are their defaults.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from include.sources import placeholders
from include.sources.strict import Strict

Scalar = str | int | float | bool


class Flag(Strict):
    """A value in a response and what it is. A value that is missing is null."""

    path: str
    is_: Any = Field(alias="is")


class _Paginator(Strict):
    #: The page that says so is the last one, even if it names a next one. Every other page must name the next one.
    stop: Flag | None = None


class CursorPaginator(_Paginator):
    """Each response contains the cursor of the next page; NULL on the last page."""

    kind: Literal["cursor"]
    cursor_path: str
    #: The query parameter that takes the cursor, or its place in the body.
    cursor_param: str | None = None
    cursor_body: str | None = None
    #: The next load starts at the cursor at which this one has ended. Parameters with `{since}` are sent in the first request of all only.
    resume: bool = False

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.cursor_param is None) == (self.cursor_body is None):
            raise ValueError("a cursor goes into one place: write either cursor_param or cursor_body")
        return self


class NextLinkPaginator(_Paginator):
    """Each response contains the URL of the next page, whole or relative; NULL on the last page."""

    kind: Literal["next_link"]
    next_path: str


class LastIdPaginator(_Paginator):
    """The next page begins after the id of the last row of a page. A page without rows is the end."""

    kind: Literal["last_id"]
    id_path: str = "id"
    #: The query parameter that takes the id, or its place in the body.
    id_param: str | None = None
    id_body: str | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.id_param is None) == (self.id_body is None):
            raise ValueError("an id goes into one place: write either id_param or id_body")
        return self


class HeaderLinkPaginator(Strict):
    """The header `Link` of a response has the URL of the next page."""

    kind: Literal["header_link"]
    rel: str = "next"


class HeaderCursorPaginator(Strict):
    """A header of a response has the cursor of the next page."""

    kind: Literal["header_cursor"]
    header: str
    cursor_param: str
    #: The value of the header on the last page, if it is there too.
    end: str | None = None


class _NumberedPaginator(Strict):
    """A record moves to another page if records before it change while pages are read, and would be missed.

    So the pages are read again until a read finds no new record.
    """

    #: If so many reads all find new records, the table is not loaded.
    max_reads: int = Field(5, ge=2)


class PageNumberPaginator(_NumberedPaginator):
    """Pages have numbers."""

    kind: Literal["page_number"]
    page_param: str = "page"
    first_page: int = Field(1, ge=0)
    #: JSON path of the number of pages. Without it, and without `has_more_path`, an empty page is the end.
    total_pages_path: str | None = None


class OffsetPaginator(_NumberedPaginator):
    """Pages have the number of records before them. An empty page is the end."""

    kind: Literal["offset"]
    offset_param: str = "offset"


class SinglePage(Strict):
    """All records are in one response."""

    kind: Literal["single"]


Paginator = Annotated[
    CursorPaginator
    | NextLinkPaginator
    | LastIdPaginator
    | HeaderLinkPaginator
    | HeaderCursorPaginator
    | PageNumberPaginator
    | OffsetPaginator
    | SinglePage,
    Field(discriminator="kind"),
]


class PageSize(Strict):
    """The query parameter that sets the number of records per page."""

    param: str
    value: int = Field(ge=1)


class RestRequest(Strict):
    """How the records of a table are asked for, and where they are in a response."""

    method: Literal["GET", "POST"] = "GET"
    #: Path below `base_path`. Without it, the table's name.
    path: str | None = None
    #: Query parameters. Those of the reader are sent too; null leaves one of them out.
    params: dict[str, Scalar | list[Scalar] | None] = Field(default_factory=dict)
    #: The JSON body of a POST.
    body: dict[str, Any] | None = None
    #: What `{since}` is in a read without a lower limit. Without it, parameters with `{since}` are then left out.
    first: datetime | None = None
    #: JSON path of the list of records in a response. A response without a list there is an error.
    data: str = "data"
    #: JSON path of the number of records that all pages hold together. Fewer records are an error.
    total_path: str | None = None
    #: JSON path of a flag that more pages follow. It is an error if the flag and the paginator disagree.
    has_more_path: str | None = None
    paginator: Paginator | None = None
    page_size: PageSize | None = None

    @field_validator("first", mode="before")
    @classmethod
    def _in_utc(cls, value: Any) -> Any:
        if isinstance(value, date):
            whole = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)
            return whole if whole.tzinfo else whole.replace(tzinfo=UTC)
        return value

    @field_validator("path", "params", "body")
    @classmethod
    def _places(cls, value: Any) -> Any:
        placeholders.names(value)
        return value

    def over(self, base: RestRequest) -> RestRequest:
        """These keys, and those of `base` for keys that are not written here."""
        mine = {key: getattr(self, key) for key in RestRequest.model_fields if key in self.model_fields_set}
        merged = {key: getattr(base, key) for key in RestRequest.model_fields} | mine
        params = merged["params"] if "params" not in mine else {**base.params, **self.params}
        merged["params"] = {name: value for name, value in params.items() if value is not None}
        return RestRequest.model_construct(set(RestRequest.model_fields), **merged)

    @property
    def is_bounded(self) -> bool:
        """True if a read can start later than at the beginning."""
        return self.resumes or "since" in placeholders.names([self.path, self.params, self.body])

    @property
    def resumes(self) -> bool:
        """True if a load starts where the last one has ended, as the API names this place."""
        return isinstance(self.paginator, CursorPaginator) and self.paginator.resume

    def problems(self) -> list[tuple[str, str]]:
        """Keys that contradict each other, and why."""
        found = []
        if self.paginator is None:
            found.append(
                ("paginator", "is missing: it says how the pages follow each other. All in one response: {kind: single}")
            )
        if (self.body is not None) != (self.method == "POST"):
            found.append(("body", "a POST has a body, and a GET has none: write both `method: POST` and `body`, or neither"))
        for key in ("path", "body"):
            if self.first is None and "since" in placeholders.names(getattr(self, key)):
                found.append(
                    (key, "it has {since}, so `first` is missing: the time from which a read without a lower limit starts")
                )
        for key in ("cursor_body", "id_body"):
            if getattr(self.paginator, key, None) and self.body is None:
                found.append((f"paginator.{key}", "a GET has no body: write the query parameter instead"))
        if isinstance(self.paginator, OffsetPaginator) and self.page_size is None:
            found.append(("page_size", "is missing: an offset grows by it"))
        return found


class RestTable(RestRequest):
    """The keys of a table of a REST API."""


class RestReader(RestRequest):
    """Resources of one REST API, read through dlt's `rest_api`."""

    type: Literal["rest"]
    base_path: str = ""
    auth: Literal["none", "basic", "bearer", "api_key", "oauth2"] = "none"
    #: api_key: the header that takes the connection's password.
    auth_header: str | None = None
    #: oauth2: path of the token endpoint at the connection's host. The login is the client's id, and the password its secret.
    token_path: str | None = None
    #: oauth2: JSON path of the API's host in the answer to a token request. It must be the connection's, or one of `allowed_hosts`.
    host_path: str | None = None
    #: Headers of all requests.
    headers: dict[str, str] = Field(default_factory=dict)
    #: Hosts besides the connection's to which links and redirects may lead: `host` or `host:port`. Links send the credentials there.
    allowed_hosts: tuple[Annotated[str, Field(pattern=r"^[a-z0-9.-]+(:[0-9]+)?$")], ...] = ()
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


def request_problems(reader: RestReader, tables: dict[str, Any]) -> list[tuple[str, str]]:
    """The problems of the requests of all tables: key below `tables`, and message."""
    found: list[tuple[str, str]] = []
    for name, table in tables.items():
        request = table.over(reader)
        found += [(f"{name}.{key}", message) for key, message in request.problems()]
        if request.resumes and table.cursor is not None:
            found.append(
                (f"{name}.cursor", "the table resumes at a cursor of the API (`paginator.resume`), so it has none of its own")
            )
    return found
