"""Decisions on accounts of two systems, and the list of accounts without a match."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from google.cloud.bigquery import Client
from rich.console import Console

from include import ops
from include.identity import IdentityError, decide, open_accounts, open_table, write_page
from include.warehouse import execute
from tests.warehouse import connected, rows

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)
_DECISIONS = (
    "select organization_id, account_id, other_account_id, is_same, decided_by from ops.account_decisions order by decided_at"
)


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Client]:
    """A client of a warehouse with three accounts of tenant a, and one of tenant b that has an id of a."""
    monkeypatch.setenv("PLATFORM_DBT_DIR", str(tmp_path))
    monkeypatch.setenv("PLATFORM_STATE_DIR", str(tmp_path / "state"))
    with connected(monkeypatch) as client:
        ops.ensure_tables(["crm"], client)
        for dataset in ("conformed", "marts"):
            client.create_dataset(dataset, exists_ok=True)
        execute(
            "create or replace table conformed.conformed_accounts as "
            "select 'a' as organization_id, 'c1' as account_id, 'One' as account_name, 'crm' as source_system "
            "union all select 'a', 'c2', 'Two', 'crm' union all select 'a', 'b1', 'One Ltd', 'billing' "
            "union all select 'b', 'c1', 'Other', 'crm'",
            client=client,
        )
        yield client


def test_the_last_decision_on_a_pair_counts_and_a_repetition_changes_nothing(bq: Client) -> None:
    said = [
        decide("same", "b1", "c1", "ann", now=NOON, client=bq),
        decide("same", "c1", "b1", "bob", now=NOON + timedelta(hours=1), client=bq),
        decide("different", "c1", "b1", "bob", "a", now=NOON + timedelta(hours=2), client=bq),
        decide("withdraw", "c1", "b1", "ann", now=NOON + timedelta(hours=3), client=bq),
        decide("withdraw", "b1", "c1", "ann", now=NOON + timedelta(hours=4), client=bq),
    ]
    assert said == [
        "a: b1 and c1 are one customer, says ann. The next run applies it.",
        "a: c1 and b1 are one customer already since 2026-10-01 12:00 UTC, by ann.",
        "a: c1 and b1 are two customers, says bob. The next run applies it.",
        "a: c1 and b1 are matched by the rules alone, says ann. The next run applies it.",
        "a: b1 and c1 are matched by the rules alone already since 2026-10-01 15:00 UTC, by ann.",
    ]
    assert rows(_DECISIONS, bq) == [
        ("a", "b1", "c1", True, "ann"),
        ("a", "c1", "b1", False, "bob"),
        ("a", "c1", "b1", None, "ann"),
    ]


@pytest.mark.parametrize(
    ("decision", "account", "other", "by", "message"),
    [
        ("same", "b1", "nowhere", "ann", "There is no nowhere in"),
        ("same", "x", "y", "ann", "There is no x and no y in"),
        ("same", "c1", "c2", "ann", "c1 and c2 are both of crm. Merge accounts of one system there"),
        ("same", "b1", "c1", " ", "Say who decides"),
        ("perhaps", "b1", "c1", "ann", "A decision is same, different, withdraw; it is 'perhaps'"),
    ],
)
def test_a_decision_that_makes_no_sense_is_refused(
    bq: Client, decision: str, account: str, other: str, by: str, message: str
) -> None:
    with pytest.raises(IdentityError, match=message):
        decide(decision, account, other, by, client=bq)
    assert rows(_DECISIONS, bq) == []


def test_accounts_that_two_organizations_have_need_the_organization(bq: Client) -> None:
    execute("insert into conformed.conformed_accounts values ('b', 'b1', 'Other', 'billing')", client=bq)
    with pytest.raises(IdentityError, match=r"Several organizations have both accounts: a, b\. Name one: ORG=id"):
        decide("same", "b1", "c1", "ann", client=bq)
    assert decide("same", "b1", "c1", "ann", "b", now=NOON, client=bq).startswith("b: b1 and c1 are one customer")


def test_accounts_without_a_match_are_listed_by_what_depends_on_them(bq: Client) -> None:
    execute(
        "create or replace table marts.mart_account_identity as "
        "select 'a' as organization_id, 'billing' as source_system, 'b1' as account_id, 'One <Ltd>' as account_name, "
        "'unmatched' as identity_status, cast(null as string) as rule, cast(null as string) as candidate_account_ids, "
        "numeric '12.5' as customer_mrr_amount, 'USD' as reporting_currency, 1 as open_ticket_count, 0 as recent_event_count "
        "union all select 'a', 'billing', 'b2', null, 'ambiguous', 'domain', 'c1, c2', numeric '1200', 'USD', 0, 3 "
        "union all select 'a', 'billing', 'b3', null, 'matched', 'domain', 'c1', numeric '9999', 'USD', 0, 0 "
        "union all select 'b', 'support', 's1', null, 'suggested', 'name_and_country', 'c1', null, null, 0, 0",
        client=bq,
    )
    assert [row["account_id"] for row in open_accounts(client=bq)] == ["b2", "b1", "s1"]
    assert [row["account_id"] for row in open_accounts("b", bq)] == ["s1"]
    console = Console(width=200)
    with console.capture() as captured:
        console.print(open_table(open_accounts(client=bq)))
    lines = captured.get().splitlines()
    assert lines[1].split() == ["a", "billing", "b2", "–", "ambiguous", "domain", "c1,", "c2", "USD", "1,200.00", "0", "3"]
    assert "One &lt;Ltd&gt;" in write_page(bq).read_text()
