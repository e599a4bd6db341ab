"""The status of all freshness SLAs: the same cells in a terminal and on a page."""

from __future__ import annotations

from datetime import timedelta
from html.parser import HTMLParser
from io import StringIO

from google.cloud.bigquery import Client
from rich.console import Console

from include.freshness import monitor, status_table, statuses, write_page
from include.freshness.status import HEADINGS
from include.settings import settings
from tests.include.freshness.audit_tables import AuditTables, recorded
from tests.include.freshness.timeline import at


class _Cells(HTMLParser):
    """The texts of a page's table cells, row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip()


def test_now_the_last_seven_days_and_due_next(bq: Client) -> None:
    audit = AuditTables(bq)
    audit.nightly_run("19")
    monitor(at("19 12:00"), bq)
    monitor(at("20 08:00"), bq)
    audit.nightly_run("20", published="08:50")
    monitor(at("20 08:55"), bq)
    monitor(at("20 10:00"), bq)
    cells = {status.sla.key: status.cells() for status in statuses(at("20 12:00"), bq)}
    # Monitored for 24 hours, of which 50 minutes were late: 1,390 / 1,440.
    nightly = ("finance", "on time", "20 Nov 00:00", "20 Nov 08:50", "96.5 %, late 1×", "21 Nov 08:00")
    assert cells["marts.mart_nightly"] == ("marts.mart_nightly", "daily, within 6 h", "medium", *nightly)
    # Nothing is known of it before it was late: the data of 12:00 was due at 13:00 and has not come yet.
    late = ("late since 19 Nov 13:00", "20 Nov 00:00", "20 Nov 08:50", "0.0 %, late 1×", "20 Nov 12:15")
    assert cells["marts.mart_quarter"][4:] == late
    assert list(cells) == ["marts.mart_quarter", "metrics.mtr_hourly", "marts.mart_nightly"], "late first, then by criticality"


def test_due_next_is_for_data_that_is_not_there_yet(bq: Client) -> None:
    AuditTables(bq).nightly_run("20")
    (nightly,) = (s for s in statuses(at("20 03:00"), bq) if s.sla.key == "marts.mart_nightly")
    assert nightly.due_next == at("21 08:00"), "what is due today is published already"


def test_what_the_monitor_has_not_recorded_yet_is_shown_and_not_written(bq: Client) -> None:
    audit = AuditTables(bq)
    audit.nightly_run("19")
    monitor(at("19 12:00"), bq)
    before = recorded(bq)
    (nightly,) = (s for s in statuses(at("20 09:00"), bq) if s.sla.key == "marts.mart_nightly")
    assert (nightly.state, nightly.late_since) == ("breached", at("20 08:00"))
    assert nightly.attained is not None and nightly.attained.longest_breach_minutes == 60
    assert recorded(bq) == before


def test_an_empty_warehouse_that_was_never_monitored(bq: Client) -> None:
    (first, *_) = (status.cells() for status in statuses(at("20 12:00"), bq))
    assert first[4:] == ("late since 20 Nov 12:00", "never", "never", "–", "20 Nov 12:15")
    monitor(at("20 12:00"), bq)
    (first, *_) = (status.cells() for status in statuses(at("20 12:01"), bq))
    assert first[4:] == ("not due yet", "never", "never", "–", "20 Nov 12:15")


def test_terminal_and_page_show_the_same_cells(bq: Client) -> None:
    AuditTables(bq).nightly_run("20")
    now = at("20 12:00") + timedelta(seconds=3)
    found = statuses(now, bq)
    path = write_page(now, found)
    assert path == settings().state_dir / "gx" / "freshness.html"
    page = _Cells()
    page.feed(path.read_text())
    assert [text[0].lower() + text[1:] for text in page.rows[0]] == list(HEADINGS)
    assert page.rows[1:] == [list(status.cells()) for status in found]
    out = StringIO()
    Console(file=out, width=250).print(status_table(found))
    for status in found:
        assert all(cell in out.getvalue() for cell in status.cells())
    assert list(path.parent.iterdir()) == [path]
