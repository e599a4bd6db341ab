"""Checks of the times of events, and of the exchange rates of their days."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from include.check_data.findings import Finding
from include.check_data.words import dbt_variables
from include.contract import KNOWN_AHEAD, Entity
from include.csv_data import Rows

#: A gap is found if it is longer than a week and as long as the table usually needs for this many rows.
_GAP = timedelta(days=7)
_ROWS_OF_A_GAP = 10
#: The currency in which rates are written.
_BASE = "USD"


@dataclass(frozen=True)
class Span:
    """The times of a table of events: the first, the last, the days between them, and the number of rows of each day with rows."""

    column: str
    first: datetime
    last: datetime
    counts: Counter[date]

    @property
    def days(self) -> int:
        return (self.last.date() - self.first.date()).days + 1


def time_column(entity: Entity) -> str | None:
    """The column that says when a row happened; None for tables that are no events."""
    found = entity.happens_at or entity.event_time
    return None if found == KNOWN_AHEAD else found


def span(rows: Rows, entity: Entity) -> Span | None:
    """The times of a table; None if it is no table of events or has no time."""
    column = time_column(entity)
    times = [] if column is None else [_instant(value) for value in rows.data[column].to_pylist() if value is not None]
    if column is None or not times:
        return None
    return Span(column, min(times), max(times), Counter(each.date() for each in times))


def gaps(rows: Rows, entity: Entity) -> Iterator[Finding]:
    """Long times without rows in a table that usually has many. Their rows are probably missing in the export."""
    found = span(rows, entity)
    if found is None:
        return
    needed = max(_GAP, timedelta(days=_ROWS_OF_A_GAP * found.days / found.counts.total()))
    for before, after in pairwise(sorted(found.counts)):
        if after - before > needed:
            empty = (after - before).days - 1
            message = f"no row from {before + timedelta(days=1)} to {after - timedelta(days=1)}"
            line = _line_of_day(rows, found.column, after)
            yield Finding(
                rows.entity, found.column, "warn", "gap", empty, line, message, "export these days, if there was business"
            )


def future(rows: Rows, entity: Entity, now: datetime) -> Iterator[Finding]:
    """Rows that happen in the future: no run sees them before."""
    column = time_column(entity)
    if column is None:
        return
    later = [n for n, value in enumerate(rows.data[column].to_pylist()) if value is not None and _instant(value) >= now]
    if later:
        message = f"{rows.data[column][later[0]].as_py()} is in the future: no run sees the row before"
        remedy = "correct the time, or its time zone"
        yield Finding(rows.entity, column, "warn", "future", len(later), rows.lines[later[0]], message, remedy)


def without_rates(rows: Rows, entity: Entity, rates: Rows) -> Iterator[Finding]:
    """Amounts in a currency that has no exchange rate for their day: they are unknown in the reporting currency."""
    column = "started_at" if "started_at" in entity.columns else time_column(entity)
    if column is None or not {"currency", column} <= rows.present or rows.entity == rates.entity:
        return
    valid = timedelta(days=dbt_variables()["fx_rate_valid_days"])
    known: dict[str, list[date]] = {}
    for currency, day in zip(rates.data["currency"].to_pylist(), rates.data["rate_date"].to_pylist(), strict=True):
        if currency is not None and day is not None:
            known.setdefault(currency.strip().upper(), []).append(day)
    days = {currency: sorted(each) for currency, each in known.items()}
    found: dict[str, list[int]] = {}
    for row, (text, moment) in enumerate(zip(rows.data["currency"].to_pylist(), rows.data[column].to_pylist(), strict=True)):
        if text is None or moment is None or (currency := text.strip().upper()) == _BASE:
            continue
        dated, day = days.get(currency, []), _instant(moment).date()
        last = bisect_right(dated, day) - 1
        if last < 0 or day - dated[last] > valid:
            found.setdefault(currency, []).append(row)
    for currency, places in sorted(found.items()):
        day = _instant(rows.data[column][places[0]].as_py()).date()
        message = f"{currency} has no exchange rate for {day}" if currency in days else f"{currency} has no exchange rate at all"
        remedy = f"add the rates to fx_rates.csv; a rate counts for {valid.days} days"
        yield Finding(rows.entity, "currency", "warn", "no_rate", len(places), rows.lines[places[0]], message, remedy)


def _instant(value: datetime | date) -> datetime:
    return value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)


def _line_of_day(rows: Rows, column: str, day: date) -> int:
    return next(
        rows.lines[n]
        for n, value in enumerate(rows.data[column].to_pylist())
        if value is not None and _instant(value).date() == day
    )
