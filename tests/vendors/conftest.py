"""The two organizations of a small company, on two days. The first has customers who pay in pounds, euros and yen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from include.demo import generate
from include.demo.vendors.common import Account, account_of

SCALE, SEED, AS_OF = 0.02, 6, datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def accounts() -> list[tuple[Account, Account]]:
    """The account of each organization on the first day, and on the day after it."""
    now = AS_OF + timedelta(days=1)
    first, second = generate(SCALE, SEED, AS_OF), generate(SCALE, SEED, now)
    result = []
    for organization in first.tables["organizations"]["organization_id"].to_pylist():
        before = account_of(first, AS_OF, organization)
        result.append((before, replace(account_of(second, now, organization), before=before)))
    return result


@pytest.fixture(scope="session")
def first_day(accounts: list[tuple[Account, Account]]) -> Account:
    """The account of the first organization on the first day."""
    return accounts[0][0]


@pytest.fixture(scope="session")
def second_day(accounts: list[tuple[Account, Account]]) -> Account:
    """The same account a day later."""
    return accounts[0][1]
