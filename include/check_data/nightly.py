"""The input report of a nightly run: what the raw tables hold, lack and break, written to `ops.input_report` before anything is built.

It finds what `make check-data SOURCE=name` finds, for every source, by a few aggregates per source. It blocks nothing: gates do.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from include.check_data import aggregates
from include.check_data.figures import unknown_figures
from include.check_data.identities import matched
from include.check_data.times import days_without_rows, time_column
from include.check_data.words import known_words
from include.contract import TENANT, contract
from include.ops import append
from include.run_context import RunContext
from include.sources import Source, Table, load_sources
from include.sources.feeds import Feed, feeds
from include.warehouse import Row, rows

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

log = logging.getLogger(__name__)
TABLE = "ops.input_report"
#: Kinds of rows that are no findings: they describe the input.
DESCRIPTIONS = ("table", "missing_values", "identity")


def write_input_report(run: RunContext, client: Client | None = None) -> dict[str, int]:
    """Write the report of a run; a rerun replaces it. A source that cannot be read is reported as not checked.

    Returns:
        Kind → the number of rows.
    """
    found = [row | {"run_id": run.run_id, "as_of": run.as_of, "checked_at": datetime.now(UTC)} for row in _report(run, client)]
    append(TABLE, found, replace_where={"run_id": run.run_id}, client=client)
    counts: dict[str, int] = {}
    for row in found:
        counts[row["kind"]] = counts.get(row["kind"], 0) + 1
    return counts


def input_report(run_id: str, client: Client | None = None) -> list[Row]:
    """The rows of a run's report, by source, table, kind and column."""
    sql = "select * from ops.input_report where run_id = @run_id order by source, table_name, kind, column_name, row_count desc"
    return rows(sql, {"run_id": run_id}, client)


@dataclass
class _Known:
    """What all sources say: the rows of each entity, and the known values of each of its columns."""

    row_counts: dict[str, int] = field(default_factory=dict)
    values: dict[tuple[str, str], int] = field(default_factory=dict)


@dataclass
class _Reading:
    """The statements on one source."""

    source: Source
    fed: list[Feed]
    all_feeds: Mapping[str, list[Feed]]
    as_of: datetime
    client: Client | None

    def table(self, row: Row) -> Table:
        return self.source.tables[row["table_name"].rpartition(".")[2]]

    def rows(self, sql: str) -> list[Row]:
        return rows(sql, {"as_of": self.as_of}, self.client, tool="input-report") if sql else []

    def line(self, table: Table, kind: str, message: str, **values: Any) -> Row:
        place = {"source": self.source.name, "table_name": table.name, "entity": table.entity}
        return {**place, "kind": kind, "message": message, **values}


def _report(run: RunContext, client: Client | None) -> Iterator[Row]:
    from google.api_core.exceptions import GoogleAPICallError

    sources = load_sources()
    all_feeds = {name: found for name, found in feeds(sources).items() if name in contract()}
    known = _Known()
    for source in sources.values():
        fed = [(source, table) for table in source.tables.values() if table.entity is not None]
        if not fed:
            continue
        try:
            yield from _of_source(_Reading(source, fed, all_feeds, run.as_of, client), known)
        except GoogleAPICallError as error:
            log.warning("The input of %s could not be checked: %s", source.name, error.message)
            yield {"source": source.name, "kind": "not_checked", "message": f"the raw tables could not be read: {error.message}"}
    yield from _unknown_figures(known)
    try:
        yield from _identities(run.as_of, all_feeds, client)
    except GoogleAPICallError as error:
        log.warning("The accounts of several systems could not be compared: %s", error.message)
        yield {"entity": "accounts", "kind": "not_checked", "message": f"accounts could not be compared: {error.message}"}


def _of_source(reading: _Reading, known: _Known) -> Iterator[Row]:
    profiles = {row["table_name"]: row for row in reading.rows(aggregates.profile(reading.fed))}
    for row in profiles.values():
        yield from _profile(reading, row, known)
    row_counts = Counter({name: row["row_count"] for name, row in profiles.items()})
    for row in reading.rows(aggregates.days(reading.fed)):
        yield from _gaps(reading, row, row_counts[row["table_name"]])
    for row in reading.rows(aggregates.unknown_words(reading.fed)):
        yield from _word(reading, row)
    for row in reading.rows(aggregates.orphans(reading.fed, reading.all_feeds)):
        yield from _orphans(reading, row, row_counts[row["table_name"]])
    for row in reading.rows(aggregates.without_rates(reading.fed, reading.all_feeds)):
        message = f"{row['currency']} has no exchange rate for days of these amounts, such as {row['first_day']}"
        span = {"first_at": _midnight(row["first_day"]), "value": row["currency"], "row_count": row["row_count"]}
        yield reading.line(reading.table(row), "no_rate", message, column_name="currency", **span)


def _profile(reading: _Reading, row: Row, known: _Known) -> Iterator[Row]:
    table = reading.table(row)
    name = str(table.entity)
    entity, count = contract()[name], row["row_count"]
    known.row_counts[name] = known.row_counts.get(name, 0) + count
    span = {"first_at": row["first_at"], "last_at": row["last_at"]}
    yield reading.line(table, "table", f"{count:,} rows, {row['key_count']:,} keys", row_count=count, **span)
    empty: dict[str, int] = {column: int(number) for column, number in json.loads(row["empty"] or "{}").items()}
    for column, declared in entity.columns.items():
        figures = entity.unknown_without.get(column)
        known.values[name, column] = known.values.get((name, column), 0) + count - empty.get(column, count)
        if column not in empty:
            if column != TENANT:
                yield reading.line(table, "unknown_column", f"nothing fills {column}", column_name=column, figures=figures)
        elif empty[column]:
            missing, share = empty[column], empty[column] / count
            kind = "required" if declared.required else "empty" if missing == count else "missing_values"
            message = f"{missing:,} of {count:,} rows have no {column}"
            lost = figures if missing == count else None
            yield reading.line(table, kind, message, column_name=column, row_count=missing, share=share, figures=lost)
    complete = count - max((empty.get(column, 0) for column in entity.key), default=0)
    if complete > row["key_count"]:
        number = complete - row["key_count"]
        yield reading.line(table, "duplicate", f"{number:,} rows have the key of another row", row_count=number)
    if row["future_count"]:
        message = (
            f"{row['future_count']:,} rows happen at {reading.as_of:%Y-%m-%d %H:%M} UTC or later: this run does not see them"
        )
        place = {"column_name": time_column(entity), "row_count": row["future_count"], "last_at": row["last_at"]}
        yield reading.line(table, "future", message, **place)


def _gaps(reading: _Reading, row: Row, row_count: int) -> Iterator[Row]:
    table = reading.table(row)
    days = [date.fromisoformat(text) for text in (row["days"] or "").split(",") if text]
    for first, last in days_without_rows(days, row_count):
        span = {"first_at": _midnight(first), "last_at": _midnight(last), "row_count": (last - first).days + 1}
        column = time_column(contract()[str(table.entity)])
        yield reading.line(table, "gap", f"no row from {first} to {last}", column_name=column, **span)


def _word(reading: _Reading, row: Row) -> Iterator[Row]:
    table = reading.table(row)
    words = known_words()[str(table.entity), row["column_name"]]
    more = row["word_count"] - aggregates.MOST_WORDS
    others = f"; with {more} more unknown words in {row['all_rows']:,} rows" if more > 0 else ""
    message = f"{row['word']} is no known word of {words.declared_in}{others}"
    yield reading.line(
        table, "unknown_word", message, column_name=row["column_name"], value=row["word"], row_count=row["row_count"]
    )


def _orphans(reading: _Reading, row: Row, row_count: int) -> Iterator[Row]:
    table = reading.table(row)
    examples = json.loads(row["examples"] or "{}")
    for column, number in json.loads(row["counts"] or "{}").items():
        if int(number):
            named = contract()[str(table.entity)].columns[column].id_of
            message = f"{int(number):,} rows name a row that {named} does not have, such as {examples[column]}"
            share = int(number) / row_count
            found = {"column_name": column, "value": examples[column], "row_count": int(number), "share": share}
            yield reading.line(table, "orphan", message, **found)


def _unknown_figures(known: _Known) -> Iterator[Row]:
    """The figures that no source gives what they need."""
    for each in unknown_figures(lambda name: known.row_counts.get(name, 0), lambda *place: known.values.get(place, 0)):
        place = {"entity": each.table, "column_name": each.column}
        yield {**place, "kind": "unknown_figure", "message": each.missing, "figures": each.figures}


def _identities(as_of: datetime, all_feeds: Mapping[str, list[Feed]], client: Client | None) -> Iterator[Row]:
    """The matches of accounts, if several systems have accounts."""
    for each in matched(all_feeds, as_of, client):
        value = f"{each.status} by {each.rule}" if each.rule else each.status
        found = {"source": each.system, "entity": "accounts", "value": value, "row_count": each.count}
        yield {**found, "kind": "identity", "message": each.message}


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
