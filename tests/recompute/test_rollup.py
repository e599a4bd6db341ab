"""The roll-up of accounts on hand-worked account trees."""

from __future__ import annotations

from typing import Any

import pytest

from tests.recompute.rollup import RollUp, roll_up


def account(identity: str, parent: str | None = None, merged: str | None = None, tenant: str = "t") -> dict[str, Any]:
    return {
        "account_id": identity,
        "organization_id": tenant,
        "parent_account_id": parent,
        "merged_into_account_id": merged,
    }


ACCOUNTS = [
    account("top"),
    account("child", parent="top"),
    account("grandchild", parent="child"),
    account("old", merged="child"),
    account("older", parent="elsewhere", merged="old"),
    account("orphan", parent="gone"),
    account("child of orphan", parent="orphan"),
    account("ring 1", parent="ring 2"),
    account("ring 2", parent="ring 1"),
    account("into the ring", parent="ring 2"),
    account("own parent", parent="own parent"),
    account("elsewhere", tenant="u"),
    account("foreign", parent="elsewhere"),
    account("child", parent="elsewhere", tenant="u"),
]

BY_TENANT = {(row["organization_id"], row["account_id"]): row for row in ACCOUNTS}


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("top", RollUp("top", None)),
        ("child", RollUp("top", None)),
        ("grandchild", RollUp("top", None)),
        ("old", RollUp("top", None)),
        ("older", RollUp("top", None)),
        ("orphan", RollUp("orphan", "missing_target")),
        ("child of orphan", RollUp("orphan", None)),
        ("ring 1", RollUp("ring 1", "cycle")),
        ("into the ring", RollUp("ring 2", None)),
        ("own parent", RollUp("own parent", "cycle")),
        ("foreign", RollUp("foreign", "other_organization")),
    ],
)
def test_roll_up(start: str, end: RollUp) -> None:
    assert roll_up(BY_TENANT["t", start], BY_TENANT) == end


def test_the_same_id_in_another_organization_is_another_account() -> None:
    assert roll_up(BY_TENANT["u", "child"], BY_TENANT) == RollUp("elsewhere", None)
