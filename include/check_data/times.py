"""Checks of the times of events, and of the exchange rates of their days."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from include.check_data.findings import Finding
from include.check_data.words import dbt_variables
from include.contract import KNOWN_AHEAD, TENANT, Entity
from include.csv_data import Rows

#: A gap is found if it is longer than a week, as long as the table usually needs for this many rows, and much longer than its neighbours: a
#: small or young company has long times without rows, and every company has weekends.
_GAP = timedelta(days=7)
_ROWS_OF_A_GAP = 10
_NEIGHBOURS = 5
_TIMES_LONGER = 3
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
    for first, last in days_without_rows(sorted(found.counts), found.counts.total()):
        message = f"no row from {first} to {last}"
        row = _row_of_day(rows, found.column, last + timedelta(days=1))
        remedy = "export these days, if there was business"
        empty = (last - first).days + 1
        yield Finding(rows.entity, found.column, "warn", "gap", empty, rows.lines[row], message, remedy, rows.file_of(row))


def days_without_rows(days: Sequence[date], row_count: int) -> Iterator[tuple[date, date]]:
    """The first and the last day of each long time without rows.

    Args:
        days: the days with a row, in order.
        row_count: the number of rows on these days.
    """
    if not days:
        return
    needed = max(_GAP, timedelta(days=_ROWS_OF_A_GAP * ((days[-1] - days[0]).days + 1) / row_count))
    steps = list(pairwise(days))
    for number, (before, after) in enumerate(steps):
        near = [*steps[max(number - _NEIGHBOURS, 0) : number], *steps[number + 1 : number + 1 + _NEIGHBOURS]]
        usual = max((later - earlier for earlier, later in near), default=_GAP)
        if after - before > max(needed, _TIMES_LONGER * usual):
            yield before + timedelta(days=1), after - timedelta(days=1)


def future(rows: Rows, entity: Entity, now: datetime) -> Iterator[Finding]:
    """Rows that happen in the future: no run sees them before."""
    column = time_column(entity)
    if column is None:
        return
    later = [n for n, value in enumerate(rows.data[column].to_pylist()) if value is not None and _instant(value) >= now]
    if later:
        message = f"{rows.data[column][later[0]].as_py()} is in the future: no run sees the row before"
        remedy = "correct the time, or its time zone"
        line, file = rows.lines[later[0]], rows.file_of(later[0])
        yield Finding(rows.entity, column, "warn", "future", len(later), line, message, remedy, file)


def without_rates(rows: Rows, entity: Entity, tables: Mapping[str, Rows]) -> Iterator[Finding]:
    """Amounts that cannot be shown in their organization's reporting currency, because a rate for their day is missing.

    An amount that is already in the reporting currency needs no rate.
    """
    column = "started_at" if "started_at" in entity.columns else time_column(entity)
    if column is None or not {"currency", column} <= rows.present or not {"fx_rates", "organizations"} <= tables.keys():
        return
    rates = tables["fx_rates"]
    if rows.entity == rates.entity:
        return
    known = _days_of_rates(rates)
    organizations = tables["organizations"].data
    pairs = zip(organizations[TENANT].to_pylist(), organizations["reporting_currency"].to_pylist(), strict=True)
    reporting = {tenant: _code(text) for tenant, text in pairs}
    found: dict[tuple[str, ...], list[int]] = {}
    values = (rows.data[name].to_pylist() for name in (TENANT, "currency", column))
    for row, (tenant, text, moment) in enumerate(zip(*values, strict=True)):
        own, reported = _code(text), reporting.get(tenant)
        if own is None or moment is None or own == reported:
            continue
        day = _instant(moment).date()
        lacking = [each for each in (own, reported) if each not in (None, _BASE) and not _has_rate(known.get(str(each), []), day)]
        if lacking:
            found.setdefault(tuple(sorted(map(str, lacking))), []).append(row)
    for currencies, places in sorted(found.items()):
        day = _instant(rows.data[column][places[0]].as_py()).date()
        missing = [f"{each} has no exchange rate " + (f"for {day}" if each in known else "at all") for each in currencies]
        remedy = f"add the rates to fx_rates.csv; a rate counts for {dbt_variables()['fx_rate_valid_days']} days"
        line, file = rows.lines[places[0]], rows.file_of(places[0])
        yield Finding(rows.entity, "currency", "warn", "no_rate", len(places), line, ", and ".join(missing), remedy, file)


def _days_of_rates(rates: Rows) -> dict[str, list[date]]:
    """Currency → the days that have a rate, in order."""
    known: dict[str, list[date]] = {}
    for text, day in zip(rates.data["currency"].to_pylist(), rates.data["rate_date"].to_pylist(), strict=True):
        if (currency := _code(text)) is not None and day is not None:
            known.setdefault(currency, []).append(day)
    return {currency: sorted(days) for currency, days in known.items()}


def _has_rate(days: list[date], day: date) -> bool:
    """True if the last of some days before or on a day is recent enough for its rate to count."""
    last = bisect_right(days, day) - 1
    return last >= 0 and day - days[last] <= timedelta(days=dbt_variables()["fx_rate_valid_days"])


def _code(text: str | None) -> str | None:
    return text.strip().upper() if text else None


def _instant(value: datetime | date) -> datetime:
    return value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)


def _row_of_day(rows: Rows, column: str, day: date) -> int:
    return next(n for n, value in enumerate(rows.data[column].to_pylist()) if value is not None and _instant(value).date() == day)
