"""Snapshots have a version for each change of the tracked columns, dated by the run. A repeated run changes no version."""

from __future__ import annotations

import pytest

from tests.dbt.models.builds import build, write_table
from tests.warehouse import connected, rows

COLUMNS = (
    *("account_key", "organization_id", "account_id", "account_name", "account_category", "revenue_band"),
    *("plan_tier", "segment", "region", "owner_user_id", "top_account_id", "city"),
)


def test_a_version_begins_and_ends_at_the_as_of_time_of_the_run_that_sees_the_change(monkeypatch: pytest.MonkeyPatch) -> None:
    accounts = [dict.fromkeys(COLUMNS, name) for name in ("changes", "goes", "moves")]
    changed = [accounts[0] | {"segment": "smb"}, accounts[2] | {"city": "a column that is not tracked"}]
    versions = "select account_id, segment, date(dbt_valid_from), date(dbt_valid_to) from snapshots.snap_accounts order by 1, 3"
    with connected(monkeypatch, "core", "snapshots") as bq:
        write_table(bq, "core.dim_accounts", dict.fromkeys(COLUMNS, str), accounts)
        build("2026-09-30", "snap_accounts")
        write_table(bq, "core.dim_accounts", dict.fromkeys(COLUMNS, str), changed)
        build("2026-10-01", "snap_accounts")
        first = [tuple(map(str, row)) for row in rows(versions, bq)]
        build("2026-10-01", "snap_accounts")
        again = [tuple(map(str, row)) for row in rows(versions, bq)]
        kept = {row[0] for row in rows("select column_name from snapshots.INFORMATION_SCHEMA.COLUMNS", bq)}

    assert first == [
        ("changes", "changes", "2026-09-30", "2026-10-01"),
        ("changes", "smb", "2026-10-01", "None"),
        ("goes", "goes", "2026-09-30", "2026-10-01"),
        ("moves", "moves", "2026-09-30", "None"),
    ]
    assert again == first
    assert kept == {*COLUMNS, "dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to"} - {"city"}
