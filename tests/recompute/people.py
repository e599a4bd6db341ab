"""dim_users and dim_contacts: the users of each organization, and the contacts at its accounts."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from tests.recompute.seeds import seed
from tests.recompute.sources import Row, SourceData, model, natural
from tests.recompute.tenants import UNKNOWN, Tenants


def _lower(text: str | None) -> str | None:
    return text.strip().lower() if text else None


def words(title: str) -> str:
    """A title for pattern matching: lower case, no accents, one space between words and at both ends. Punctuation becomes a space."""
    plain = "".join(letter for letter in unicodedata.normalize("NFD", title.lower()) if not unicodedata.combining(letter))
    return " " + re.sub(r"[\W_]+", " ", plain).strip() + " "


@cache
def _seniority_rules() -> list[tuple[re.Pattern[str], str]]:
    rules = sorted(seed("seniority_rules"), key=lambda row: int(row["rule_order"]))
    return [(re.compile(row["pattern"].replace(r"\p{L}", r"[^\W\d_]")), row["seniority"]) for row in rules]


def seniority(title: str | None) -> str:
    """The seniority for a job title, from the first matching rule of the seed; unknown without a title."""
    if title is None or not title.strip():
        return UNKNOWN
    return next(level for pattern, level in _seniority_rules() if pattern.search(words(title)))


def dim_users(sources: SourceData) -> list[Row]:
    """The rows of dim_users, by user_id, with one `unknown` row for each organization."""
    tenants = Tenants(sources)
    rows = [
        {
            **user,
            **tenants.facility(user["organization_id"], user["facility_id"]),
            "full_name": user["full_name"] or UNKNOWN,
            "email": _lower(user["email"]),
            "is_unknown": False,
        }
        for user in sources["users"]
    ]
    for tenant in sources.by_key("organizations"):
        empty = dict.fromkeys(("email", "role", "is_active", "created_at", "updated_at"))
        rows.append(
            {
                **empty,
                **tenants.facility(tenant, None),
                "organization_id": tenant,
                "user_id": UNKNOWN,
                "full_name": UNKNOWN,
                "is_unknown": True,
            }
        )
    return rows


@model
def dim_contacts(sources: SourceData) -> list[Row]:
    """The rows of dim_contacts, by contact_id."""
    tenants = Tenants(sources)
    rows: list[Row] = []
    for contact in sources["contacts"]:
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
                "seniority": seniority(contact["title"]),
            }
        )
    return rows
