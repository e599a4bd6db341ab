"""Zendesk's server over HTTP: the whole company, and each trap of the API. Its Python client is under the GPL, so requests reads."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from include.demo.vendors import vendor_app
from include.demo.vendors.common import Account, Faults, iso, number_of
from include.demo.vendors.zendesk.history import Past, metric_events
from include.demo.vendors.zendesk.objects import ESCALATED, field_id, sla_policy
from include.demo.vendors.zendesk.server import EMAIL, api_token
from tests.vendors.running import running

FREE = {"exports_per_minute": 10**6, "per_minute": 10**6}
PRIORITIES = {"urgent": "critical", "high": "high", "normal": "medium", "low": "low", None: None}
CHANNELS = {"email": "email", "chat": "chat", "voice": "phone", "facebook": "social", "web": "web", "mobile_sdk": "app"}
STATUSES = {"open": "open", "pending": "pending", "hold": "on_hold", "solved": "resolved", "closed": "closed"}
EXTRAS = {"extra_restored", "extra_deleted", "extra_scrubbed", "extra_no priority"}


@pytest.fixture(scope="module")
def first_day(accounts: list[tuple[Account, Account]]) -> Account:
    """The second organization, whose help desk measures all its tickets."""
    return accounts[1][0]


@pytest.fixture(scope="module")
def second_day(accounts: list[tuple[Account, Account]]) -> Account:
    """The same organization a day later."""
    return accounts[1][1]


@pytest.fixture(scope="module")
def url(first_day: Account) -> Iterator[str]:
    with running(vendor_app("zendesk", first_day, Faults(**FREE))) as address:
        yield address


@pytest.fixture(scope="module")
def next_url(second_day: Account) -> Iterator[str]:
    with running(vendor_app("zendesk", second_day, Faults(**FREE))) as address:
        yield address


@pytest.fixture
def faults(url: str) -> Iterator[str]:
    """The control endpoint. What a test asks for ends with the test."""
    yield f"{url}/_faults"
    requests.delete(f"{url}/_faults", timeout=10)
    requests.post(f"{url}/_faults", json={"settings": FREE}, timeout=10)


def get(url: str, path: str, **params: Any) -> requests.Response:
    address = path if path.startswith("http") else f"{url}/api/v2/{path}"
    return requests.get(address, params=params, auth=(f"{EMAIL}/token", api_token()), timeout=10)


def ok(url: str, path: str, **params: Any) -> dict[str, Any]:
    answer = get(url, path, **params)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def pages_by_cursor(url: str, name: str, **params: Any) -> Iterator[dict[str, Any]]:
    page = ok(url, f"incremental/{name}/cursor.json", **{"start_time": 0, **params})
    yield page
    while not page["end_of_stream"]:
        page = ok(url, page["after_url"])
        yield page


def exported(url: str, name: str, **params: Any) -> list[dict[str, Any]]:
    """All rows of an export by time, without the repeated ones."""
    page = ok(url, f"incremental/{name}.json", start_time=0, **params)
    rows = {row["id"]: row for row in page[name]}
    while not page["end_of_stream"]:
        page = ok(url, page["next_page"])
        rows |= {row["id"]: row for row in page[name]}
    return list(rows.values())


def listed(url: str, path: str) -> list[dict[str, Any]]:
    """All rows of a list by cursor."""
    name, rows = path.rpartition("/")[2], []
    page = ok(url, path, **{"page[size]": 50})
    rows += page[name]
    while page["meta"]["has_more"]:
        page = ok(url, page["links"]["next"])
        rows += page[name]
    return rows


def tickets_of(url: str, **params: Any) -> dict[str, dict[str, Any]]:
    return {row["external_id"]: row for page in pages_by_cursor(url, "tickets", **params) for row in page["tickets"]}


def test_the_tickets_of_the_company(url: str, first_day: Account) -> None:
    read = tickets_of(url, per_page=70)
    rows = {row["ticket_id"]: row for row in first_day.tables["tickets"]}
    assert read.keys() == rows.keys() | EXTRAS
    contacts = {row["contact_id"] for row in first_day.tables["contacts"]}
    for key, row in rows.items():
        made = read[key]
        status = "escalated" if made["custom_status_id"] == ESCALATED else STATUSES[made["status"]]
        values = {field["id"]: field["value"] for field in made["custom_fields"]}
        assert (status, PRIORITIES[made["priority"]], CHANNELS[made["via"]["channel"]]) == (
            row["status"],
            row["priority"],
            row["channel"],
        )
        assert (made["subject"], made["created_at"], made["updated_at"]) == (
            row["subject"],
            iso(row["created_at"]),
            iso(row["updated_at"]),
        )
        assert made["organization_id"] == (number_of(row["account_id"]) if row["account_id"] else None)
        assert made["assignee_id"] == number_of(row["assignee_user_id"])
        if row["contact_id"] in contacts:
            assert made["requester_id"] == number_of(row["contact_id"])
        for column in ("facility_id", "product_id", "category_id", "root_cause_id", "app_version"):
            assert values[field_id(column)] == row[column]


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


def test_people_and_organizations(url: str, first_day: Account) -> None:
    users = {row["external_id"]: row for row in exported(url, "users")}
    for row in first_day.tables["contacts"]:
        made = users[row["contact_id"]]
        assert (made["role"], made["name"]) == ("end-user", f"{row['first_name']} {row['last_name']}")
        assert (made["email"], made["phone"], made["organization_id"]) == (
            row["email"],
            row["phone"],
            number_of(row["account_id"]),
        )
    staff = [row for row in first_day.tables["users"] if row["role"] == "support_agent"]
    assert staff and all(users[row["user_id"]]["role"] == "agent" for row in staff)
    assert all(users[row["user_id"]]["name"] == row["full_name"] for row in staff)
    organizations = {row["external_id"]: row for row in exported(url, "organizations")}
    assert organizations.keys() == {row["account_id"] for row in first_day.tables["accounts"]}
    assert {row["external_id"] for row in listed(url, "organizations")} == organizations.keys()


def test_fields_have_the_names_of_categories_and_causes(url: str, first_day: Account) -> None:
    fields = {row["id"]: row for row in listed(url, "ticket_fields")}
    options = {option["value"]: option["name"] for option in fields[field_id("category_id")]["custom_field_options"]}
    for row in first_day.tables["ticket_categories"]:
        parent, _, name = options[row["category_id"]].rpartition("::")
        assert (name, parent or None) == (row["name"], row["parent_name"])
    causes = {option["value"]: option["name"] for option in fields[field_id("root_cause_id")]["custom_field_options"]}
    assert causes == {row["root_cause_id"]: f"{row['category']}::{row['name']}" for row in first_day.tables["root_causes"]}


def test_surveys_are_listed_once_they_are_answered(url: str, first_day: Account) -> None:
    read = {row["id"]: row for row in listed(url, "guide/survey_responses")}
    answered = [row for row in first_day.tables["survey_responses"] if row["survey_type"] == "csat" and row["responded_at"]]
    assert read.keys() == {row["response_id"] for row in answered}
    for row in answered:
        made = read[row["response_id"]]
        rating = made["answers"][0]
        assert (rating["rating"], rating["created_at"]) == (row["score"], iso(row["responded_at"]))
        assert made["subjects"][0]["id"] == str(number_of(row["ticket_id"]))
        assert [answer.get("value") for answer in made["answers"][1:]] == ([row["comment"]] if row["comment"] else [])
    offered = [
        event["survey_response_id"]
        for audit in listed(url, "ticket_audits")
        for event in audit["events"]
        if event["type"] == "SurveyOffered"
    ]
    assert set(offered) - read.keys()
    assert ok(url, "satisfaction_ratings")["satisfaction_ratings"] == []


def test_older_accounts_have_ratings_and_no_surveys(first_day: Account) -> None:
    with running(vendor_app("zendesk", first_day, Faults(**FREE, ratings=True))) as url:
        ratings = {row["ticket_id"]: row for row in listed(url, "satisfaction_ratings")}
        assert {row["score"] for row in ratings.values()} == {"offered", "good", "bad"}
        assert listed(url, "guide/survey_responses") == []
        tickets = {row["id"]: row for row in tickets_of(url).values()}
        assert all(tickets[id_]["satisfaction_rating"]["score"] == row["score"] for id_, row in ratings.items())
        good = ok(url, "satisfaction_ratings", score="good")["satisfaction_ratings"]
        assert len(good) == sum(row["score"] == "good" for row in ratings.values())
        bound = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
        newer = ok(url, "satisfaction_ratings", start_time=bound)["satisfaction_ratings"]
        assert newer and all(row["created_at"] >= "2026-01-01" for row in newer)


def test_policies_schedules_and_holidays(url: str, first_day: Account) -> None:
    (policy,) = ok(url, "slas/policies")["sla_policies"]
    targets = {
        (PRIORITIES[row["priority"]], row["metric"]): (row["target"], row["business_hours"]) for row in policy["policy_metrics"]
    }
    current = {row["priority"]: row for row in sorted(first_day.tables["sla_policies"], key=lambda row: row["valid_from"])}
    for priority, row in current.items():
        business = row["clock"] == "business"
        assert targets[priority, "first_reply_time"] == (row["first_response_minutes"], business)
        assert targets[priority, "total_resolution_time"] == (row["resolution_minutes"], business)
    (schedule,) = ok(url, "business_hours/schedules.json")["schedules"]
    assert schedule["time_zone"] == "Eastern Time (US & Canada)"
    # Monday 08:00 to 12:00, in minutes since Sunday 00:00.
    assert schedule["intervals"][0] == {"start_time": 1440 + 480, "end_time": 1440 + 720}
    days = ok(url, f"business_hours/schedules/{schedule['id']}/holidays")["holidays"]
    assert {row["start_date"] for row in days} == {row["holiday_date"].isoformat() for row in first_day.tables["holidays"]}


def test_the_end_of_a_stream_has_a_cursor_and_a_link(url: str) -> None:
    *_, last = pages_by_cursor(url, "tickets", per_page=60)
    assert last["end_of_stream"] is True and last["after_url"] and last["after_cursor"]
    again = ok(url, "incremental/tickets/cursor", cursor=last["after_cursor"])
    assert (again["tickets"], again["end_of_stream"], again["after_cursor"]) == ([], True, last["after_cursor"])
    by_time = ok(url, "incremental/organizations", start_time=0)
    assert by_time["end_of_stream"] is True and by_time["next_page"]


def test_the_next_day_begins_with_the_cursor_of_the_first(url: str, next_url: str, first_day: Account) -> None:
    *_, last = pages_by_cursor(url, "tickets")
    page = ok(next_url, "incremental/tickets/cursor.json", cursor=last["after_cursor"])
    read = {row["external_id"]: row for row in page["tickets"]}
    old, new = tickets_of(url), tickets_of(next_url)
    assert read.keys() >= {key for key, row in new.items() if row != old.get(key)}
    assert (old["extra_restored"]["status"], read["extra_restored"]["status"]) == ("deleted", "open")
    assert (old["extra_deleted"]["status"], read["extra_deleted"]["status"]) == ("open", "deleted")
    # A ticket that Zendesk touched has an update that is older than the cursor.
    oldest = min(first_day.tables["tickets"], key=lambda row: row["created_at"])["ticket_id"]
    assert read[oldest]["updated_at"] == old[oldest]["updated_at"] < "2026-09-01"


def test_a_ticket_that_changes_between_two_pages_comes_twice(url: str, faults: str) -> None:
    pages = pages_by_cursor(url, "tickets", per_page=100)
    first = next(pages)["tickets"]
    requests.post(faults, json={"settings": {"touched": [first[0]["id"]]}}, timeout=10)
    rest = [row for page in pages for row in page["tickets"]]
    (again,) = [row for row in rest if row["id"] == first[0]["id"]]
    assert again["updated_at"] == first[0]["updated_at"] and again["generated_timestamp"] > first[0]["generated_timestamp"]


def test_an_export_by_time_repeats_rows_at_the_border_of_pages(url: str) -> None:
    first = ok(url, "incremental/tickets", start_time=0, per_page=50)
    second = ok(url, first["next_page"])
    assert first["count"] == 50 and first["end_time"] == first["tickets"][-1]["generated_timestamp"]
    assert second["tickets"][0]["id"] == first["tickets"][-1]["id"]


def test_an_export_by_time_stalls_at_a_second_with_more_rows_than_a_page(url: str) -> None:
    rows = exported(url, "ticket_metric_events")
    second, count = Counter(row["time"] for row in rows).most_common(1)[0]
    start = int(datetime.fromisoformat(second).timestamp())
    page = ok(url, "incremental/ticket_metric_events", start_time=start, per_page=count - 1)
    assert page["end_of_stream"] is False and ok(url, page["next_page"])["ticket_metric_events"] == page["ticket_metric_events"]


def test_deleted_and_scrubbed_tickets_are_in_the_export_only(url: str) -> None:
    read = tickets_of(url)
    assert {key for key, row in read.items() if row["status"] == "deleted"} == {"extra_restored", "extra_scrubbed"}
    assert (read["extra_scrubbed"]["subject"], read["extra_scrubbed"]["description"]) == ("SCRUBBED", "SCRUBBED")
    assert not {"extra_restored", "extra_scrubbed"} & {row["external_id"] for row in listed(url, "tickets")}
    assert not {"extra_restored", "extra_scrubbed"} & tickets_of(url, exclude_deleted="true").keys()


def test_archived_tickets_are_in_the_export_only(url: str) -> None:
    shown = {row["external_id"] for row in listed(url, "tickets")}
    archived = [row for key, row in tickets_of(url).items() if key not in shown and row["status"] == "closed"]
    assert archived and all(row["updated_at"] < "2026-06-04" for row in archived)
    assert ok(url, f"tickets/{archived[0]['id']}")["ticket"] == archived[0]


def test_deleted_users_and_organizations(url: str, next_url: str, first_day: Account, second_day: Account) -> None:
    assert first_day.spare is not None
    spare = first_day.spare["account_id"]
    deleted = {row["external_id"]: row["deleted_at"] for row in exported(next_url, "organizations") if row["deleted_at"]}
    assert deleted.keys() == {spare}
    assert spare in {row["external_id"] for row in listed(url, "organizations")}
    assert spare not in {row["external_id"] for row in listed(next_url, "organizations")}
    merged = number_of("user/merged")
    assert merged in {row["id"] for row in listed(url, "users")}
    assert merged not in {row["id"] for row in listed(next_url, "users")}
    inactive = {row["id"] for row in exported(next_url, "users") if not row["active"]}
    assert inactive == {merged} | {number_of(row["contact_id"]) for row in second_day.gone["contacts"]}


def test_the_last_minute_is_not_exported(url: str, first_day: Account) -> None:
    now = int(first_day.now.timestamp())
    answer = get(url, "incremental/tickets/cursor.json", start_time=now - 30)
    assert (answer.status_code, answer.json()["error"]) == (422, "InvalidValue")
    assert "Too recent start_time" in answer.json()["description"]
    assert get(url, "incremental/tickets/cursor.json", start_time=now - 61).status_code == 200
    assert all(row["generated_timestamp"] <= now - 60 for row in tickets_of(url).values())


def test_the_eleventh_export_in_a_minute_has_to_wait(first_day: Account) -> None:
    with running(vendor_app("zendesk", first_day, Faults(minute=5))) as url:
        answers = [get(url, "incremental/organizations", start_time=0) for _ in range(11)]
        refused = answers[-1]
        assert [answer.status_code for answer in answers] == [200] * 10 + [429]
        assert answers[0].headers["X-Rate-Limit-Remaining"] == "9" and answers[0].headers["ratelimit-limit"] == "10"
        assert refused.headers["content-type"].startswith("text/plain") and 1 <= int(refused.headers["Retry-After"]) <= 5
        assert get(url, "users").status_code == 200
        time.sleep(int(refused.headers["Retry-After"]))
        assert get(url, "incremental/organizations", start_time=0).status_code == 200


def test_a_list_has_a_next_link_although_it_has_no_more(url: str) -> None:
    page = ok(url, "groups", **{"page[size]": 100})
    assert page["meta"]["has_more"] is False and page["links"]["next"]
    assert ok(url, page["links"]["next"])["groups"] == []
    first = ok(url, "users", **{"page[size]": 2})
    second = ok(url, first["links"]["next"])
    assert ok(url, second["links"]["prev"])["users"] == first["users"]


def test_numbered_pages(url: str) -> None:
    first = ok(url, "users.json", per_page=5)
    assert first["count"] > 5 and first["previous_page"] is None
    assert ok(url, first["next_page"])["users"][0] != first["users"][0]
    assert ok(url, "groups.json")["next_page"] is None
    assert get(url, "users.json", page=101).status_code == 400
    assert get(url, "tickets").headers["zendesk-ratelimit-tickets-index"].startswith("total=")


def test_credentials(url: str) -> None:
    def status(**options: Any) -> int:
        return requests.get(f"{url}/api/v2/users/me.json", timeout=10, **options).status_code

    assert status(auth=(f"{EMAIL}/token", api_token())) == 200
    assert status(headers={"Authorization": f"Bearer {api_token()}"}) == 200
    assert status(auth=(EMAIL, api_token())) == 401
    assert status(auth=(f"{EMAIL}/token", "wrong")) == 401
    assert status() == 401


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("nothing", {}, 404),
        ("tickets/5", {}, 404),
        ("incremental/requests", {"start_time": 0}, 404),
        ("incremental/tickets/cursor", {}, 400),
        ("incremental/tickets/cursor", {"cursor": "bm90aGluZw=="}, 400),
        ("incremental/tickets/cursor", {"cursor": "?"}, 400),
        ("users", {"page[after]": "bm90aGluZw=="}, 400),
        ("users", {"per_page": "many"}, 400),
    ],
)
def test_invalid_requests(url: str, path: str, params: dict[str, Any], status: int) -> None:
    answer = get(url, path, **params)
    assert answer.status_code == status and answer.json()["error"]


def test_an_error_of_the_server_is_html(url: str, faults: str) -> None:
    planned = {"path": "/api/v2/users", "status": 503, "body": "<html>Down</html>", "headers": {"Retry-After": "1"}, "after": 1}
    requests.post(faults, json={"answers": [planned]}, timeout=10)
    assert [get(url, "users").status_code for _ in range(3)] == [200, 503, 200]
