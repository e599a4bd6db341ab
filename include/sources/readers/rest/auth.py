# ruff: noqa: TID253 - this module is imported only when a load runs.
"""Authentication: dlt's classes, and a token that is renewed when the API calls it expired."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

import requests
from dlt.sources.helpers.rest_client.auth import APIKeyAuth, BearerTokenAuth, HttpBasicAuth, OAuth2ClientCredentials
from requests.auth import AuthBase

from include.sources import placeholders
from include.sources.readers.pieces import ReadError

if TYPE_CHECKING:
    from include.connection import SourceConnection
    from include.sources.rest_settings import RestReader


def auth_of(settings: RestReader, connection: SourceConnection, session: requests.Session) -> Any:
    """What authenticates the requests of a reader; None if nothing does.

    Args:
        settings: the reader.
        connection: has the secrets.
        session: asks for tokens.
    """
    match settings.auth:
        case "bearer":
            return BearerTokenAuth(token=connection.secret)
        case "basic":
            return HttpBasicAuth(username=connection.login, password=connection.secret)
        case "api_key":
            return APIKeyAuth(name=settings.auth_header, api_key=connection.secret)
        case "oauth2":
            return ClientToken(settings, connection, session)
    return None


class ClientToken(AuthBase):
    """The token of OAuth2 client credentials. If a response is 401, one new token is asked for, and the request is sent again.

    All threads share it.
    """

    def __init__(self, settings: RestReader, connection: SourceConnection, session: requests.Session) -> None:
        self._host_path = settings.host_path
        self._lock = Lock()
        self._url: str | None = None
        self._token = _Token(
            access_token_url=f"{connection.url}{settings.token_path}",
            client_id=connection.login,
            client_secret=connection.secret,
            session=session,
        )

    def url(self) -> str | None:
        """The API's URL, as the answer to the token request names it; None if it is the connection's.

        Raises:
            ReadError: there is no token, or the answer names no URL.
        """
        if self._host_path is None:
            return None
        with self._lock:
            if self._token.access_token is None:
                self._obtain()
        found = placeholders.within(self._token.answer, self._host_path)
        if not isinstance(found, str):
            raise ReadError(f"the answer to the token request has no URL at `{self._host_path}` (reader.host_path)")
        return found.rstrip("/")

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token."""
        with self._lock:
            if self._token.access_token is None or self._token.is_token_expired():
                self._obtain()
            request.headers["Authorization"] = f"Bearer {self._token.access_token}"
        request.hooks["response"].append(self._renewed)
        return request

    def _renewed(self, response: requests.Response, **kwargs: Any) -> requests.Response:
        """Send the request again with a new token, if the API refuses the old one."""
        if response.status_code != 401:
            return response
        again = response.request.copy()
        with self._lock:
            # Another thread may have renewed it already.
            if again.headers.get("Authorization") == f"Bearer {self._token.access_token}":
                self._obtain()
            again.headers["Authorization"] = f"Bearer {self._token.access_token}"
        response.close()
        renewed: requests.Response = response.connection.send(again, **kwargs)
        renewed.request = again
        return renewed

    def _obtain(self) -> None:
        try:
            self._token.obtain_token()
        except requests.HTTPError as error:
            raise ReadError(f"the API gives no token ({error.response.status_code}): {_described(error.response)}") from None


class _Token(OAuth2ClientCredentials):  # type: ignore[misc]
    """dlt's token request. It keeps the whole answer."""

    answer: Any = None

    def parse_access_token(self, response_json: Any) -> str:
        """The token of an answer. Raise ReadError if there is none."""
        token = response_json.get("access_token")
        if not token:
            raise ReadError("the answer to the token request has no access_token")
        self.answer = response_json
        return str(token)


def _described(response: requests.Response) -> str:
    """What an OAuth2 server says about a refusal."""
    try:
        body = response.json()
        return ": ".join(str(body[key]) for key in ("error", "error_description") if key in body) or "no reason given"
    except (ValueError, TypeError):
        return "no reason given"
