"""dim_root_causes and dim_ticket_categories: the root causes and the categories of tickets."""

from __future__ import annotations

from tests.recompute.sources import Row, SourceData, model
from tests.recompute.tenants import UNKNOWN

UNKNOWN_CATEGORY = {"parent_category_name": None, **dict.fromkeys(("category_id", "category_name", "top_category_name"), UNKNOWN)}
CAUSE = ("root_cause_code", "root_cause_name", "root_cause_category", "root_cause_severity")
UNKNOWN_CAUSE = dict.fromkeys(("root_cause_id", *CAUSE), UNKNOWN)


def _with_unknown(sources: SourceData, rows: list[Row], unknown: Row) -> list[Row]:
    return rows + [
        {**unknown, "organization_id": tenant, "is_unknown": True, "updated_at": None}
        for tenant in sources.by_key("organizations")
    ]


@model
def dim_root_causes(sources: SourceData) -> list[Row]:
    """The rows of dim_root_causes, by root cause, with one `unknown` row for each organization."""
    rows = [
        {
            "organization_id": cause["organization_id"],
            "root_cause_id": cause["root_cause_id"],
            "root_cause_code": cause["code"] or UNKNOWN,
            "root_cause_name": cause["name"] or UNKNOWN,
            "root_cause_category": cause["category"] or UNKNOWN,
            "root_cause_severity": (cause["severity"] or UNKNOWN).lower(),
            "is_unknown": False,
            "updated_at": cause["updated_at"],
        }
        for cause in sources["root_causes"]
    ]
    return _with_unknown(sources, rows, UNKNOWN_CAUSE)


@model
def dim_ticket_categories(sources: SourceData) -> list[Row]:
    """The rows of dim_ticket_categories, by category, with one `unknown` row for each organization."""
    rows = [
        {
            "organization_id": category["organization_id"],
            "category_id": category["category_id"],
            "category_name": category["name"] or UNKNOWN,
            "parent_category_name": category["parent_name"],
            "top_category_name": category["parent_name"] or category["name"] or UNKNOWN,
            "is_unknown": False,
            "updated_at": category["updated_at"],
        }
        for category in sources["ticket_categories"]
    ]
    return _with_unknown(sources, rows, UNKNOWN_CATEGORY)
