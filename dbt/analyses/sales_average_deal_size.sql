select
    organization_id,
    date_trunc(closed_date, month) as closed_month,
    count(*) as won_deals,
    countif(not has_rate) as deals_without_rate,
    avg(amount_reporting) as average_deal_size
from {{ ref('fct_deals') }}
where is_won
group by organization_id, closed_month
order by organization_id, closed_month
