select
    organization_id,
    product_category,
    month,
    sum(units_sold) as units_sold,
    sum(revenue_amount) as revenue_amount,
    sum(lines_without_rate) as lines_without_rate,
    100 * cast(safe_divide(sum(margin_amount), sum(costed_revenue_amount)) as float64) as margin_pct
from {{ ref('mart_product_performance') }}
group by organization_id, product_category, month
order by organization_id asc, month asc, revenue_amount desc
