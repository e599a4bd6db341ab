select
    organization_id,
    date_trunc(ordered_date, month) as ordered_month,
    count(*) as orders,
    100 * safe_divide(countif(is_fulfilled), count(*)) as fulfilment_rate_pct,
    avg(days_to_deliver) as mean_days_to_deliver
from {{ ref('fct_orders') }}
where is_revenue
group by organization_id, ordered_month
order by organization_id, ordered_month
