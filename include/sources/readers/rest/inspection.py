"""Checks the responses of an API. It raises an error where dlt would silently end the read too early."""

from __future__ import annotations

from typing import Any

import requests

from include.sources.readers.pieces import ReadError
from include.sources.readers.rest.json_paths import value_at, values_at
from include.sources.rest_paginators import CursorPaginator, NextLinkPaginator
from include.sources.rest_requests import Lookup, RestRequest


class TruncatedResponse(requests.exceptions.ChunkedEncodingError):
    """A response that ends in the middle of its JSON. The base class makes dlt's client retry the request."""


class TooManyRecords(ReadError):
    """A request has more records than the API answers at most."""


class NotFound(ReadError):
    """The API has nothing at a path."""


class Inspector:
    """Checks each response of one read before dlt does.

    Attributes:
        total: the number of records of all pages, as the last response says.
        pages: the number of pages with records that have been read.
        beside: the lookups whose records the last response has beside its own, and these records.
    """

    def __init__(self, request: RestRequest) -> None:
        self.pages = 0
        self.total: int | None = None
        self.beside: list[tuple[Lookup, list[Any]]] = []
        self._request = request
        self._requested: set[tuple[str, Any]] = set()
        self._last: list[Any] = []

    def __call__(self, response: requests.Response, *_: Any, **__: Any) -> None:
        if response.status_code >= 400 or response.is_redirect:
            return
        try:
            body = response.json()
        except ValueError:
            raise TruncatedResponse(f"a response of {len(response.content)} bytes is not a complete JSON document") from None
        selector = self._request.data
        found = values_at(selector, body)
        if not found:
            raise ReadError(f"a response has no records at `{selector}`")
        if len(found) == 1 and not isinstance(found[0], list):
            raise ReadError(f"a response has {named(found[0])} at `{selector}` instead of a list of records")
        records = found[0] if len(found) == 1 else found
        self._compare(body, records)
        self.beside = [(lookup, _list_at(lookup.data, body)) for lookup in self._request.lookups if lookup.path is None]
        if self._request.is_numbered and records and records == self._last:
            raise ReadError("the API returns the same records for two page numbers, so its pagination never ends")
        self._last = records
        self.pages += bool(records)
        asked = (response.request.url or "", response.request.body)
        if asked in self._requested:
            raise ReadError("the API returns the URL of a page that was already read, so its pagination never ends")
        self._requested.add(asked)

    def check_total(self, count: int) -> None:
        """Raise ReadError if fewer records were read than the API says that it has."""
        if self.total is not None and count < self.total:
            path = self._request.total_path
            raise ReadError(f"the API says at `{path}` that it has {self.total} records, but sent {count}")

    def _compare(self, body: Any, records: list[Any]) -> None:
        """Keep the total. Raise ReadError if the flag for more pages contradicts the paginator."""

        def number(path: str) -> int:
            found = value_at(path, body)
            if not isinstance(found, int) or isinstance(found, bool):
                raise ReadError(f"a response has {named(found)} at `{path}` instead of the number of records")
            return found

        if (path := self._request.total_path) is not None:
            self.total = number(path)
        if (slices := self._request.slices) is not None and (total := number(slices.total_path)) > slices.limit:
            raise TooManyRecords(f"a request has {total} records, and the API answers {slices.limit} at most")
        if (path := self._request.has_more_path) is not None:
            more = value_at(path, body)
            if not isinstance(more, bool):
                raise ReadError(f"a response has {named(more)} at `{path}` instead of true or false")
            paginator = self._request.paginator
            if not isinstance(paginator, CursorPaginator | NextLinkPaginator):
                if more and not records:
                    raise ReadError(f"a page without records says at `{path}` that more pages follow, so pages may be missing")
                return
            where = paginator.cursor_path if isinstance(paginator, CursorPaginator) else paginator.next_path
            if more != bool(value_at(where, body)):
                says = "more pages follow, but names none" if more else "no page follows, but names one"
                raise ReadError(f"a response says at `{path}` that {says} at `{where}`, so pages may be missing")


def _list_at(path: str, body: Any) -> list[Any]:
    found = value_at(path, body)
    if not isinstance(found, list):
        raise ReadError(f"a response has {named(found)} at `{path}` instead of a list of records (lookups.data)")
    return found


def named(value: Any) -> str:
    """A JSON value in words."""
    return "nothing" if value is None else f"a value of type {type(value).__name__}"


def cause(error: BaseException) -> str:
    """The cause in one line. dlt and the HTTP client wrap the original error several times."""
    while error.__cause__ is not None and not isinstance(error, requests.ConnectionError | requests.Timeout):
        error = error.__cause__
    if isinstance(error, requests.ConnectionError | requests.Timeout):
        return f"the API cannot be reached ({type(error).__name__}: {str(error)[:200]})"
    if isinstance(error, ReadError):
        return str(error)
    if isinstance(error, requests.HTTPError):
        return f"{str(error).splitlines()[0]}{_said(error.response)}"
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"


def _said(response: requests.Response | None) -> str:
    """What the API says about an error: the beginning of a short text or of JSON."""
    if response is None or not response.text.strip() or response.text.lstrip().startswith("<"):
        return ""
    return f": {' '.join(response.text.split())[:300]}"
