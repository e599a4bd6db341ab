"""The report as text for a terminal, as a web page and as JSON."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from html import escape

from include.check_data.identities import Identities
from include.check_data.report import Finding, Report, TableSummary
from include.pages import web_page

_TABLE_HEADINGS = ("table", "rows", "keys", "from", "to", "days without rows", "share without a value")
_FINDING_HEADINGS = ("", "table", "column", "count", "file", "line", "found", "remedy")
_FIGURE_HEADINGS = ("missing", "figures that will be unknown")
_IDENTITY_HEADINGS = ("accounts of", "are", "by rule", "accounts", "such as")
_WIDTH = 160
_NUMBERS = frozenset({"rows", "keys", "days without rows", "count", "line", "accounts"})
_LINES = "Lines for mapping.yml. Check each word, and write one of the platform's words in place of each null (docs/contract.md):"
#: Columns that are listed in the text; the page and JSON list all.
_MOST_NULLS = 3


def as_text(report: Report) -> str:
    """The report for a terminal."""
    from rich.console import Console
    from rich.table import Table

    output = io.StringIO()
    console = Console(file=output, width=_WIDTH, highlight=False, markup=False, no_color=True)
    for headings, rows in (
        (_TABLE_HEADINGS, [_cells(each, _MOST_NULLS) for each in report.tables if each.file is not None]),
        (_FINDING_HEADINGS, [_finding_cells(each) for each in report.findings]),
        (_FIGURE_HEADINGS, [(each.missing, each.figures) for each in report.unknown_figures]),
        (_IDENTITY_HEADINGS, [_identity_cells(each) for each in report.identities]),
    ):
        table = Table(box=None, pad_edge=False)
        for heading in headings:
            table.add_column(
                heading, justify="right" if heading in _NUMBERS else "left", no_wrap=heading == "table", overflow="fold"
            )
        for row in rows:
            table.add_row(*row)
        if rows:
            console.print(table)
            console.print()
    for note in report.notes:
        console.print(f"note: {note}")
    if report.lines:
        console.print(f"\n{_LINES}\n\n{report.lines}", soft_wrap=True)
    console.print(verdict(report))
    return "\n".join(line.rstrip() for line in output.getvalue().splitlines()) + "\n"


def as_html(report: Report) -> str:
    """The report as one web page that needs no other file."""
    blocks = [
        f"<h1>Check of {escape(report.folder)}</h1><p>{escape(verdict(report))}</p>",
        "<h2>Findings</h2>" + _html_table(_FINDING_HEADINGS, [_finding_cells(each) for each in report.findings])
        if report.findings
        else "",
        "<h2>Figures that will be unknown</h2>"
        + _html_table(_FIGURE_HEADINGS, [(each.missing, each.figures) for each in report.unknown_figures])
        if report.unknown_figures
        else "",
        "<h2>Accounts of several systems</h2>"
        + _html_table(_IDENTITY_HEADINGS, [_identity_cells(each) for each in report.identities])
        if report.identities
        else "",
        "<h2>Tables</h2>" + _html_table(_TABLE_HEADINGS, [_cells(each) for each in report.tables if each.file is not None]),
        "<h2>Notes</h2><ul>" + "".join(f"<li>{escape(note)}" for note in report.notes) + "</ul>" if report.notes else "",
        f"<h2>mapping.yml</h2><p>{escape(_LINES)}</p><pre>{escape(report.lines)}</pre>" if report.lines else "",
    ]
    return web_page(f"Check of {report.folder}", "".join(blocks))


def as_json(report: Report) -> str:
    """The report as JSON, with the keys of the dataclasses. Times are ISO 8601."""
    return json.dumps(asdict(report) | {"blocked": report.blocked}, indent=2, default=str, ensure_ascii=False) + "\n"


def verdict(report: Report) -> str:
    """One sentence."""
    blocks = sum(finding.severity == "block" for finding in report.findings)
    warnings = len(report.findings) - blocks
    rows = sum(table.rows for table in report.tables)
    start = f"{rows:,} rows in {sum(table.file is not None for table in report.tables)} of {len(report.tables)} tables."
    if blocks:
        return f"{start} Blocked: {blocks} findings stop a run, {warnings} more make figures unknown or wrong."
    readable = "" if report.kind == "source" else " A run can read the folder."
    return f"{start}{readable} " + (f"{warnings} findings make figures unknown or wrong." if warnings else "No findings.")


def _cells(table: TableSummary, most: int | None = None) -> tuple[str, ...]:
    nulls = sorted(table.nulls.items(), key=lambda each: -each[1])
    shown = ", ".join(f"{name} {_percent(share)}" for name, share in nulls[:most])
    more = len(nulls) - len(nulls[:most])
    days = [f"{each:%Y-%m-%d}" if each else "" for each in (table.first, table.last)]
    without = f"{table.days_without_rows:,} of {table.days:,}" if table.first else ""
    return (table.table, f"{table.rows:,}", f"{table.keys:,}", *days, without, shown + (f", {more} more" if more else ""))


def _percent(share: float) -> str:
    """A share that is neither 0 nor 1 is shown as neither."""
    return f"{share:.0%}" if share in (0, 1) else f"{min(max(share * 100, 0.1), 99.9):.1f}%"


def _finding_cells(finding: Finding) -> tuple[str, ...]:
    line = str(finding.line) if finding.line else ""
    file = finding.file or ""
    return (
        finding.severity,
        finding.table,
        finding.column or "",
        f"{finding.count:,}",
        file,
        line,
        finding.message,
        finding.remedy,
    )


def _identity_cells(found: Identities) -> tuple[str, ...]:
    return (found.system, found.status, found.rule or "", f"{found.count:,}", found.example)


def _html_table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    def cell(heading: str, text: str) -> str:
        shown = f"<b class='{text}'>{text}</b>" if not heading and text in ("block", "warn") else escape(text)
        return f"<td{' class=n' if heading in _NUMBERS else ''}>{shown}"

    head = "".join(f"<th>{escape(heading)}" for heading in headings)
    body = "".join("<tr>" + "".join(cell(*pair) for pair in zip(headings, row, strict=True)) for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"
