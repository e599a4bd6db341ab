"""fct_compliance_checks: one row per compliance check of a facility."""

from __future__ import annotations

from datetime import datetime

from tests.recompute.months import month_of
from tests.recompute.sources import Row, SourceData, model
from tests.recompute.tenants import UNKNOWN, Tenants


def counts_as(status: str | None, due_at: datetime | None, as_of: datetime) -> str:
    """The result under which a check is counted: passed, failed, overdue, other or unknown."""
    if status in {"passed", "failed"}:
        return str(status)
    if status == "waived":
        return "other"
    if status != "pending" or due_at is None:
        return UNKNOWN
    return "overdue" if due_at < as_of else "other"


def is_overdue(status: str | None, due_at: datetime | None, as_of: datetime) -> bool | None:
    """Whether a check is pending after it was due. None if what decides is unknown."""
    if status not in {None, "pending"} or (due_at is not None and due_at >= as_of):
        return False
    return None if status is None or due_at is None else True


@model
def fct_compliance_checks(sources: SourceData) -> list[Row]:
    """The rows of fct_compliance_checks, by check_id."""
    tenants = Tenants(sources)
    rows: list[Row] = []
    for check in sources["compliance_checks"]:
        result = counts_as(check["status"], check["due_at"], sources.as_of)
        rows.append(
            {
                **check,
                **tenants.facility(check["organization_id"], check["facility_id"]),
                "completed_at": tenants.seen(check["completed_at"]),
                "due_date": check["due_at"] and check["due_at"].date(),
                "due_month": check["due_at"] and month_of(check["due_at"]),
                "is_overdue": is_overdue(check["status"], check["due_at"], sources.as_of),
                "counts_as": result,
            }
        )
    return rows
