"""The monitor on a real warehouse: the audit tables are measured, and each change is written once."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from google.cloud.bigquery import Client

from include.freshness import FreshnessEvent, Records, evaluate_all, events_since, instant_of, monitor, statuses
from include.settings import settings
from tests.include.freshness.audit_tables import AuditTables, recorded
from tests.include.freshness.timeline import at
from tests.warehouse import rows

NIGHTLY = "marts.mart_nightly"


def states(events: list[FreshnessEvent], table: str = NIGHTLY) -> list[str]:
    return [f"{event.state} {event.due_at:%d %H:%M}" for event in events if event.key == table]


def test_each_change_is_written_once_however_often_the_monitor_runs(bq: Client) -> None:
    audit = AuditTables(bq)
    audit.nightly_run("20")
    assert states(monitor(at("20 03:00"), bq)) == ["on_time 20 08:00"]
    assert states(monitor(at("20 03:00") + timedelta(seconds=42), bq)) == ["on_time 20 08:00"], "the same minute: returned again"
    assert states(monitor(at("20 03:05"), bq)) == []
    for minute in ("08:00", "08:00", "08:05", "08:10"):
        monitor(at(f"21 {minute}"), bq)
    audit.nightly_run("21", published="09:13")
    for minute in ("09:15", "09:15", "09:20", "09:25", "09:30", "09:15"):
        monitor(at(f"21 {minute}"), bq)
    assert recorded(bq) == [
        ("on_time", at("20 08:00"), at("20 03:00")),
        ("breached", at("21 08:00"), at("21 08:00")),
        ("recovered", at("21 08:00"), at("21 09:15")),
        ("on_time", at("21 08:00"), at("21 09:20")),
    ]
    assert rows("select count(*) = count(distinct event_id) from ops.freshness_events", bq) == [(True,)]


def test_changes_since_an_instant_come_with_the_last_one_before_it(bq: Client) -> None:
    audit = AuditTables(bq)
    audit.nightly_run("20")
    monitor(at("20 03:00"), bq)
    monitor(at("21 08:00"), bq)
    audit.nightly_run("21", published="09:13")
    monitor(at("21 09:15"), bq)
    assert states(events_since(at("21 08:00"), bq)) == ["on_time 20 08:00", "breached 21 08:00", "recovered 21 08:00"]
    assert states(events_since(at("21 09:16"), bq)) == ["recovered 21 08:00"]


def test_the_age_of_each_published_table_is_sent(bq: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[object, ...]] = []
    monkeypatch.setattr("include.telemetry.freshness", lambda *values: sent.append(values))
    AuditTables(bq).nightly_run("20")
    monitor(at("20 03:00"), bq)
    assert (NIGHTLY, 180.0, 360.0) in sent


def test_an_event_holds_the_target_and_what_was_measured(bq: Client) -> None:
    AuditTables(bq).nightly_run("20")
    monitor(at("20 03:00"), bq)
    monitor(at("21 08:00"), bq)
    (event,) = [dict(row) for row in bq.query("select * from ops.freshness_events where due_at = '2026-11-21 08:00'").result()][
        :1
    ]
    assert {name: event[name] for name in event if name not in {"cause", "cause_kind", "run_id", "log_url"}} == {
        "event_id": "marts.mart_nightly@2026-11-21T080000Z:breached",
        "dataset": "marts",
        "table_name": "mart_nightly",
        "state": "breached",
        "due_at": at("21 08:00"),
        "measured_at": at("21 08:00"),
        "data_at": at("20 00:00"),
        "published_at": at("20 02:20"),
        "as_of": at("20 00:00"),
        "age_minutes": 32 * 60,
        "sla_minutes": 360,
        "criticality": "medium",
        "owner": "finance",
    }


def test_a_task_that_ended_is_not_enough_the_data_must_have_reached_the_table(bq: Client) -> None:
    """One source was not loaded on Saturday; the nightly run ran without it. Only the tables downstream of that source are late."""
    audit = AuditTables(bq)
    audit.nightly_run("20")
    monitor(at("20 02:30"), bq)
    audit.nightly_run("21", late="support")
    seen = monitor(at("21 08:00"), bq)
    assert states(seen) == ["breached 21 08:00"]
    (row,) = rows(
        "select data_at, published_at from ops.freshness_events where table_name = 'mart_nightly' and state = 'breached'", bq
    )
    assert row == (at("20 00:00"), at("21 02:20"))
    # It is loaded at last, but no published table holds it yet.
    audit.load("support.tickets", "21 00:00", "21 08:30")
    assert states(monitor(at("21 08:35"), bq)) == []
    audit.run("transform", "again", "21 00:00", "21 08:40", "21 08:58")
    audit.publish(NIGHTLY, "again", "21 00:00", "21 08:55")
    assert states(monitor(at("21 09:00"), bq)) == ["recovered 21 08:00"]


def test_a_load_during_a_run_is_not_in_its_publication(bq: Client) -> None:
    audit = AuditTables(bq)
    audit.nightly_run("20")
    monitor(at("20 02:30"), bq)
    audit.load("crm.deals", "21 00:00", "21 02:03")
    audit.load("crm.users", "21 00:00", "21 02:03")
    audit.run("transform", "nightly-21", "21 00:00", "21 04:00", "21 04:20")
    audit.load("support.tickets", "21 00:00", "21 04:05")
    audit.publish(NIGHTLY, "nightly-21", "21 00:00", "21 04:20")
    assert states(monitor(at("21 08:00"), bq)) == ["breached 21 08:00"]


def test_a_refresh_publishes_its_own_loads(bq: Client) -> None:
    audit = AuditTables(bq)
    audit.nightly_run("20")
    monitor(at("20 02:30"), bq)
    for raw_table in ("crm.deals", "crm.users"):
        audit.load(raw_table, "20 10:00", "20 10:01", run_id="scheduled__10")
    audit.run("refresh_hourly", "scheduled__10", "20 10:00", "20 10:00", "20 10:06")
    audit.publish("metrics.mtr_hourly", "scheduled__10", "20 10:00", "20 10:05")
    monitor(at("20 11:55"), bq)
    assert states(monitor(at("20 12:50"), bq), "metrics.mtr_hourly") == []
    assert states(monitor(at("20 12:55"), bq), "metrics.mtr_hourly") == ["at_risk 20 13:00"], "a refresh takes six minutes"
    assert states(monitor(at("20 13:00"), bq), "metrics.mtr_hourly") == ["breached 20 13:00"]


def test_a_backfill_shows_old_data_however_new_the_load(bq: Client) -> None:
    audit = AuditTables(bq)
    monitor(at("19 12:00"), bq)
    audit.nightly_run("20")
    assert states(monitor(at("20 02:30"), bq)) == ["on_time 20 08:00"]
    audit.run("transform", "backfill", "01 00:00", "20 09:00", "20 09:20")
    audit.publish(NIGHTLY, "backfill", "01 00:00", "20 09:20")
    assert states(monitor(at("20 09:25"), bq)) == ["breached 20 09:20"]


def test_a_dropped_table_is_late_from_then_on(bq: Client) -> None:
    audit = AuditTables(bq)
    monitor(at("19 12:00"), bq)
    audit.nightly_run("20")
    monitor(at("20 02:30"), bq)
    audit.publish(NIGHTLY, "nightly-20b", "20 00:00", "20 09:00", state="dropped")
    assert states(monitor(at("20 09:05"), bq)) == ["breached 20 09:00"]


def shows(bq: Client, table: str, now: str) -> datetime | None:
    """Up to when the data reaches that a table shows."""
    found = Records(at(now), bq).measured()[table].shown_at(at(now))
    assert found is not None
    return found.data_at


def test_a_source_that_was_never_loaded_counts(bq: Client) -> None:
    audit = AuditTables(bq)
    audit.nightly_run("20", late="support")
    assert shows(bq, NIGHTLY, "20 03:00") is None
    assert shows(bq, "metrics.mtr_hourly", "20 03:00") == at("20 00:00"), "it needs no tickets"


def test_a_table_that_a_refresh_leaves_to_the_nightly_run_counts_as_up_to_date_for_two_days(bq: Client) -> None:
    """Its calendar has holidays, which the nightly run loads; its refresh loads the tickets."""
    path = settings().manifest
    known = json.loads(path.read_text())
    known["nodes"]["model.mart_quarter"]["depends_on"]["nodes"].append("source.reference.holidays")
    known["nodes"]["model.mart_nightly"]["depends_on"]["nodes"].append("source.reference.holidays")
    path.write_text(json.dumps(known))
    audit = AuditTables(bq)
    audit.nightly_run("20")
    assert shows(bq, "marts.mart_quarter", "20 03:00") is None, "it was never loaded"
    audit.load("reference.holidays", "19 00:00", "19 02:03")
    assert shows(bq, NIGHTLY, "20 03:00") == at("19 00:00"), "the nightly run loads it"
    assert shows(bq, "marts.mart_quarter", "20 03:00") == at("20 00:00")
    for instant, reaches in (("20 23:45", "20 23:45"), ("21 00:00", "21 00:00"), ("21 00:15", "21 00:00")):
        run = f"scheduled__{instant}"
        loaded = at(instant) + timedelta(minutes=1)
        audit.load("support.tickets", instant, f"{loaded:%d %H:%M}", run_id=run)
        audit.publish("marts.mart_quarter", run, instant, f"{loaded:%d %H:%M}")
        assert shows(bq, "marts.mart_quarter", "22 00:00") == at(reaches)


def test_each_audit_table_is_read_once(bq: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has changed, the page is written: BigQuery bills for every table that a statement names."""
    AuditTables(bq).nightly_run("20")
    monitor(at("20 03:00"), bq)
    sent: list[str] = []
    query = bq.query
    monkeypatch.setattr(bq, "query", lambda sql, *more, **options: (sent.append(sql), query(sql, *more, **options))[1])
    records = Records(at("20 03:05"), bq)
    assert evaluate_all(records, bq) == []
    assert states(records.events) == ["on_time 20 08:00"]
    assert len(statuses(records.now, records=records)) == 3
    assert len(sent) == 1
    for hour in ("04", "05"):
        monitor(at(f"20 {hour}:00"), bq)
    sent.clear()
    monitor(at("20 05:55"), bq)
    assert len(sent) == 1
    monitor(at("20 06:00"), bq)
    assert [sql.split()[:2] for sql in sent[2:]] == [["merge", "ops.freshness_attainment"]], "once an hour"


def test_the_oldest_raw_table_counts_also_within_a_source(bq: Client) -> None:
    audit = AuditTables(bq)
    audit.nightly_run("19")
    audit.load("crm.deals", "20 00:00", "20 02:03")
    audit.load("support.tickets", "20 00:00", "20 02:03")
    audit.run("transform", "nightly-20", "20 00:00", "20 04:00", "20 04:20")
    audit.publish(NIGHTLY, "nightly-20", "20 00:00", "20 04:20")
    assert shows(bq, NIGHTLY, "20 05:00") == at("19 00:00"), "users had not loaded"


def test_a_run_of_another_cadence_with_the_same_id_does_not_say_when_this_one_began(bq: Client) -> None:
    """Users are loaded for another run after the refresh has begun, and the other run begins after that."""
    audit = AuditTables(bq)
    audit.nightly_run("20")
    audit.load("crm.deals", "20 10:00", "20 10:01", run_id="scheduled__10")
    audit.load("crm.users", "20 10:00", "20 10:03", run_id="by-hand")
    audit.run("refresh_hourly", "scheduled__10", "20 10:00", "20 10:00", "20 10:06")
    audit.run("refresh_every_15_minutes", "scheduled__10", "20 10:00", "20 10:04", None)
    audit.publish("metrics.mtr_hourly", "scheduled__10", "20 10:00", "20 10:05")
    assert shows(bq, "metrics.mtr_hourly", "20 10:10") == at("20 00:00")


def test_at_risk_by_the_usual_duration_of_the_last_runs(bq: Client) -> None:
    """Two nightly runs took 10 minutes. One took 70, which hardly changes the median. The table is due at 08:00."""
    audit = AuditTables(bq)
    audit.nightly_run("20")
    for day, minutes in (("17", 10), ("18", 70), ("19", 10)):
        finished = f"{at(f'{day} 02:05') + timedelta(minutes=minutes):%d %H:%M}"
        audit.run("transform", f"nightly-{day}", f"{day} 00:00", f"{day} 02:05", finished)
    monitor(at("20 03:00"), bq)
    # The median of 10, 10, 15 and 70 minutes is 12.5.
    assert states(monitor(at("21 07:47"), bq)) == []
    assert states(monitor(at("21 07:48"), bq)) == ["at_risk 21 08:00"]


@pytest.mark.parametrize("when", ["21 07:59", "21 08:00"])
def test_an_sla_counts_from_when_it_is_recorded(bq: Client, when: str) -> None:
    """Nothing was ever published. The monitor starts on Friday afternoon."""
    assert monitor(at("20 14:00"), bq) == []
    since = rows("select table_name, fresh_within_minutes, owner, channels, recorded_at from ops.freshness_slas order by 1", bq)
    assert since == [
        ("mart_nightly", 360, "finance", "", at("20 14:00")),
        ("mart_quarter", 60, "customer_success", "", at("20 14:00")),
        ("mtr_hourly", 120, "finance", "", at("20 14:00")),
    ]
    assert states(monitor(at(when), bq)) == (["breached 21 08:00"] if when == "21 08:00" else [])
    assert rows("select distinct recorded_at from ops.freshness_slas", bq) == [(at("20 14:00"),)]


def attainment(bq: Client, table: str) -> dict[tuple[str, datetime], tuple[object, ...]]:
    found = rows(
        "select period, period_start, minutes_monitored, minutes_on_time, attainment, breach_count, longest_breach_minutes "
        f"from ops.freshness_attainment where table_name = '{table}'",
        bq,
    )
    assert len({row[:2] for row in found}) == len(found), "one row per period"
    return {row[:2]: row[2:] for row in found}  # type: ignore[misc]


def test_attainment_over_the_end_of_a_week_and_of_a_month(bq: Client) -> None:
    """Monitored from Friday 27 November, 03:00. Late on Sunday 29th from 08:00 to Monday 09:20, and on 1 December, 08:00 to 08:30."""
    audit = AuditTables(bq)
    for day, published in (("27", "02:20"), ("28", "02:20"), ("30", "09:20"), ("12-01", "08:30"), ("12-02", "02:20")):
        for raw_table in ("crm.deals", "crm.users", "support.tickets"):
            audit.load(raw_table, f"{day} 00:00", f"{day} 02:03")
        audit.publish(NIGHTLY, f"nightly-{day}", f"{day} 00:00", f"{day} {published}")
    for checked in ("27 03:00", "29 08:00", "30 09:30", "30 10:00", "12-01 08:00", "12-01 08:30", "12-01 09:00", "12-02 10:00"):
        monitor(at(checked), bq)
    assert [row[:2] for row in recorded(bq) if row[0] in {"breached", "recovered"}] == [
        ("breached", at("29 08:00")),
        ("recovered", at("29 08:00")),
        ("breached", at("12-01 08:00")),
        ("recovered", at("12-01 08:00")),
    ]
    week, next_week, november, december = at("23 00:00"), at("30 00:00"), at("01 00:00"), at("12-01 00:00")
    expected = {
        ("week", week): (69 * 60, [16 * 60]),
        ("week", next_week): (58 * 60, [9 * 60 + 20, 30]),
        ("month", november): (93 * 60, [25 * 60 + 20]),
        ("month", december): (34 * 60, [30]),
    }
    assert attainment(bq, "mart_nightly") == {
        period: (minutes, minutes - sum(late), (minutes - sum(late)) / minutes, len(late), max(late))
        for period, (minutes, late) in expected.items()
    }
    assert rows("select distinct owner, criticality from ops.freshness_attainment where table_name = 'mart_nightly'", bq) == [
        ("finance", "medium")
    ]


def test_which_instant_a_run_evaluates() -> None:
    dag_run = SimpleNamespace(data_interval_end=None, run_after=at("21 08:05") + timedelta(seconds=30))
    assert instant_of({"params": {"now": None}, "dag_run": dag_run}) == at("21 08:05")
    assert instant_of({"params": {"now": "2026-11-21T10:00:59+02:00"}, "dag_run": dag_run}) == at("21 08:00")
    with pytest.raises(ValueError, match="naive"):
        instant_of({"params": {"now": "2026-11-21T10:00:59"}, "dag_run": dag_run})
