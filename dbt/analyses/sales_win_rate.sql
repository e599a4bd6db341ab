select
    organization_id,
    facility_name,
    month,
    won_deal_count,
    lost_deal_count,
    deal_win_rate_pct,
    median_sales_cycle_days
from {{ ref('mart_pipeline_kpis') }}
where won_deal_count + lost_deal_count > 0
order by organization_id, facility_name, month
