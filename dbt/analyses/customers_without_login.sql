select
    organization_id,
    segment,
    plan_tier,
    count(*) as accounts,
    countif(is_churned_30d) as without_login_for_30_days,
    countif(is_churned_90d) as without_login_for_90_days,
    countif(is_churned_30d and is_paying) as of_them_paying
from {{ ref('mart_churned_customers') }}
group by organization_id, segment, plan_tier
order by organization_id, segment, plan_tier
