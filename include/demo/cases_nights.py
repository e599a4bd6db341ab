"""What every night shows: rows that come, change and go, so that two nights in a row always differ in all three ways."""

from __future__ import annotations

from include.demo import clock
from include.demo.accounts import Book, contact_values
from include.demo.clock import DAY, EPOCH, HOUR
from include.demo.world import World

_LIVES = 2
"""Days from a reminder's creation to its deletion."""
_FORGOTTEN_AFTER = 6
"""Days from a contact's registration to its erasure on request."""
_LATE = 3
"""Days by which a visit is written down late."""


def night_cases(world: World, book: Book) -> None:
    """Write the daily reminder (created, done a day later, then deleted), contacts erased on request, and late entries."""
    today = (world.now - EPOCH) // DAY
    account = book.accounts[0]
    owner = account.org.staff("csm", EPOCH)[0].id
    for number in range(max(0, today - 5), today + 1):
        _reminder(world, number, account.org.id, account.id, owner)
        _erasure(world, book, number)
    for number in range(7, today + 1, 7):
        _late_entry(world, number, account.org.id, account.id, owner)
    for number in range(max(0, today - 12), max(0, today - 5)):
        _erasure(world, book, number)


def _reminder(world: World, number: int, organization: str, account: str, owner: str) -> None:
    day = EPOCH + number * DAY
    activity = world.uuid("activity", "reminder", number)
    done, gone = day + DAY + 11 * HOUR, day + _LIVES * DAY + 12 * HOUR
    values = {
        "activity_id": activity,
        "organization_id": organization,
        "account_id": account,
        "user_id": owner,
        "activity_type": "task",
        "subject": "Call back today",
        "status": "planned",
        "due_at": done,
        "created_at": day + 10 * HOUR,
    }
    exists = world.add("activities", day + 10 * HOUR, values, [(done, {"status": "completed", "completed_at": done})], gone)
    _label(world, "activities", activity, exists, gone)


def _erasure(world: World, book: Book, number: int) -> None:
    day = EPOCH + number * DAY
    account = book.accounts[number % 2]
    contact = world.uuid("contact", "erased", number)
    born, gone = day + 9 * HOUR, day + _FORGOTTEN_AFTER * DAY + 15 * HOUR
    dice = world.dice("contact", "erased", number)
    exists = world.add("contacts", born, contact_values(account, contact, dice, born, primary=False), deleted=gone)
    _label(world, "contacts", contact, exists, gone)


def _label(world: World, table: str, key: str, exists: bool, gone: int) -> None:
    title = "hard delete"
    if exists and gone < world.now + 2 * DAY:
        world.case(title, table, key, f"still there; deleted at {clock.iso(gone)}", 0)
    elif not exists and world.now - 3 * DAY <= gone < world.now:
        world.case(title, table, key, f"deleted at {clock.iso(gone)}", gone, "gone")


def _late_entry(world: World, number: int, organization: str, account: str, owner: str) -> None:
    """Once a week somebody writes down a visit of three days ago."""
    known = EPOCH + number * DAY + 18 * HOUR
    visited = known - _LATE * DAY
    activity = world.uuid("activity", "late", number)
    values = {
        "activity_id": activity,
        "organization_id": organization,
        "account_id": account,
        "user_id": owner,
        "activity_type": "meeting",
        "subject": "Visit",
        "status": "completed",
        "outcome": "neutral",
        "completed_at": visited,
        "duration_minutes": 60,
        "created_at": visited,
    }
    world.add("activities", known, values)
    if known > world.now - 7 * DAY:
        see = f"completed {clock.iso(visited)}, first known {clock.iso(known)}"
        world.case("late-arriving event", "activities", activity, see, known)
