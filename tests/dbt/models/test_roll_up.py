"""Rolls accounts up to their top account. The model is recursive, and dbt's unit tests cannot run recursive models on BigQuery."""

from __future__ import annotations

import pytest

from tests.dbt.models.builds import build, write_table
from tests.warehouse import connected, rows

DEEP = 60
ACCOUNTS: tuple[tuple[str, str, str | None, str | None], ...] = (
    # organization, account, merged into, parent
    ("a", "top", None, None),
    ("a", "child", None, "top"),
    ("a", "grandchild", None, "child"),
    ("a", "merged", "grandchild", None),
    ("a", "in_billing", None, "own_parent"),
    ("a", "merged_in_billing", "in_billing", None),
    ("a", "merged_with_parent", "other_top", "child"),
    ("a", "other_top", None, None),
    ("a", "orphan", None, "nowhere"),
    ("a", "child_of_orphan", None, "orphan"),
    ("a", "abroad", None, "foreign"),
    ("b", "foreign", None, None),
    ("b", "child", None, "foreign"),
    ("a", "ring_1", None, "ring_2"),
    ("a", "ring_2", "ring_1", None),
    ("a", "into_ring", None, "ring_2"),
    ("a", "into_into_ring", None, "into_ring"),
    ("a", "own_parent", None, "own_parent"),
    ("a", "child_of_own_parent", None, "own_parent"),
    ("c", "level_0", None, None),
    *(("c", f"level_{level}", None, f"level_{level - 1}") for level in range(1, DEEP + 1)),
)
EXPECTED = {
    ("a", "top"): ("top", None),
    ("a", "child"): ("top", None),
    ("a", "grandchild"): ("top", None),
    ("a", "merged"): ("top", None),
    ("a", "in_billing"): ("top", None),
    ("a", "merged_in_billing"): ("top", None),
    ("a", "merged_with_parent"): ("other_top", None),
    ("a", "other_top"): ("other_top", None),
    ("a", "orphan"): ("orphan", "missing_target"),
    ("a", "child_of_orphan"): ("orphan", None),
    ("a", "abroad"): ("abroad", "other_organization"),
    ("b", "foreign"): ("foreign", None),
    ("b", "child"): ("foreign", None),
    ("a", "ring_1"): ("ring_1", "cycle"),
    ("a", "ring_2"): ("ring_2", "cycle"),
    ("a", "into_ring"): ("ring_2", None),
    ("a", "into_into_ring"): ("ring_2", None),
    ("a", "own_parent"): ("own_parent", "cycle"),
    ("a", "child_of_own_parent"): ("own_parent", None),
} | {("c", f"level_{level}"): ("level_0", None) for level in range(DEEP + 1)}


def test_accounts_roll_up_to_their_top(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("organization_id", "account_id", "merged_into_account_id", "parent_account_id")
    with connected(monkeypatch, "core", "conformed") as bq:
        accounts = [dict(zip(names, account, strict=True)) for account in ACCOUNTS]
        write_table(bq, "conformed.conformed_accounts", dict.fromkeys(names, str), accounts)
        matched = {"organization_id": "a", "account_id": "in_billing", "matched_account_id": "grandchild"}
        write_table(bq, "core.dim_account_identity", dict.fromkeys(matched, str), [matched])
        build("2026-10-01", "int_accounts__links", "int_accounts__walks", "int_accounts__roll_up")
        found = rows("select organization_id, account_id, top_account_id, roll_up_issue from core.int_accounts__roll_up", bq)

    assert len(found) == len(ACCOUNTS)
    assert {(organization, account): (top, issue) for organization, account, top, issue in found} == EXPECTED
