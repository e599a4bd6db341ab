"""The key `reader` of a source file: which reader reads the tables, and its settings.

This module imports no library except pydantic, because every parse of the DAG files reads the sources.
"""

from __future__ import annotations

import codecs
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Strict(BaseModel):
    """A part of a source file: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class CursorPaginator(Strict):
    """Each response contains the cursor of the next page; NULL on the last page."""

    kind: Literal["cursor"]
    cursor_path: str
    cursor_param: str


class NextLinkPaginator(Strict):
    """Each response contains the URL of the next page; NULL on the last page."""

    kind: Literal["next_link"]
    next_path: str


class PageNumberPaginator(Strict):
    """Pages have numbers. A record moves to another page if records before it change while pages are read, and would be missed.

    So the pages are read again until a read finds no new record.
    """

    kind: Literal["page_number"]
    page_param: str = "page"
    first_page: int = Field(1, ge=0)
    #: JSON path of the number of pages. Without it, and without `has_more_path`, an empty page is the end.
    total_pages_path: str | None = None
    #: If so many reads all find new records, the table is not loaded.
    max_reads: int = Field(5, ge=2)


class PageSize(Strict):
    """The query parameter that sets the number of records per page."""

    param: str
    value: int = Field(ge=1)


class SqlReader(Strict):
    """Tables of one schema of a SQL database, read through dlt's `sql_table` with its Arrow backend."""

    type: Literal["sql"]
    schema_name: str = Field(alias="schema")
    chunk_rows: int = Field(50_000, ge=1)


class RestReader(Strict):
    """Resources of one REST API, read through dlt's `rest_api`."""

    type: Literal["rest"]
    base_path: str = ""
    auth: Literal["none", "basic", "bearer"] = "none"
    #: JSON path of the list of records in a response. A response without a list there is an error.
    data: str = "data"
    #: JSON path of the number of records that all pages hold together. Fewer records are an error.
    total_path: str | None = None
    #: JSON path of a flag that more pages follow. It is an error if the flag and the paginator disagree.
    has_more_path: str | None = None
    #: Hosts besides the connection's to which links and redirects may lead: `host` or `host:port`. Links send the credentials there.
    allowed_hosts: tuple[Annotated[str, Field(pattern=r"^[a-z0-9.-]+(:[0-9]+)?$")], ...] = ()
    paginator: Annotated[CursorPaginator | NextLinkPaginator | PageNumberPaginator, Field(discriminator="kind")]
    page_size: PageSize | None = None
    #: The query parameter that limits a request to records changed at or after a time.
    updated_since_param: str | None = None
    timeout_seconds: float = Field(60, gt=0)
    max_attempts: int = Field(6, ge=1)
    max_wait_seconds: float = Field(120, gt=0)


class FilesReader(Strict):
    """Files below one folder of any fsspec file system, listed through dlt's `filesystem`."""

    type: Literal["files"]
    formats: tuple[Literal["csv", "jsonl", "parquet"], ...] = Field(min_length=1)
    #: The encoding of CSV and JSON lines files, such as windows-1252. Without it, files in UTF-8 or with a byte order mark are read as
    #: such, and the encoding of other files is guessed.
    encoding: str | None = None

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str | None) -> str | None:
        try:
            return None if name is None else codecs.lookup(name).name
        except LookupError:
            raise ValueError(f"{name!r} is no encoding: write utf-8, windows-1252, shift_jis …") from None


class LandedReader(Strict):
    """Tables that a loader has landed in BigQuery. The platform reads them where they are, and copies none."""

    type: Literal["landed"]
    loader: Literal["fivetran", "airbyte", "stitch", "dlt"]
    dataset: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$")]
    #: The project of the dataset, if it is not the platform's.
    project: Annotated[str, Field(pattern=r"^[a-z][a-z0-9.:-]*[a-z0-9]$")] | None = None


Reader = Annotated[SqlReader | RestReader | FilesReader | LandedReader, Field(discriminator="type")]
