"""fct_activities: one row per call, e-mail, meeting, note or task."""

from __future__ import annotations

from tests.recompute.tenants import Tenants
from tests.recompute.world import Row, World


def fct_activities(world: World) -> list[Row]:
    """The rows of fct_activities, by activity_id."""
    tenants = Tenants(world)
    return [
        {
            **activity,
            "account_key": tenants.key("accounts", activity["organization_id"], activity["account_id"]),
            "contact_key": tenants.key("contacts", activity["organization_id"], activity["contact_id"]),
            "deal_key": tenants.key("deals", activity["organization_id"], activity["deal_id"]),
            **tenants.user(activity["organization_id"], activity["user_id"], "user"),
            "completed_at": tenants.seen(activity["completed_at"]),
            "is_completed": activity["status"] == "completed",
            "is_overdue": _is_overdue(activity, world),
            "created_date": activity["created_at"].date(),
        }
        for activity in world["activities"]
    ]


def _is_overdue(activity: Row, world: World) -> bool:
    return activity["status"] == "planned" and activity["due_at"] is not None and activity["due_at"] < world.as_of
