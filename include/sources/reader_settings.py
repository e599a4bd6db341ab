"""The key `reader` of a source file: which reader reads the tables, and its settings.

`include/sources/rest_settings.py` has those of REST APIs. These modules import no library except pydantic, because every parse of the DAG
files reads the sources.
"""

from __future__ import annotations

import codecs
from typing import Annotated, Literal

from pydantic import Field, field_validator

from include.sources.rest_settings import RestReader
from include.sources.strict import Strict


class SqlReader(Strict):
    """Tables of one schema of a SQL database, read through dlt's `sql_table` with its Arrow backend."""

    type: Literal["sql"]
    schema_name: str = Field(alias="schema")
    chunk_rows: int = Field(50_000, ge=1)


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
