select distinct
    organization_id,
    year,
    reporting_currency,
    is_year_complete,
    year_order_revenue,
    year_revenue_yoy_pct
from {{ ref('mtr_revenue_by_month') }}
order by organization_id, year
