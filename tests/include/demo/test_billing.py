"""The history of a subscription does not depend on the as-of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from include.demo.accounts import case_account
from include.demo.billing import Span, Terms, write_subscription
from include.demo.clock import at
from include.demo.people import organizations
from include.demo.world import World

END = at(2026, 3, 30, 9)


def subscription_as_of(as_of: datetime, label: str, interval: str) -> dict[str, Any]:
    """The subscription that ends on 2026-03-30, as of an instant."""
    world = World(1, 1.0, as_of)
    org = organizations(world)[0]
    account = case_account(world, org, 99, "Any", at(2025, 1, 1))
    span = Span(label, account, Terms(org.software[0], "growth", interval, 1, 3, 1000, 0), at(2025, 6, 2, 9))
    write_subscription(world, span, END, "ended", world.dice(label))
    return world.rows["subscriptions"][0]


@pytest.mark.parametrize("interval", ["week", "month"])
def test_notice_is_the_same_before_and_after_the_end(interval: str) -> None:
    noticed = 0
    for number in range(8):
        final = subscription_as_of(datetime(2026, 5, 1, tzinfo=UTC), str(number), interval)
        assert final["ended_at"] == END
        for days in range(1, 26):
            earlier = subscription_as_of(datetime(2026, 3, 30, tzinfo=UTC) - timedelta(days=days), str(number), interval)
            assert earlier.get("ended_at") is None
            assert earlier.get("cancelled_at") in (None, final["cancelled_at"])
            noticed += earlier.get("cancelled_at") is not None
    assert noticed > 20


def test_a_paused_subscription_and_no_other_says_since_when() -> None:
    names = [str(number) for number in range(60)]
    during = [subscription_as_of(datetime(2025, 9, 1, tzinfo=UTC), name, "month") for name in names]
    paused = [row for row in during if row["status"] == "paused"]
    assert paused, "some of them are paused then"
    assert {row["paused_at"] for row in paused} == {at(2025, 8, 2, 9)}
    after = [subscription_as_of(datetime(2025, 11, 1, tzinfo=UTC), name, "month") for name in names]
    assert [row for row in (*during, *after) if row["status"] != "paused" and row.get("paused_at") is not None] == []
