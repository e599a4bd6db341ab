# ruff: noqa: TID253 - this module is imported only when a load runs.
"""Reads resources of a REST API through dlt's `rest_api`, with pagination, retries and authentication."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import requests

from include.sources.readers.pieces import Piece, ReadError, Rejected, Window, dump, table_of
from include.sources.schema import CursorPaginator

if TYPE_CHECKING:
    from include.connection import SourceConnection
    from include.sources.schema import RestReader, Table

PIECE_RECORDS = 20_000


class TruncatedResponse(requests.exceptions.ChunkedEncodingError):
    """A response that ends in the middle of its JSON. The base class makes dlt's client retry the request."""


class RestResources:
    """Reads the resources of one API."""

    def __init__(self, settings: RestReader, connection: SourceConnection) -> None:
        self._settings = settings
        self._connection = connection

    def check(self) -> None:
        """Raise ReadError if the connection lacks credentials or a URL. Sends no request."""
        settings, connection = self._settings, self._connection
        if settings.auth == "bearer" and not connection.secret:
            raise ReadError(f"connection {connection.conn_id} has no password, which is the bearer token")
        if settings.auth == "basic" and not (connection.login and connection.secret):
            raise ReadError(f"connection {connection.conn_id} needs a login and a password for basic authentication")
        _ = connection.url

    def read(self, table: Table, window: Window, seen: dict[str, str]) -> Iterator[Piece]:
        """Yield the records that changed since the start of the window, page by page."""
        json_columns = frozenset(c.source_name or c.name for c in table.columns.values() if c.type == "json")
        records = iter(self._records(table, window))
        while batch := list(islice(records, PIECE_RECORDS)):
            good = [record for record in batch if isinstance(record, dict)]
            rejected = [Rejected("not a JSON object", dump(record)) for record in batch if not isinstance(record, dict)]
            yield Piece(table_of(good, json_columns), rejected=rejected)

    def _records(self, table: Table, window: Window) -> Iterator[Any]:
        from dlt.sources.rest_api import rest_api_resources

        settings = self._settings
        selector = table.data or settings.data
        params: dict[str, Any] = {}
        if settings.page_size is not None:
            params[settings.page_size.param] = settings.page_size.value
        if settings.updated_since_param and window.since is not None:
            params[settings.updated_since_param] = window.since.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        (resource,) = rest_api_resources(
            {
                "client": {
                    "base_url": self._connection.url + settings.base_path,
                    "auth": self._auth(),
                    "paginator": self._paginator(),
                    "session": self._session(),
                },
                "resources": [
                    {
                        "name": table.name,
                        "endpoint": {
                            "path": table.path or table.name,
                            "params": params,
                            "data_selector": selector,
                            "response_actions": [_Inspector(selector)],
                        },
                    }
                ],
            }
        )
        try:
            yield from resource
        except Exception as error:
            raise ReadError(_cause(error)) from error

    def _auth(self) -> Any:
        from dlt.sources.helpers.rest_client.auth import BearerTokenAuth, HttpBasicAuth

        if self._settings.auth == "bearer":
            return BearerTokenAuth(token=self._connection.secret)
        if self._settings.auth == "basic":
            return HttpBasicAuth(username=self._connection.login, password=self._connection.secret)
        return None

    def _paginator(self) -> Any:
        from dlt.sources.helpers.rest_client.paginators import JSONLinkPaginator, JSONResponseCursorPaginator

        paginator = self._settings.paginator
        if isinstance(paginator, CursorPaginator):
            return JSONResponseCursorPaginator(cursor_path=paginator.cursor_path, cursor_param=paginator.cursor_param)
        return JSONLinkPaginator(next_url_path=paginator.next_path)

    def _session(self) -> Any:
        """dlt's HTTP client. With backoff it retries 429 (after Retry-After), 5xx, timeouts and dropped connections."""
        from dlt.sources.helpers.requests import Client

        settings = self._settings
        return Client(
            request_timeout=settings.timeout_seconds,
            request_max_attempts=settings.max_attempts,
            request_max_retry_delay=settings.max_wait_seconds,
            request_backoff_factor=0.5,
            raise_for_status=False,
        ).session

    def keys(self, table: Table) -> Iterator[pa.Table]:
        """Not supported. The schema refuses `detect_deletes` for REST sources."""
        raise TypeError("Deletes cannot be detected in a REST API.")

    def is_transient(self, error: BaseException) -> bool:
        """Always false, because the HTTP client already retries each request."""
        return False

    def close(self) -> None:
        """Do nothing: sessions end with their threads."""


class _Inspector:
    """Checks each response before dlt does. It raises an error where dlt would silently end the read too early."""

    def __init__(self, selector: str) -> None:
        self._selector = selector
        self._requested: set[str] = set()

    def __call__(self, response: requests.Response, *_: Any, **__: Any) -> None:
        if response.status_code >= 400:
            return
        try:
            body = response.json()
        except ValueError:
            raise TruncatedResponse(f"a response of {len(response.content)} bytes is not a complete JSON document") from None
        from dlt.common.jsonpath import find_values

        if not find_values(self._selector, body):
            raise ReadError(f"a response has no records at `{self._selector}`")
        url = response.request.url or ""
        if url in self._requested:
            raise ReadError("the API returns the URL of a page that was already read, so its pagination never ends")
        self._requested.add(url)


def _cause(error: BaseException) -> str:
    """The cause in one line. dlt and the HTTP client wrap the original error several times."""
    while error.__cause__ is not None:
        if isinstance(error, requests.ConnectionError | requests.Timeout):
            return f"the API cannot be reached ({type(error).__name__}: {str(error)[:200]})"
        error = error.__cause__
    if isinstance(error, requests.ConnectionError | requests.Timeout):
        return f"the API cannot be reached ({type(error).__name__}: {str(error)[:200]})"
    if isinstance(error, ReadError):
        return str(error)
    if isinstance(error, requests.HTTPError):
        return str(error).splitlines()[0]
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
