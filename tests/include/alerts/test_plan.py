"""From occurrences to alerts: incidents, recipients, times and repetitions. Needs no warehouse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.alerts.occurrence import Occurrence
from include.alerts.plan import Plan
from include.alerts.routing import QuietHours, Retry, Routing, RoutingError, load_routing
from include.settings import settings

NOW = datetime(2026, 10, 1, 10, 0, tzinfo=UTC)


def occurrence(name: str = "marts.mart_a", kind: str = "sla_breached", minutes: int = 0, **changes: Any) -> Occurrence:
    values: dict[str, Any] = {
        "event_id": f"{name} {kind} {minutes}",
        "kind": kind,
        "scope": name,
        "cause_key": "a failed task",
        "name": name,
        "owner": "finance",
        "severity": "high",
        "at": NOW + timedelta(minutes=minutes),
    }
    return Occurrence(**(values | changes))


def queued(plan: Plan) -> list[tuple[str | None, str | None, str]]:
    return [(alert.channel, alert.recipient, alert.kind) for alert in plan.added if alert.state == "pending"]


@pytest.fixture
def routing() -> Routing:
    return load_routing()


def test_the_same_occurrences_give_the_same_alerts(routing: Routing) -> None:
    group = [occurrence(), occurrence("marts.mart_b", minutes=1)]
    first, again = (Plan([], routing, NOW).record(order).added for order in (group, reversed(group)))
    assert [alert.alert_id for alert in first] == [alert.alert_id for alert in again]
    assert len({alert.alert_id for alert in first}) == len(first)
    assert queued(Plan(first, routing, NOW).record(group)) == []


def test_tasks_that_fail_at_the_same_moment_create_the_same_alert(routing: Routing) -> None:
    """Each finds an empty outbox. Only one of the rows with the same id is stored."""
    one, other = (Plan([], routing, NOW).record([occurrence(event_id=f"task {i}", name=f"dag.task_{i}")]).added for i in (1, 2))
    assert [alert.alert_id for alert in one] == [alert.alert_id for alert in other]


def test_a_notified_route_is_notified_again_only_if_the_incident_gets_worse(routing: Routing) -> None:
    first = Plan([], routing, NOW).record([occurrence(severity="medium")])
    assert len(queued(first)) == 2
    plan = Plan(first.added, routing, NOW).record([occurrence("marts.mart_b", severity="medium")])
    assert queued(plan) == []
    assert [(alert.state, alert.channel, alert.error) for alert in plan.added] == [
        ("suppressed", None, "its routes were already notified of the incident")
    ]
    worse = Plan([*first.added, *plan.added], routing, NOW).record([occurrence("marts.mart_c", severity="high")])
    assert len(queued(worse)) == 2


def test_a_repeated_problem_is_sent_again_after_remind_after(routing: Routing) -> None:
    first = Plan([], routing, NOW).record([occurrence()])
    later = NOW + routing.remind_after
    assert queued(Plan(first.added, routing, later - timedelta(minutes=1)).record([occurrence(minutes=9)])) == []
    assert len(queued(Plan(first.added, routing, later).record([occurrence(minutes=9)]))) == 2
    assert Plan(first.added, routing, later).record([occurrence()]).added == [], "the same event is recorded once"


def test_quarantined_rows_are_sent_again_only_at_a_higher_level(routing: Routing) -> None:
    first = Plan([], routing, NOW).record([occurrence(kind="quarantined", level=1)])
    later = NOW + 2 * routing.remind_after
    assert Plan(first.added, routing, later).record([occurrence(kind="quarantined", level=1, minutes=9)]).added == []
    assert len(queued(Plan(first.added, routing, later).record([occurrence(kind="quarantined", level=2, minutes=9)]))) == 2


def test_a_problem_after_its_recovery_is_a_new_incident(routing: Routing) -> None:
    plan = Plan([], routing, NOW).record([occurrence(), occurrence(kind="sla_recovered", minutes=5), occurrence(minutes=9)])
    assert len({alert.incident_id for alert in plan.added}) == 2
    assert len({alert.alert_id for alert in plan.added}) == len(plan.added)


def test_a_recovery_without_an_incident_has_no_effect(routing: Routing) -> None:
    assert Plan([], routing, NOW).record([occurrence(kind="sla_recovered")]).added == []


def test_an_old_recovery_does_not_resolve_a_newer_problem(routing: Routing) -> None:
    """The monitor reports the events of the last day in every run, and a recovery without an incident is not recorded."""
    earlier = occurrence(kind="sla_recovered", minutes=-60)
    plan = Plan([], routing, NOW).record([earlier, occurrence()])
    again = Plan(plan.added, routing, NOW).record([earlier, occurrence()])
    assert again.added == [] and again.suppressed == []


def test_a_table_stays_in_its_incident_if_its_cause_changes(routing: Routing) -> None:
    plan = Plan([], routing, NOW).record([occurrence(kind="sla_at_risk", cause_key="it runs"), occurrence(minutes=5)])
    assert len({alert.incident_id for alert in plan.added}) == 1


def test_channels_of_a_table_replace_those_of_its_criticality(routing: Routing) -> None:
    plan = Plan([], routing, NOW).record(
        [occurrence(channels=("email",)), occurrence("marts.mart_b", "sla_at_risk", channels=("email",))]
    )
    assert {channel for channel, _, _ in queued(plan)} == {"email"}


def test_a_silence_mutes_its_names_and_an_owner_may_have_its_own_channel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = yaml.safe_load(settings().routing_file.read_text(encoding="utf-8"))
    content["silences"] = [{"name": "marts.mart_*", "until": "2026-10-02", "reason": "moving to the new CRM"}]
    content["owners"]["finance"] = {"slack": "slack_webhook_finance"}
    routing = _routing(tmp_path, monkeypatch, content)
    plan = Plan([], routing, NOW).record([occurrence(), occurrence("metrics.mtr_b")])
    assert queued(plan) == [("slack", "slack_webhook_finance", "sla_breached"), ("email", "finance", "sla_breached")]
    assert [alert.error for alert in plan.added if alert.state == "suppressed"] == [
        "muted until 2026-10-02 00:00 UTC: moving to the new CRM"
    ]
    assert queued(Plan([], routing, NOW + timedelta(days=1)).record([occurrence()])) != []


def test_the_wait_doubles_after_each_retry() -> None:
    retry = Retry.model_validate({"first": "1m", "longest": "1h", "substitute_after": 3, "give_up_after": "7d"})
    waits = [retry.wait(attempts) / timedelta(minutes=1) for attempts in (1, 2, 3, 6, 7, 5000)]
    assert waits == [1, 2, 4, 32, 60, 60]


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        ("2026-10-01T17:59", "2026-10-01T17:59"),
        ("2026-10-01T18:00", "2026-10-02T06:00"),
        ("2026-10-02T01:00", "2026-10-02T06:00"),
        ("2026-10-02T06:00", "2026-10-02T06:00"),
        # Clocks go back on 25 October: from then on, 07:00 in London is 07:00 UTC.
        ("2026-10-24T23:00", "2026-10-25T07:00"),
    ],
)
def test_quiet_hours_use_a_time_zone(moment: str, end: str) -> None:
    quiet = QuietHours.model_validate({"from": "19:00", "until": "07:00", "timezone": "Europe/London"})
    assert quiet.end(datetime.fromisoformat(f"{moment}+00:00")) == datetime.fromisoformat(f"{end}+00:00")


def test_quiet_hours_within_a_day() -> None:
    lunch = QuietHours.model_validate({"from": "12:00", "until": "13:00", "timezone": "UTC"})
    assert lunch.end(NOW.replace(hour=12, minute=30)) == NOW.replace(hour=13)
    assert lunch.end(NOW.replace(hour=13)) == NOW.replace(hour=13)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("remind_after", "20 hours", "remind_after"),
        ("criticality.critical.channels", ["pigeon"], "criticality.critical.channels"),
        ("criticality.medium.quiet_hours.timezone", "Europe/Nowhere", "criticality.medium.quiet_hours.timezone"),
        ("criticality.medium.quiet_hours.until", "19:00", "from and until are the same"),
        (
            "criticality.critical.escalation",
            [{"after": "2h", "channels": ["slack"]}, {"after": "1h", "channels": ["slack"]}],
            "in order",
        ),
        ("owners.nobody", {"slack": "x"}, "nobody is not a group"),
        ("owners.finance", {"slack": "a secret with spaces"}, "owners.finance.slack"),
        ("channels.email.instead", ["carrier"], "channels.email.instead"),
        ("colour", "red", "colour"),
        ("silences", [{"name": "x", "until": "2026-10-02"}], "silences.0.reason"),
    ],
)
def test_an_invalid_routing_names_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, value: Any, message: str
) -> None:
    content = yaml.safe_load(settings().routing_file.read_text(encoding="utf-8"))
    *parents, last = path.split(".")
    part = content
    for name in parents:
        part = part[name]
    part[last] = value
    with pytest.raises(RoutingError, match=message) as error:
        _routing(tmp_path, monkeypatch, content)
    assert "routing.yml" in str(error.value)


def test_every_dbt_group_has_a_route(routing: Routing) -> None:
    groups = yaml.safe_load((settings().dbt_dir / "models/_groups.yml").read_text(encoding="utf-8"))["groups"]
    for group in groups:
        assert routing.addresses_of([group["name"]]) == [group["owner"]["email"]]
    assert routing.addresses_of(["somebody_unknown"]) == ["data-platform@example.com"]


def test_every_runbook_exists() -> None:
    from include.alerts.occurrence import RUNBOOKS
    from include.settings import ROOT

    assert [name for name in RUNBOOKS.values() if not (ROOT / "docs/runbooks" / name).exists()] == []


def _routing(folder: Path, monkeypatch: pytest.MonkeyPatch, content: dict[str, Any]) -> Routing:
    file = folder / "routing.yml"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    monkeypatch.setenv("PLATFORM_ROUTING_FILE", str(file))
    settings.cache_clear()
    try:
        return load_routing()
    finally:
        monkeypatch.delenv("PLATFORM_ROUTING_FILE")
        settings.cache_clear()
