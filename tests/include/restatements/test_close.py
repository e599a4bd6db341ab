"""Closing months: who may, what is frozen, and what a person reads."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from google.cloud.bigquery import Client

from include.ops import append
from include.restatements import CloseError, close, close_months, load_figures, reopen_months
from include.restatements.close import parse_month
from tests.warehouse import rows

SEPTEMBER = date(2026, 9, 1)
AS_OF = datetime(2026, 10, 1, tzinfo=UTC)
NOON = datetime(2026, 10, 2, 12, tzinfo=UTC)
_STATE = "select organization_id, event, event_by from ops.period_closes order by event_at, organization_id"
_SHOWN = (
    "select organization_id, state, closed_value, current_value, difference, has_changed, closed_by, closed_run_id, current_run_id "
    "from ops.closed_and_current order by 1"
)


def publish(bq: Client, day: int = 1, as_of: datetime = AS_OF, **revenue: int) -> None:
    """Every table with figures is published, and the revenue of some organizations has changed."""
    about = {"run_id": f"nightly__{day}", "as_of": as_of, "published_at": AS_OF + timedelta(days=day - 1, hours=3)}
    names = [table.split(".") for table in load_figures().tables]
    published = [
        about | {"dataset": dataset, "table_name": name, "build_dataset": f"{dataset}_build", "state": "published"}
        for dataset, name in names
    ]
    append("ops.publications", published, client=bq)
    figure = about | {"metric": "order_revenue", "month": SEPTEMBER, "part": "total"}
    recorded = [figure | {"organization_id": name, "value": value} for name, value in revenue.items()]
    append("ops.published_figures", recorded, client=bq)


def test_a_closed_month_keeps_its_figures_beside_those_of_now(bq: Client) -> None:
    publish(bq, acme=100, beta=7)
    assert close_months(SEPTEMBER, "ann", now=NOON, client=bq) == [
        "acme: 2026-09 is closed; figures: 1.",
        "beta: 2026-09 is closed; figures: 1.",
    ]
    publish(bq, 3, acme=90)
    assert rows(_SHOWN, bq) == [
        ("acme", "closed", Decimal(100), Decimal(90), Decimal(-10), True, "ann", "nightly__1", "nightly__3"),
        ("beta", "closed", Decimal(7), Decimal(7), Decimal(0), False, "ann", "nightly__1", "nightly__1"),
    ]


def test_closing_twice_equals_closing_once(bq: Client) -> None:
    publish(bq, acme=100)
    close_months(SEPTEMBER, "ann", now=NOON, client=bq)
    publish(bq, 3, acme=90)
    again = close_months(SEPTEMBER, "bob", now=NOON + timedelta(days=1), client=bq)
    assert again == ["acme: 2026-09 has been closed since 2026-10-02 12:00 UTC, by ann."]
    assert rows("select value, closed_by from ops.closed_figures", bq) == [(Decimal(100), "ann")]


def test_a_closing_that_is_killed_before_its_event_is_repeated(bq: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(bq, acme=100)
    with monkeypatch.context() as patch:
        patch.setattr(close, "_record", lambda *_: pytest.fail("killed"))
        with pytest.raises(pytest.fail.Exception):
            close_months(SEPTEMBER, "ann", now=NOON, client=bq)
    assert rows(_SHOWN, bq) == [], "without its event, nothing is closed"
    close_months(SEPTEMBER, "bob", now=NOON, client=bq)
    assert rows("select closed_by from ops.closed_figures", bq) == [("bob",)]


def test_reopening_is_a_row_and_deletes_nothing(bq: Client) -> None:
    publish(bq, acme=100, beta=7)
    close_months(SEPTEMBER, "ann", now=NOON, client=bq)
    assert reopen_months(SEPTEMBER, "bob", "acme", NOON + timedelta(hours=1), bq) == ["acme: 2026-09 is open again."]
    assert rows(_STATE, bq) == [("acme", "closed", "ann"), ("beta", "closed", "ann"), ("acme", "reopened", "bob")]
    assert [row[1] for row in rows(_SHOWN, bq)] == ["reopened", "closed"]
    publish(bq, 3, acme=90)
    said = close_months(SEPTEMBER, "eve", now=NOON + timedelta(days=2), client=bq)
    assert said[0] == "acme: 2026-09 is closed; figures: 1."
    assert rows("select close_id, value from ops.closed_figures where organization_id = 'acme' order by 1", bq) == [
        ("acme|2026-09|1", Decimal(100)),
        ("acme|2026-09|2", Decimal(90)),
    ]
    assert [row[2] for row in rows(_SHOWN, bq)] == [Decimal(90), Decimal(7)], "the view shows the last closing"


def test_only_one_organization(bq: Client) -> None:
    publish(bq, acme=100, beta=7)
    close_months(SEPTEMBER, "ann", "beta", NOON, bq)
    assert rows(_STATE, bq) == [("beta", "closed", "ann")]


@pytest.mark.parametrize(
    ("as_of", "organization", "by", "message"),
    [
        (
            AS_OF - timedelta(seconds=1),
            None,
            "ann",
            "2026-09 cannot be closed: it has not ended in the last publication of marts",
        ),
        (AS_OF, "gamma", "ann", "2026-09 has no published figures of gamma to close"),
        (AS_OF, None, " ", "Say who"),
    ],
)
def test_what_is_refused(bq: Client, as_of: datetime, organization: str | None, by: str, message: str) -> None:
    publish(bq, as_of=as_of, acme=100)
    with pytest.raises(CloseError, match=message):
        close_months(SEPTEMBER, by, organization, NOON, bq)
    assert rows("select count(*) from ops.closed_figures", bq) == [(0,)]


def test_a_month_is_not_closed_before_the_first_publication(bq: Client) -> None:
    with pytest.raises(CloseError, match=r"2026-09 cannot be closed.*as-of time of 2026-10-01 or later"):
        close_months(SEPTEMBER, "ann", client=bq)


def test_december_ends_in_the_next_year(bq: Client) -> None:
    with pytest.raises(CloseError, match="as-of time of 2027-01-01 or later"):
        close_months(date(2026, 12, 1), "ann", client=bq)


def test_an_open_month_cannot_be_reopened(bq: Client) -> None:
    with pytest.raises(CloseError, match="2026-09 is not closed for acme, so it cannot be re-opened"):
        reopen_months(SEPTEMBER, "ann", "acme", client=bq)


def test_a_month_is_written_as_year_and_month() -> None:
    assert parse_month("2026-09") == SEPTEMBER
    with pytest.raises(CloseError, match=r"must be YYYY-MM.*'September'"):
        parse_month("September")
