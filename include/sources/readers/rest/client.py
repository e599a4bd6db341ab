"""Sends the requests of one API: retries, authentication, and the hosts that may get the credentials."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cached_property
from threading import local
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import BaseAdapter

from include.sources.readers.pieces import ReadError
from include.sources.readers.rest.inspection import NotFound, cause
from include.sources.readers.rest.json_paths import compiled
from include.sources.readers.rest.pacing import PacedAdapter

if TYPE_CHECKING:
    from include.connection import SourceConnection
    from include.sources.rest_settings import RestReader

Hook = Callable[..., Any]


class ApiClient:
    """Sends requests to one API. Threads may share it: each has a session of its own."""

    def __init__(self, settings: RestReader, connection: SourceConnection) -> None:
        self._settings = settings
        self._connection = connection
        self._adapter = PacedAdapter(settings)
        self._local = local()

    def check(self) -> None:
        """Raise ReadError if the connection lacks credentials or a URL. Sends no request."""
        auth, connection = self._settings.auth, self._connection
        if auth in ("bearer", "api_key") and not connection.secret:
            what = "the bearer token" if auth == "bearer" else f"the value of the header {self._settings.auth_header}"
            raise ReadError(f"connection {connection.conn_id} has no password, which is {what}")
        if auth in ("basic", "oauth2") and not (connection.login and connection.secret):
            what = "for basic authentication" if auth == "basic" else "which are the client's id and secret"
            raise ReadError(f"connection {connection.conn_id} needs a login and a password {what}")
        _ = connection.url

    def pages(
        self,
        method: str,
        path: str,
        params: dict[str, Any],
        body: dict[str, Any] | None,
        paginator: Any,
        selector: str,
        hook: Hook,
    ) -> Iterator[list[Any]]:
        """The records of each page.

        Args:
            method: GET or POST.
            path: path below the reader's `base_path`.
            params: query parameters of the first request.
            body: JSON body of the first request.
            paginator: dlt's paginator.
            selector: JSON path of the records in a response.
            hook: gets each response, before dlt does.

        Raises:
            ReadError: a request has failed for good.
        """
        from dlt.sources.rest_api.config_setup import create_response_hooks

        try:
            yield from self._client().paginate(
                path,
                method=method,
                params=params,
                json=deepcopy(body),
                paginator=paginator,
                data_selector=compiled(selector),
                hooks=create_response_hooks([hook]),
            )
        except Exception as error:
            raise _read_error(error) from error

    def responses(self, path: str, params: dict[str, Any], paginator: Any) -> Iterator[requests.Response]:
        """The responses of pages that are no JSON.

        Raises:
            ReadError: a request has failed for good.
        """
        request = requests.Request("GET", path, params=params)
        while paginator.has_next_page:
            response = self.call("GET", request.url, params=request.params)
            yield response
            paginator.update_state(response)
            paginator.update_request(request)

    def call(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """The response to one request.

        Raises:
            ReadError: it has failed for good.
        """
        try:
            response: requests.Response = self._client().request(path, method, **arguments)
            response.raise_for_status()
        except Exception as error:
            raise _read_error(error) from error
        return response

    def close(self) -> None:
        """Close all connections."""
        self._adapter.close()

    def whole(self, url: str) -> str:
        """A URL that an API has named, with its host. The host may be missing in it."""
        return urljoin(f"{self._base_url}/", url)

    def _client(self) -> Any:
        """dlt's client of this thread."""
        from dlt.sources.helpers.rest_client import RESTClient

        if not hasattr(self._local, "client"):
            headers = self._settings.headers
            self._local.client = RESTClient(self._base_url, headers=headers, auth=self._auth, session=self._new_session())
        return self._local.client

    @property
    def _base_url(self) -> str:
        from include.sources.readers.rest.auth import ClientToken

        named = self._auth.url() if isinstance(self._auth, ClientToken) else None
        return (named or self._connection.url) + self._settings.base_path

    @cached_property
    def _auth(self) -> Any:
        from include.sources.readers.rest.auth import auth_of

        return auth_of(self._settings, self._connection, self._new_session())

    def _new_session(self) -> requests.Session:
        """dlt's HTTP client. With backoff it retries 429 (after Retry-After), 5xx, timeouts and dropped connections."""
        from dlt.sources.helpers.requests import Client

        settings = self._settings
        session: requests.Session = Client(
            request_timeout=settings.timeout_seconds,
            request_max_attempts=settings.max_attempts,
            request_max_retry_delay=settings.max_wait_seconds,
            request_backoff_factor=0.5,
            raise_for_status=False,
        ).session
        origin = urlsplit(self._connection.url)
        for scheme in ("http", "https"):
            session.mount(f"{scheme}://", _OtherHosts(self._connection.conn_id))
        for host in (origin.netloc.rpartition("@")[2], *settings.allowed_hosts):
            for prefix in prefixes(origin.scheme, host):
                session.mount(prefix, self._adapter)

        def is_foreign(url: str) -> bool:
            return isinstance(session.get_adapter(url), _OtherHosts)

        # requests drops the credentials at a redirect to another host. Every host that gets a request at all may have them.
        session.should_strip_auth = lambda old_url, new_url: is_foreign(new_url)  # type: ignore[method-assign]
        return session


def _read_error(error: Exception) -> ReadError:
    """The error with its cause in one line."""
    if isinstance(error, ReadError):
        return error
    missing = isinstance(error, requests.HTTPError) and error.response is not None and error.response.status_code == 404
    return (NotFound if missing else ReadError)(cause(error))


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


def prefixes(scheme: str, host: str) -> set[str]:
    """The beginnings of a host's URLs. The scheme's own port may be written or left out."""
    port = {"http": ":80", "https": ":443"}[scheme]
    name = host.removesuffix(port)
    return {f"{scheme}://{host}/"} | ({f"{scheme}://{name}/", f"{scheme}://{name}{port}/"} if ":" not in name else set())
