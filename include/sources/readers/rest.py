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

from include.sources.reader_settings import CursorPaginator, PageNumberPaginator
from include.sources.readers.pieces import Piece, ReadError, Rejected, Window, dump, table_of

if TYPE_CHECKING:
    from include.connection import SourceConnection
    from include.sources.reader_settings import RestReader
    from include.sources.schema import Table

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
        numbered = isinstance(self._settings.paginator, PageNumberPaginator)
        records = self._settled(table, window) if numbered else self._complete(table, window)
        while batch := list(islice(records, PIECE_RECORDS)):
            good = [record for record in batch if isinstance(record, dict)]
            rejected = [Rejected("not a JSON object", dump(record)) for record in batch if not isinstance(record, dict)]
            yield Piece(table_of(good, json_columns), rejected=rejected)

    def _complete(self, table: Table, window: Window) -> Iterator[Any]:
        """The records of pages that each name the next one."""
        inspector, count = self._inspector(table), 0
        for count, record in enumerate(self._records(table, window, inspector), start=1):  # noqa: B007 - the last number is the count
            yield record
        inspector.check_total(count)

    def _settled(self, table: Table, window: Window) -> Iterator[Any]:
        """The records of numbered pages, each once, as last read. The pages are read again until a read finds no new record."""
        keys = [table.columns[name].source_name or name for name in table.primary_key]
        found: dict[str, Any] = {}
        reads: int = getattr(self._settings.paginator, "max_reads", 1)
        for _ in range(reads):
            inspector, before = self._inspector(table), len(found)
            for record in self._records(table, window, inspector):
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

    def _inspector(self, table: Table) -> _Inspector:
        return _Inspector(table.data or self._settings.data, self._settings)

    def _records(self, table: Table, window: Window, inspector: _Inspector) -> Iterator[Any]:
        from dlt.sources.rest_api import rest_api_resources

        settings = self._settings
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
                            "data_selector": inspector.selector,
                            "response_actions": [inspector],
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
        from dlt.sources.helpers.rest_client import paginators

        paginator = self._settings.paginator
        if isinstance(paginator, CursorPaginator):
            return paginators.JSONResponseCursorPaginator(cursor_path=paginator.cursor_path, cursor_param=paginator.cursor_param)
        if isinstance(paginator, PageNumberPaginator):
            return paginators.PageNumberPaginator(
                base_page=paginator.first_page,
                page_param=paginator.page_param,
                total_path=paginator.total_pages_path,
                has_more_path=self._settings.has_more_path,
            )
        return paginators.JSONLinkPaginator(next_url_path=paginator.next_path)

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
        # requests drops the credentials at a redirect to another host. Every host that gets a request at all may have them.
        session.should_strip_auth = lambda old_url, new_url: isinstance(session.get_adapter(new_url), _OtherHosts)
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
        selector: JSON path of the records in a response.
        total: the number of records of all pages, as the last response says.
        pages: the number of pages with records that have been read.
    """

    def __init__(self, selector: str, settings: RestReader) -> None:
        self.selector = selector
        self.pages = 0
        self._settings = settings
        self.total: int | None = None
        self._requested: set[str] = set()
        self._last: list[Any] = []

    def __call__(self, response: requests.Response, *_: Any, **__: Any) -> None:
        if response.status_code >= 400 or response.is_redirect:
            return
        try:
            body = response.json()
        except ValueError:
            raise TruncatedResponse(f"a response of {len(response.content)} bytes is not a complete JSON document") from None
        from dlt.common.jsonpath import find_values

        found = find_values(self.selector, body)
        if not found:
            raise ReadError(f"a response has no records at `{self.selector}`")
        if len(found) == 1 and not isinstance(found[0], list):
            raise ReadError(f"a response has {_named(found[0])} at `{self.selector}` instead of a list of records")
        records = found[0] if len(found) == 1 else found
        self._compare(body, records)
        if isinstance(self._settings.paginator, PageNumberPaginator) and records and records == self._last:
            raise ReadError("the API returns the same records for two page numbers, so its pagination never ends")
        self._last = records
        self.pages += bool(records)
        url = response.request.url or ""
        if url in self._requested:
            raise ReadError("the API returns the URL of a page that was already read, so its pagination never ends")
        self._requested.add(url)

    def check_total(self, count: int) -> None:
        """Raise ReadError if fewer records were read than the API says that it has."""
        if self.total is not None and count < self.total:
            path = self._settings.total_path
            raise ReadError(f"the API says at `{path}` that it has {self.total} records, but sent {count}")

    def _compare(self, body: Any, records: list[Any]) -> None:
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
            more = value(path)
            if not isinstance(more, bool):
                raise ReadError(f"a response has {_named(more)} at `{path}` instead of true or false")
            paginator = self._settings.paginator
            if isinstance(paginator, PageNumberPaginator):
                if more and not records:
                    raise ReadError(f"a page without records says at `{path}` that more pages follow, so pages may be missing")
                return
            where = paginator.cursor_path if isinstance(paginator, CursorPaginator) else paginator.next_path
            if more != bool(value(where)):
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
