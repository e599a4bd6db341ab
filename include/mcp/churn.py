"""`kpi.churned_customers`: customers who have stopped logging in, the most valuable first."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from include.mcp.answers import Answer, Organization, Question, RowLimit, ask

PlanTier = Literal["starter", "growth", "enterprise"]
Segment = Literal["enterprise", "mid_market", "smb", "unknown"]
Days = Literal[30, 90]


class ChurnedCustomer(BaseModel):
    """A customer who has not logged in for the given number of days."""

    organization_id: str
    position: int = Field(description="Rank by estimated_clv_amount among the matching customers of the organization.")
    customer_count: int = Field(description="Number of matching customers of the organization, including those beyond the limit.")
    account_id: str
    account_name: str | None
    segment: str
    plan_tier: str | None
    region: str | None
    owner_name: str
    last_login_at: datetime
    days_since_login: float
    is_paying: bool | None = Field(description="None if the organization has no subscriptions.")
    mrr_amount: float | None
    estimated_clv_amount: float | None
    reporting_currency: str | None
    churn_risk_score: float
    churn_risk_level: str | None
    risk_level_basis: str
    open_ticket_count: int | None


# Organizations may use different currencies, so each one is ranked separately.
CHURNED_CUSTOMERS = Question(
    table="marts.mart_churned_customers",
    answer=Answer[ChurnedCustomer],
    sql="""
select
    organization_id,
    row_number() over (
        partition by organization_id
        order by estimated_clv_amount desc nulls last, account_id
    ) as position,
    count(*) over (partition by organization_id) as customer_count,
    account_id,
    account_name,
    segment,
    plan_tier,
    region,
    owner_name,
    last_login_at,
    round(days_since_login, 1) as days_since_login,
    is_paying,
    round(mrr_amount, 2) as mrr_amount,
    round(estimated_clv_amount, 2) as estimated_clv_amount,
    reporting_currency,
    round(churn_risk_score, 1) as churn_risk_score,
    churn_risk_level,
    risk_level_basis,
    open_ticket_count
from marts.mart_churned_customers
where if(@days = 90, is_churned_90d, is_churned_30d)
    and (array_length(@plan_tiers) = 0 or plan_tier in unnest(@plan_tiers))
    and (array_length(@segments) = 0 or segment in unnest(@segments))
    and (@organization_id is null or organization_id = @organization_id)
qualify position <= @row_limit
order by organization_id, position
""",
)


def churned_customers(
    days: Annotated[Days, Field(description="No login for more than this many days.")] = 30,
    plan_tiers: Annotated[tuple[PlanTier, ...], Field(description="Only customers on these plans. Default: all plans.")] = (),
    segments: Annotated[tuple[Segment, ...], Field(description="Only customers in these segments. Default: all segments.")] = (),
    organization_id: Organization = None,
    limit: RowLimit = 20,
) -> Answer[ChurnedCustomer]:
    """Customers without a login for more than 30 or 90 days, highest estimated lifetime value (CLV) first.

    These customers are inactive. `is_paying` says whether a customer still pays. Customers who never logged in are left out. "Premium or
    enterprise" customers have the plan_tiers growth or enterprise: every plan above starter. `limit` applies to each organization separately.
    """
    return ask(
        CHURNED_CUSTOMERS,
        lambda _: {
            "days": days,
            "plan_tiers": list(plan_tiers),
            "segments": list(segments),
            "organization_id": organization_id,
            "row_limit": limit,
        },
    )
