"""fct_compliance_checks: one row per compliance check of a facility."""

from __future__ import annotations

from datetime import datetime

from tests.recompute.months import month_of
from tests.recompute.sources import Row, SourceData, model
from tests.recompute.tenants import Tenants


def counts_as(status: str, due_at: datetime, as_of: datetime) -> str:
    """The result under which a check is counted: passed, failed, overdue or other."""
    if status in {"passed", "failed"}:
        return status
    return "overdue" if status == "pending" and due_at < as_of else "other"


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
                "due_date": check["due_at"].date(),
                "due_month": month_of(check["due_at"]),
                "is_overdue": result == "overdue",
                "counts_as": result,
            }
        )
    return rows
