"""mart_satisfaction_rollups: one row per organization, facility, survey type and month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction

from tests.recompute.grouping import counted, grouped, known
from tests.recompute.money import mean
from tests.recompute.months import month_end, month_of, months_between, shifted
from tests.recompute.sources import Row, SourceData
from tests.recompute.surveys import fct_survey_responses
from tests.recompute.tenants import Tenants, share

PLACE = ("organization_id", "facility_id", "survey_type")
CLASSES = ("satisfied", "neutral", "dissatisfied", "promoter", "passive", "detractor")
CHANGES = {"response_rate_change": "response_rate_pct", "satisfied_pct_change": "satisfied_pct", "nps_change": "nps"}


def _month(survey_type: str, sent: Sequence[Row], answered: Sequence[Row], is_answering: bool) -> Row:
    """The figures of one month, from the surveys sent in it and the surveys answered in it.

    Answers are unknown unless the organization `is_answering`: one of its surveys was ever answered.
    """
    scored = [survey for survey in answered if survey["score_class"] is not None]
    classes = [survey["score_class"] for survey in scored]
    counts = {name: classes.count(name) for name in CLASSES}
    csat, nps = (len(scored) if survey_type == kind else 0 for kind in ("csat", "nps"))
    if not is_answering:
        return dict.fromkeys(_month(survey_type, sent, answered, True)) | {"sent_count": len(sent)}
    return {
        "sent_count": len(sent),
        "answered_count": counted(sent, "is_responded"),
        "response_rate_pct": share(counted(sent, "is_responded"), len(sent)),
        "response_count": len(scored),
        "unscored_response_count": len(answered) - len(scored),
        **{f"{name}_count": None if answered and not scored else count for name, count in counts.items()},
        "satisfied_pct": share(counts["satisfied"], csat),
        "dissatisfied_pct": share(counts["dissatisfied"], csat),
        "mean_csat_score": mean(known(scored, "score")) if csat else None,
        "promoter_pct": share(counts["promoter"], nps),
        "detractor_pct": share(counts["detractor"], nps),
        "nps": share(counts["promoter"] - counts["detractor"], nps),
    }


def _difference(now: Fraction | None, before: Fraction | None) -> Fraction | None:
    return None if now is None or before is None else now - before


def mart_satisfaction_rollups(sources: SourceData) -> list[Row]:
    """The rows of mart_satisfaction_rollups, without a gap from the first survey to the month of the as-of time."""
    tenants = Tenants(sources)
    last = month_of(sources.as_of - timedelta(microseconds=1))
    answering = {row["organization_id"] for row in fct_survey_responses(sources) if row["is_responded"]}
    rows: list[Row] = []
    for (tenant, facility, kind), surveys in grouped(fct_survey_responses(sources), *PLACE).items():
        sent = grouped((survey for survey in surveys if survey["sent_at"] < sources.as_of), "sent_month")
        answered = grouped((survey for survey in surveys if survey["is_responded"]), "responded_month")
        seen = [month for (month,) in (*sent, *answered)]
        if not seen:
            continue
        months = list(months_between(min(seen), last))
        figures = {
            month: _month(kind, sent.get((month,), []), answered.get((month,), []), tenant in answering) for month in months
        }
        for month in months:
            now, before = figures[month], figures.get(shifted(month, -1), {})
            rows.append(
                {
                    "organization_id": tenant,
                    "facility_id": facility,
                    "facility_name": tenants.facility_name(tenant, facility),
                    "survey_type": kind,
                    "month": month,
                    "is_complete": month_end(month) <= sources.as_of,
                    **now,
                    **{change: _difference(now[rate], before.get(rate)) for change, rate in CHANGES.items()},
                }
            )
    return rows
