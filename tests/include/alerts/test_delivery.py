"""From a state change to the received message, with a real warehouse, webhook, mail server and event endpoint."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from google.cloud.bigquery import Client

from include.alerts import Outbox, deliver, notify
from tests.include.alerts.events import LOG, NOW, event
from tests.include.alerts.receivers import MAIL_PASSWORD, ROUTING_KEY, TOKEN, Receivers
from tests.warehouse import rows

MINUTE = timedelta(minutes=1)


def test_a_breach_and_its_recovery_are_sent_once(bq: Client, received: Receivers) -> None:
    for _ in range(3):
        notify([event()], NOW)
        deliver(NOW)
    assert received.counts == (1, 1, 0)
    assert "Late: marts.mart_nrr_summary (high)" in received.slack[0]["text"]
    recipients, mail = received.mails[0]
    assert recipients == ["finance@example.com"]
    assert mail["Subject"] == "Late: marts.mart_nrr_summary (high)"

    for _ in range(3):
        notify([event(state="recovered", minutes=40)], NOW + 40 * MINUTE)
        deliver(NOW + 40 * MINUTE)
    assert received.counts == (2, 2, 0)
    assert received.slack[1]["text"] == "On time again: marts.mart_nrr_summary (high)"
    notify([event(state="on_time", minutes=45)], NOW + 45 * MINUTE)
    deliver(NOW + 45 * MINUTE)
    assert received.counts == (2, 2, 0)


def test_one_look_at_the_outbox_reads_it_once(bq: Client, received: Receivers, monkeypatch: pytest.MonkeyPatch) -> None:
    """The monitor adds and delivers by one outbox. It sends what it has just added, and does not query what is known not to be due."""
    outbox = Outbox()
    notify([event()], NOW, outbox=outbox)
    assert deliver(NOW, outbox).sent == 2
    sent: list[str] = []
    quiet = Outbox()
    query = quiet.client.query
    monkeypatch.setattr(quiet.client, "query", lambda sql, *more, **options: (sent.append(sql), query(sql, *more, **options))[1])
    notify([], NOW + MINUTE, outbox=quiet)
    assert deliver(NOW + MINUTE, quiet).sent == 0
    assert len(sent) == 1
    bq.query("update ops.alerts set state = 'pending' where state = 'sent'").result()
    again = Outbox()
    notify([], NOW + 11 * MINUTE, outbox=again)
    assert deliver(NOW + 11 * MINUTE, again).sent == 2, "what another has left"


def test_a_suppressed_alert_of_an_earlier_release_stays_suppressed(bq: Client) -> None:
    notify([event()], NOW)
    bq.query("update ops.alerts set state = 'silent' where channel = 'slack'").result()
    states = {alert.channel: alert.state for alert in Outbox().recent(NOW)}
    assert states == {"slack": "suppressed", "email": "pending"}


def test_every_message_holds_all_facts(bq: Client, received: Receivers, monkeypatch: pytest.MonkeyPatch) -> None:
    from include.settings import settings

    monkeypatch.setenv("RUNBOOKS_URL", "https://docs.example.org/runbooks/")
    settings.cache_clear()
    notify([event(criticality="critical")], NOW)
    deliver(NOW)
    assert received.counts == (1, 1, 1)
    _, mail = received.mails[0]
    bodies = {part.get_content_type(): part.get_content() for part in mail.walk() if not part.is_multipart()}
    assert list(bodies) == ["text/plain", "text/html"], "mail programs prefer the last part"
    page = received.pagerduty[0]
    shown = {"slack": str(received.slack[0]["blocks"]), "page": str(page), **bodies}
    for form, text in shown.items():
        for fact in (
            "marts.mart_nrr_summary",
            "finance",
            "critical",
            "new data within 6 h, due 1 Oct 2026 08:00 UTC",
            "data up to 30 Sep 2026 00:00 UTC",
            "transform.core.fct_deals.run failed",
            LOG,
            "https://docs.example.org/runbooks/freshness-breached.md",
        ):
            assert fact in text, f"{form} lacks {fact}"
    assert (page["event_action"], page["payload"]["severity"], page["routing_key"]) == ("trigger", "critical", ROUTING_KEY)

    notify([event(state="recovered", minutes=9, criticality="critical")], NOW + 9 * MINUTE)
    deliver(NOW + 9 * MINUTE)
    assert (received.pagerduty[1]["event_action"], received.pagerduty[1]["dedup_key"]) == ("resolve", page["dedup_key"])
    assert received.counts == (2, 2, 2)


def test_tables_late_for_one_cause_are_one_message(bq: Client, received: Receivers) -> None:
    late = [event(f"mart_{name}", owner=owner) for name, owner in (("a", "finance"), ("b", "finance"), ("c", "sales_operations"))]
    notify(late, NOW)
    notify([event("mart_d", minutes=5), event("mart_e", minutes=5, owner="sales_management")], NOW + 5 * MINUTE)
    deliver(NOW + 5 * MINUTE)
    assert [body["text"] for body in received.slack] == ["Late: 3 tables, marts.mart_a and others (high)"]
    subjects = {recipients[0]: mail["Subject"] for recipients, mail in received.mails}
    assert subjects == {
        "finance@example.com": "Late: 2 tables, marts.mart_a and others (high)",
        "sales-operations@example.com": "Late: marts.mart_c (high)",
        "sales-management@example.com": "Late: marts.mart_e (high)",
    }
    assert rows("select count(distinct incident_id) from ops.alerts", bq) == [(1,)]

    owners = dict.fromkeys("abd", "finance") | {"c": "sales_operations", "e": "sales_management"}
    for minute, name in enumerate("abcde", start=10):
        at = NOW + minute * MINUTE
        notify([event(f"mart_{name}", "recovered", minute, owner=owners[name])], at)
        deliver(at)
    assert [body["text"] for body in received.slack][1:] == ["On time again: 5 tables, marts.mart_a and others (high)"]
    assert [recipients[0].partition("@")[0] for recipients, _ in received.mails[3:]] == [
        "sales-operations",
        "finance",
        "sales-management",
    ]


def test_a_channel_that_is_down_is_retried_and_then_substituted(bq: Client, received: Receivers) -> None:
    received.down = {"slack"}
    notify([event()], NOW)
    first = deliver(NOW)
    assert (first.sent, first.postponed, received.counts) == (1, 1, (0, 1, 0))
    assert deliver(NOW + 30 * timedelta(seconds=1)).postponed == 0, "the first retry comes after a minute"
    assert deliver(NOW + MINUTE).postponed == 1
    report = deliver(NOW + 3 * MINUTE)
    assert (report.substituted, received.counts) == (1, (0, 1, 0)), "the same owner already has the e-mail"
    states = rows("select channel, state, attempts from ops.alerts order by 1", bq)
    assert states == [("email", "sent", 1), ("slack", "substituted", 3)]

    received.down = set()
    deliver(NOW + 60 * MINUTE)
    assert received.counts == (0, 1, 0)


def test_an_alert_that_reached_nobody_is_sent_by_another_channel(bq: Client, received: Receivers) -> None:
    received.down = {"email"}
    notify([event(criticality="low")], NOW)
    for minute in (0, 1):
        assert deliver(NOW + minute * MINUTE).postponed == 1
    assert received.counts == (0, 0, 0)
    report = deliver(NOW + 3 * MINUTE)
    assert (report.substituted, received.counts) == (1, (1, 0, 0))
    assert rows("select state, attempts from ops.alerts", bq) == [("substituted", 3)]


def test_channels_that_work_again_are_used(bq: Client, received: Receivers) -> None:
    received.down = {"slack", "email", "pagerduty"}
    notify([event(criticality="critical")], NOW)
    assert deliver(NOW).postponed == 3
    for minute in (1, 3, 7, 15):
        deliver(NOW + minute * MINUTE)
    assert received.counts == (0, 0, 0)
    assert rows("select distinct state from ops.alerts", bq) == [("pending",)], "nothing is lost while all are down"
    received.down = set()
    report = deliver(NOW + 29 * MINUTE)
    assert (report.sent + report.substituted, report.postponed) == (0, 0), "all wait for their next retry"
    deliver(NOW + 32 * MINUTE)
    # The first message by each channel, and the first reminder by two channels.
    assert received.counts == (2, 1, 2)


def test_without_connections_alerts_stay_pending(bq: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        notify([event()], NOW)
        report = deliver(NOW)
    assert (report.postponed, report.errors) == (2, [])
    assert "no Airflow connection 'slack_webhook_default'" in caplog.text
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert rows("select distinct state from ops.alerts", bq) == [("pending",)]
    assert deliver(NOW + timedelta(days=8)).failed == 2
    assert rows("select distinct state from ops.alerts", bq) == [("failed",)]


def test_a_critical_incident_sends_reminders_until_it_is_resolved(bq: Client, received: Receivers) -> None:
    notify([event(criticality="critical")], NOW)
    deliver(NOW)
    assert received.counts == (1, 1, 1)
    deliver(NOW + 29 * MINUTE)
    assert received.counts == (1, 1, 1)
    deliver(NOW + 30 * MINUTE)
    assert received.counts == (2, 1, 2)
    assert "still open, reminder 1" in received.slack[1]["text"]
    deliver(NOW + 120 * MINUTE)
    assert received.counts == (3, 3, 3)
    assert sorted(recipients[0] for recipients, _ in received.mails) == [
        "data-platform@example.com",
        *["finance@example.com"] * 2,
    ]
    assert {page["dedup_key"] for page in received.pagerduty} == {received.pagerduty[0]["dedup_key"]}

    end = NOW + 130 * MINUTE
    notify([event(state="recovered", minutes=130, criticality="critical")], end)
    deliver(end)
    assert received.counts == (4, 5, 4), "owners notified by reminders get the recovery too"
    deliver(NOW + 600 * MINUTE)
    assert received.counts == (4, 5, 4), "later reminders are suppressed"


def test_quiet_hours_delay_medium_alerts(bq: Client, received: Receivers) -> None:
    early = NOW.replace(hour=2)
    notify([event(criticality="medium", measured_at=early), event("mart_b", measured_at=early, log_url="http://x/")], early)
    deliver(early)
    assert [body["text"] for body in received.slack] == ["Late: marts.mart_b (high)"]
    deliver(NOW.replace(hour=5, minute=59))
    assert len(received.slack) == 1
    # On 1 October, 07:00 in London is 06:00 UTC.
    deliver(NOW.replace(hour=6, minute=0))
    assert [body["text"] for body in received.slack][1:] == ["Late: marts.mart_nrr_summary (medium)"]


def test_an_incident_resolved_before_it_was_sent_sends_only_the_recovery(bq: Client, received: Receivers) -> None:
    early = NOW.replace(hour=2)
    notify([event(criticality="medium", measured_at=early)], early)
    notify([event(state="recovered", minutes=-300, criticality="medium")], NOW - 300 * MINUTE)
    deliver(NOW - 300 * MINUTE)
    deliver(NOW)
    assert [body["text"] for body in received.slack] == ["On time again: marts.mart_nrr_summary (medium)"]
    assert len(received.mails) == 1


def test_a_warning_and_its_recovery_go_to_slack(bq: Client, received: Receivers) -> None:
    notify([event(state="at_risk")], NOW)
    deliver(NOW)
    assert received.counts == (1, 0, 0)
    notify([event(state="on_time", minutes=9)], NOW + 9 * MINUTE)
    deliver(NOW + 9 * MINUTE)
    assert [body["text"].partition(":")[0] for body in received.slack] == ["May become late", "On time again"]


def test_a_warning_and_the_breach_are_one_incident(bq: Client, received: Receivers) -> None:
    running = {"cause": "transform has been running since 02:00", "cause_kind": "running", "log_url": "http://airflow/run"}
    notify([event(state="at_risk", **running)], NOW)
    notify([event(minutes=10)], NOW + 10 * MINUTE)
    notify([event(state="recovered", minutes=20)], NOW + 20 * MINUTE)
    for minute in (0, 10, 20):
        deliver(NOW + minute * MINUTE)
    assert rows("select count(distinct incident_id) from ops.alerts", bq) == [(1,)]
    assert received.slack[-1]["text"].startswith("On time again")
    assert sum(body["text"].startswith("On time again") for body in received.slack) == 1


def test_concurrent_deliveries_send_once(bq: Client, received: Receivers) -> None:
    from threading import Barrier, Thread

    notify([event(f"mart_{i}", owner=owner) for i, owner in enumerate(("finance", "sales_operations", "data_platform"))], NOW)
    start = Barrier(3)

    def run() -> None:
        start.wait()
        deliver(NOW)

    threads = [Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    deliver(NOW + MINUTE)
    assert received.counts == (1, 3, 0)


def test_alerts_of_a_killed_delivery_are_sent_after_its_claim(bq: Client, received: Receivers) -> None:
    from include.alerts.outbox import CLAIM, Outbox

    notify([event()], NOW)
    assert len(Outbox().claim("killed halfway", NOW)) == 2
    deliver(NOW + MINUTE)
    assert received.counts == (0, 0, 0)
    deliver(NOW + CLAIM)
    assert received.counts == (1, 1, 0)


def test_no_secret_is_in_the_outbox_or_the_log(bq: Client, received: Receivers, caplog: pytest.LogCaptureFixture) -> None:
    received.down = {"slack", "email", "pagerduty"}
    with caplog.at_level(logging.INFO):
        notify([event(criticality="critical")], NOW)
        deliver(NOW)
        stored = str(rows("select to_json_string(t) from ops.alerts as t", bq))
        received.down = set()
        deliver(NOW + MINUTE)
    assert received.counts == (1, 1, 1)
    assert TOKEN in received.paths[0]
    stored += str(rows("select to_json_string(t) from ops.alerts as t", bq))
    assert "slack_webhook_default" in stored
    for secret in (TOKEN, TOKEN.rpartition("/")[2], ROUTING_KEY, MAIL_PASSWORD, "@example.com"):
        assert secret not in stored
        assert secret not in caplog.text


def test_a_broken_outbox_is_reported_and_raises_nothing() -> None:
    from include.alerts.outbox import Outbox

    class Unreachable(Outbox):
        def __init__(self) -> None:
            pass

        def query(self, sql: str, **parameters: object) -> list[object]:
            raise ConnectionError("no warehouse")

    assert "no warehouse" in deliver(NOW, Unreachable()).errors[0]
