"""Edge cases of the support metrics: tickets, causes, releases and surveys of the organizations of odd_rows."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from itertools import product
from typing import TYPE_CHECKING

from tests.pipeline.odd_rows import AS_OF, LAST, LATER, ZONES, U, V, W

if TYPE_CHECKING:
    from tests.pipeline.odd_companies import Folder


def plant(folder: Folder) -> None:
    """Add the rows. The organizations must exist."""
    for rows in (_tickets, _desks, _support, _surveys):
        rows(folder)


def _tickets(folder: Folder) -> None:
    dice = random.Random(5)

    def add(tenant: str, created_at: str, status: str, priority: str, response: str, resolved: str, **values: object) -> str:
        ticket = {"account_id": "top", "facility_id": f"f-{tenant}", "channel": "email", "reopened_count": 0, **values}
        times = {"created_at": created_at, "first_responded_at": response, "resolved_at": resolved}
        given = {"organization_id": tenant, "status": status, "priority": priority, "updated_at": LAST, **times, **ticket}
        return folder.add("tickets", **given)

    def change(ticket: str, tenant: str, before: str, after: str, at: str) -> None:
        moved = {"from_priority": before, "to_priority": after, "changed_at": at}
        folder.add("ticket_priority_changes", organization_id=tenant, ticket_id=ticket, updated_at=LAST, **moved)

    # Across changes of daylight-saving time, across a holiday, across a weekend, and before the first known opening hours.
    spans = (
        *(("2026-03-27T14:00:00Z", "2026-03-30T09:00:30Z"), ("2025-10-24T14:10:00Z", "2025-10-27T09:00:00Z")),
        *(("2026-04-30T10:00:00Z", "2026-05-04T10:00:00.5Z"), ("2026-09-18T14:30:00Z", "2026-09-22T08:00:00Z")),
        *(("2026-02-28T09:59:00Z", "2026-03-02T20:00:00Z"), ("2018-12-31T00:00:00Z", "2019-01-03T00:00:00Z")),
    )
    for tenant, priority, (created_at, end) in product(ZONES, ("critical", "high", "medium", "low"), spans):
        for status, response, resolved in (
            ("resolved", created_at, end),
            ("closed", "", end),
            ("open", end, ""),
            ("pending", "", ""),
        ):
            add(tenant, created_at, status, priority, response, resolved)
    start = "2026-09-14T07:00:00Z"
    for status, response, resolved in product(
        ("resolved", "closed", "on_hold", "escalated"), ("", LAST, AS_OF, LATER), ("", LAST, LATER)
    ):
        add(V, start, status, "low", response, resolved, csat_score=dice.randint(1, 5), reopened_count=dice.randint(0, 2))
    for facility, account in (("", "top"), ("nowhere", "gone"), (f"f-{U}", "u1"), (f"f-{V}", "")):
        add(V, "2026-09-30T23:50:00Z", "open", "critical", "", "", facility_id=facility, account_id=account)
    moved = add(V, start, "resolved", "critical", "2026-09-14T08:00:00Z", "2026-09-14T12:00:00Z")
    change(moved, V, "low", "high", "2026-09-14T08:00:00Z")
    change(moved, V, "critical", "medium", "2026-09-14T12:00:00.000001Z")
    change(moved, U, "low", "high", "2026-09-14T07:30:00Z")
    change("unknown", V, "low", "high", start)
    for _ in range(60):
        tenant, created = dice.choice((V, W)), datetime(2026, 1, 1) + timedelta(seconds=dice.randrange(255 * 86400))
        replied = created + timedelta(seconds=dice.randrange(5 * 86400))
        ended = replied + timedelta(seconds=dice.randrange(9 * 86400))
        priority = dice.choice(("critical", "high", "low"))
        ticket = add(tenant, f"{created.isoformat()}Z", "resolved", priority, f"{replied.isoformat()}Z", f"{ended.isoformat()}Z")
        for _ in range(dice.randrange(3)):
            at = created + timedelta(seconds=dice.randrange(9 * 86400))
            change(ticket, tenant, "low", dice.choice(("critical", "high", "low")), f"{at.isoformat()}Z")


def _desks(folder: Folder) -> None:
    """Help desks of other kinds: open around the clock, on Mars, with hours that cannot be read, and without recorded replies."""
    desks = {
        "org-sydney": ("AUS Eastern Standard Time", [(day, "00:00", "24:00") for day in range(1, 8)]),
        "org-mars": ("Mars/Olympus", [(day, "09:00", "17:00") for day in range(1, 8)]),
        "org-unread": ("Eastern Time (US & Canada)", [(1, "24:00", "24:00"), (2, "09:00", "17:00")]),
        "org-silent": ("utc", []),
    }
    for tenant, (zone, windows) in desks.items():
        folder.add("organizations", organization_id=tenant, name=tenant, timezone=zone, reporting_currency="EUR")
        folder.add("facilities", facility_id=f"f-{tenant}", organization_id=tenant, name=tenant)
        for weekday, opens, closes in windows:
            hours = {"weekday": weekday, "opens_at": opens, "closes_at": closes, "valid_from": "2020-01-01"}
            folder.add("business_hours", organization_id=tenant, **hours)
        for priority, first, clock, since in (
            *(("Urgent", 60, "business", "2020-01-01"), ("Urgent", 30, "Business-Hours", "2024-04-07")),
            *(("low", 90, "Calendar hours", "2020-01-01"), ("P 1", 45, "lunar", "2020-01-01")),
        ):
            terms = {"first_response_minutes": first, "resolution_minutes": 4 * first, "clock": clock, "valid_from": since}
            folder.add("sla_policies", organization_id=tenant, priority=priority, **terms)
        # Resolved on the day on which Sydney's clocks go back, created on either side of Sydney's midnight, open, and merged.
        replies = ("",) if tenant == "org-silent" else ("", "2024-04-06T10:30:00Z")
        for priority, status, created_at, resolved_at, response in (
            *(("urgent", "solved", "2024-04-06T10:00:00Z", "2024-04-07T10:00:00Z", reply) for reply in replies),
            *(("normal", "Closed", f"2024-04-06T{time}Z", "2024-04-06T15:00:00Z", "") for time in ("13:59:59", "14:00:00")),
            *(("URGENT", "Waiting on third party", f"2024-04-06T{time}Z", "", "") for time in ("13:59:59", "14:00:00")),
            ("p7", "triage", "2024-04-06T10:00:00Z", "", ""),
            ("p-1", "open", "2024-04-06T10:00:00Z", "", ""),
            ("low", "merged", "2024-04-06T10:00:00Z", "2024-04-06T10:01:00Z", ""),
        ):
            times = {"created_at": created_at, "first_responded_at": response, "resolved_at": resolved_at, "updated_at": LAST}
            given = {
                "facility_id": f"f-{tenant}",
                "channel": "email",
                "reopened_count": 0,
                "priority": priority,
                "status": status,
            }
            ticket = folder.add("tickets", organization_id=tenant, **times, **given)
            if resolved_at:
                given |= {"status": "closed", "merged_into_ticket_id": ticket}
                folder.add("tickets", organization_id=tenant, **times, **given)


def _support(folder: Folder) -> None:
    # Categories and root causes: top level, with a missing parent, and in another organization.
    for tenant, category, name, parent in ((V, "cat", "Zoom", ""), (V, "cat-low", "zoom", "Nowhere"), (U, "cat-u", "Zoom", "")):
        folder.add("ticket_categories", organization_id=tenant, category_id=category, name=name, parent_name=parent)
    for tenant, cause, kind, severity in (
        (V, "rc", "Software", "Critical"),
        (V, "rc-same", "user", "low"),
        (U, "rc-u", "user", "low"),
    ):
        folder.add(
            "root_causes", organization_id=tenant, root_cause_id=cause, code="X", name="X", category=kind, severity=severity
        )
    choices = {
        "category_id": ("", "cat", "cat-low", "cat-u", "nothing"),
        "root_cause_id": ("rc", "", "rc-same", "rc-u", "nothing", "rc", "rc-same"),
        "product_id": ("p0EUR", "", "nothing", "p1JPY"),
        "assignee_user_id": ("", f"user-{V}", f"user-{U}", "nobody"),
        "account_id": ("top", "c2", "", "gone", "u1", "rev1"),
        "channel": ("email", "Chat", "phone", "social", "web", "app"),
        "app_version": ("1.2", "v1.2", " V1.2 ", "1.2.1", "", "1.20", "v2.0-rc1"),
        "csat_score": ("", 1, 2, 3, 4, 5, 0, 7),
        "status": ("open", "resolved", "escalated", "closed", "pending"),
    }
    moments = ("2025-12-31T23:59:59.999999Z", "2026-01-01T00:00:00Z", "2026-08-30T23:59:59Z", "2026-08-31T00:00:00Z", LAST, AS_OF)
    for number, (created_at, resolved_at) in enumerate(product(moments * 12, ("", "2026-09-02T12:00:00Z"))):
        values = {column: options[number // 2 % len(options)] for column, options in choices.items()}
        times = {"created_at": created_at, "resolved_at": resolved_at if created_at < resolved_at else "", "updated_at": LAST}
        folder.add(
            "tickets", organization_id=V, facility_id=f"f-{V}", priority="high", reopened_count=number % 3, **times, **values
        )
    _spike(folder)


def _spike(folder: Folder) -> None:
    """Tickets of releases by day: just enough for a spike, one too few, after quiet weeks, among busy ones, and today."""
    for tenant, release, days in (
        (W, "9.0", {"2026-09-01": 9, "2026-09-02": 10}),
        (W, "9.1", {"2026-08-04": 8, "2026-08-11": 10, "2026-08-18": 8, "2026-08-25": 10, "2026-09-01": 12, "2026-09-08": 13}),
        (W, "9.2", {"2026-08-04": 20, "2026-08-31": 1, "2026-09-01": 20, "2026-09-29": 20, "2026-10-01": 30}),
        (W, "V9.3", {"2026-09-30": 11}),
        # Exactly three deviations above the mean of 8, 8, 8 and 12; a week later, above those of 8, 8, 12 and 15.
        (U, "9.4", {"2026-08-06": 8, "2026-08-13": 8, "2026-08-20": 8, "2026-08-27": 12, "2026-09-03": 15, "2026-09-10": 36}),
    ):
        for day, number in ((day, number) for day, count in days.items() for number in range(count)):
            values = {"channel": "app", "priority": "low", "status": "open", "updated_at": LAST}
            folder.add(
                "tickets", organization_id=tenant, app_version=release, created_at=f"{day}T{number % 24:02}:59:59Z", **values
            )
    for moment, version in (("2026-08-03T00:00:00Z", "9.1"), ("2026-09-01T00:00:00Z", "9.9"), (AS_OF, "10")):
        folder.add("usage_events", organization_id=W, account_id="sek", user_id="x", app_version=version, occurred_at=moment)


def _surveys(folder: Folder) -> None:
    scores = {"csat": (0, 1, 2, 3, 4, 5, 6), "nps": (-1, 0, 6, 7, 8, 9, 10, 11)}
    for survey_type, sent_at, responded_at in product(scores, ("2026-08-31T23:59:59Z", LAST), ("", LAST, AS_OF, LATER)):
        for number, score in enumerate(scores[survey_type]):
            folder.add(
                "survey_responses",
                organization_id=V,
                facility_id=("", f"f-{V}", "nowhere", f"f-{U}")[number % 4],
                account_id=("", "top", "gone", "u1")[number % 4],
                survey_type=survey_type,
                score=score,
                sent_at=sent_at,
                responded_at=responded_at,
            )
