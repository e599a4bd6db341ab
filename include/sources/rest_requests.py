"""How the records of a table are asked for at a REST API: the keys that a reader and its tables share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from include.sources import placeholders
from include.sources.paths import picking_parts_of
from include.sources.rest_paginators import CursorPaginator, Flag, OffsetPaginator, PageNumberPaginator, PageSize, Paginator
from include.sources.strict import Strict

Scalar = str | int | float | bool


class InnerLists(Strict):
    """Lists within a record that may be cut off, such as the lines of an invoice. Their other pages are read too."""

    #: Path of the list's rows, within the object that holds them.
    data: str = "data"
    #: The list is cut off if it says so. Without this key, if it has a URL.
    more: Flag | None = None
    #: Path of the URL of the list.
    url: str = "url"
    #: The URL leads to the rest of the list. Otherwise it leads to its beginning.
    continues: bool = False


class Lookup(Strict):
    """Columns that another list tells for many rows at once. The list is the answer to a POST, or another list of the response itself."""

    #: Without it, the list is in the response that has the records.
    path: str | None = None
    #: An item of a list that has a place such as `{row.id}` is repeated for each row.
    body: dict[str, Any] | None = None
    data: str = "data"
    #: Path of the row's key, in a record of the answer. The first column of the table's key has the same value.
    key: str
    #: Column of the row → path within the record of the answer. Rows without such a record have no value.
    set_: dict[str, str] = Field(alias="set", min_length=1)
    rows: int = Field(100, ge=1)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.path is None) != (self.body is None):
            raise ValueError(
                "write `path` and `body` of the request, or neither: the list is then in the response that has the records"
            )
        return self


class Slices(Strict):
    """An API that answers at most `limit` records to one request. A request with more is cut into shorter ranges of time."""

    #: JSON path of the number of records that the request has in all.
    total_path: str
    limit: int = Field(ge=1)


class Job(Strict):
    """The API collects the records in the background. The POST starts the job; its state is asked for until it is done; its results are CSV."""

    id_path: str = "id"
    state_path: str = "state"
    done: tuple[str, ...] = Field(min_length=1)
    failed: tuple[str, ...] = Field(min_length=1)
    #: JSON path of the reason, in the state of a failed job.
    error_path: str
    #: Path of the results below the job.
    results: str = "results"
    #: Header of a page of results: the number of its records. Fewer records are an error.
    count_header: str | None = None
    poll_seconds: float = Field(5, gt=0)
    timeout_seconds: float = Field(7200, gt=0)


class RestRequest(Strict):
    """How the records of a table are asked for, where they are in a response, and how one becomes a row."""

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
    slices: Slices | None = None
    inner_lists: InnerLists | None = None
    job: Job | None = None
    lookups: tuple[Lookup, ...] = ()
    #: Path of the row within a record, or of a list of rows. Without it, the record is the row.
    record: str | None = None
    #: Objects of the row whose keys become columns of the row.
    flatten: tuple[str, ...] = ()
    #: Column of the row → path within the record, or a text with places such as `{parent.id}`.
    set_: dict[str, str] = Field(default_factory=dict, alias="set")
    #: Numbers in timestamp columns are times since 1970, in this unit.
    times: Literal["epoch_seconds", "epoch_milliseconds", "epoch_microseconds"] | None = None

    @field_validator("first")
    @classmethod
    def _in_utc(cls, value: datetime | None) -> datetime | None:
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)

    @field_validator("path", "params", "body", "set_")
    @classmethod
    def _places(cls, value: Any) -> Any:
        placeholders.names(value)
        return value

    @field_validator("set_")
    @classmethod
    def _paths(cls, value: dict[str, str]) -> dict[str, str]:
        for path in value.values():
            if "{" not in path:
                picking_parts_of(path)
        return value

    def over(self, base: RestRequest) -> RestRequest:
        """These keys, and those of `base` for keys that are not written here."""
        mine = {key: getattr(self, key) for key in RestRequest.model_fields if key in self.model_fields_set}
        merged = {key: getattr(base, key) for key in RestRequest.model_fields} | mine
        if "params" in mine:
            merged["params"] = {**base.params, **self.params}
        merged["params"] = {name: value for name, value in merged["params"].items() if value is not None}
        return RestRequest.model_construct(set(RestRequest.model_fields), **merged)

    @property
    def places(self) -> set[str]:
        """The names of the places that a load fills in."""
        return placeholders.names([self.path, self.params, self.body])

    @property
    def resumes(self) -> bool:
        """True if a load starts where the last one has ended, as the API names this place."""
        return isinstance(self.paginator, CursorPaginator) and self.paginator.resume

    @property
    def is_numbered(self) -> bool:
        """True if records move between pages."""
        return isinstance(self.paginator, PageNumberPaginator | OffsetPaginator)

    def problems(self) -> list[tuple[str, str]]:
        """Keys that contradict each other, and why. The keys are those of a whole request, after `over`."""
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
        if self.body is None and (getattr(self.paginator, "cursor_body", None) or getattr(self.paginator, "id_body", None)):
            found.append(("paginator", "a GET has no body: name the query parameter instead"))
        if isinstance(self.paginator, OffsetPaginator) and self.page_size is None:
            found.append(("page_size", "is missing: an offset grows by it"))
        if self.slices is not None and self.first is None:
            found.append(("first", "is missing: without it, a first load has no range of time that `slices` could cut"))
        if self.slices is not None and not {"since", "until"} <= self.places:
            found.append(("slices", "a range of time has two ends: write {since} and {until} in the path, params or body"))
        if self.resumes and self.slices is not None:
            found.append(("slices", "a table that resumes at a cursor of the API has no ranges of time"))
        if any(lookup.path is None for lookup in self.lookups) and (self.record or self.job):
            found.append(
                (
                    "lookups",
                    "without `path`, a lookup adds columns to whole records of a response: `record` and `job` do not go with it",
                )
            )
        if self.job is not None and self.method != "POST":
            found.append(("job", "a job starts with `method: POST`"))
        return found
