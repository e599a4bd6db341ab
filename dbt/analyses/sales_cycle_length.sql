select distinct
    organization_id,
    date_trunc(closed_date, month) as closed_month,
    percentile_cont(sales_cycle_days, 0.5) over (partition by organization_id, date_trunc(closed_date, month)) as median_days,
    percentile_cont(sales_cycle_days, 0.9) over (partition by organization_id, date_trunc(closed_date, month)) as p90_days
from {{ ref('fct_deals') }}
where is_won
order by organization_id, closed_month
