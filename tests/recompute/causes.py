"""dim_root_causes and dim_ticket_categories: the root causes and the categories of tickets."""

from __future__ import annotations

from tests.recompute.tenants import UNKNOWN
from tests.recompute.world import Row, World

CAUSE = ("root_cause_code", "root_cause_name", "root_cause_category", "root_cause_severity")


def _with_unknown(world: World, rows: list[Row], unknown: Row) -> list[Row]:
    return rows + [
        {**unknown, "organization_id": tenant, "is_unknown": True, "updated_at": None} for tenant in world.by_key("organizations")
    ]


def dim_root_causes(world: World) -> list[Row]:
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
        for cause in world["root_causes"]
    ]
    return _with_unknown(world, rows, dict.fromkeys(("root_cause_id", *CAUSE), UNKNOWN))


def dim_ticket_categories(world: World) -> list[Row]:
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
        for category in world["ticket_categories"]
    ]
    nothing = {"parent_category_name": None, **dict.fromkeys(("category_id", "category_name", "top_category_name"), UNKNOWN)}
    return _with_unknown(world, rows, nothing)
