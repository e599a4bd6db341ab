"""Makes rows of the records of an API: the object that is the row, its columns, and its times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from include.sources import placeholders
from include.sources.mapping import EPOCHS
from include.sources.readers.pieces import Rejected, dump

if TYPE_CHECKING:
    from include.sources.rest_requests import Lookup, RestRequest
    from include.sources.schema import Table


#: A row with the source's names, or a record that is none.
Row = dict[str, Any] | Rejected


class Rows:
    """Makes rows of one table."""

    def __init__(self, table: Table) -> None:
        self._keys = [_source_name(table, key) for key in table.primary_key]
        self._times = [column.source_name or name for name, column in table.columns.items() if column.type == "timestamp"]
        self._cursor = _source_name(table, table.cursor) if table.cursor else None
        gone = table.mapping.deleted_when if table.mapping is not None else None
        self._gone = (gone.column, frozenset(map(str, gone.values))) if gone is not None else None

    def shaped(self, request: RestRequest, records: Iterable[Any], values: Mapping[str, Any]) -> Iterator[Row]:
        """The row of each record. What is no object is rejected."""
        units = EPOCHS.get(request.times or "")
        for record in records:
            row = record if request.record is None else placeholders.within(record, request.record)
            for each in row if isinstance(row, list) and request.record is not None else [row]:
                yield self._row(request, each, record, values, units)

    def _row(self, request: RestRequest, row: Any, record: Any, values: Mapping[str, Any], units: int | None) -> Row:
        if not isinstance(row, dict):
            where = "" if request.record is None else f" at `{request.record}`"
            return Rejected(f"not a JSON object{where}", dump(record))
        made: dict[str, Any] = dict(row)
        for name in request.flatten:
            if isinstance(inner := made.get(name), dict):
                made |= inner
        for name, origin in request.set_.items():
            made[name] = _written(origin, {**values, "row": row}) if "{" in origin else placeholders.within(record, origin)
        if units:
            made |= {name: _instant(made[name], units) for name in self._times if name in made}
        return made

    def stamped(self, rows: Iterable[Row], until: datetime) -> Iterator[Row]:
        """The rows with the end of the read as the time of their last change, because the API does not name it."""
        for row in rows:
            yield {**row, str(self._cursor): _iso(until - timedelta(microseconds=1))} if isinstance(row, dict) else row

    def since(self, rows: Iterable[Row], since: datetime | None) -> Iterator[Row]:
        """The rows that have changed since a time, and those that do not say so."""
        for row in rows:
            changed = _parsed(row.get(self._cursor)) if isinstance(row, dict) and self._cursor else None
            if since is None or changed is None or changed >= since:
                yield row

    def in_order(self, rows: Iterable[Row], *, newest_first: bool) -> Iterator[Row]:
        """Changes, so that the last one of a row at an instant counts: of those that are given newest first, the first one alone.

        Others get a time that is a microsecond later than the one before.
        """
        times: Counter[str] = Counter()
        for row in rows:
            changed = _parsed(row.get(self._cursor)) if isinstance(row, dict) and self._cursor else None
            if not isinstance(row, dict) or changed is None or self._cursor is None:
                yield row
                continue
            version = f"{self.key(row)} {changed}"
            earlier = times[version]
            times[version] += 1
            if not newest_first:
                yield {**row, self._cursor: _iso(changed + timedelta(microseconds=earlier))}
            elif not earlier:
                yield row

    def once(self, rows: Iterable[Row]) -> Iterator[dict[str, Any]]:
        """Each row that exists, once: those that the source calls deleted are left out."""
        seen = set()
        for row in rows:
            if not isinstance(row, dict) or (key := self.key(row)) in seen:
                continue
            seen.add(key)
            if self._gone is None or str(row.get(self._gone[0])) not in self._gone[1]:
                yield row

    def look_up(self, lookup: Lookup, rows: list[dict[str, Any]], records: Iterable[Any]) -> None:
        """Set the columns of rows from the records of a lookup. Rows without a record have no value."""
        found = {str(placeholders.within(record, lookup.key)): record for record in records}
        for row in rows:
            record = found.get(str(row.get(self._keys[0])))
            row |= {name: placeholders.within(record, path) for name, path in lookup.set_.items()}

    def key(self, row: dict[str, Any]) -> str:
        """The key of a row as text. A row without a complete key is its own key."""
        parts = [row.get(name) for name in self._keys]
        return dump(row if None in parts else parts)


def _source_name(table: Table, column: str) -> str:
    return table.columns[column].source_name or column


def _written(text: str, values: Mapping[str, Any]) -> Any:
    """A text with its places filled; None if one of them has no value."""
    try:
        return placeholders.filled(text, values)
    except placeholders.NoValue:
        return None


def _instant(value: Any, units: int) -> Any:
    """A number as a time in ISO 8601. Other values stay as they are."""
    if isinstance(value, bool):
        return value
    try:
        return _iso(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(value) * (1_000_000 // units)))
    except (TypeError, ValueError, OverflowError):
        return value


def _iso(instant: datetime) -> str:
    return instant.strftime(placeholders.ISO)


def _parsed(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
