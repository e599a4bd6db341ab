# ruff: noqa: TID253 - this module is imported only when a load runs.
"""Reads the tables of a REST API."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from include.sources import placeholders
from include.sources.readers.pieces import Piece, ReadError, Rejected, Window, table_of
from include.sources.readers.rest.client import ApiClient
from include.sources.readers.rest.fetching import Fetch
from include.sources.readers.rest.inspection import NotFound, named
from include.sources.readers.rest.json_paths import value_at
from include.sources.readers.rest.rows import Row, Rows

if TYPE_CHECKING:
    from include.connection import SourceConnection
    from include.sources.rest_requests import Lookup, RestRequest
    from include.sources.rest_settings import RestReader
    from include.sources.schema import Table

log = logging.getLogger(__name__)

PIECE_RECORDS = 20_000


class RestResources:
    """Reads the resources of one API."""

    def __init__(self, settings: RestReader, connection: SourceConnection, tables: Mapping[str, Table] | None = None) -> None:
        """
        Args:
            settings: the reader of the source file.
            connection: address and credentials.
            tables: the tables of the source file, of which some are parents of others.
        """
        self._settings = settings
        self._client = ApiClient(settings, connection)
        self._tables = tables or {}

    def check(self) -> None:
        """Raise ReadError if the connection lacks credentials or a URL. Sends no request."""
        self._client.check()

    def read(self, table: Table, window: Window, seen: dict[str, str]) -> Iterator[Piece]:
        """Yield the rows that changed since the start of the window, page by page; at the end the place where the read has ended."""
        json_columns = frozenset(c.source_name or c.name for c in table.columns.values() if c.type == "json")
        read = _Read(self, window)
        rows = read.rows(table)
        while batch := list(islice(rows, PIECE_RECORDS)):
            good = [row for row in batch if isinstance(row, dict)]
            rejected = [row for row in batch if isinstance(row, Rejected)]
            yield Piece(table_of(good, json_columns), rejected=rejected)
        if read.token is not None:
            yield Piece(pa.table({}), token=read.token)

    def keys(self, table: Table) -> Iterator[pa.Table]:
        """Yield all keys that the API lists now."""
        names = {key: table.columns[key].source_name or key for key in table.primary_key}
        request = table.requests(self._settings)["keys"].model_copy(update={"lookups": (), "inner_lists": None})
        rows = _Read(self, Window(None, datetime.now(UTC))).request(table, request)
        while batch := list(islice(rows, PIECE_RECORDS)):
            found = table_of([{key: row.get(name) for key, name in names.items()} for row in batch if isinstance(row, dict)])
            if len(found):
                yield found

    def read_keys(self, table: Table, window: Window, keys: Iterable[tuple[str, ...]]) -> Iterator[Piece]:
        """Yield the whole table, because an API has no request for many keys. The caller selects the rows."""
        return self.read(table, Window(None, window.until), {})

    def is_transient(self, error: BaseException) -> bool:
        """Always false, because the HTTP client already retries each request."""
        return False

    def close(self) -> None:
        """Close all connections."""
        self._client.close()


@dataclass
class _Read:
    """One read of a table and of its parents. `token` is the place at which it has ended."""

    resources: RestResources
    window: Window
    token: str | None = None

    def rows(self, table: Table) -> Iterator[Row]:
        """The rows of all requests of a table."""
        requests, made = table.requests(self.resources._settings), Rows(table)
        since, until = self.window.since, self.window.until
        changes = table.changes
        if changes is not None and since is not None and until - since <= changes.horizon:
            yield from made.in_order(self.request(table, requests["changes"]), newest_first=changes.newest_first)
        elif changes is not None:
            yield from made.stamped(self.request(table, requests[""]), until)
        else:
            yield from self.request(table, requests[""])
        for name, request in requests.items():
            if name.startswith("also"):
                yield from made.since(self.request(table, request), since)

    def request(self, table: Table, request: RestRequest) -> Iterator[Row]:
        """The rows of one request, or of one request for each row of the parent."""
        if table.parent is None:
            yield from self._fetched(table, request, None)
            return
        parent = self.resources._tables[table.parent]
        rows = Rows(parent).once(self.rows(parent))
        asked = missing = 0
        first: NotFound | None = None
        while batch := list(islice(rows, table.batch or 1)):
            asked += len(batch)
            try:
                yield from self._fetched(table, request, batch)
            except NotFound as error:
                missing += len(batch)
                first = first or error
        if first is not None and missing == asked:
            raise first
        if missing:
            log.warning(
                "%s: the API has nothing for %d of %d rows of %s; they may have been deleted",
                table.name,
                missing,
                asked,
                parent.name,
            )

    def _fetched(self, table: Table, request: RestRequest, parents: list[dict[str, Any]] | None) -> Iterator[Row]:
        made = Rows(table)
        values: dict[str, Any] = {
            "since": self.window.since or request.first,
            "until": self.window.until,
            "columns": list(dict.fromkeys(column.source_name or name for name, column in table.columns.items())),
        }
        if parents is not None:
            values["parents" if table.batch else "parent"] = parents if table.batch else parents[0]
        token = self.window.token if request.resumes else None
        fetch = Fetch(self.resources._client, request, values, table.name, made.key, made.look_up, token)
        rows = made.shaped(request, fetch.records(), values)
        for lookup in request.lookups:
            if lookup.path is not None:
                rows = self._looked_up(made, lookup, lookup.path, rows)
        yield from rows
        self.token = fetch.token or self.token

    def _looked_up(self, made: Rows, lookup: Lookup, path: str, rows: Iterator[Row]) -> Iterator[Row]:
        """The rows with the columns that a lookup tells."""
        while batch := list(islice(rows, lookup.rows)):
            known = [row for row in batch if isinstance(row, dict)]
            if known:
                body = placeholders.filled(lookup.body, {"rows": known})
                found = value_at(lookup.data, self.resources._client.call("POST", path, json=body).json())
                if not isinstance(found, list):
                    raise ReadError(f"the answer to a lookup has {named(found)} at `{lookup.data}` instead of a list of records")
                made.look_up(lookup, known, found)
            yield from batch
