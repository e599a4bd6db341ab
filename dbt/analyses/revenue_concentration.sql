select
    organization_id,
    month,
    customer_count,
    top_10_customer_share_pct,
    top_10_product_share_pct,
    average_revenue_per_customer,
    median_revenue_per_customer,
    p95_revenue_per_customer
from {{ ref('mtr_revenue_by_month') }}
where is_complete and order_count > 0
order by organization_id, month
