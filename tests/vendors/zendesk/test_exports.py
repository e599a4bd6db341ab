"""Zendesk's exports: cursors, repeated rows, deleted and archived tickets, limits."""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime

import requests

from include.demo.vendors import vendor_app
from include.demo.vendors.common import Account, Faults, number_of
from tests.vendors.running import running
from tests.vendors.zendesk.reading import exported, get, listed, ok, pages_by_cursor, tickets_of


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
