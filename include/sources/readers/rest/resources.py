# ruff: noqa: TID253 - this module is imported only when a load runs.
"""Reads the tables of a REST API."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pyarrow as pa

from include.sources import placeholders
from include.sources.readers.pieces import Piece, ReadError, Rejected, Window, dump, table_of
from include.sources.readers.rest.client import ApiClient
from include.sources.readers.rest.inspection import Inspector
from include.sources.rest_settings import OffsetPaginator, PageNumberPaginator

if TYPE_CHECKING:
    from include.connection import SourceConnection
    from include.sources.rest_settings import RestReader, RestRequest
    from include.sources.schema import Table

PIECE_RECORDS = 20_000


class RestResources:
    """Reads the resources of one API."""

    def __init__(self, settings: RestReader, connection: SourceConnection) -> None:
        self._settings = settings
        self._client = ApiClient(settings, connection)

    def check(self) -> None:
        """Raise ReadError if the connection lacks credentials or a URL. Sends no request."""
        self._client.check()

    def read(self, table: Table, window: Window, seen: dict[str, str]) -> Iterator[Piece]:
        """Yield the records that changed since the start of the window, page by page."""
        json_columns = frozenset(c.source_name or c.name for c in table.columns.values() if c.type == "json")
        request = table.over(self._settings)
        numbered = isinstance(request.paginator, PageNumberPaginator | OffsetPaginator)
        records = self._settled(table, request, window) if numbered else self._complete(table, request, window)
        while batch := list(islice(records, PIECE_RECORDS)):
            good = [record for record in batch if isinstance(record, dict)]
            rejected = [Rejected("not a JSON object", dump(record)) for record in batch if not isinstance(record, dict)]
            yield Piece(table_of(good, json_columns), rejected=rejected)

    def _complete(self, table: Table, request: RestRequest, window: Window) -> Iterator[Any]:
        """The records of pages that each name the next one."""
        inspector, count = Inspector(request), 0
        for count, record in enumerate(self._records(table, request, window, inspector), start=1):  # noqa: B007 - the last number is the count
            yield record
        inspector.check_total(count)

    def _settled(self, table: Table, request: RestRequest, window: Window) -> Iterator[Any]:
        """The records of numbered pages, each once, as last read. The pages are read again until a read finds no new record."""
        keys = [table.columns[name].source_name or name for name in table.primary_key]
        found: dict[str, Any] = {}
        reads: int = getattr(request.paginator, "max_reads", 1)
        for _ in range(reads):
            inspector, before = Inspector(request), len(found)
            for record in self._records(table, request, window, inspector):
                whole = not isinstance(record, dict) or any(record.get(key) is None for key in keys)
                found[dump(record if whole else [record[key] for key in keys])] = record
            if len(found) == before or inspector.pages <= 1:
                inspector.check_total(len(found))
                yield from found.values()
                return
        raise ReadError(
            f"records still moved between the pages of the API after {reads} reads. Nothing is loaded, and the next run reads the same "
            "records again. Load at a quieter time, or raise reader.paginator.max_reads"
        )

    def _records(self, table: Table, request: RestRequest, window: Window, inspector: Inspector) -> Iterator[Any]:
        from include.sources.readers.rest.paging import paginator_of

        values = {
            "since": window.since or request.first,
            "until": window.until,
            "columns": list(dict.fromkeys(column.source_name or name for name, column in table.columns.items())),
        }
        params: dict[str, Any] = {}
        if request.page_size is not None:
            params[request.page_size.param] = request.page_size.value
        for name, value in request.params.items():
            try:
                params[name] = _as_param(placeholders.filled(value, values))
            except placeholders.NoValue:
                continue
        for page in self._client.pages(
            request.method,
            placeholders.filled(request.path or table.name, values, lambda text: quote(text, safe="")),
            params,
            placeholders.filled(request.body, values),
            paginator_of(request),
            request.data,
            inspector,
        ):
            yield from page

    def keys(self, table: Table) -> Iterator[pa.Table]:
        """Not supported. The schema refuses `detect_deletes` for REST sources."""
        raise TypeError("Deletes cannot be detected in a REST API.")

    def read_keys(self, table: Table, window: Window, keys: Iterable[tuple[str, ...]]) -> Iterator[Piece]:
        """Not supported, as `keys`."""
        raise TypeError("The rows of a REST API cannot be read by key.")

    def is_transient(self, error: BaseException) -> bool:
        """Always false, because the HTTP client already retries each request."""
        return False

    def close(self) -> None:
        """Do nothing: sessions end with their threads."""


def _as_param(value: Any) -> Any:
    """A query parameter as text: true and false as JSON writes them, a list of columns with commas."""
    if isinstance(value, bool):
        return str(value).lower()
    return value
