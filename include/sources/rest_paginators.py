"""How the pages of a REST API follow each other: the key `paginator` of a source file."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from include.sources.strict import Strict


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
