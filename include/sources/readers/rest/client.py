
"""Sends the requests of one API: retries, authentication, and the hosts that may get the credentials."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter

from include.sources.readers.pieces import ReadError
from include.sources.readers.rest.inspection import cause

if TYPE_CHECKING:
    from include.connection import SourceConnection
    from include.sources.rest_settings import RestReader

Hook = Callable[..., Any]


class ApiClient:
    """Sends requests to one API. Threads may share it: each read has a session of its own."""

    def __init__(self, settings: RestReader, connection: SourceConnection) -> None:
        self._settings = settings
        self._connection = connection

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
        from dlt.sources.helpers.rest_client import RESTClient
        from dlt.sources.rest_api.config_setup import create_response_hooks

        try:
            client = RESTClient(self._base_url, headers=self._settings.headers, auth=self._auth, session=self._session())
            yield from client.paginate(
                path,
                method=method,
                params=params,
                json=deepcopy(body),
                paginator=paginator,
                data_selector=selector,
                hooks=create_response_hooks([hook]),
            )
        except Exception as error:
            raise ReadError(cause(error)) from error

    @property
    def _base_url(self) -> str:
        host = self._connection.url
        return host + self._settings.base_path

    @cached_property
    def _auth(self) -> Any:
        from dlt.sources.helpers.rest_client.auth import APIKeyAuth, BearerTokenAuth, HttpBasicAuth

        match self._settings.auth:
            case "bearer":
                return BearerTokenAuth(token=self._connection.secret)
            case "basic":
                return HttpBasicAuth(username=self._connection.login, password=self._connection.secret)
            case "api_key":
                return APIKeyAuth(name=self._settings.auth_header, api_key=self._connection.secret)
        return None

    def _session(self) -> requests.Session:
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
        adapter = session.get_adapter(self._connection.url)
        for scheme in ("http", "https"):
            session.mount(f"{scheme}://", _OtherHosts(self._connection.conn_id))
        for host in (origin.netloc.rpartition("@")[2], *settings.allowed_hosts):
            for prefix in prefixes(origin.scheme, host):
                session.mount(prefix, adapter)

        def is_foreign(url: str) -> bool:
            return isinstance(session.get_adapter(url), _OtherHosts)

        # requests drops the credentials at a redirect to another host. Every host that gets a request at all may have them.
        session.should_strip_auth = lambda old_url, new_url: is_foreign(new_url)  # type: ignore[method-assign]
        return session


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
