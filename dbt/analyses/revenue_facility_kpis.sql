select
    organization_id,
    facility_name,
    month,
    weighted_lead_amount,
    won_deal_amount,
    invoiced_amount,
    order_revenue,
    response_rate_pct,
    compliance_rate_pct
from {{ ref('mart_combined_kpis') }}
where is_complete
qualify month = max(month) over (partition by organization_id)
order by organization_id, facility_name
