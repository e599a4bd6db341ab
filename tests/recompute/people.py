"""dim_users and dim_contacts: who works for a tenant, and whom it talks to."""

from __future__ import annotations

from tests.recompute.tenants import UNKNOWN, Tenants
from tests.recompute.world import Row, World, natural


def _lower(text: str | None) -> str | None:
    return text.strip().lower() if text else None


def dim_users(world: World) -> list[Row]:
    """The rows of dim_users, by user_id; one `unknown` for each organization."""
    tenants = Tenants(world)
    rows = [
        {
            **user,
            **tenants.facility(user["organization_id"], user["facility_id"]),
            "full_name": user["full_name"] or UNKNOWN,
            "email": _lower(user["email"]),
            "is_unknown": False,
        }
        for user in world["users"]
    ]
    for tenant in world.by_key("organizations"):
        nobody = dict.fromkeys(("email", "role", "is_active", "created_at", "updated_at"))
        rows.append(
            {
                **nobody,
                **tenants.facility(tenant, None),
                "organization_id": tenant,
                "user_id": UNKNOWN,
                "full_name": UNKNOWN,
                "is_unknown": True,
            }
        )
    return rows


def dim_contacts(world: World) -> list[Row]:
    """The rows of dim_contacts, by contact_id."""
    tenants = Tenants(world)
    rows: list[Row] = []
    for contact in world["contacts"]:
        tenant = contact["organization_id"]
        account = tenants.row("accounts", tenant, contact["account_id"])
        rows.append(
            {
                **contact,
                "account_key": natural(tenant, contact["account_id"]) if account else None,
                "account_name": account["name"] if account else None,
                "full_name": " ".join(part.strip() for part in (contact["first_name"], contact["last_name"]) if part) or None,
                "email": _lower(contact["email"]),
                "contact_status": contact["status"],
            }
        )
    return rows
