select
    organization_id,
    stage,
    count(*) as deals,
    countif(not has_rate) as deals_without_rate,
    sum(amount_reporting) as amount,
    sum(weighted_amount) as weighted_amount
from {{ ref('fct_deals') }}
where is_open
group by organization_id, stage
order by organization_id asc, amount desc
