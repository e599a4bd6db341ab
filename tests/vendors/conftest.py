"""One organization of a small company, on two days. It has customers who pay in pounds, euros and yen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from include.demo import generate
from include.demo.vendors.common import Account, account_of

SCALE, SEED, AS_OF = 0.02, 6, datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def first_day() -> Account:
    """The account as of the first day."""
    return account_of(generate(SCALE, SEED, AS_OF), AS_OF)


@pytest.fixture(scope="session")
def second_day(first_day: Account) -> Account:
    """The account a day later."""
    now = AS_OF + timedelta(days=1)
    return replace(account_of(generate(SCALE, SEED, now), now, first_day.organization["organization_id"]), before=first_day)
