"""The history of tickets: audits, ticket events, and the events of the metrics."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from include.demo.vendors.common import Account, iso, number_of
from include.demo.vendors.zendesk.history import Past, metric_events
from include.demo.vendors.zendesk.objects import sla_policy
from tests.vendors.zendesk.reading import PRIORITIES, exported, get, ok, pages_by_cursor, tickets_of


def test_times_of_replies_and_solutions(url: str, first_day: Account) -> None:
    """The first response is in the events of the metrics, the last solution and the reopenings in the metrics of the ticket."""
    replies = {row["ticket_id"]: row["time"] for row in _metric_events(url, "reply_time") if row["type"] == "fulfill"}
    metrics = {
        row["ticket_id"]: row for page in pages_by_cursor(url, "tickets", include="metric_sets") for row in page["metric_sets"]
    }
    for row in first_day.tables["tickets"]:
        id_ = number_of(row["ticket_id"])
        assert replies.get(id_) == iso(row["first_responded_at"])
        assert (metrics[id_]["solved_at"], metrics[id_]["reopens"]) == (iso(row["resolved_at"]), row["reopened_count"])
    some = first_day.tables["tickets"][0]["ticket_id"]
    assert ok(url, f"tickets/{number_of(some)}/metrics")["ticket_metric"] == metrics[number_of(some)]


def _metric_events(url: str, metric: str) -> list[dict[str, Any]]:
    return [row for row in exported(url, "ticket_metric_events", per_page=500) if row["metric"] == metric]


def test_the_events_of_the_metrics_tell_what_the_help_desk_measured(url: str, first_day: Account) -> None:
    events: dict[tuple[int, str], dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in exported(url, "ticket_metric_events"):
        if row["instance_id"] == 1:
            events[row["ticket_id"], row["metric"]][row["type"]] = row
    metrics = {"first_response": "reply_time", "resolution": "resolution_time"}
    measured = {key for key, types in events.items() if "apply_sla" in types}
    reports = first_day.tables["ticket_sla_events"]
    assert measured == {(number_of(row["ticket_id"]), metrics[row["metric"]]) for row in reports}
    assert {row["breached"] for row in reports} >= {True, False}
    for row in reports:
        types = events[number_of(row["ticket_id"]), metrics[row["metric"]]]
        breach = types.get("breach")
        assert types["apply_sla"]["sla"]["target"] == row["target_minutes"]
        # A breach that was deleted is none.
        assert (breach is not None and not breach.get("deleted", False)) == bool(row["breached"])
        assert not row["breached"] or (breach is not None and breach["time"] == iso(row["breached_at"]))
        assert types.get("update_status", {}).get("time") == iso(row["fulfilled_at"])
        if row["fulfilled_at"] is not None:
            assert types["fulfill"]["time"] == iso(row["fulfilled_at"])
            assert types["update_status"]["status"]["calendar"] == row["elapsed_minutes"]


def test_an_undecided_sla_has_a_deleted_breach(first_day: Account) -> None:
    report = next(row for row in first_day.tables["ticket_sla_events"] if row["metric"] == "resolution" and row["fulfilled_at"])
    row = next(row for row in first_day.tables["tickets"] if row["ticket_id"] == report["ticket_id"])
    past = Past(row, reports={"resolution": {**report, "breached": None, "breached_at": None}})
    (breach,) = [event for event in metric_events(past, sla_policy(first_day)) if event["type"] == "breach"]
    assert breach["deleted"] is True


def test_changes_of_priority_are_in_the_ticket_events(url: str, first_day: Account) -> None:
    changes = [
        (event["ticket_id"], event["created_at"], PRIORITIES[child["previous_value"]], PRIORITIES[child["priority"]])
        for event in exported(url, "ticket_events")
        for child in event["child_events"]
        if child["event_type"] == "Change" and "priority" in child
    ]
    expected = {
        (number_of(row["ticket_id"]), iso(row["changed_at"]), row["from_priority"], row["to_priority"])
        for row in first_day.tables["ticket_priority_changes"]
        if row["from_priority"] is not None
    }
    (late,) = set(changes) - expected
    assert expected and expected <= set(changes) and late[2] is None


def test_a_ticket_without_a_priority_gets_one_later_or_never(url: str) -> None:
    assert tickets_of(url)["extra_no priority"]["priority"] is None
    late = [
        (event, child)
        for event in exported(url, "ticket_events")
        for child in event["child_events"]
        if "priority" in child and child.get("previous_value", "") is None
    ]
    ((event, _),) = late
    audits = ok(url, f"tickets/{event['ticket_id']}/audits")["audits"]
    assert not any(each.get("field_name") == "priority" for each in audits[0]["events"])
    assert get(url, f"tickets/{event['ticket_id']}").json()["ticket"]["priority"] is not None


def test_comments_are_exported_on_request_only(url: str) -> None:
    usual = Counter(child["event_type"] for row in exported(url, "ticket_events") for child in row["child_events"])
    with_comments = Counter(
        child["event_type"] for row in exported(url, "ticket_events", include="comment_events") for child in row["child_events"]
    )
    assert usual["Comment"] == 0 < with_comments["Comment"]
    assert usual["Create"] == with_comments["Create"] and usual["Change"] > 0


def test_a_merged_ticket(url: str, first_day: Account) -> None:
    (row,) = [row for row in first_day.tables["tickets"] if row["merged_into_ticket_id"]]
    made = tickets_of(url)[row["ticket_id"]]
    audits = ok(url, f"tickets/{made['id']}/audits")["audits"]
    assert (made["status"], made["tags"]) == ("closed", ["closed_by_merge"])
    assert audits[-1]["via"]["source"]["from"] == {"ticket_id": number_of(row["merged_into_ticket_id"])}
