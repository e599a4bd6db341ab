"""Zendesk's paging: lists by cursor and by number of page, exports by cursor and by time."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_left
from typing import TYPE_CHECKING, Any

from include.demo.vendors.zendesk.book import Exported
from include.demo.vendors.zendesk.objects import Object

if TYPE_CHECKING:
    from starlette.datastructures import URL

LIST_PAGE, EXPORT_PAGE, LAST_NUMBERED_PAGE = 100, 1000, 100
HIDDEN = 60
"""An export leaves out what changed in the last 60 seconds."""


class ZendeskError(Exception):
    """An error as Zendesk answers it: a status, a word, and a text for people."""

    def __init__(self, status: int, error: str, description: str | None = None) -> None:
        super().__init__(error)
        self.status = status
        self.body = {"error": error} | ({"description": description} if description else {})


def whole(params: dict[str, str], name: str, default: int, largest: int) -> int:
    """A parameter that is a number from 1 on. Larger numbers than the largest count as the largest.

    Raises:
        ZendeskError: it is no such number.
    """
    text = params.get(name, str(default))
    if not text.isascii() or not text.isdigit() or not int(text[:18]) > 0:
        raise ZendeskError(400, "InvalidValue", f"{name} is invalid: {text}")
    return min(int(text[:18]), largest)


def listed(name: str, rows: list[Object], params: dict[str, str], url: URL) -> Object:
    """A page of a list: by cursor if the request has `page[size]`, else by number.

    With a cursor, `links.next` and `meta.after_cursor` are there on the last page too. `meta.has_more` says whether there is more.
    """
    if any(name.startswith("page[") for name in params):
        return _by_cursor(name, rows, params, url)
    size, number = whole(params, "per_page", LIST_PAGE, LIST_PAGE), whole(params, "page", 1, 10**9)
    if number > LAST_NUMBERED_PAGE:
        description = f"Numbered pages end at page {LAST_NUMBERED_PAGE}. Use cursor pagination."
        raise ZendeskError(400, "InvalidPaginationDepth", description)
    begin, end = (number - 1) * size, number * size
    following = str(url.include_query_params(page=number + 1)) if end < len(rows) else None
    previous = str(url.include_query_params(page=number - 1)) if number > 1 else None
    return {name: rows[begin:end], "count": len(rows), "next_page": following, "previous_page": previous}


def _by_cursor(name: str, rows: list[Object], params: dict[str, str], url: URL) -> Object:
    size = whole(params, "page[size]", LIST_PAGE, LIST_PAGE)
    begin, end = 0, len(rows)
    if "page[after]" in params:
        begin = _position(rows, params["page[after]"]) + 1
    elif "page[before]" in params:
        end = _position(rows, params["page[before]"])
        begin = max(0, end - size)
    page = rows[begin:end][:size]
    links: Object = {"next": None, "prev": None}
    meta: Object = {"after_cursor": None, "before_cursor": None, "has_more": begin + size < len(rows)}
    if page:
        after, before = _encoded(str(page[-1]["id"])), _encoded(str(page[0]["id"]))
        meta |= {"after_cursor": after, "before_cursor": before}
        links["next"] = _with(url.remove_query_params("page[before]"), {"page[after]": after})
        links["prev"] = _with(url.remove_query_params("page[after]"), {"page[before]": before})
    return {name: page, "links": links, "meta": meta}


def _position(rows: list[Object], cursor: str) -> int:
    id_ = _decoded(cursor)
    for position, row in enumerate(rows):
        if str(row["id"]) == id_:
            return position
    raise ZendeskError(400, "InvalidValue", "page cursor is invalid")


def export_by_cursor(name: str, rows: list[Exported], params: dict[str, str], url: URL, now: int) -> Object:
    """A page of an export whose cursor is a place among the rows. At the end of the stream, the cursor is where the next export begins.

    Raises:
        ZendeskError: the start is missing, too recent or no number, or the cursor is invalid.
    """
    size = whole(params, "per_page", EXPORT_PAGE, EXPORT_PAGE)
    place = _place(params["cursor"]) if "cursor" in params else (_start(params, now), -1)
    page = [row for row in rows if place < (row[0], row[1]["id"]) and row[0] <= now - HIDDEN]
    rest, page = page[size:], page[:size]
    if page:
        place = page[-1][0], page[-1][1]["id"]
    cursor = _encoded(f"{place[0]}.0||{place[1]}")
    after = _with(url.remove_query_params("start_time"), {"cursor": cursor})
    answer = {name: [row for _, row in page], "after_cursor": cursor, "after_url": after}
    return answer | {"before_cursor": None, "before_url": None, "end_of_stream": not rest}


def export_by_time(name: str, rows: list[Exported], params: dict[str, str], url: URL, now: int) -> Object:
    """A page of an export whose next page begins at the second of the last row, so that the rows of that second are repeated.

    If more rows than a page has are of one second, the next page is the same page.

    Raises:
        ZendeskError: the start is missing, too recent or no number.
    """
    size = whole(params, "per_page", EXPORT_PAGE, EXPORT_PAGE)
    start = _start(params, now)
    visible = [row for row in rows if row[0] <= now - HIDDEN]
    begin = bisect_left(visible, start, key=lambda row: row[0])
    page = visible[begin : begin + size]
    end = page[-1][0] if page else start
    following = _with(url, {"start_time": str(end)})
    answer: dict[str, Any] = {name: [row for _, row in page], "count": len(page), "end_time": end, "next_page": following}
    return answer | {"end_of_stream": begin + size >= len(visible)}


def _start(params: dict[str, str], now: int) -> int:
    text = params.get("start_time", "")
    if not text.isascii() or not text.isdigit():
        raise ZendeskError(400, "InvalidValue", "start_time is required, in seconds since 1970")
    if int(text) > now - HIDDEN:
        raise ZendeskError(422, "InvalidValue", f"Too recent start_time. Use a start_time older than {HIDDEN} seconds")
    return int(text)


def _place(cursor: str) -> tuple[int, int]:
    second, _, id_ = _decoded(cursor).partition(".0||")
    if not second.isdigit() or not id_.lstrip("-").isdigit():
        raise ZendeskError(400, "InvalidValue", "cursor is invalid")
    return int(second), int(id_)


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise ZendeskError(400, "InvalidValue", "cursor is invalid") from None


def _with(url: URL, params: dict[str, str]) -> str:
    return str(url.include_query_params(**params))
