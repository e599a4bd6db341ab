select
    organization_id,
    priority_rank,
    account_name,
    segment,
    churn_risk_score,
    churn_risk_level,
    risk_level_basis,
    reason_1,
    reason_2,
    reason_3,
    recommended_action,
    action_reason,
    contact_within_days,
    owner_name,
    estimated_clv_amount,
    value_at_risk_amount,
    reporting_currency
from {{ ref('mart_churn_risk') }}
where churn_risk_level != 'active'
order by organization_id, priority_rank
