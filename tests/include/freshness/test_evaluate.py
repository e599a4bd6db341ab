"""The state of a freshness SLA over hand-worked timelines. 21 November 2026 is a Saturday."""

from __future__ import annotations

from datetime import timedelta

import pytest

from include.freshness import FreshnessSla, Running
from include.freshness.attainment import attainment
from tests.include.freshness.timeline import Timeline, at, daily, every


def test_runs_in_time_are_recorded_once() -> None:
    table = Timeline(daily())
    table.publish("20 02:20", "20 00:00")
    table.publish("21 02:20", "21 00:00")
    table.publish("22 02:20", "22 00:00")
    assert table.changes("20 03:00", "22 23:55") == ["20 03:00 on_time 20 08:00"]


def test_a_run_that_is_late_breaches_at_its_deadline_and_recovers_when_the_data_is_there() -> None:
    table = Timeline(daily())
    table.publish("20 02:20", "20 00:00")
    table.publish("21 10:13", "21 00:00")
    assert table.changes("20 03:00", "22 07:55") == [
        "20 03:00 on_time 20 08:00",
        "21 08:00 breached 21 08:00",
        "21 10:15 recovered 21 08:00",
        "21 10:20 on_time 21 08:00",
    ]
    breached, recovered = table.events[1:3]
    assert (breached.published_at, breached.data_at, breached.age_minutes) == (at("20 02:20"), at("20 00:00"), 32 * 60)
    assert (recovered.published_at, recovered.data_at) == (at("21 10:13"), at("21 00:00"))
    assert breached.event_id == "marts.mart_a@2026-11-21T080000Z:breached"


def test_a_run_that_ended_in_time_without_the_data_does_not_meet_the_sla() -> None:
    """A source was late: the nightly run published at 04:20 without it."""
    table = Timeline(daily())
    table.publish("20 02:20", "20 00:00")
    table.publish("21 04:20", "20 00:00")
    table.publish("21 08:45", "21 00:00")
    assert table.changes("20 03:00", "21 09:00")[1:] == [
        "21 08:00 breached 21 08:00",
        "21 08:45 recovered 21 08:00",
        "21 08:50 on_time 21 08:00",
    ]
    assert table.events[1].published_at == at("21 04:20")


def test_the_worked_example_of_the_documentation() -> None:
    table = Timeline(daily(hours=4), usual=timedelta(minutes=20))
    table.publish("19 02:20", "19 00:00")
    table.publish("20 04:20", "19 00:00")
    table.publish("20 07:32", "20 00:00")
    assert table.changes("19 02:25", "20 12:00") == [
        "19 02:25 on_time 19 06:00",
        "20 05:45 at_risk 20 06:00",
        "20 06:00 breached 20 06:00",
        "20 07:35 recovered 20 06:00",
        "20 07:40 on_time 20 06:00",
    ]
    assert table.events[2].age_minutes == 30 * 60
    week = attainment(table.events, at("16 00:00"), at("23 00:00"))
    assert week is not None
    assert (week.minutes_monitored - week.minutes_on_time, week.breach_count, week.longest_breach_minutes) == (92, 1, 92)


def test_late_for_two_minutes_between_two_checks_is_late() -> None:
    table = Timeline(daily())
    table.publish("20 02:20", "20 00:00")
    table.publish("21 08:02", "21 00:00")
    assert table.changes("20 03:00", "21 07:59") == ["20 03:00 on_time 20 08:00"]
    assert table.changes("21 08:03", "22 07:55") == [
        "21 08:03 breached 21 08:00",
        "21 08:08 recovered 21 08:00",
        "21 08:13 on_time 21 08:00",
    ]
    assert table.events[1].published_at == at("20 02:20"), "what it showed when it was late"
    assert table.events[2].published_at == at("21 08:02")
    day = attainment(table.events, at("21 00:00"), at("22 00:00"))
    assert day is not None
    assert (day.minutes_monitored, day.longest_breach_minutes) == (1440, 2)


def test_published_again_after_the_deadline_is_not_late() -> None:
    table = Timeline(daily())
    table.publish("21 02:20", "21 00:00")
    table.publish("21 08:02", "21 00:00")
    assert table.changes("21 07:00", "21 12:00") == ["21 07:00 on_time 21 08:00"]


def test_exactly_at_the_deadline_is_in_time_and_a_second_later_is_not() -> None:
    for second, states in ((0, []), (1, ["breached 21 08:00"])):
        table = Timeline(daily())
        table.publish("20 02:20", "20 00:00")
        table.publish(f"21 08:00:0{second}", "21 00:00")
        table.check("20 03:00")
        assert [state for state in [table.check("21 08:00")] if state] == states


def test_at_risk_when_the_usual_duration_passes_the_deadline() -> None:
    """Deadline 04:00, the nightly run usually takes 40 minutes and has not begun: 03:20 is just early enough."""
    table = Timeline(daily(hours=2), usual=timedelta(minutes=40))
    table.publish("20 02:40", "20 00:00")
    assert table.changes("20 03:00", "21 04:30") == [
        "20 03:00 on_time 20 04:00",
        "21 03:25 at_risk 21 04:00",
        "21 04:00 breached 21 04:00",
    ]


def test_a_warning_without_a_breach_ends_on_time() -> None:
    table = Timeline(daily(hours=2), usual=timedelta(minutes=40))
    table.publish("20 02:40", "20 00:00")
    table.publish("21 03:52", "21 00:00")
    assert table.changes("20 03:00", "21 06:00")[1:] == ["21 03:25 at_risk 21 04:00", "21 03:55 on_time 21 04:00"]


def test_a_warning_is_not_withdrawn_before_the_data_is_there() -> None:
    table = Timeline(daily(hours=2), usual=timedelta(minutes=40))
    table.publish("20 02:40", "20 00:00")
    assert table.changes("20 03:00", "21 03:30")[1:] == ["21 03:25 at_risk 21 04:00"]
    table.usual = timedelta(minutes=5)
    assert table.check("21 03:35") is None


def test_a_run_under_way_is_given_the_rest_of_its_usual_duration() -> None:
    table = Timeline(daily(hours=2), usual=timedelta(minutes=40), running=Running(at("21 03:15"), at("21 00:00")))
    table.publish("20 02:40", "20 00:00")
    assert table.changes("20 03:00", "20 12:00") == ["20 03:00 on_time 20 04:00"]
    assert table.check("21 03:40") is None, "15 minutes remain: 03:55"
    table.running = Running(at("21 03:25"), at("21 00:00"))
    assert table.check("21 03:45") == "at_risk 21 04:00", "20 remain: 04:05"


def test_a_run_that_hangs_is_expected_to_take_as_much_longer_again() -> None:
    """Began 02:10, usually 40 minutes, so it should have ended at 02:50; at 03:25 it is 35 minutes over: just 04:00."""
    table = Timeline(daily(hours=2), usual=timedelta(minutes=40), running=Running(at("21 02:10"), at("21 00:00")))
    table.publish("20 02:40", "20 00:00")
    table.check("20 03:00")
    assert table.check("21 03:25") is None
    assert table.check("21 03:26") == "at_risk 21 04:00"


def test_a_run_for_an_earlier_instant_does_not_count_as_under_way() -> None:
    table = Timeline(daily(hours=2), usual=timedelta(minutes=40), running=Running(at("21 03:20"), at("20 00:00")))
    table.publish("20 02:40", "20 00:00")
    table.check("20 03:00")
    assert table.check("21 03:25") == "at_risk 21 04:00"


def test_there_is_no_estimate_before_the_first_run_or_before_the_scheduled_time() -> None:
    table = Timeline(daily(hours=2))
    table.publish("20 02:40", "20 00:00")
    assert table.changes("20 03:00", "21 03:55") == ["20 03:00 on_time 20 04:00"]
    eager = Timeline(daily(hours=2), usual=timedelta(hours=12))
    eager.publish("20 02:40", "20 00:00")
    assert eager.changes("20 03:00", "21 01:55") == ["20 03:00 on_time 20 04:00"]


def test_hourly() -> None:
    """Fresh within 2 h: the data of 10:00 must be there at 12:00. After 10:07 nothing comes until 12:31."""
    table = Timeline(every("hourly", 120))
    table.publish("21 09:06", "21 09:00")
    table.publish("21 10:07", "21 10:00")
    table.publish("21 12:31", "21 12:00")
    assert table.changes("21 10:10", "21 14:00") == ["21 10:10 on_time 21 12:00"]
    late = Timeline(every("hourly", 120))
    late.publish("21 10:07", "21 10:00")
    late.publish("21 13:21", "21 13:00")
    assert late.changes("21 10:10", "21 14:55") == [
        "21 10:10 on_time 21 12:00",
        "21 13:00 breached 21 13:00",
        "21 13:25 recovered 21 13:00",
        "21 13:30 on_time 21 13:00",
    ]


def test_every_15_minutes() -> None:
    table = Timeline(every("every 15 minutes", 60), usual=timedelta(minutes=4))
    for quarter in ("10:00", "10:15", "10:30"):
        table.publish(f"21 {quarter[:3]}{int(quarter[3:]) + 3:02}", f"21 {quarter}")
    table.publish("21 12:03", "21 12:00")
    assert table.changes("21 10:05", "21 14:00") == [
        "21 10:05 on_time 21 11:00",
        # The data of 10:45 is due at 11:45, and takes four minutes.
        "21 11:45 breached 21 11:45",
        "21 12:05 recovered 21 11:45",
        "21 12:10 on_time 21 11:45",
        # The data of 12:15 is due at 13:15.
        "21 13:15 breached 21 13:15",
    ]
    closer = Timeline(every("every 15 minutes", 60), usual=timedelta(minutes=11))
    closer.publish("21 10:33", "21 10:30")
    assert closer.changes("21 10:35", "21 11:45") == [
        "21 10:35 on_time 21 11:30",
        "21 11:35 at_risk 21 11:45",
        "21 11:45 breached 21 11:45",
    ]


def test_a_weekend_of_a_business_calendar_is_no_breach() -> None:
    table = Timeline(daily(calendar="business_days"), usual=timedelta(minutes=40))
    table.publish("20 02:20", "20 00:00")
    assert table.changes("20 03:00", "23 07:15") == ["20 03:00 on_time 20 08:00"], "Friday to Monday morning"
    assert table.changes("23 07:20", "23 09:00") == ["23 07:25 at_risk 23 08:00", "23 08:00 breached 23 08:00"]
    everyday = Timeline(daily())
    everyday.publish("20 02:20", "20 00:00")
    assert everyday.changes("20 03:00", "21 08:00")[1:] == ["21 08:00 breached 21 08:00"]
    quarters = Timeline(every("every 15 minutes", 60, "business_days"))
    quarters.publish("20 23:48", "20 23:45")
    assert quarters.changes("20 23:50", "23 00:55") == ["20 23:50 on_time 21 00:45"]
    assert quarters.check("23 01:00") == "breached 23 01:00"


def test_a_breach_lasts_over_further_deadlines() -> None:
    table = Timeline(daily())
    table.publish("20 02:20", "20 00:00")
    table.publish("23 08:30", "22 00:00")
    table.publish("23 09:00", "23 00:00")
    assert table.changes("20 03:00", "23 12:00", minutes=30)[1:] == [
        "21 08:00 breached 21 08:00",
        # At 08:30 the data of Sunday came, when that of Monday was due.
        "23 09:00 recovered 21 08:00",
        "23 09:30 on_time 21 08:00",
    ]


def test_the_first_run_ever_has_until_its_deadline() -> None:
    """The freshness SLA is recorded on Friday at 14:00: earlier deadlines do not count."""
    table = Timeline(daily(), since=at("20 14:00"))
    assert table.changes("20 14:00", "21 07:55") == []
    table.publish("21 07:58", "21 00:00")
    assert table.changes("21 08:00", "21 12:00") == ["21 08:00 on_time 21 08:00"]


def test_a_table_that_is_never_published_is_late_from_its_first_deadline() -> None:
    table = Timeline(daily(), since=at("20 14:00"))
    assert table.changes("20 14:00", "24 12:00") == ["21 08:00 breached 21 08:00"]
    (event,) = table.events
    assert (event.published_at, event.data_at, event.age_minutes, event.run_id) == (None, None, None, None)
    unrecorded = Timeline(daily())
    assert unrecorded.check("20 14:00") == "breached 20 08:00"


def test_published_without_a_source_that_was_never_loaded_is_not_fresh() -> None:
    table = Timeline(daily(), since=at("20 14:00"))
    table.publish("21 02:20", None)
    assert table.changes("20 14:00", "21 12:00") == ["21 08:00 breached 21 08:00"]
    assert table.events[0].published_at == at("21 02:20")


def test_old_data_found_when_the_monitor_starts_is_late_from_the_next_deadline() -> None:
    table = Timeline(daily(), since=at("20 14:00"))
    table.publish("15 02:20", "15 00:00")
    assert table.changes("20 14:00", "21 12:00") == ["21 08:00 breached 21 08:00"]


def test_after_an_outage_of_the_monitor_a_breach_begins_at_the_missed_deadline() -> None:
    table = Timeline(daily(), since=at("15 00:00"))
    table.publish("18 02:20", "18 00:00")
    assert table.check("18 03:00") == "on_time 18 08:00"
    assert table.check("21 12:00") == "breached 19 08:00"


def test_older_data_published_over_newer_is_late_from_then_on() -> None:
    table = Timeline(daily(), since=at("15 00:00"))
    table.publish("21 02:20", "21 00:00")
    table.publish("21 10:00", "01 00:00")
    table.publish("21 11:00", "21 00:00")
    table.publish("21 12:00", "01 00:00")
    assert table.changes("21 03:00", "21 12:30") == [
        "21 03:00 on_time 21 08:00",
        "21 10:00 breached 21 10:00",
        "21 11:00 recovered 21 10:00",
        "21 11:05 on_time 21 10:00",
        "21 12:00 breached 21 12:00",
    ]
    assert len({event.event_id for event in table.events}) == len(table.events)


def test_a_stricter_sla_counts_from_then_on() -> None:
    table = Timeline(daily(hours=26), since=at("15 00:00"))
    table.publish("20 02:20", "20 00:00")
    assert table.changes("20 03:00", "21 12:00") == ["20 03:00 on_time 21 04:00"]
    table.sla, table.since = daily(hours=6), at("21 12:00")
    assert table.changes("21 12:00", "22 07:55") == [], "the data of Saturday was not due at 08:00 then"
    assert table.check("22 08:00") == "breached 22 08:00"


def test_an_instant_is_evaluated_once() -> None:
    table = Timeline(daily(), since=at("15 00:00"))
    table.publish("20 02:20", "20 00:00")
    assert table.check("21 08:00") == "breached 21 08:00"
    table.publish("21 08:00", "21 00:00")
    assert table.check("21 08:00") is None
    assert table.check("21 07:00") is None
    assert table.check("21 08:01") == "recovered 21 08:00"


@pytest.mark.parametrize(
    ("sla", "due", "following"),
    [
        (daily(), "21 02:00", "22 02:00"),
        (daily(calendar="business_days"), "20 02:00", "23 02:00"),
        (every("hourly", 60), "21 10:00", "21 11:00"),
        (every("every 15 minutes", 60), "21 10:15", "21 10:30"),
        (every("hourly", 60, "business_days"), "20 23:00", "23 00:00"),
    ],
)
def test_scheduled_times_of_a_cadence(sla: FreshnessSla, due: str, following: str) -> None:
    schedule = sla.schedule
    assert schedule.last(at("21 10:29")) == schedule.last(at(due)) == at(due)
    assert schedule.next(at("21 10:29")) == schedule.next(at(due)) == at(following)
    lag = timedelta(hours=2 if sla.cadence == "daily" else 0)
    assert schedule.met_by(at(due) - lag) == at(due)
    assert schedule.unmet_by(at(due) - lag) == at(following)
