# ruff: noqa: TID253 - this module is imported only when a load runs.
"""dlt's paginators for the kinds of a source file, and those that dlt lacks."""

from __future__ import annotations

from typing import Any

from dlt.sources.helpers.rest_client import paginators as dlt_paginators
from requests import Request, Response

from include.sources import placeholders
from include.sources.readers.pieces import ReadError
from include.sources.readers.rest.json_paths import compiled, value_at
from include.sources.rest_paginators import (
    CursorPaginator,
    Flag,
    HeaderCursorPaginator,
    HeaderLinkPaginator,
    LastIdPaginator,
    NextLinkPaginator,
    OffsetPaginator,
    PageNumberPaginator,
)
from include.sources.rest_requests import RestRequest


def paginator_of(request: RestRequest, token: str | None = None) -> Any:
    """A paginator for one read.

    Args:
        request: how the records are asked for.
        token: the cursor at which an earlier load has ended, for paginators that resume.
    """
    match request.paginator:
        case CursorPaginator() as given:
            return _Cursor(given, {name for name, value in request.params.items() if "since" in placeholders.names(value)}, token)
        case NextLinkPaginator() as given:
            return _NextLink(given)
        case LastIdPaginator() as given:
            return _LastId(given)
        case HeaderLinkPaginator() as given:
            return dlt_paginators.HeaderLinkPaginator(links_next_key=given.rel)
        case HeaderCursorPaginator() as given:
            return _HeaderCursor(given)
        case PageNumberPaginator() as given:
            return dlt_paginators.PageNumberPaginator(
                base_page=given.first_page,
                page_param=given.page_param,
                total_path=compiled(given.total_pages_path) if given.total_pages_path else None,
                has_more_path=compiled(request.has_more_path) if request.has_more_path else None,
            )
        case OffsetPaginator() as given if request.page_size is not None:
            return dlt_paginators.OffsetPaginator(
                limit=request.page_size.value,
                limit_param=request.page_size.param,
                offset_param=given.offset_param,
                total_path=None,
                has_more_path=compiled(request.has_more_path) if request.has_more_path else None,
            )
    return dlt_paginators.SinglePagePaginator()


class _Stopping:
    """A paginator whose pages may say that they are the last, although they name a next one."""

    stop: Flag | None = None
    _ended = False

    @property
    def has_next_page(self) -> bool:
        """True if the last page has named a next one, and has not said that it is the last."""
        return bool(super().has_next_page) and not self._ended  # type: ignore[misc]

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Find the next page. Raise ReadError if more pages follow, and none is named."""
        super().update_state(response, data)  # type: ignore[misc]
        if self.stop is None:
            return
        self._ended = is_flagged(self.stop, response.json())
        if not self._ended and not self.has_next_page:
            raise ReadError(
                f"a response says at `{self.stop.path}` that more pages follow, but names none, so pages may be missing"
            )


class _Cursor(_Stopping, dlt_paginators.JSONResponseCursorPaginator):  # type: ignore[misc]
    """A cursor in the response. `token` is the last one that a response has named."""

    def __init__(self, settings: CursorPaginator, first_params: set[str], token: str | None) -> None:
        body = settings.cursor_body
        super().__init__(cursor_path=compiled(settings.cursor_path), cursor_param=settings.cursor_param, cursor_body_path=body)
        self.stop, self.token = settings.stop, token
        self._settings = settings
        self._first_params = first_params if settings.resume else set()

    def init_request(self, request: Request) -> None:
        """Start at the token of an earlier load."""
        if self.token is not None:
            self._next_reference = self.token
            self.update_request(request)

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        super().update_state(response, data)
        self.token = self._next_reference or self.token

    def update_request(self, request: Request) -> None:
        if self._settings.cursor_body:
            placeholders.put(request.json, self._settings.cursor_body, self._next_reference)
        else:
            kept = {name: value for name, value in (request.params or {}).items() if name not in self._first_params}
            request.params = kept | {self._settings.cursor_param: self._next_reference}


class _NextLink(_Stopping, dlt_paginators.JSONLinkPaginator):  # type: ignore[misc]
    """A link in the response. dlt makes a relative one whole."""

    def __init__(self, settings: NextLinkPaginator) -> None:
        super().__init__(next_url_path=compiled(settings.next_path))
        self.stop = settings.stop


class _OfLastRow(dlt_paginators.BaseReferencePaginator):  # type: ignore[misc]
    """The id of a page's last row leads to the next page."""

    def __init__(self, settings: LastIdPaginator) -> None:
        super().__init__()
        self._settings = settings

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        found = placeholders.within(data[-1], self._settings.id_path) if data else None
        if data and found is None and self._settings.stop is None:
            raise ReadError(
                f"the last record of a page has nothing at `{self._settings.id_path}`, so the next page cannot be found"
            )
        self._next_reference = None if found is None else str(found)

    def update_request(self, request: Request) -> None:
        if self._settings.id_body:
            placeholders.put(request.json, self._settings.id_body, self._next_reference)
        else:
            request.params = {**(request.params or {}), self._settings.id_param: self._next_reference}


class _LastId(_Stopping, _OfLastRow):
    """The same, for pages that may say that they are the last."""

    def __init__(self, settings: LastIdPaginator) -> None:
        super().__init__(settings)
        self.stop = settings.stop


class _HeaderCursor(dlt_paginators.HeaderCursorPaginator):  # type: ignore[misc]
    """A cursor in a header. One value of it may stand for the end."""

    def __init__(self, settings: HeaderCursorPaginator) -> None:
        super().__init__(cursor_key=settings.header, cursor_param=settings.cursor_param)
        self._end = settings.end

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        cursor = response.headers.get(self.cursor_key)
        self._next_reference = None if cursor == self._end else cursor


def is_flagged(flag: Flag, body: Any) -> bool:
    """True if a response has the flag's value. Raise ReadError if the flag is true or false, and the response has neither."""
    value = value_at(flag.path, body)
    if isinstance(flag.is_, bool) and not isinstance(value, bool):
        what = "nothing" if value is None else f"a value of type {type(value).__name__}"
        raise ReadError(f"a response has {what} at `{flag.path}` instead of true or false")
    return bool(value == flag.is_)
