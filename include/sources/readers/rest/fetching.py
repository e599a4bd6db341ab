"""Fetches the records of one request: all its pages, ranges of time, inner lists and jobs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from include.sources import placeholders
from include.sources.readers.pieces import ReadError, dump
from include.sources.readers.rest.inspection import Inspector, TooManyRecords
from include.sources.readers.rest.jobs import records_of_job

if TYPE_CHECKING:
    from include.sources.readers.rest.client import ApiClient
    from include.sources.rest_requests import Lookup, RestRequest

log = logging.getLogger(__name__)


@dataclass
class Fetch:
    """Fetches the records of one request.

    Attributes:
        client: sends the requests.
        request: how the records are asked for.
        values: what the places of the request stand for: since, until, columns, parent.
        name: the table's name, which is the path if the request has none.
        key: makes the key of a record, for records that move between pages.
        look_up: sets the columns of records from the records of a lookup.
        token: the place at which an earlier read has ended; after the read, the one at which this one has ended.
    """

    client: ApiClient
    request: RestRequest
    values: Mapping[str, Any]
    name: str
    key: Callable[[dict[str, Any]], str]
    look_up: Callable[[Lookup, list[dict[str, Any]], list[Any]], None]
    token: str | None = None

    def records(self) -> Iterator[Any]:
        """All records, in the order of the API.

        Raises:
            ReadError: the records cannot be read, or some may be missing.
        """
        if self.request.job is not None:
            found = records_of_job(
                self.client, self.request, self._path(self.values), placeholders.filled(self.request.body, self.values)
            )
        elif self.request.is_numbered:
            found = self._settled()
        elif self.request.slices is not None:
            found = self._sliced()
        else:
            found = self._complete(self.values)
        return self._with_inner_lists(found) if self.request.inner_lists is not None else found

    def _complete(self, values: Mapping[str, Any]) -> Iterator[Any]:
        """The records of pages that each name the next one."""
        inspector, count = Inspector(self.request), 0
        for count, record in enumerate(self._pages(values, inspector), start=1):  # noqa: B007 - the last number is the count
            yield record
        inspector.check_total(count)

    def _settled(self) -> Iterator[Any]:
        """The records of numbered pages, each once, as last read. The pages are read again until a read finds no new record."""
        found: dict[str, Any] = {}
        reads: int = getattr(self.request.paginator, "max_reads", 1)
        for _ in range(reads):
            inspector, before = Inspector(self.request), len(found)
            for record in self._pages(self.values, inspector):
                found[self.key(record) if isinstance(record, dict) else dump(record)] = record
            if len(found) == before or inspector.pages <= 1:
                inspector.check_total(len(found))
                yield from found.values()
                return
        raise ReadError(
            f"records still moved between the pages of the API after {reads} reads. Nothing is loaded, and the next run reads the same "
            "records again. Load at a quieter time, or raise paginator.max_reads"
        )

    def _sliced(self) -> Iterator[Any]:
        """The records of ranges of time that are short enough for the API."""
        request = self.request
        step = placeholders.unit_of([request.path, request.params, request.body])
        pending: list[tuple[datetime, datetime]] = [(self.values["since"], self.values["until"])]
        while pending:
            since, until = pending.pop()
            try:
                yield from self._complete({**self.values, "since": since, "until": until})
            except TooManyRecords as error:
                middle = since + (until - since) // 2 // step * step
                if middle == since:
                    raise ReadError(
                        f"{error}, and all of them are of {since:%Y-%m-%d %H:%M:%S.%f} UTC, so the range of time cannot be cut. If the API can sort "
                        "and filter by id, replace `slices` by the paginator last_id"
                    ) from None
                pending += [(middle, until), (since, middle)]

    def _pages(self, values: Mapping[str, Any], inspector: Inspector) -> Iterator[Any]:
        from include.sources.readers.rest.paging import paginator_of

        params = self._page_size()
        for name, value in self.request.params.items():
            try:
                params[name] = _as_param(placeholders.filled(value, values))
            except placeholders.NoValue as error:
                if "{since" not in str(error):
                    raise ReadError(f"params.{name}: {error}") from None
        paginator = paginator_of(self.request, self.token)
        body = placeholders.filled(self.request.body, values)
        for page in self.client.pages(
            self.request.method, self._path(values), params, body, paginator, self.request.data, inspector
        ):
            for lookup, found in inspector.beside:
                self.look_up(lookup, [record for record in page if isinstance(record, dict)], found)
            yield from page
        self.token = getattr(paginator, "token", None)

    def _path(self, values: Mapping[str, Any]) -> str:
        path: str = placeholders.filled(self.request.path or self.name, values, lambda text: quote(text, safe=""))
        return path

    def _page_size(self) -> dict[str, Any]:
        size = self.request.page_size
        return {} if size is None else {size.param: size.value}

    def _with_inner_lists(self, records: Iterator[Any]) -> Iterator[Any]:
        for record in records:
            self._complete_lists(record, is_record=True)
            yield record

    def _complete_lists(self, value: Any, *, is_record: bool = False) -> None:
        """Fetch the rest of the lists within a record that are cut off, and those within their rows."""
        if isinstance(value, list):
            for each in value:
                self._complete_lists(each)
        elif isinstance(value, dict):
            if not is_record:
                self._complete_list(value)
            for each in value.values():
                self._complete_lists(each)

    def _complete_list(self, held: dict[str, Any]) -> None:
        from include.sources.readers.rest.paging import paginator_of

        given = self.request.inner_lists
        rows = placeholders.within(held, given.data) if given is not None else None
        if given is None or not isinstance(rows, list):
            return
        url = placeholders.within(held, given.url)
        more = url is not None if given.more is None else placeholders.within(held, given.more.path) == given.more.is_
        if not more:
            return
        if not isinstance(url, str):
            raise ReadError(
                f"a list within a record is cut off, and has no URL at `{given.url}`, so its other rows cannot be read"
            )
        part = self.request.model_copy(update={"data": given.data, "total_path": None, "lookups": ()})
        params = {} if given.continues else self._page_size()
        pages = self.client.pages("GET", self.client.whole(url), params, None, paginator_of(part), given.data, Inspector(part))
        found = [row for page in pages for row in page]
        placeholders.put(held, given.data, [*rows, *found] if given.continues else found)
        if given.more is not None:
            placeholders.put(held, given.more.path, not given.more.is_ if isinstance(given.more.is_, bool) else None)


def _as_param(value: Any) -> Any:
    """A query parameter as text: true and false as JSON writes them, a list of columns with commas."""
    return str(value).lower() if isinstance(value, bool) else value
