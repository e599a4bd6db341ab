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
            "is_completed": activity["status"] == "completed",
            "is_overdue": _is_overdue(activity, sources),
            "created_date": activity["created_at"].date(),
        }
        for activity in sources["activities"]
    ]


def _is_overdue(activity: Row, sources: SourceData) -> bool:
    return activity["status"] == "planned" and activity["due_at"] is not None and activity["due_at"] < sources.as_of
