select
    organization_id,
    account_name,
    segment,
    plan_tier,
    days_since_login,
    is_churned_90d,
    is_paying,
    mrr_amount,
    estimated_clv_amount,
    reporting_currency
from {{ ref('mart_churned_customers') }}
where is_churned_30d and plan_tier in ('growth', 'enterprise')
order by organization_id asc, estimated_clv_amount desc nulls last, account_name asc
