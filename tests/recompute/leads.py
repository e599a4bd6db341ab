"""fct_leads: one row per lead, with the funnel stages it has reached."""

from __future__ import annotations

from decimal import Decimal

from tests.recompute.months import month_of
from tests.recompute.sources import Row, SourceData, model
from tests.recompute.tenants import UNKNOWN, Tenants

# Win probability and stage weight by stage. They repeat a dbt seed on purpose: a wrong value in either place shows as a difference.
WEIGHTS = {
    "lead": (Decimal("0.15"), Decimal("0.10")),
    "sql": (Decimal("0.30"), Decimal("0.25")),
    "opportunity": (Decimal("0.50"), Decimal("0.50")),
    "won": (Decimal(1), Decimal(1)),
    "lost": (Decimal(0), Decimal(0)),
}
FUNNEL = ("lead", "sql", "opportunity", "won")
OPEN = {"lead", "sql", "opportunity"}


def reached(lead: Row, has_stage_times: bool) -> dict[str, bool | None]:
    """The funnel stages that a lead has reached; None if nobody knows it.

    A stage is reached if its timestamp is set or a later stage is reached. A won lead has reached all stages.
    Losing a lead reaches no stage. If the organization records no times of stages, an open lead has reached the stages up to its own.
    """
    stage = lead["stage"]
    won = None if stage == UNKNOWN else stage == "won"
    opportunity = won or _has_reached("opportunity", lead, has_stage_times)
    return {
        "lead": True,
        "sql": opportunity or _has_reached("sql", lead, has_stage_times),
        "opportunity": opportunity,
        "won": won,
    }


def _has_reached(stage: str, lead: Row, has_stage_times: bool) -> bool | None:
    if lead[f"{stage}_at"] is not None:
        return True
    if not has_stage_times:
        return FUNNEL.index(lead["stage"]) >= FUNNEL.index(stage) if lead["stage"] in OPEN else None
    return None if lead["stage"] == UNKNOWN else False


@model
def fct_leads(sources: SourceData) -> list[Row]:
    """The rows of fct_leads, by lead_id."""
    tenants = Tenants(sources)
    with_times = {lead["organization_id"] for lead in sources["leads"] if lead["sql_at"] or lead["opportunity_at"]}
    rows: list[Row] = []
    for lead in sources["leads"]:
        tenant = lead["organization_id"]
        word = (lead["stage"] or "").strip().lower()
        stage = word if word in WEIGHTS else UNKNOWN
        probability, weight = WEIGHTS.get(stage, (None, None))
        created_at = lead["created_at"]
        moments = {name: tenants.seen(lead[name]) for name in ("sql_at", "opportunity_at", "closed_at")}
        progress = reached({"stage": stage, **moments}, tenant in with_times)
        converted = tenants.convert(lead["amount"], lead["currency"], tenant, created_at.date())
        rows.append(
            {
                **lead,
                **moments,
                "stage": stage,
                "account_key": tenants.key("accounts", tenant, lead["account_id"]),
                **tenants.facility(tenant, lead["facility_id"]),
                **tenants.user(tenant, lead["rep_user_id"], "rep_user"),
                "reporting_currency": tenants.reporting_currency(tenant),
                "amount_reporting": converted,
                "has_rate": lead["amount"] is None or converted is not None,
                "win_probability": probability,
                "stage_weight": weight,
                "created_date": created_at.date(),
                "created_month": month_of(created_at),
                **{f"reached_{name}": is_reached for name, is_reached in progress.items()},
                "is_open": None if stage == UNKNOWN else stage in OPEN,
                "is_won": progress["won"],
                "is_lost": None if stage == UNKNOWN else stage == "lost",
            }
        )
    return rows
