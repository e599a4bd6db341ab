"""fct_activities: one row per call, e-mail, meeting, note or task."""

from __future__ import annotations

from tests.recompute.sources import Row, SourceData, model
from tests.recompute.tenants import Tenants


@model
def fct_activities(sources: SourceData) -> list[Row]:
    """The rows of fct_activities, by activity_id."""
    tenants = Tenants(sources)
    return [
        {
            **activity,
            "account_key": tenants.key("accounts", activity["organization_id"], activity["account_id"]),
            "contact_key": tenants.key("contacts", activity["organization_id"], activity["contact_id"]),
            "deal_key": tenants.key("deals", activity["organization_id"], activity["deal_id"]),
            **tenants.user(activity["organization_id"], activity["user_id"], "user"),
            "completed_at": tenants.seen(activity["completed_at"]),
            "is_completed": None if activity["status"] is None else activity["status"] == "completed",
            "is_overdue": _is_overdue(activity, sources),
            "created_date": activity["created_at"].date(),
        }
        for activity in sources["activities"]
    ]


def _is_overdue(activity: Row, sources: SourceData) -> bool | None:
    if activity["status"] != "planned":
        # In SQL, a due time that has not come rules out an overdue activity of any status.
        is_due = activity["due_at"] is None or activity["due_at"] < sources.as_of
        return None if activity["status"] is None and is_due else False
    return None if activity["due_at"] is None else activity["due_at"] < sources.as_of
