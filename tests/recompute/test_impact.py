"""mart_release_impact on hand-worked days."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.recompute.factory import organization, ticket, usage_event
from tests.recompute.impact import deviation, mart_release_impact, spike_figures
from tests.recompute.sources import Row, SourceData


def impact(
    *days: tuple[str, str | None, int], used: str = "2026-08-31", as_of: str = "2026-09-08"
) -> dict[tuple[str, date], Row]:
    """The rows by release and day.

    `days` gives the number of tickets for a day and a version. `used` is the first day with a usage event of 2.0.
    """
    tickets = [
        ticket(f"{day}T12:00", app_version=version, ticket_id=f"{day}-{version}-{number}")
        for day, version, count in days
        for number in range(count)
    ]
    sources = SourceData.of(
        datetime.fromisoformat(as_of).replace(tzinfo=UTC),
        organizations=[organization()],
        tickets=tickets,
        usage_events=[usage_event(used, app_version="2.0")],
    )
    return {(row["release_version"], row["ticket_date"]): row for row in mart_release_impact(sources)}


def values(row: Row, *columns: str) -> tuple[Any, ...]:
    return tuple(row[column] for column in columns)


# Tickets on four Mondays. The first one is the organization's first ticket and has no version.
MONDAYS = (("2026-08-03", None, 1), ("2026-08-10", "1.9", 8), ("2026-08-17", "1.9", 8), ("2026-08-24", "v1.9", 8))


def test_the_deviation_is_the_sample_standard_deviation() -> None:
    assert deviation([8, 8, 8, 12]) == 2
    assert deviation([7]) is None


def test_a_spike_is_above_three_deviations_and_at_least_ten() -> None:
    baseline = [8, 8, 8, 12]
    found = spike_figures(15, baseline)
    assert values(found, "baseline_mean_tickets", "spike_threshold", "tickets_above_baseline", "is_spike") == (9, 15, 6, False)
    assert spike_figures(16, baseline)["is_spike"] is True
    assert [spike_figures(count, [0, 0, 0, 0])["is_spike"] for count in (9, 10)] == [False, True]


def test_an_incomplete_baseline_gives_no_spike() -> None:
    assert values(spike_figures(99, [1, 3, 2]), "baseline_mean_tickets", "baseline_sd_tickets", "is_spike") == (2, 1, None)
    assert values(spike_figures(99, []), "baseline_mean_tickets", "tickets_above_baseline", "spike_threshold") == (
        None,
        None,
        None,
    )


def test_a_release_is_compared_with_the_usual_load_of_the_weekday() -> None:
    rows = impact(*MONDAYS, ("2026-08-31", "2.0", 20), ("2026-08-31", None, 2), ("2026-09-07", "2.0", 28))
    first, last = rows["2.0", date(2026, 8, 31)], rows["2.0", date(2026, 9, 7)]
    # The baseline days have 1, 8, 8 and 8 tickets, with other versions or none.
    assert values(first, "days_since_release", "ticket_count", "all_ticket_count", "ticket_share_pct") == (
        0,
        20,
        22,
        Fraction(1000, 11),
    )
    assert values(first, "baseline_days_observed", "baseline_mean_tickets", "baseline_sd_tickets") == (
        4,
        Decimal("6.25"),
        Decimal("3.5"),
    )
    assert values(first, "spike_threshold", "tickets_above_baseline", "is_spike") == (Decimal("16.75"), Decimal("13.75"), True)
    # A week later the spike is part of the baseline: 8, 8, 8 and 22.
    assert values(last, "days_since_release", "baseline_mean_tickets", "baseline_sd_tickets") == (7, Decimal("11.5"), 7)
    assert values(last, "spike_threshold", "is_spike", "is_complete") == (Decimal("32.5"), False, True)
    # The old release still has rows, without tickets.
    old = rows["1.9", date(2026, 8, 31)]
    assert values(old, "days_since_release", "ticket_count", "tickets_above_baseline", "is_spike") == (
        21,
        0,
        Decimal("-6.25"),
        False,
    )


def test_days_before_the_first_ticket_are_not_observed() -> None:
    rows = impact(*MONDAYS[1:], ("2026-08-31", "2.0", 30), as_of="2026-08-31T13:00")
    row = rows["2.0", date(2026, 8, 31)]
    assert values(row, "baseline_days_observed", "baseline_mean_tickets", "tickets_above_baseline") == (3, 8, 22)
    assert values(row, "spike_threshold", "is_spike", "is_complete") == (None, None, False)
    tuesday = rows["1.9", date(2026, 8, 18)]
    assert values(tuesday, "baseline_days_observed", "baseline_mean_tickets", "ticket_share_pct") == (1, 0, None)
