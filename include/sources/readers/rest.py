# ruff: noqa: TID253 - this module is imported only when a load runs.
"""Reads resources of a REST API through dlt's `rest_api`, with pagination, retries and authentication."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

import pyarrow as pa
import requests
from requests.adapters import BaseAdapter

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
        inspector = _Inspector(selector, settings)
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
                            "response_actions": [inspector],
                        },
                    }
                ],
            }
        )
        count = 0
        try:
            for count, record in enumerate(resource, start=1):  # noqa: B007 - the last number is the count
                yield record
        except Exception as error:
            raise ReadError(_cause(error)) from error
        if inspector.total is not None and count < inspector.total:
            raise ReadError(f"the API says at `{settings.total_path}` that it has {inspector.total} records, but sent {count}")

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
        session = Client(
            request_timeout=settings.timeout_seconds,
            request_max_attempts=settings.max_attempts,
            request_max_retry_delay=settings.max_wait_seconds,
            request_backoff_factor=0.5,
            raise_for_status=False,
        ).session
        origin = urlsplit(self._connection.url)
        adapter = session.get_adapter(self._connection.url)
        for scheme in ("http", "https"):
            session.mount(f"{scheme}://", _OtherHosts(self._connection.conn_id))
        for host in (origin.netloc.rpartition("@")[2], *settings.allowed_hosts):
            for prefix in _prefixes(origin.scheme, host):
                session.mount(prefix, adapter)
        return session

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


class _OtherHosts(BaseAdapter):
    """Refuses requests to hosts that the source does not name. requests asks it before it sends anything, also for a redirect."""

    def __init__(self, conn_id: str) -> None:
        super().__init__()
        self._conn_id = conn_id

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> NoReturn:
        """Raise ReadError. The message leaves out the path and the query, which may contain secrets."""
        url = urlsplit(request.url or "")
        host = f"{url.scheme}://{url.netloc.rpartition('@')[2]}"
        raise ReadError(
            f"a link or redirect of the API leads to {host}, which is not the host of connection {self._conn_id}. It gets neither a "
            "request nor the credentials. If it belongs to the API, add it to reader.allowed_hosts"
        )

    def close(self) -> None:
        """Do nothing: nothing is open."""


def _prefixes(scheme: str, host: str) -> set[str]:
    """The beginnings of a host's URLs. The scheme's own port may be written or left out."""
    port = {"http": ":80", "https": ":443"}[scheme]
    name = host.removesuffix(port)
    return {f"{scheme}://{host}/"} | ({f"{scheme}://{name}/", f"{scheme}://{name}{port}/"} if ":" not in name else set())


class _Inspector:
    """Checks each response before dlt does. It raises an error where dlt would silently end the read too early.

    Attributes:
        total: the number of records of all pages, as the last response says.
    """

    def __init__(self, selector: str, settings: RestReader) -> None:
        self._selector = selector
        self._settings = settings
        self.total: int | None = None
        self._requested: set[str] = set()

    def __call__(self, response: requests.Response, *_: Any, **__: Any) -> None:
        if response.status_code >= 400 or response.is_redirect:
            return
        try:
            body = response.json()
        except ValueError:
            raise TruncatedResponse(f"a response of {len(response.content)} bytes is not a complete JSON document") from None
        from dlt.common.jsonpath import find_values

        found = find_values(self._selector, body)
        if not found:
            raise ReadError(f"a response has no records at `{self._selector}`")
        if len(found) == 1 and not isinstance(found[0], list):
            raise ReadError(f"a response has {_named(found[0])} at `{self._selector}` instead of a list of records")
        self._compare(body)
        url = response.request.url or ""
        if url in self._requested:
            raise ReadError("the API returns the URL of a page that was already read, so its pagination never ends")
        self._requested.add(url)

    def _compare(self, body: Any) -> None:
        """Keep the total. Raise ReadError if the flag for more pages contradicts the paginator."""
        from dlt.common.jsonpath import find_values

        def value(path: str) -> Any:
            return next(iter(find_values(path, body)), None)

        if (path := self._settings.total_path) is not None:
            total = value(path)
            if not isinstance(total, int) or isinstance(total, bool):
                raise ReadError(f"a response has {_named(total)} at `{path}` instead of the number of records")
            self.total = total
        if (path := self._settings.has_more_path) is not None:
            paginator = self._settings.paginator
            where = paginator.cursor_path if isinstance(paginator, CursorPaginator) else paginator.next_path
            more, following = value(path), value(where)
            if not isinstance(more, bool):
                raise ReadError(f"a response has {_named(more)} at `{path}` instead of true or false")
            if more != bool(following):
                says = "more pages follow, but names none" if more else "no page follows, but names one"
                raise ReadError(f"a response says at `{path}` that {says} at `{where}`, so pages may be missing")


def _named(value: Any) -> str:
    """A JSON value in words."""
    return "nothing" if value is None else f"a value of type {type(value).__name__}"


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
