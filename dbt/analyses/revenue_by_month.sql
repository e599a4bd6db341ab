select
    organization_id,
    month,
    reporting_currency,
    order_revenue,
    order_count,
    average_order_value,
    revenue_yoy_pct
from {{ ref('mtr_revenue_by_month') }}
where is_complete
order by organization_id, month
