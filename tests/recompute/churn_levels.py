"""The level of each account's churn risk: calibrated with the history of its organization, or by rank."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from tests.recompute.accounts import dim_accounts
from tests.recompute.grouping import grouped
from tests.recompute.months import month_of, shifted
from tests.recompute.mrr import INSTANT, fct_revenue
from tests.recompute.sources import Row, SourceData

# These settings repeat dbt seeds on purpose: a wrong value in either place shows as a difference. The highest level comes first.
TOP_PCT = {"critical": 2, "high": 10, "medium": 25, "low": 50}
LEFT_PCT = {"critical": 40, "high": 20, "medium": 10, "low": 5}
CONTACT_WITHIN_DAYS = {"low": 30, "medium": 14, "high": 7, "critical": 2}
AT_RISK = {"high", "critical"}
LEAST_COVERAGE, CALIBRATION_MONTHS, LEAST_LEAVERS, LEAST_SCORED = 50, 3, 100, 30


@dataclass(frozen=True)
class Outcome:
    """A kept score of an account that is `account` today, and whether the account left afterwards."""

    account: str
    score: Row
    has_left: bool


def _scored_month(kept: Row) -> date:
    return month_of(kept["scored_at"] - INSTANT)


def is_settled(scored_at: datetime, as_of: datetime) -> bool:
    """Whether the months in which an account may leave after a score are all complete."""
    return shifted(month_of(scored_at - INSTANT), CALIBRATION_MONTHS) < month_of(as_of)


def outcomes(sources: SourceData, kept: Iterable[Row]) -> dict[str, list[Outcome]]:
    """The outcomes of the kept scores by organization: the last score of each account and month with enough data.

    Args:
        sources: the data of the run that calibrates.
        kept: scores of earlier runs: organization_id, account_id, scored_at, data_coverage, churn_risk_score.
    """
    tops = {(row["organization_id"], row["account_id"]): row["top_account_id"] for row in dim_accounts(sources)}
    left = {
        (row["organization_id"], row["account_id"], row["month"]) for row in fct_revenue(sources) if row["movement"] == "churn"
    }
    last: dict[tuple[str, str, date], Row] = {}
    for row in sorted(kept, key=lambda row: row["scored_at"]):
        if row["data_coverage"] >= LEAST_COVERAGE and is_settled(row["scored_at"], sources.as_of):
            last[row["organization_id"], row["account_id"], _scored_month(row)] = row
    found: dict[str, list[Outcome]] = {}
    for (tenant, account, month), row in last.items():
        if top := tops.get((tenant, account)):
            has_left = any((tenant, top, shifted(month, later)) in left for later in range(CALIBRATION_MONTHS + 1))
            found.setdefault(tenant, []).append(Outcome(top, row, has_left))
    return found


def _thresholds(history: Sequence[Outcome]) -> dict[str, object]:
    """The lowest past score from which on enough accounts left, by level."""
    found: dict[str, object] = {}
    for score in sorted({one.score["churn_risk_score"] for one in history}):
        above = [one for one in history if one.score["churn_risk_score"] >= score]
        hits = sum(one.has_left for one in above)
        for level, share in LEFT_PCT.items():
            if len(above) >= LEAST_SCORED and 100 * hits >= share * len(above):
                found.setdefault(level, score)
    return found


def _basis(row: Row, history: Sequence[Outcome]) -> str:
    if row["is_paying"] is False:
        return "without_mrr"
    if row["is_paying"] is None or row["data_coverage"] < LEAST_COVERAGE:
        return "too_little_data"
    leavers = {one.account for one in history if one.has_left}
    return "calibrated" if len(leavers) >= LEAST_LEAVERS else "ranked"


def _levels(basis: str, rows: Sequence[Row], history: Sequence[Outcome]) -> list[str | None]:
    """The level of each of an organization's accounts with the same basis."""
    scores = [row["churn_risk_score"] for row in rows]
    if basis == "ranked":
        places = [sum(other >= score for other in scores) for score in scores]
        return [_first(level for level, top in TOP_PCT.items() if 100 * place <= top * len(rows)) for place in places]
    if basis == "calibrated":
        begins = _thresholds(history)
        return [_first(level for level in LEFT_PCT if level in begins and score >= begins[level]) for score in scores]
    return [None] * len(rows)


def _first(levels: Iterable[str]) -> str:
    return next(iter(levels), "active")


def with_levels(rows: Iterable[Row], history: dict[str, list[Outcome]]) -> list[Row]:
    """The scored accounts with their level, its basis, the lifecycle stage and the action that follow from it."""
    based = [{**row, "risk_level_basis": _basis(row, history.get(row["organization_id"], []))} for row in rows]
    result: list[Row] = []
    for (tenant, basis), group in grouped(based, "organization_id", "risk_level_basis").items():
        for row, level in zip(group, _levels(basis, group, history.get(tenant, [])), strict=True):
            days = CONTACT_WITHIN_DAYS.get(level or "")
            is_at_risk = row["lifecycle_stage"] == "active" and level in AT_RISK
            columns = {
                "churn_risk_level": level,
                "contact_within_days": days,
                "recommended_action": row["recommended_action"] if days else None,
                "action_reason": row["action_reason"] if days else None,
                "lifecycle_stage": "at_risk" if is_at_risk else row["lifecycle_stage"],
            }
            result.append({**row, **columns})
    return result
