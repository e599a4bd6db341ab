"""dim_users and dim_contacts on hand-worked people."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.recompute.factory import account, contact, facility, organization, user
from tests.recompute.golden import golden
from tests.recompute.people import dim_contacts, dim_users, seniority, words
from tests.recompute.sources import Row, SourceData


def sources() -> SourceData:
    return SourceData.of(
        datetime(2026, 9, 15, tzinfo=UTC),
        organizations=[organization()],
        accounts=[account()],
        facilities=[facility()],
        users=[user(facility_id="gone", email="Me@X.Example")],
        contacts=[contact(title="CFO"), contact(contact_id="d", account_id="gone", first_name=None)],
    )


SENIORITY = golden("dim_contacts", "seniority_follows_from_the_title")
TITLES = {row["contact_id"]: row["title"] for row in SENIORITY.given["conformed_contacts"]}


@pytest.mark.parametrize("row", SENIORITY.expected, ids=lambda row: str(row["contact_id"]))
def test_the_seniority_of_a_title(row: Row) -> None:
    assert seniority(TITLES[row["contact_id"]]) == row["seniority"]


def test_titles_are_normalized_to_plain_words() -> None:
    assert words("Sr. Geschäftsführer/CTO") == " sr geschaftsfuhrer cto "


def test_every_organization_has_an_unknown_user() -> None:
    known, unknown = dim_users(sources())
    assert (known["email"], known["facility_id"], known["is_unknown"]) == ("me@x.example", "unknown", False)
    assert (unknown["user_id"], unknown["full_name"], unknown["is_unknown"]) == ("unknown", "unknown", True)


def test_a_contact_of_an_unknown_account_is_kept() -> None:
    known, orphan = dim_contacts(sources())
    assert (known["account_key"], known["account_name"], known["full_name"]) == ("t|a", "A", "Ada Lovelace")
    assert (orphan["account_key"], orphan["account_name"], orphan["full_name"]) == (None, None, "Lovelace")
