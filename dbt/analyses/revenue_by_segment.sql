select
    organization_id,
    segment,
    month,
    reporting_currency,
    paying_customer_count,
    mrr_amount,
    mrr_share_pct,
    median_mrr_per_customer,
    ordering_customer_count,
    average_order_value,
    average_revenue_per_customer
from {{ ref('mtr_customer_segment_summary') }}
where is_complete
order by organization_id, month, segment
