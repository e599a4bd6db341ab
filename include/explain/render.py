"""An explanation for a terminal, and as CSV files."""

from __future__ import annotations

import csv
import textwrap
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from include.explain.explanation import Explanation
from include.explain.queries import Queries
from include.explain.rows import Rows
from include.explain.values import cell, figure
from include.restatements.page import number

_INDENT = "  "


def show(found: Explanation, console: Console, query_file: Path) -> None:
    """Print an explanation.

    Args:
        found: the explanation.
        console: where to print it.
        query_file: the file in which the computing query is.
    """
    _head(found, console)
    _formula(found, console)
    _title(console, "Rows of core")
    _proof(found, console)
    for rows in found.core:
        _rows(rows, console)
    _title(console, "Rows of raw, as these were built from them")
    for rows in found.raw:
        _rows(rows, console)
    if not found.raw:
        _line(console, "No raw table is behind these rows.")
    _changes(found, console)
    _checks(found, console)
    _title(console, "Queries")
    _text(console, found.read_sql)
    _line(console, f"The query that computes it from the rows of core alone: {query_file}")
    _line(console, f'make sql Q="$(cat {query_file})"')
    _line(console, f"{found.queries} queries for this explanation have read {decimal(found.bytes_read)}.")


def write_csv(found: Explanation, folder: Path, queries: Queries) -> list[Path]:
    """Write all rows of core and raw as CSV, a file per table, and the computing query. Personal data is masked.

    Returns:
        The files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = [write_query(found, folder / "figure.sql")]
    for rows in (*found.core, *found.raw):
        path = folder / f"{rows.name.replace(', ', '_').replace(' ', '_')}.csv"
        lines = queries.rows(rows.sql)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows.columns))
            writer.writeheader()
            writer.writerows(lines)
        written.append(path)
    return written


def write_query(found: Explanation, path: Path) -> Path:
    """Write the query that computes the figure from the rows of core."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{found.sql}\n", encoding="utf-8")
    return path


def _head(found: Explanation, console: Console) -> None:
    key = ", ".join(f"{name} {cell(value, name)}" for name, value in found.key.items())
    console.print(f"[bold]{escape(found.table)}.{escape(found.column)}[/] of {escape(key)}", highlight=False)
    console.print(f"\n{_INDENT}[bold green]{escape(figure(found.value, found.column, found.currency))}[/]\n", highlight=False)
    shown = found.publication
    _line(console, f"as of {cell(shown.as_of)} UTC, published {cell(shown.published_at)} UTC by {shown.run_id}")
    if shown.is_current_code is False:
        _line(console, "The code has changed since this publication: the formula below is that of now.")
    _title(console, "Definition")
    _line(console, found.description)
    for definition in found.definitions:
        _line(console, f"{', '.join(definition.terms)}: docs/metrics.md#{definition.anchor}")


def _formula(found: Explanation, console: Console) -> None:
    _title(console, "Formula")
    formula = found.formula
    _text(console, f"{found.column} = {formula.text or 'computed in each part of a union'}")
    if not formula.inputs:
        return
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    for given in formula.inputs:
        table.add_row(given.column, cell(given.value, given.column), f"= {given.formula}" if given.formula else "")
    console.print(Padding(table, (0, 0, 0, 2)), highlight=False, markup=False)


def _proof(found: Explanation, console: Console) -> None:
    if found.is_proven:
        counts = " and ".join(f"{rows.row_count:,} of {rows.table}" for rows in found.core) or "no rows"
        _line(console, f"Computed from these rows alone, the figure is the published one: {counts}.")
    elif found.is_there:
        value = figure(found.recomputed, found.column, found.currency)
        _line(
            console,
            f"Core or the code has changed since the publication: the figure would now be {value}. It comes from these rows.",
        )
    else:
        _line(console, "Core or the code has changed since the publication: this row would not be built now.")


def _rows(rows: Rows, console: Console) -> None:
    counts = f"{rows.row_count:,} row{'s' if rows.row_count != 1 else ''}"
    if rows.new_count is not None:
        counts += f", {rows.new_count:,} loaded since the publication before"
    if len(rows.rows) < rows.row_count:
        counts += f"; the first {len(rows.rows)}" + (f", largest {rows.largest_by} first" if rows.largest_by else "")
    console.print(f"\n{_INDENT}[bold]{escape(rows.name)}[/]: {counts}", highlight=False)
    if rows.where is not None and rows.where.upper() != "TRUE":
        _text(console, f"where {rows.where}", _INDENT * 2)
    if not rows.rows:
        return
    cells = {name: [cell(row[name], name) for row in rows.rows] for name in rows.columns}
    columns = _fitting(rows, cells, console.width - len(_INDENT * 2))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        is_number = any(isinstance(row[column], int | float | Decimal) and not isinstance(row[column], bool) for row in rows.rows)
        table.add_column(column, justify="right" if is_number else "left", no_wrap=True)
    for line in zip(*(cells[column] for column in columns), strict=True):
        table.add_row(*line)
    console.print(Padding(table, (0, 0, 0, 4)), highlight=False, markup=False)
    if more := [name for name in rows.columns if name not in columns]:
        _text(console, f"and {', '.join(more)}", _INDENT * 2)


def _fitting(rows: Rows, cells: Mapping[str, Sequence[str]], width: int) -> list[str]:
    """The columns for which there is room: the first ones, the one that orders the rows, and when the rows were loaded, come first."""
    names = [name for name in rows.columns if name != "organization_id" and not (name.endswith("_key") and len(rows.columns) > 2)]
    chosen: list[str] = []
    for name in dict.fromkeys([*names[:1], *(each for each in (rows.largest_by, "_loaded_at") if each in names), *names]):
        wide = max(len(name), *map(len, cells[name])) + 2
        if wide <= width:
            chosen.append(name)
            width -= wide
    return [name for name in names if name in chosen]


def _changes(found: Explanation, console: Console) -> None:
    _title(console, "Changes")
    if found.previous is None:
        _line(console, "This is the first publication of the table.")
    else:
        _line(
            console,
            f"The publication before: as of {cell(found.previous.as_of)} UTC, published {cell(found.previous.published_at)} UTC.",
        )
        new = sum(rows.new_count or 0 for rows in found.raw)
        _line(console, f"Since then, {new:,} of the raw rows above were loaded.")
    if not found.changes:
        _line(
            console,
            "Earlier values of this figure are not kept: great_expectations/figures.yml lists the figures of ended months that are.",
        )
    for change in found.changes:
        what = "It is" if change.is_figure else "It enters"
        _line(console, f"{what} the kept figure {change.metric} of {change.month:%Y-%m}:")
        for published_at, value in change.values:
            _line(console, f"{_INDENT}{cell(published_at)}  {number(value):>16}")
        last = change.restatement
        if last is None:
            _line(console, f"{_INDENT}No publication has changed it since it was first published.")
        else:
            _line(
                console,
                f"{_INDENT}last changed {cell(last['published_at'])}: {number(last['old_value'])} → {number(last['new_value'])}, {last['reason']}",
            )
            if last["first_rows"]:
                _line(console, f"{_INDENT}{last['row_count']:,} rows, the first: {last['first_rows']}")


def _checks(found: Explanation, console: Console) -> None:
    _title(console, "Checks of the tables behind it")
    for check in found.checks:
        _line(console, f"{check.name:<14} {check.passed:>4,} of {check.total:,} passed")
        for failure in check.failures:
            _line(console, f"{_INDENT}{failure}")
    if not found.checks:
        _line(console, "No check of this as-of time is recorded.")


def _title(console: Console, text: str) -> None:
    console.print(f"\n[bold]{escape(text)}[/]", highlight=False)


def _line(console: Console, text: str) -> None:
    console.print(f"{_INDENT}{text}", highlight=False, markup=False, soft_wrap=True)


def _text(console: Console, text: str, indent: str = _INDENT) -> None:
    """SQL or prose of any length, wrapped at the console's width."""
    for line in text.splitlines():
        for part in _wrapped(line, console.width - len(indent)):
            console.print(f"{indent}{part}", highlight=False, markup=False, soft_wrap=True)


def _wrapped(line: str, width: int) -> Sequence[str]:
    return textwrap.wrap(line, max(width, 40), subsequent_indent="    ", break_long_words=False, break_on_hyphens=False) or [""]
