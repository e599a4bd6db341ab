"""The whole company as Zendesk has it."""

from __future__ import annotations

from datetime import UTC, datetime

from include.demo.vendors import vendor_app
from include.demo.vendors.common import Account, Faults, iso, number_of
from include.demo.vendors.zendesk.objects import ESCALATED, field_id
from tests.vendors.running import running
from tests.vendors.zendesk.reading import CHANNELS, EXTRAS, FREE, PRIORITIES, STATUSES, exported, listed, ok, tickets_of


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
