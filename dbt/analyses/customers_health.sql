select
    organization_id,
    account_name,
    segment,
    owner_name,
    health_score,
    health_tier,
    usage_score,
    support_score,
    revenue_score,
    engagement_score,
    data_coverage,
    mrr_amount
from {{ ref('mart_customer_health_scores') }}
where is_current
order by organization_id, health_score
