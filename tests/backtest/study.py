"""The accounts of one or more companies in two runs: their scores in the first, and whether they have left by the second."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from tests.backtest.measures import Outcome

LEVELS = ("active", "low", "medium", "high", "critical")
ALARMS = ("high", "critical")
HORIZONS = (3, 6)

Signals = Mapping[str, float | None]


@dataclass(frozen=True)
class Account:
    """An account with recurring revenue in the first run.

    Attributes:
        level: its churn_risk_level in that run; None if unknown.
        score: its churn_risk_score in that run.
        days_since_login: in that run; None if it never logged in.
        left_after: the number of the month, from 1, in which it first had no recurring revenue; None if it has not left.
        parts: the parts of the score, 0 to 100; None if unknown.
        others: signals that the score does not use, higher for more risk; None if unknown.
    """

    level: str | None
    score: float
    days_since_login: float | None
    left_after: int | None
    parts: Signals
    others: Signals

    def left(self, months: int) -> bool:
        """Whether it left within so many months."""
        return self.left_after is not None and self.left_after <= months


@dataclass(frozen=True)
class Study:
    """The accounts of one or more companies in two runs, with the weights of the score's parts."""

    scored_on: str
    seen_on: str
    companies: tuple[str, ...]
    weights: Mapping[str, float]
    accounts: tuple[Account, ...]

    def ranked(self, months: int, score: Callable[[Account], float | None]) -> list[Outcome]:
        """The accounts by a score of one's own. An account whose score is None comes last, at −1."""
        scored = ((account, score(account)) for account in self.accounts)
        return [Outcome(-1 if value is None else value, account.left(months)) for account, value in scored]

    def outcomes(self, months: int) -> list[Outcome]:
        """The accounts by their churn score."""
        return self.ranked(months, lambda account: account.score)

    def baseline(self, months: int) -> list[Outcome]:
        """The accounts by the days since their last login."""
        return self.ranked(months, lambda account: account.days_since_login)

    def part(self, months: int, name: str) -> list[Outcome]:
        """The accounts by one part of the score."""
        return self.ranked(months, lambda account: account.parts[name])

    def without(self, months: int, name: str) -> list[Outcome]:
        """The accounts by the score that they would have without one part."""

        def score(account: Account) -> float | None:
            known = {part: value for part, value in account.parts.items() if part != name and value is not None}
            whole = sum(self.weights[part] for part in known)
            return sum(self.weights[part] * value for part, value in known.items()) / whole if whole else None

        return self.ranked(months, score)

    def other(self, months: int, name: str) -> list[Outcome]:
        """The accounts by a signal that the score does not use."""
        return self.ranked(months, lambda account: account.others[name])

    def at(self, *levels: str | None) -> list[Account]:
        """The accounts at any of these levels."""
        return [account for account in self.accounts if account.level in levels]


def pooled(studies: Sequence[Study]) -> Study:
    """The accounts of several companies as one study. Dates and weights are those of the first: all companies have the same."""
    companies = tuple(company for study in studies for company in study.companies)
    return replace(studies[0], companies=companies, accounts=tuple(account for study in studies for account in study.accounts))
