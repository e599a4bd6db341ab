"""The second implementation of identity gives the golden cases of the first."""

from __future__ import annotations

from collections import defaultdict

import pytest

from tests.recompute.golden import golden
from tests.recompute.identity import identities


@pytest.mark.parametrize("case", ["the_first_rule_that_finds_one_account_matches", "a_decision_counts_before_every_rule"])
def test_golden_cases(case: str) -> None:
    found = golden("dim_account_identity", case)
    accounts = [{"account_name": None, "merged_into_account_id": None} | row for row in found.given["conformed_accounts"]]
    values: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for row in found.given["int_accounts__identifiers"]:
        values[row["organization_id"], row["account_id"]].add((row["kind"], row["value"]))
    mapped = [row | {"decided_at": row["updated_at"]} for row in found.given["conformed_account_map"]]
    rows = identities(accounts, values, mapped + found.given["ops"])
    assert len(rows) == len(found.expected)
    by_id = {row["account_id"]: row for row in rows}
    for expected in found.expected:
        assert {name: by_id[expected["account_id"]][name] for name in expected} == expected
