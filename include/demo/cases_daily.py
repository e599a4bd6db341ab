"""Edge cases of every day: inserted, updated and deleted rows. So two daily runs in a row always differ in all three ways."""

from __future__ import annotations

from include.demo import clock
from include.demo.accounts import AccountPool, contact_values
from include.demo.clock import DAY, EPOCH, HOUR
from include.demo.world import World

_REMINDER_DAYS = 2
"""Days from the creation of a reminder to its deletion."""
_ERASED_AFTER_DAYS = 6
"""Days from the creation of a contact to its deletion on request."""
_DAYS_LATE = 3
"""Days between a visit and its late entry."""


def daily_cases(world: World, pool: AccountPool) -> None:
    """Write daily reminders (created, completed a day later, then deleted), contacts deleted on request, and late entries."""
    today = (world.now - EPOCH) // DAY
    account = pool.accounts[0]
    owner = account.org.staff("csm", EPOCH)[0].id
    for number in range(max(0, today - 5), today + 1):
        _reminder(world, number, account.org.id, account.id, owner)
        _erasure(world, pool, number)
    for number in range(7, today + 1, 7):
        _late_entry(world, number, account.org.id, account.id, owner)
    for number in range(max(0, today - 12), max(0, today - 5)):
        _erasure(world, pool, number)


def _reminder(world: World, number: int, organization: str, account: str, owner: str) -> None:
    day = EPOCH + number * DAY
    activity = world.uuid("activity", "reminder", number)
    done, gone = day + DAY + 11 * HOUR, day + _REMINDER_DAYS * DAY + 12 * HOUR
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


def _erasure(world: World, pool: AccountPool, number: int) -> None:
    day = EPOCH + number * DAY
    account = pool.accounts[number % 2]
    contact = world.uuid("contact", "erased", number)
    born, gone = day + 9 * HOUR, day + _ERASED_AFTER_DAYS * DAY + 15 * HOUR
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
    """Write the late entry of a visit three days ago. There is one per week."""
    known = EPOCH + number * DAY + 18 * HOUR
    visited = known - _DAYS_LATE * DAY
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
