"""fct_survey_responses: one row per survey sent to a customer, answered or not."""

from __future__ import annotations

from tests.recompute.months import month_of
from tests.recompute.sources import Row, SourceData, model
from tests.recompute.tenants import UNKNOWN, Tenants


def score_class(survey_type: str | None, score: int | None) -> str | None:
    """The class of a survey score; None without a score, or for a score outside the scale."""
    if score is None:
        return None
    if survey_type == "csat" and 1 <= score <= 5:
        return "satisfied" if score >= 4 else "dissatisfied" if score <= 2 else "neutral"
    if survey_type == "nps" and 0 <= score <= 10:
        return "promoter" if score >= 9 else "detractor" if score <= 6 else "passive"
    return None


@model
def fct_survey_responses(sources: SourceData) -> list[Row]:
    """The rows of fct_survey_responses, by response_id."""
    tenants = Tenants(sources)
    answering = {row["organization_id"] for row in sources["survey_responses"] if tenants.seen(row["responded_at"])}
    rows: list[Row] = []
    for survey in sources["survey_responses"]:
        tenant, answered_at = survey["organization_id"], tenants.seen(survey["responded_at"])
        score = survey["score"] if answered_at else None
        rows.append(
            {
                **survey,
                **tenants.facility(tenant, survey["facility_id"]),
                "account_key": tenants.key("accounts", tenant, survey["account_id"]),
                "survey_type": survey["survey_type"] or UNKNOWN,
                "is_responded": answered_at is not None if tenant in answering else None,
                "score": score,
                "score_class": score_class(survey["survey_type"], score),
                "comment": survey["comment"] if answered_at else None,
                "sent_date": survey["sent_at"].date(),
                "sent_month": month_of(survey["sent_at"]),
                "responded_at": answered_at,
                "responded_month": month_of(answered_at) if answered_at else None,
            }
        )
    return rows
